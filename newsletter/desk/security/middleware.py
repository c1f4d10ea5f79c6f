"""Nothing under /admin/ for a session that lacks the second factor its account needs."""

from collections.abc import Callable

from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import resolve, reverse
from django.urls.exceptions import Resolver404
from django.utils.http import urlencode

from newsletter.desk.security import policy, session

# What leads in or out. Each of them looks after itself.
OPEN = frozenset(
    {
        "wagtailadmin_login",
        "wagtailadmin_logout",
        "wagtailadmin_password_reset",
        "wagtailadmin_password_reset_done",
        "wagtailadmin_password_reset_confirm",
        "wagtailadmin_password_reset_complete",
        "wagtailadmin_sprite",
        "wagtailadmin_javascript_catalog",
        "security:login",
        "security:invitation",
        "security:password_reset",
        "security:second",
        "security:set_up",
    }
)
# Wagtail's own pages that change an account's address, password or rights (ASVS 7.5.1).
FRESH = frozenset(
    {
        "wagtailadmin_account",
        "wagtailusers_groups:add",
        "wagtailusers_groups:edit",
        "wagtailusers_groups:delete",
    }
)


class SecondFactor:
    """The fence behind the two-step log-in.

    The log-in lets nobody in half-way. This catches sessions that were complete once and are not
    any more: opened before a factor was set up or demanded, or by one that was taken off since.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.prefix = reverse("wagtailadmin_home")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(self.prefix):
            return self.get_response(request)
        name = _name_of(request)
        if name not in OPEN and request.user.is_authenticated:
            if not _complete(request):
                return _sign_in_again(request)
            if name in FRESH and not session.is_fresh(request):
                return session.ask_again(request)
        return self.get_response(request)


def _name_of(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""


def _complete(request: HttpRequest) -> bool:
    if request.user.is_verified():  # type: ignore[union-attr]
        return True
    return not policy.required() and policy.factor_of(request.user) is None  # type: ignore[arg-type]


def _sign_in_again(request: HttpRequest) -> HttpResponse:
    logout(request)
    if request.headers.get("x-requested-with") == "XMLHttpRequest":
        raise PermissionDenied
    back = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('wagtailadmin_login')}?{back}")
