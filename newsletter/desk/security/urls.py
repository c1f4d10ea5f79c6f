"""The way in, before Wagtail's own addresses and in the place of its log-in page."""

from django.urls import path

from newsletter.desk.security import joining, signing_in

app_name = "security"

urlpatterns = [
    path("login/", signing_in.Login.as_view(), name="login"),
    path("login/second/", signing_in.second, name="second"),
    path("login/set-up/", signing_in.set_up, name="set_up"),
    path("invitation/<str:token>/", joining.join, name="invitation"),
    path("password_reset/", signing_in.PasswordReset.as_view(), name="password_reset"),
]
