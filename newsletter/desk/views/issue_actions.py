"""From a finished issue to a sent one: test, send now, schedule. Form, verb, redirect."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from newsletter import tasks
from newsletter.approval import reasons
from newsletter.approval import schedule as schedules
from newsletter.approval.models import Approval, Schedule
from newsletter.approval.readiness import Readiness, readiness
from newsletter.desk.access import COMPOSE_ISSUE, SEND, require_any
from newsletter.desk.forms import ReasonsForm, ScheduleForm, SendNowForm, TestSendForm
from newsletter.desk.queue import hand_over
from newsletter.desk.stages import first_mailing
from newsletter.desk.views.way import IssueWay
from newsletter.editions.models import Issue
from newsletter.sending import plan
from newsletter.sending.corrections import audience, had
from newsletter.sending.errors import NotApproved
from newsletter.sending.test_send import send_test
from newsletter.transports.errors import TransportError
from newsletter.transports.values import Outcome, Receipt
from signup.models import Subscription


@require_POST
def test_send(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test, marked as one, to staff addresses. No Delivery, no count."""
    require_any(request, SEND, COMPOSE_ISSUE)
    issue = get_object_or_404(Issue, pk=pk)
    form = TestSendForm(request.POST)
    if not form.is_valid():
        return IssueWay.again(request, pk, test_form=form)
    addresses = form.cleaned_data["to"]
    try:
        receipts = send_test(issue.get_latest_revision_as_object(), addresses)
    except TransportError as closed:
        messages.error(request, _("The test did not go out. %(why)s") % {"why": closed})
        return redirect("desk:issue", pk)
    _report_test(request, zip(addresses, receipts, strict=True))
    return redirect("desk:issue", pk)


test_send.__test__ = False  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def send_now(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows exactly what would happen; POST does it, if it is still the same."""
    user = require_any(request, SEND)
    issue = get_object_or_404(Issue.objects.select_related("newsletter"), pk=pk)
    mailing = first_mailing(issue)
    if mailing is not None:
        messages.info(request, _("This issue is on its way or was sent already."))
        return redirect("desk:mailing", mailing.pk)
    ready = readiness(issue)
    if ready.approval is None:
        return _refused(request, issue, ready)
    answers = ReasonsForm(
        request.POST if request.method == "POST" else None, warnings=ready.open_warnings
    )
    if request.method != "POST":
        return _confirm(request, issue, ready.approval, answers)
    form = SendNowForm(request.POST)
    if not form.is_valid() or form.cleaned_data["approval"] != ready.approval.pk:
        messages.error(
            request, _("It was approved anew while this page was open. Look at it once more.")
        )
        return redirect("desk:send_now", pk)
    if not answers.is_valid():
        return _confirm(request, issue, ready.approval, answers, status=422)
    try:
        with transaction.atomic():
            reasons.keep(ready.approval, ready.open_warnings, answers.given(), by=user)
            _set_schedules_aside(issue)
            mailing = plan.plan_issue(issue=issue, approval=ready.approval, by=user)
            hand_over(tasks.plan_issue, mailing.pk)
    except NotApproved as refusal:
        messages.error(request, str(refusal))
        return redirect("desk:issue", pk)
    messages.success(request, _("On its way. This page shows how far it is."))
    return redirect("desk:mailing", mailing.pk)


@require_POST
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_any(request, SEND)
    issue = get_object_or_404(Issue, pk=pk)
    if first_mailing(issue) is not None:
        messages.error(request, _("This issue is on its way or was sent already."))
        return redirect("desk:issue", pk)
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        return IssueWay.again(request, pk, schedule_form=form)
    ready = readiness(issue)
    if ready.approval is None:
        return _refused(request, issue, ready)
    answers = ReasonsForm(request.POST, warnings=ready.open_warnings)
    if not answers.is_valid():
        messages.error(
            request,
            _("Something has come up since the approval. Say why it does not hold it back."),
        )
        return IssueWay.again(request, pk, schedule_form=form, answers=answers)
    try:
        reasons.keep(ready.approval, ready.open_warnings, answers.given(), by=user)
        planned = schedules.schedule(issue=issue, send_at=form.cleaned_data["send_at"], by=user)
    except schedules.NotSchedulable as refusal:
        form.add_error("send_at", str(refusal))
        return IssueWay.again(request, pk, schedule_form=form)
    when = date_format(timezone.localtime(planned.send_at), "DATETIME_FORMAT")
    messages.success(request, _("Scheduled for %(when)s.") % {"when": when})
    return redirect("desk:issue", pk)


@require_POST
def cancel_schedule(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, SEND)
    issue = get_object_or_404(Issue, pk=pk)
    planned = Schedule.objects.open().filter(approval__issue=issue).first()
    if planned is not None and schedules.cancel(schedule=planned):
        messages.success(request, _("The schedule is cancelled. Nothing goes out by itself."))
    else:
        messages.info(request, _("Nothing is scheduled any more."))
    return redirect("desk:issue", pk)


def _refused(request: HttpRequest, issue: Issue, ready: Readiness) -> HttpResponse:
    for refusal in ready.refusals:
        messages.error(request, refusal)
    return redirect("desk:issue", issue.pk)


def _confirm(
    request: HttpRequest, issue: Issue, approval: Approval, answers: ReasonsForm, status: int = 200
) -> HttpResponse:
    context = {**_confirmation(issue, approval), "answers": answers}
    return TemplateResponse(request, "desk/send_now.html", context, status=status)


def _confirmation(issue: Issue, approval: Approval) -> dict[str, Any]:
    content = issue.get_latest_revision_as_object()
    newsletter = issue.newsletter
    count = audience(issue).count()
    live = Subscription.objects.live().filter(newsletter=newsletter).count()
    if issue.is_correction:
        live = had(issue).values("subscriber").distinct().count()
    return {
        "issue": issue,
        "content": content,
        "newsletter": newsletter,
        "approval": approval,
        "form": SendNowForm(initial={"approval": approval.pk}),
        "count": count,
        "excluded": live - count,
        "reasons": approval.reasons.select_related("given_by"),
        "schedule": Schedule.objects.open().filter(approval=approval).first(),
        "header_title": _("Send “%(title)s”") % {"title": content.title},
        "header_icon": "mail",
        "breadcrumbs_items": [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("desk:issue", args=(issue.pk,)), "label": content.title},
            {"url": "", "label": _("Send now")},
        ],
    }


def _set_schedules_aside(issue: Issue) -> None:
    """Whoever sends now does not also mean later."""
    for planned in Schedule.objects.open().filter(approval__issue=issue):
        schedules.cancel(schedule=planned)


def _report_test(request: HttpRequest, receipts: Iterable[tuple[str, Receipt]]) -> None:
    for address, receipt in receipts:
        if receipt.outcome == Outcome.ACCEPTED:
            messages.success(request, _("A test is on its way to %(to)s.") % {"to": address})
        else:
            messages.error(
                request,
                _("The test to %(to)s was not accepted: %(reply)s")
                % {"to": address, "reply": receipt.as_line() or receipt.outcome},
            )
