"""From an approved issue to readers: choose when, see what that means, confirm, undo."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter import tasks
from newsletter.approval import reasons
from newsletter.approval import schedule as schedules
from newsletter.approval.models import Approval, Schedule
from newsletter.approval.readiness import Readiness, readiness
from newsletter.approval.timing import first_instant
from newsletter.desk.access import APPROVE, COMPOSE_ISSUE, SEND, VIEW_ISSUE, require_any
from newsletter.desk.forms import ReasonsForm
from newsletter.desk.frame import frame
from newsletter.desk.models import User
from newsletter.desk.queue import hand_over
from newsletter.desk.send.forms import SendForm, tomorrow_morning
from newsletter.desk.send.outlook import domain_rates, outlook, when
from newsletter.desk.stages import first_mailing
from newsletter.editions.models import Issue
from newsletter.sending import corrections, start, waves
from newsletter.sending.dry_run import audience


@require_http_methods(["GET", "HEAD", "POST"])
def send_now(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows exactly what would happen; POST does it, if it is still the same."""
    return _send(request, pk, usual=Schedule.How.NOW)


@require_POST
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """The same for who comes to choose a time."""
    return _send(request, pk, usual=Schedule.How.INSTANT)


@never_cache
@require_safe
def send_outlook(request: HttpRequest, pk: int) -> HttpResponse:
    """What the choice in the form would mean, for the script that shows it as it is made."""
    require_any(request, SEND)
    issue = get_object_or_404(Issue.objects.select_related("newsletter"), pk=pk)
    form = SendForm(request.GET)
    return TemplateResponse(request, "desk/send/outlook.html", _outlook(issue, form))


@require_POST
def cancel_schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo, within the moment that is left for it, or take a schedule back."""
    require_any(request, SEND)
    issue = get_object_or_404(Issue, pk=pk)
    planned = Schedule.objects.open().filter(approval__issue=issue).first()
    if planned is not None and schedules.cancel(schedule=planned):
        messages.success(
            request,
            _("Undone. Nobody was mailed, and the issue is approved as before.")
            if planned.how == Schedule.How.NOW
            else _("The schedule is cancelled. Nothing goes out by itself."),
        )
        return redirect("desk:issue", pk)
    mailing = first_mailing(issue)
    if mailing is not None:
        messages.warning(
            request, _("It has begun. Here you can pause it, or cancel what has not gone out.")
        )
        return redirect("desk:mailing", mailing.pk)
    messages.info(request, _("Nothing is scheduled any more."))
    return redirect("desk:issue", pk)


@never_cache
@require_safe
def waiting(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether it has begun: 204 while it waits, and then where to look, for the script."""
    require_any(request, COMPOSE_ISSUE, VIEW_ISSUE, APPROVE, SEND)
    issue = get_object_or_404(Issue, pk=pk)
    if Schedule.objects.open().filter(approval__issue=issue).exists():
        return HttpResponse(status=204)
    mailing = first_mailing(issue)
    url = reverse("desk:mailing", args=(mailing.pk,)) if mailing else ""
    return HttpResponse(url or reverse("desk:issue", args=(pk,)), content_type="text/plain")


def _send(request: HttpRequest, pk: int, *, usual: str) -> HttpResponse:
    user = require_any(request, SEND)
    issue = get_object_or_404(Issue.objects.select_related("newsletter"), pk=pk)
    mailing = first_mailing(issue)
    if mailing is not None:
        messages.info(request, _("This issue is on its way or was sent already."))
        return redirect("desk:mailing", mailing.pk)
    ready = readiness(issue)
    if ready.approval is None:
        return _refused(request, issue, ready)
    stands = Schedule.objects.open().filter(approval__issue=issue).first()
    if request.method != "POST":
        initial = SendForm.initial_of(stands) if stands else {"send_at": tomorrow_morning()}
        form = SendForm(initial={**initial, "approval": ready.approval.pk})
        answers = ReasonsForm(warnings=ready.open_warnings)
        return _page(request, issue, ready.approval, form, answers, stands)
    form = SendForm(request.POST, usual=usual)
    answers = ReasonsForm(request.POST, warnings=ready.open_warnings)
    fine = form.is_valid()
    seen = form.cleaned_data.get("approval")
    if (seen is None and usual == Schedule.How.NOW) or seen not in (None, ready.approval.pk):
        messages.error(
            request, _("It was approved anew while this page was open. Look at it once more.")
        )
        return redirect("desk:send_now", pk)
    if "look" in request.POST:
        answers = ReasonsForm(warnings=ready.open_warnings, initial=request.POST.dict())
        return _page(request, issue, ready.approval, form, answers, stands)
    if not fine or not answers.is_valid():
        if fine:
            messages.error(
                request,
                _("Something has come up since the approval. Say why it does not hold it back."),
            )
        return _page(request, issue, ready.approval, form, answers, stands, status=422)
    try:
        return _do(request, user, issue, ready, form, answers, stands)
    except schedules.NotSchedulable as refusal:
        form.add_error("send_at", str(refusal))
        return _page(request, issue, ready.approval, form, answers, stands, status=422)


