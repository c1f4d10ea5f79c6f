"""Taking up an invitation: a password first, then the second factor, then in."""

from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from newsletter.desk.models import Invitation, User
from newsletter.desk.security import invite, session, throttle


@never_cache
@sensitive_post_parameters("new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks for a password and changes nothing, since scanners open every link; POST takes
    the invitation up. The link alone never signs anybody in."""
    invitation = Invitation.objects.opened_by(token)
    if invitation is None:
        return _ended(request)
    user = invitation.user
    assert isinstance(user, User)
    form: SetPasswordForm[User] = SetPasswordForm(
        user, request.POST if request.method == "POST" else None
    )
    # Django's own is a list, which has no place in a line of help.
    form.fields["new_password1"].help_text = " ".join(
        password_validation.password_validators_help_texts()
    )
    form.fields["new_password2"].help_text = ""
    if request.method == "POST" and not throttle.try_once(
        request, what="join", account=str(user.pk)
    ):
        return _page(request, form, user, wait=True)
    if form.is_valid():
        taken = invite.take_up(token=token, password=form.cleaned_data["new_password1"])
        if taken is None:
            return _ended(request)
        taken.backend = settings.AUTHENTICATION_BACKENDS[0]
        session.begin_half(
            request, user=taken, next_url=reverse("wagtailadmin_home"), remember=False
        )
        return redirect("security:set_up")
    return _page(request, form, user)


def _page(
    request: HttpRequest, form: "SetPasswordForm[User]", user: User, *, wait: bool = False
) -> HttpResponse:
    status = 429 if wait else 422 if form.errors else 200
    answer = TemplateResponse(
        request,
        "desk/security/join.html",
        {"form": form, "account": user, "wait": wait},
        status=status,
    )
    # The address holds the token; nothing on the page may hand it on.
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _ended(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "desk/security/join_ended.html", status=410)
