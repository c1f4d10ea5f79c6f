"""Which accounts have a second factor, and helping somebody who has lost theirs."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.desk.access import CHANGE_STAFF, require_any
from newsletter.desk.models import Authenticator, User
from newsletter.desk.security import factor, policy, session
from newsletter.desk.security.forms import ReasonForm


@never_cache
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Every active account, those without a second factor first."""
    me = require_any(request, CHANGE_STAFF)
    factors = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
    accounts = (
        User.objects.filter(is_active=True)
        .annotate(protected=Exists(factors))
        .prefetch_related("groups")
        .order_by("protected", "username")
    )
    return TemplateResponse(
        request,
        "desk/security/people.html",
        {
            "rows": [(account, _may_reset(me, account)) for account in accounts],
            "required": policy.required(),
            **_header(_("Second factors")),
        },
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


def _may_reset(me: User, account: User) -> bool:
    """Not one's own (there are recovery codes), and nobody's above oneself."""
    return account.pk != me.pk and (me.is_superuser or not account.is_superuser)


def _header(title: str) -> dict[str, object]:
    return {
        "header_title": title,
        "header_icon": "lock",
        "breadcrumbs_items": [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("desk:people"), "label": _("Second factors")},
            {"url": "", "label": title},
        ],
    }