def _do(
    request: HttpRequest,
    user: User,
    issue: Issue,
    ready: Readiness,
    form: SendForm,
    answers: ReasonsForm,
    stands: Schedule | None,
) -> HttpResponse:
    assert ready.approval is not None
    timing, at_once = form.timing, form.cleaned_data["how"] == Schedule.How.NOW
    zones = waves.readers_by_zone(corrections.audience(issue)) if timing.wall else ()
    with transaction.atomic():
        reasons.keep(ready.approval, ready.open_warnings, answers.given(), by=user)
        planned = schedules.schedule(
            issue=issue,
            send_at=first_instant(timing, zones),
            by=user,
            wall=timing.wall,
            zone=timing.zone,
            window=timing.window,
            at_once=at_once,
            instead_of=stands,
        )
    if planned.send_at > timezone.now():
        messages.success(
            request,
            _("It goes out in a moment. Until then you can undo it.")
            if at_once
            else _("Scheduled: it begins %(when)s.") % {"when": when(planned.send_at)},
        )
        return redirect("desk:issue", issue.pk)
    mailing = start.start(planned)
    if mailing is None:
        planned.refresh_from_db()
        messages.error(request, planned.refusal or _("It has begun or was undone meanwhile."))
        return redirect("desk:issue", issue.pk)
    with transaction.atomic():
        hand_over(tasks.plan_issue, mailing.pk)
    messages.success(request, _("On its way. This page shows how far it is."))
    return redirect("desk:mailing", mailing.pk)


def _refused(request: HttpRequest, issue: Issue, ready: Readiness) -> HttpResponse:
    for refusal in ready.refusals:
        messages.error(request, refusal)
    return redirect("desk:issue", issue.pk)


def _outlook(issue: Issue, form: SendForm) -> dict[str, Any]:
    """What the form's choice means; before anything was chosen, what sending now would."""
    counted = audience(issue, tuple(domain_rates()))
    if not form.is_bound:
        chosen = SendForm(form.initial)
        found = outlook(chosen.timing, counted) if chosen.is_valid() else None
    else:
        found = outlook(form.timing, counted) if form.is_valid() else None
    return {"audience": counted, "outlook": found}


def _page(
    request: HttpRequest,
    issue: Issue,
    approval: Approval,
    form: SendForm,
    answers: ReasonsForm,
    stands: Schedule | None,
    status: int = 200,
) -> HttpResponse:
    content = issue.get_latest_revision_as_object()
    shown = _outlook(issue, form)
    context = {
        **shown,
        "issue": issue,
        "content": content,
        "newsletter": issue.newsletter,
        "approval": approval,
        "form": form,
        "answers": answers,
        "count": shown["audience"].readers,
        "excluded": sum(shown["audience"].excluded.values()) - shown["audience"].excluded["ended"],
        "reasons": approval.reasons.select_related("given_by"),
        "schedule": stands,
        **frame(
            _("Send “%(title)s”") % {"title": content.title},
            icon="mail",
            between=[(content.title, reverse("desk:issue", args=(issue.pk,)))],
            here=_("Send"),
        ),
    }
    return TemplateResponse(request, "desk/send_now.html", context, status=status)
