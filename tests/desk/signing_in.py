"""Staff who sign in as they do: password, then a code of their app."""

import time

from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter.desk.models import User
from newsletter.desk.security import recovery
from tests.desk import world

LOGIN = "/admin/login/"
SECOND = "/admin/login/second/"
SET_UP = "/admin/login/set-up/"
HOME = "/admin/"


def with_factor(username: str = "author", **extra: object) -> tuple[User, TOTPDevice]:
    user = world.staff(username, password=world.PASSWORD, **extra)
    return user, give_factor(user)


def give_factor(user: User) -> TOTPDevice:
    device: TOTPDevice = TOTPDevice.objects.create(user=user, name="phone", confirmed=True)
    return device


def code_of(device: TOTPDevice, ahead: int = 0) -> str:
    """The code that the app shows now, or so many half minutes from now."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + 30 * ahead
    return f"{totp.token():06d}"


def password(client: Client, username: str, typed: str = world.PASSWORD, **data: str):
    return client.post(LOGIN, {"username": username, "password": typed, **data})


def sign_in(client: Client, user: User, device: TOTPDevice, ahead: int = 0) -> Client:
    password(client, user.username)
    client.post(SECOND, {"code": code_of(device, ahead)})
    assert inside(client)
    return client


def inside(client: Client) -> bool:
    return client.get(HOME).status_code == 200


def logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def proven(user: User) -> Client:
    """A browser of somebody who proved just now who they are."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["desk_proven_at"] = time.time()
    session.save()
    return client


def stale(client: Client) -> None:
    session = client.session
    session["desk_proven_at"] = time.time() - 601
    session.save()


def codes(user: User) -> list[str]:
    return recovery.renew(user)


def prove_url() -> str:
    return reverse("desk:prove")
