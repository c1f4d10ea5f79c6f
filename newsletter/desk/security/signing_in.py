"""The way in: password, then the second factor. In between nobody is logged in."""

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from kombu.exceptions import OperationalError
from wagtail.admin.views import account

from newsletter.desk.models import Authenticator, User
from newsletter.desk.security import factor, policy, recovery, resetting, session, throttle
from newsletter.desk.security.forms import SecondForm, SetUpForm
from newsletter.tasks import mail_new_password

log = logging.getLogger(__name__)
FEW_LEFT = 3


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class Login(account.LoginView):
    """Wagtail's log-in page at Wagtail's own address, throttled and with a second step."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = request.POST.get("username", "")
        if not throttle.try_once(request, what="log-in", account=name):
            return self._wait()
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        user: User = form.get_user()
        throttle.succeeded(self.request, what="log-in", account=user.get_username())
        has_factor = policy.factor_of(user) is not None
        if has_factor or policy.required():
            session.begin_half(
                self.request,
                user=user,
                next_url=self.get_success_url(),
                remember=bool(form.cleaned_data.get("remember")),
            )
            return redirect("security:second" if has_factor else "security:set_up")
        answer: HttpResponse = super().form_valid(form)
        session.prove(self.request)
        return answer

    def _wait(self) -> HttpResponse:
        messages.error(
            self.request, _("Too many tries. Wait a quarter of an hour, then try again.")
        )
        # An empty form: the password that was typed is not looked at.
        form = self.get_form_class()(self.request)
        answer: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        answer.status_code = 429
        return answer


class PasswordReset(account.PasswordResetView):
    """Wagtail's page that mails a link, throttled; asking too often looks like asking once.

    The link changes the password and nothing else: it logs nobody in and leaves the second
    factor where it is.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        address = request.POST.get("email", "")
        if not throttle.try_once(request, what="reset", account=address):
            return redirect(str(self.success_url))
        answer: HttpResponse = auth_views.PasswordResetView.post(self, request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        """One look-up and one task, whoever is meant; the worker writes the mail, if one is due."""
        try:
            mail_new_password.delay(resetting.accounts_of(form))
        except (OperationalError, OSError) as error:
            # Said in the log only: an answer that differs would tell who has an account.
            log.error("No link for a new password can be mailed, the broker is away: %s", error)
        return redirect(str(self.success_url))


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """The second step: a code of the app, or a recovery code."""
    user = session.half(request)
    if user is None:
        return _from_the_start(request)
    device = policy.factor_of(user)
    if device is None:
        # Taken off in the minutes between: then it has to be set up, or the log-in begun anew.
        return redirect("security:set_up") if policy.required() else _from_the_start(request)
    if request.method != "POST":
        return _second_page(request, SecondForm())
    if not throttle.try_once(request, what="second", account=str(user.pk)):
        return _second_page(request, SecondForm(), wait=True)
    form = SecondForm(request.POST)
    if not form.is_valid():
        return _second_page(request, form)
    passed = _pass(request, user=user, device=device, code=form.cleaned_data["code"])
    if passed is None:
        form.add_error("code", _wrong(device))
        return _second_page(request, form)
    throttle.succeeded(request, what="second", account=str(user.pk))
    return redirect(session.complete(request, user=user, device=passed))


@never_cache
@sensitive_post_parameters("code", "secret")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Set up the app: on the way in, where that is demanded, or later from the account."""
    user = session.half(request)
    on_the_way_in = user is not None
    if user is None:
        if not isinstance(request.user, User):
            return _from_the_start(request)
        user = request.user
        if not _may_change_own(request, user):
            return session.ask_again(request, back=reverse("desk:own_factor"))
    elif policy.factor_of(user) is not None:
        # The password alone must never replace a factor that is there.
        return redirect("security:second")
    if request.method != "POST":
        return _set_up_page(request, user, SetUpForm(initial={"secret": factor.new_secret(user)}))
    form = SetUpForm(request.POST)
    if not throttle.try_once(request, what="set-up", account=str(user.pk)):
        return _set_up_page(
            request, user, SetUpForm(initial={"secret": factor.new_secret(user)}), wait=True
        )
    if not form.is_valid():
        return _set_up_page(request, user, form)
    try:
        made = factor.confirm(
            user=user, signed=form.cleaned_data["secret"], code=form.cleaned_data["code"]
        )
    except factor.NotYours:
        messages.warning(request, _("That page had grown too old. Here is a new code to scan."))
        return redirect("security:set_up")
    if made is None:
        form.add_error(
            "code", _("That is not what the app should show. Is the phone's clock right?")
        )
        return _set_up_page(request, user, form)
    device, codes = made
    if on_the_way_in:
        onward = session.complete(request, user=user, device=device)
    else:
        session.verify_with(request, device)
        onward = reverse("desk:own_factor")
    return show_codes(request, codes, onward)


def show_codes(request: HttpRequest, codes: list[str], onward: str) -> HttpResponse:
    """The one time that recovery codes are seen."""
    return TemplateResponse(request, "desk/security/codes.html", {"codes": codes, "onward": onward})


def _may_change_own(request: HttpRequest, user: User) -> bool:
    """Who already has a factor must stand behind it; everyone must have proven it just now."""
    if policy.factor_of(user) is not None and not request.user.is_verified():  # type: ignore[union-attr]
        return False
    return session.is_fresh(request)


def _pass(
    request: HttpRequest, *, user: User, device: Authenticator, code: str
) -> Authenticator | None:
    if not recovery.looks_like_one(code):
        return factor.check(user=user, code=code)
    if not recovery.use(user=user, code=code):
        return None
    left = recovery.left(user)
    sentence = ngettext(
        "You came in with a recovery code. It is used up; %(left)d is left.",
        "You came in with a recovery code. It is used up; %(left)d are left.",
        left,
    ) % {"left": left}
    say = messages.warning if left <= FEW_LEFT else messages.info
    say(request, sentence)
    return device


def _wrong(device: Authenticator) -> str:
    device.refresh_from_db()
    if factor.waits(device):
        return _(
            "That code is wrong, or was used before. Wait a few seconds for the next one, "
            "then try again."
        )
    return _("That code is wrong, or was used before. Try the next one.")


def _from_the_start(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("Please sign in."))
    return redirect("wagtailadmin_login")


def _second_page(request: HttpRequest, form: SecondForm, *, wait: bool = False) -> HttpResponse:
    return TemplateResponse(
        request,
        "desk/security/second.html",
        {"form": form, "wait": wait},
        status=429 if wait else 422 if form.errors else 200,
    )


def _set_up_page(
    request: HttpRequest, user: User, form: SetUpForm, *, wait: bool = False
) -> HttpResponse:
    signed = form["secret"].value() or ""
    try:
        device = factor.unconfirmed(user, signed)
    except factor.NotYours:
        messages.warning(request, _("That page had grown too old. Here is a new code to scan."))
        return redirect("security:set_up")
    return TemplateResponse(
        request,
        "desk/security/set_up.html",
        {
            "form": form,
            "wait": wait,
            "picture": factor.picture(factor.address(device, user)),
            "by_hand": factor.in_groups(device),
            "replaces": policy.factor_of(user) is not None,
        },
        status=429 if wait else 422 if form.errors else 200,
    )
