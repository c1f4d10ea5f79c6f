"""The people at the desk: who they are, what they may do, inviting them and seeing them off."""

from smtplib import SMTPException
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from wagtail.log_actions import log

from newsletter.desk.access import CHANGE_STAFF, require_any
from newsletter.desk.frame import frame
from newsletter.desk.models import Authenticator, User
from newsletter.desk.models.limits import limit
from newsletter.desk.security import factor, invite, leave, policy, session
from newsletter.desk.security.forms import ReasonForm
from newsletter.desk.security.people_forms import LeaveForm, PersonForm


@never_cache
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Every account: those in use, those invited, and those who have left."""
    me = require_any(request, CHANGE_STAFF)
    factors = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
    accounts = (
        User.objects.annotate(protected=Exists(factors))
        .select_related("invitation", "departure", "scope")
        .prefetch_related("groups", "scope__newsletters", "scope__conditions")
        .order_by("-is_active", "protected", "last_name", "username")
    )
    return TemplateResponse(
        request,
        "desk/security/people.html",
        {
            "rows": [
                (account, _may_reset(me, account), _works_on(account)) for account in accounts
            ],
            "required": policy.required(),
            **frame(_("People"), icon="group"),
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    me = require_any(request, CHANGE_STAFF)
    return _add(request, me=me)


@session.fresh
def _add(request: HttpRequest, *, me: User) -> HttpResponse:
    form = PersonForm(request.POST if request.method == "POST" else None, me=me)
    if form.is_valid():
        given = form.cleaned_data
        with transaction.atomic():
            account = invite.make_account(
                email=given["email"],
                first_name=given["first_name"],
                last_name=given["last_name"],
                groups=given["groups"],
                by=me,
            )
            limit(account, newsletters=given["newsletters"], conditions=given["conditions"])
            link = invite.invite(user=account, by=me)
        _mail(request, account=account, me=me, link=link)
        return redirect("desk:people")
    return TemplateResponse(
        request,
        "desk/security/person.html",
        {"form": form, **_header(_("Invite somebody"))},
        status=422 if form.errors else 200,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person's name, address, roles and limits."""
    me = require_any(request, CHANGE_STAFF)
    account = get_object_or_404(User, pk=pk)
    if not _may_look_after(me, account):
        raise PermissionDenied
    return _person(request, me=me, account=account)


@session.fresh
def _person(request: HttpRequest, *, me: User, account: User) -> HttpResponse:
    form = PersonForm(request.POST if request.method == "POST" else None, me=me, person=account)
    if form.is_valid():
        _save(form, account, me)
        messages.success(request, _("Saved. It counts from the next page they open."))
        return redirect("desk:people")
    context = {
        "form": form,
        "account": account,
        "may_leave": account.is_active and account.pk != me.pk,
        "may_invite": not account.is_active,
        "may_reset": _may_reset(me, account) and policy.factor_of(account) is not None,
        **_header(_name(account)),
    }
    return TemplateResponse(
        request, "desk/security/person.html", context, status=422 if form.errors else 200
    )


@transaction.atomic
def _save(form: PersonForm, account: User, me: User) -> None:
    given = form.cleaned_data
    account.first_name, account.last_name = given["first_name"], given["last_name"]
    account.email = given["email"]
    account.save(update_fields=["first_name", "last_name", "email"])
    if "groups" in given:
        account.groups.set(given["groups"])
        limit(account, newsletters=given["newsletters"], conditions=given["conditions"])
    log(account, "desk.changed", user=me, data={"roles": [g.name for g in account.groups.all()]})


@never_cache
@require_POST
def invite_again(request: HttpRequest, pk: int) -> HttpResponse:
    """A new link; the last one opens nothing any more. Also for somebody who comes back."""
    me = require_any(request, CHANGE_STAFF)
    account = get_object_or_404(User, pk=pk, is_active=False)
    if not _may_look_after(me, account):
        raise PermissionDenied
    _mail(request, account=account, me=me, link=invite.invite(user=account, by=me))
    return redirect("desk:people")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def see_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody leaves: shows what is theirs, asks who takes over, closes the account."""
    me = require_any(request, CHANGE_STAFF)
    account = get_object_or_404(User, pk=pk)
    if account.pk == me.pk or not account.is_active or not _may_look_after(me, account):
        raise PermissionDenied
    return _see_off(request, me=me, account=account)


@session.fresh
def _see_off(request: HttpRequest, *, me: User, account: User) -> HttpResponse:
    left = leave.left_by(account)
    form = LeaveForm(
        request.POST if request.method == "POST" else None,
        person=account,
        needed=left.needs_successor,
    )
    if form.is_valid():
        leave.leave(user=account, by=me, successor=form.cleaned_data["successor"])
        messages.success(
            request,
            _("%(name)s’s account is closed. What they signed stays signed.")
            % {"name": _name(account)},
        )
        return redirect("desk:people")
    context = {"form": form, "account": account, "left": left, **_header(_("Close the account"))}
    return TemplateResponse(
        request, "desk/security/leave.html", context, status=422 if form.errors else 200
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why, then take the factor off: its owner sets up a new one when signing in."""
    me = require_any(request, CHANGE_STAFF)
    account = get_object_or_404(User, pk=pk)
    if not _may_reset(me, account):
        raise PermissionDenied
    return _reset(request, me=me, account=account)


@session.fresh
def _reset(request: HttpRequest, *, me: User, account: User) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        factor.reset(user=account, by=me, reason=form.cleaned_data["reason"])
        messages.success(
            request,
            _("Done. %(name)s sets up a new one at the next sign-in. Is it really them who asked?")
            % {"name": account.get_username()},
        )
        return redirect("desk:people")
    return TemplateResponse(
        request,
        "desk/security/reset.html",
        {"form": form, "account": account, **_header(_("Take off a second factor"))},
        status=422 if form.errors else 200,
    )


def _mail(request: HttpRequest, *, account: User, me: User, link: str) -> None:
    """After the row is there: a relay that does not answer costs a second try, not the account."""
    try:
        invite.mail_of(user=account, by=me, link=link).send()
    except (SMTPException, OSError):
        messages.error(
            request,
            _("The account is there, but the mail did not go out. Invite %(name)s again later.")
            % {"name": _name(account)},
        )
    else:
        messages.success(
            request,
            _("%(name)s has a mail with a link. It works once, for three days.")
            % {"name": _name(account)},
        )


def _works_on(account: User) -> list[str]:
    """The names of what the account is limited to; nothing when there is no limit."""
    limits = getattr(account, "scope", None)
    if limits is None or account.is_superuser:
        return []
    return [
        *(str(one) for one in limits.newsletters.all()),
        *(str(one) for one in limits.conditions.all()),
    ]


def _name(account: User) -> str:
    return account.get_full_name() or str(account.get_username())


def _may_look_after(me: User, account: User) -> bool:
    """Nobody's account above one's own."""
    return me.is_superuser or not account.is_superuser


def _may_reset(me: User, account: User) -> bool:
    """Not one's own (there are recovery codes), and nobody's above oneself."""
    return account.pk != me.pk and _may_look_after(me, account)


def _header(title: str) -> dict[str, Any]:
    return frame(title, icon="group", between=[(_("People"), reverse("desk:people"))])
