"""One's own second factor, and proving once more who one is."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.desk.access import staff
from newsletter.desk.frame import frame
from newsletter.desk.models import User
from newsletter.desk.security import factor, policy, recovery, session, throttle
from newsletter.desk.security.forms import ProveForm
from newsletter.desk.security.signing_in import show_codes


@never_cache
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest) -> HttpResponse:
    """Ask for everything the account has, then go on to where it was asked for."""
    user = staff(request)
    onward = _onward(request)
    with_code = policy.factor_of(user) is not None
    form = ProveForm(with_code=with_code)
    status = 200
    if request.method == "POST":
        form = ProveForm(request.POST, with_code=with_code)
        if not throttle.try_once(request, what="prove", account=str(user.pk)):
            form.add_error(None, _("Too many tries. Wait a quarter of an hour, then try again."))
            status = 429
        elif form.is_valid():
            if _proves(form, user):
                throttle.succeeded(request, what="prove", account=str(user.pk))
                request.session.cycle_key()
                session.prove(request)
                return redirect(onward)
            # Not which of the two: whoever guesses the password must not learn that it is right.
            form.add_error(None, _("That did not fit. Check the password, wait for a new code."))
            status = 422
        else:
            status = 422
    return TemplateResponse(
        request,
        "desk/security/prove.html",
        {"form": form, "onward": onward, **frame(_("Show that it is you"), icon="lock")},
        status=status,
    )


@never_cache
@require_safe
def own_factor(request: HttpRequest) -> HttpResponse:
    """How one's own account is protected."""
    user = staff(request)
    return TemplateResponse(
        request,
        "desk/security/own.html",
        {
            "factor": policy.factor_of(user),
            "codes_left": recovery.left(user),
            "required": policy.required(),
            **frame(_("Second factor"), icon="lock"),
        },
    )


@never_cache
@require_POST
@session.fresh
def new_codes(request: HttpRequest) -> HttpResponse:
    """A new set of recovery codes; the old ones stop working."""
    user = staff(request)
    if policy.factor_of(user) is None:
        return redirect("desk:own_factor")
    return show_codes(request, recovery.renew(user), reverse("desk:own_factor"))


@never_cache
@require_POST
@session.fresh
def take_off(request: HttpRequest) -> HttpResponse:
    """Take the second factor off one's own account, where that is allowed."""
    user = staff(request)
    if policy.required():
        messages.error(request, _("Everybody here needs a second factor. You can replace yours."))
    else:
        factor.remove(user)
        messages.success(request, _("Your account is protected by its password alone now."))
    return redirect("desk:own_factor")


def _proves(form: ProveForm, user: User) -> bool:
    """Password first: a wrong one must not use up the code."""
    if not user.check_password(form.cleaned_data["password"]):
        return False
    if "code" not in form.fields:
        return True
    code = form.cleaned_data["code"]
    if recovery.looks_like_one(code):
        return recovery.use(user=user, code=code)
    return factor.check(user=user, code=code) is not None


def _onward(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return reverse("wagtailadmin_home")
