"""The sign-up's public addresses (docs/architecture.md: the paths are a contract)."""

from django.urls import URLPattern, URLResolver, path

from signup.views import choosing, confirming, leaving, notice, proving, signing_up

app_name = "signup"

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-up/", signing_up.sign_up, name="sign_up"),
    path("sign-up/check-your-inbox/", signing_up.check_inbox, name="check_inbox"),
    path("sign-up/challenge/", proving.challenge, name="challenge"),
    path("sign-up/for/<slug:slug>/", signing_up.condition_sign_up, name="condition_sign_up"),
    path("confirm/<str:token>/", confirming.confirm, name="confirm"),
    path("welcome/<str:token>/", choosing.welcome, name="welcome"),
    path("preferences/", choosing.preferences_request, name="preferences_request"),
    path("preferences/link-mailed/", choosing.preferences_mailed, name="preferences_mailed"),
    path("preferences/<str:token>/", choosing.preferences, name="preferences"),
    path("unsubscribe/<str:token>/", leaving.unsubscribe, name="unsubscribe"),
    path("goodbye/", leaving.goodbye, name="goodbye_plain"),
    path("goodbye/<str:token>/", leaving.goodbye, name="goodbye"),
    path("undo/<str:token>/", leaving.undo, name="undo"),
    path("privacy/", notice.privacy, name="privacy"),
]
