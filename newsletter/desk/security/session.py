"""What a staff session knows: half a log-in, and when its owner last proved who they are."""

import time
from datetime import timedelta
from functools import wraps
from typing import Any, Protocol

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode
from django_otp import login as otp_login

from newsletter.desk.models import Authenticator, User

HALF_LASTS = timedelta(minutes=10)
FRESH = timedelta(minutes=10)
_HALF, _PROVEN = "desk_half", "desk_proven_at"


class View(Protocol):
    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse: ...


def begin_half(request: HttpRequest, *, user: User, next_url: str, remember: bool) -> None:
    """Note that the password was right. Nobody is logged in by that.

    The session begins anew under another key: neither one that a stranger planted nor one of
    somebody else goes on from here.
    """
    request.session.flush()
    request.session[_HALF] = {
        "user": user.pk,
        "backend": user.backend,
        "password": user.get_session_auth_hash(),
        "at": time.time(),
        "next": next_url,
        "remember": remember,
    }
    request.session.set_expiry(int(HALF_LASTS.total_seconds()))


def half(request: HttpRequest) -> User | None:
    """Return who has given the right password within ten minutes and is not in yet."""
    noted = request.session.get(_HALF)
    if not noted or not 0 <= time.time() - noted["at"] <= HALF_LASTS.total_seconds():
        return None
    user = User.objects.filter(pk=noted["user"], is_active=True).first()
    # The password may have been changed meanwhile, by its owner, because of this very log-in.
    if user is None or not constant_time_compare(user.get_session_auth_hash(), noted["password"]):
        return None
    user.backend = noted["backend"]
    return user


def complete(request: HttpRequest, *, user: User, device: Authenticator) -> str:
    """Log the half-way user in, verified; return where they wanted to go."""
    noted = request.session.pop(_HALF)
    # django-otp's receiver of user_logged_in notes the device in the session.
    user.otp_device = device  # type: ignore[attr-defined]
    login(request, user, backend=noted["backend"])
    _expire(request, remember=noted["remember"])
    prove(request)
    return str(noted["next"])


def verify_with(request: HttpRequest, device: Authenticator) -> None:
    """Let this session stand behind a factor that was just set up, under a new key."""
    request.session.cycle_key()
    otp_login(request, device)
    prove(request)


def _expire(request: HttpRequest, *, remember: bool) -> None:
    request.session.set_expiry(None if remember else 0)


def prove(request: HttpRequest) -> None:
    """Note that everything this account asks for was given just now."""
    request.session[_PROVEN] = time.time()


def is_fresh(request: HttpRequest) -> bool:
    proven = request.session.get(_PROVEN, 0)
    return bool(0 <= time.time() - proven <= FRESH.total_seconds())


def fresh(view: View) -> View:
    """Let in only who proved within ten minutes who they are; the others are asked to.

    Stands inside the check of permissions: whoever may not do it is not asked for a password.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if is_fresh(request) else ask_again(request)

    return guarded


def ask_again(request: HttpRequest, *, back: str = "") -> HttpResponse:
    """Send to the page that asks for password and code, and back here afterwards."""
    return redirect(f"{reverse('desk:prove')}?{urlencode({'next': back or request.path})}")
