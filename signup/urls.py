"""The sign-up's public addresses (docs/architecture.md: the paths are a contract)."""

from django.urls import URLPattern, URLResolver, path

from signup.api import api
from signup.views import (
    choosing,
    confirming,
    embedded,
    erasing,
    leaving,
    moving,
    notice,
    proving,
    records,
    renewing,
    signing_up,
    stopping,
    withdrawing,
)

app_name = "signup"

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-up/", signing_up.sign_up, name="sign_up"),
    path("sign-up/check-your-inbox/", signing_up.check_inbox, name="check_inbox"),
    path("sign-up/challenge/", proving.challenge, name="challenge"),
    path("sign-up/for/<slug:slug>/", signing_up.condition_sign_up, name="condition_sign_up"),
    path("sign-up/embed/<slug:public_id>/", embedded.embedded, name="embedded"),
    path("api/v1/", api.urls),
    path("confirm/<str:token>/", confirming.confirm, name="confirm"),
    path("welcome/<str:token>/", choosing.welcome, name="welcome"),
    path("preferences/", choosing.preferences_request, name="preferences_request"),
    path("preferences/link-mailed/", choosing.preferences_mailed, name="preferences_mailed"),
    path("preferences/<str:token>/", choosing.preferences, name="preferences"),
    path("preferences/<str:token>/record/", records.my_record, name="my_record"),
    path("preferences/<str:token>/export/", records.export, name="export"),
    path("preferences/<str:token>/address/", moving.change_address, name="change_address"),
    path("preferences/<str:token>/erase/", erasing.erase, name="erase"),
    path("erased/", erasing.erased, name="erased"),
    path("new-address/<str:token>/", moving.new_address, name="new_address"),
    path("unsubscribe/<str:token>/", leaving.unsubscribe, name="unsubscribe"),
    path("goodbye/", leaving.goodbye, name="goodbye_plain"),
    path("goodbye/<str:token>/", leaving.goodbye, name="goodbye"),
    path("undo/<str:token>/", leaving.undo, name="undo"),
    path("withdraw/<str:token>/", withdrawing.withdraw, name="withdraw"),
    path("withdrawn/", withdrawing.withdrawn, name="withdrawn"),
    path("stop/<str:token>/", stopping.stop, name="stop_section"),
    path("stopped/", stopping.stopped, name="section_stopped"),
    path("keep/<str:token>/", renewing.keep, name="keep"),
    path("kept/", renewing.kept, name="kept"),
    path("privacy/", notice.privacy, name="privacy"),
]
