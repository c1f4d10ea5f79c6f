"""The dashboard: what goes out next, what waits for me, what went out, and what has gone silent."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db.models import F, Max, Q
from django.utils import timezone
from wagtail.admin.ui.components import Component
from wagtail.models import TaskState, WorkflowState

from newsletter.approval.models import Schedule
from newsletter.catalogue.models import Condition
from newsletter.desk.access import APPROVE, SEND, VIEW_MAILING
from newsletter.desk.addresses import way_url
from newsletter.desk.views.mailing import Progress, progress_of, title_of
from newsletter.editions.models import Issue
from newsletter.sending.models import Mailing
from signup.models import SignUpAlarm

MOST_SHOWN = 6
ATTACKS_SHOWN_FOR = timedelta(days=7)


class _Panel(Component):
    order = 0

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = {"user": parent_context["request"].user}
        context.update(self.rows(parent_context["request"].user))
        return context

    def rows(self, user: AbstractUser) -> dict[str, Any]:
        raise NotImplementedError


class WaitsForMe(_Panel):
    """For reviewers: what they may decide. For everyone: what of theirs is on its way."""

    name = "waits_for_me"
    template_name = "desk/home/waits_for_me.html"
    order = 100

    def rows(self, user: AbstractUser) -> dict[str, Any]:
        states = (
            TaskState.objects.reviewable_by(user)
            .select_related("revision__user", "workflow_state__requested_by", "task")
            .order_by("started_at")
        )
        waiting = []
        for state in states:
            thing = state.revision.content_object
            if thing is not None and state.task.specific.get_actions(thing, user):
                waiting.append({"thing": thing, "state": state, "url": way_url(thing)})
        mine = []
        for state in WorkflowState.objects.active().filter(requested_by=user).order_by("-pk"):
            if state.content_object is not None:
                mine.append(
                    {
                        "thing": state.content_object,
                        "changes": state.status == WorkflowState.STATUS_NEEDS_CHANGES,
                        "comment": state.current_task_state.comment
                        if state.current_task_state
                        else "",
                        "url": way_url(state.content_object),
                    }
                )
        return {"waiting": waiting, "mine": mine, "is_reviewer": user.has_perm(APPROVE)}


class GoesOutNext(_Panel):
    name = "goes_out_next"
    template_name = "desk/home/goes_out_next.html"
    order = 110

    def rows(self, user: AbstractUser) -> dict[str, Any]:
        schedules = (
            Schedule.objects.open()
            .select_related("approval__issue__newsletter", "scheduled_by")
            .order_by("send_at")[:MOST_SHOWN]
        )
        refused = (
            Schedule.objects.exclude(refusal="")
            .filter(cancelled_at__gte=timezone.now() - timedelta(days=7))
            .select_related("approval__issue")
            .order_by("-cancelled_at")[:3]
        )
        # Approved as its newest revision stands, and neither scheduled nor sent.
        ready = (
            Issue.objects.filter(
                approvals__voided_at__isnull=True,
                approvals__revision=F("latest_revision"),
                mailings__isnull=True,
            )
            .exclude(
                approvals__schedules__in=Schedule.objects.open(),
            )
            .select_related("newsletter")
            .distinct()[:MOST_SHOWN]
        )
        return {
            "schedules": schedules,
            "refused": refused,
            "ready": ready,
            "may_send": user.has_perm(SEND),
        }


class LastMailings(_Panel):
    name = "last_mailings"
    template_name = "desk/home/last_mailings.html"
    order = 120

    def rows(self, user: AbstractUser) -> dict[str, Any]:
        if not (user.has_perm(SEND) or user.has_perm(VIEW_MAILING)):
            return {"mailings": [], "hidden": True}
        found = Mailing.objects.select_related("newsletter", "issue").order_by("-pk")[:MOST_SHOWN]
        rows: list[tuple[Mailing, str, Progress]] = [
            (mailing, title_of(mailing), progress_of(mailing)) for mailing in found
        ]
        return {"mailings": rows}


class SilentConditions(_Panel):
    """A digest that has nothing to say stays away, so nobody would notice the silence."""

    name = "silent_conditions"
    template_name = "desk/home/silent_conditions.html"
    order = 130

    def rows(self, user: AbstractUser) -> dict[str, Any]:
        silent_since = timezone.now() - timedelta(days=settings.DIGEST_SILENT_DAYS)
        silent = (
            Condition.objects.open()
            .annotate(
                last=Max(
                    "articles__releases__released_at",
                    filter=Q(articles__releases__withdrawn_at__isnull=True),
                )
            )
            .filter(Q(last__isnull=True) | Q(last__lt=silent_since))
            .order_by(F("last").asc(nulls_first=True), "name")
        )
        return {
            "conditions": silent[:MOST_SHOWN],
            "more": max(0, silent.count() - MOST_SHOWN),
            "days": settings.DIGEST_SILENT_DAYS,
        }


class SignUpAttacks(_Panel):
    """Not there at all while nothing has happened: an alarm that is always seen is never seen."""

    name = "sign_up_attacks"
    template_name = "desk/home/sign_up_attacks.html"
    order = 90

    def rows(self, user: AbstractUser) -> dict[str, Any]:
        now = timezone.now()
        return {
            "alarms": SignUpAlarm.objects.since(now - ATTACKS_SHOWN_FOR)[:MOST_SHOWN],
            "now": now,
        }


PANELS: tuple[type[_Panel], ...] = (
    SignUpAttacks,
    WaitsForMe,
    GoesOutNext,
    LastMailings,
    SilentConditions,
)
