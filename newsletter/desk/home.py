"""The dashboard: what goes out next, what waits for me, my drafts, what went out, whether it
arrives, and what has gone silent. Each panel keeps to what its reader is limited to."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db.models import Exists, F, Max, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from wagtail.admin.ui.components import Component
from wagtail.models import WorkflowState

from newsletter.approval.models import Approval, Schedule
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk.access import (
    APPROVE,
    CHANGE_STAFF,
    COMPOSE_ARTICLE,
    COMPOSE_ISSUE,
    MAY_WATCH,
    SEND,
    VIEW_MAILING,
)
from newsletter.desk.addresses import reading_url, way_url
from newsletter.desk.arriving import domain_warnings, mailing_warnings
from newsletter.desk.digests.canary import words_for
from newsletter.desk.feeds.notices import dead_feeds
from newsletter.desk.models import DigestCanary, User
from newsletter.desk.models.limits import limits_of
from newsletter.desk.progress import title_of
from newsletter.desk.security import leave
from newsletter.desk.stages import stage_of, stage_of_mailing, with_retries, with_stages
from newsletter.desk.waiting import waiting_for
from newsletter.editions.models import Article, Issue
from newsletter.sending.balance import counts_of
from newsletter.sending.models import Mailing
from signup.models import SignUpAlarm

MOST_SHOWN = 6
ATTACKS_SHOWN_FOR = timedelta(days=7)
TROUBLE_SHOWN_FOR = timedelta(days=14)


class Panel(Component):
    """One panel: a template of its name, and what stands in it for the one who looks."""

    def __init__(self, name: str, order: int, rows: Callable[[AbstractUser], dict[str, Any]]):
        self.name = name
        self.template_name = f"desk/home/{name}.html"
        self.order = order
        self._rows = rows

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        user = parent_context["request"].user
        return {"user": user, **self._rows(user)}


def panels() -> list[Panel]:
    """From the top of the page down."""
    return [
        Panel("sign_up_attacks", 90, _sign_up_attacks),
        Panel("missing_digests", 94, _missing_digests),
        Panel("dead_feeds", 95, dead_feeds),
        Panel("deliverability", 95, _deliverability),
        Panel("set_by_leavers", 96, _set_by_leavers),
        Panel("waits_for_me", 100, _waits_for_me),
        Panel("your_drafts", 105, _your_drafts),
        Panel("goes_out_next", 110, _goes_out_next),
        Panel("last_mailings", 120, _last_mailings),
        Panel("silent_conditions", 130, _silent_conditions),
    ]


def _waits_for_me(user: AbstractUser) -> dict[str, Any]:
    """For reviewers: what they may decide. For everyone: what of theirs is on its way."""
    waiting = [
        {"thing": one.thing, "one": one, "state": one.state, "url": reading_url(one.thing)}
        for one in (waiting_for(user) if isinstance(user, User) else [])
    ]
    mine = []
    limits = limits_of(user)
    asked_for = WorkflowState.objects.active().filter(requested_by=user).order_by("-pk")
    for state in asked_for.select_related("current_task_state").prefetch_related("content_object"):
        if state.content_object is not None and limits.allow(state.content_object):
            mine.append(
                {
                    "thing": state.content_object,
                    "changes": state.status == WorkflowState.STATUS_NEEDS_CHANGES,
                    "comment": state.current_task_state.comment if state.current_task_state else "",
                    "url": way_url(state.content_object),
                }
            )
    return {"waiting": waiting, "mine": mine, "is_reviewer": user.has_perm(APPROVE)}


def _your_drafts(user: AbstractUser) -> dict[str, Any]:
    """What somebody who composes has begun, or taken over from somebody who left."""
    if not isinstance(user, User) or not (
        user.has_perm(COMPOSE_ISSUE) or user.has_perm(COMPOSE_ARTICLE)
    ):
        return {"hidden": True}
    limits = limits_of(user)
    issues = with_stages(limits.among(leave.issues_of(user)))[:MOST_SHOWN]
    articles = with_stages(limits.among(leave.articles_of(user)))[:MOST_SHOWN]
    newest: list[Issue | Article] = sorted(
        [*issues, *articles], key=lambda one: one.latest_revision.created_at, reverse=True
    )
    return {
        "drafts": [
            {
                "thing": one,
                "title": one.latest_revision.object_str,
                "saved": one.latest_revision.created_at,
                "stage": stage_of(one),
                "url": _writing_url(one, user),
            }
            for one in newest[:MOST_SHOWN]
        ]
    }


def _goes_out_next(user: AbstractUser) -> dict[str, Any]:
    within = limits_of(user).among(Issue.objects.all())
    schedules = (
        Schedule.objects.open()
        .filter(approval__issue__in=within)
        .select_related("approval__issue__newsletter", "scheduled_by")
        .defer("approval__issue__body")
        .order_by("send_at")[:MOST_SHOWN]
    )
    refused = (
        Schedule.objects.exclude(refusal="")
        .filter(approval__issue__in=within)
        .filter(cancelled_at__gte=timezone.now() - timedelta(days=7))
        .select_related("approval__issue")
        .defer("approval__issue__body")
        .order_by("-cancelled_at")[:3]
    )
    # Approved as its newest revision stands, and neither scheduled nor sent.
    approved = Approval.objects.standing().filter(
        issue=OuterRef("pk"), revision=OuterRef("latest_revision")
    )
    ready = (
        within.filter(Exists(approved))
        .exclude(Exists(Mailing.objects.filter(issue=OuterRef("pk"))))
        .exclude(Exists(Schedule.objects.open().filter(approval__issue=OuterRef("pk"))))
        .select_related("newsletter")
        .defer("body")[:MOST_SHOWN]
    )
    return {
        "schedules": schedules,
        "refused": refused,
        "ready": ready,
        "may_send": user.has_perm(SEND),
    }


def _last_mailings(user: AbstractUser) -> dict[str, Any]:
    if not any(map(user.has_perm, MAY_WATCH)):
        return {"mailings": [], "hidden": True}
    found = limits_of(user).among(
        with_retries(
            Mailing.objects.select_related("newsletter", "issue")
            .defer("issue__body")
            .order_by("-pk")
        )
    )[:MOST_SHOWN]
    numbers = counts_of(found)
    return {
        "mailings": [
            (mailing, title_of(mailing), numbers[mailing.pk], stage_of_mailing(mailing))
            for mailing in found
        ]
    }


def _deliverability(user: AbstractUser) -> dict[str, Any]:
    """What keeps mail from arriving. Not there at all while nothing is wrong."""
    if not (user.has_perm(SEND) or user.has_perm(VIEW_MAILING)):
        return {"warnings": []}
    limits = limits_of(user)
    newsletters = limits.among(Newsletter.objects.all())
    recent = limits.among(
        Mailing.objects.filter(dated__gte=timezone.now() - TROUBLE_SHOWN_FOR)
        .select_related("newsletter", "issue")
        .defer("issue__body")
        .order_by("-pk")
    )[:MOST_SHOWN]
    return {"warnings": [*domain_warnings(newsletters), *mailing_warnings(recent)]}


def _set_by_leavers(user: AbstractUser) -> dict[str, Any]:
    """For administrators: what goes out in the name of somebody who is not here any more."""
    if not user.has_perm(CHANGE_STAFF):
        return {"schedules": []}
    return {
        "schedules": Schedule.objects.open()
        .filter(
            scheduled_by__is_active=False,
            approval__issue__in=limits_of(user).among(Issue.objects.all()),
        )
        .select_related("approval__issue", "scheduled_by")
        .order_by("send_at")
    }


def _silent_conditions(user: AbstractUser) -> dict[str, Any]:
    """A digest that has nothing to say stays away, so nobody would notice the silence."""
    silent_since = timezone.now() - timedelta(days=settings.DIGEST_SILENT_DAYS)
    silent = list(
        limits_of(user)
        .among(Condition.objects.open().only("name"))
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
        "more": max(0, len(silent) - MOST_SHOWN),
        "days": settings.DIGEST_SILENT_DAYS,
    }


def _missing_digests(user: AbstractUser) -> dict[str, Any]:
    """The watched digests that did not come. Not there at all while all of them did."""
    if not (user.has_perm(SEND) or user.has_perm(VIEW_MAILING)):
        return {"missing": []}
    within = limits_of(user).among(Newsletter.objects.all())
    canaries = (
        DigestCanary.objects.exclude(trouble="")
        .filter(subscription__newsletter__in=within)
        .select_related("subscription__newsletter")
        .order_by("alarmed_at")
    )
    return {"missing": [(canary, words_for(canary.trouble)) for canary in canaries[:MOST_SHOWN]]}


def _sign_up_attacks(user: AbstractUser) -> dict[str, Any]:
    """Not there at all while nothing has happened: an alarm that is always seen is never seen."""
    now = timezone.now()
    if limits_of(user):
        return {"alarms": []}  # it is about the whole house
    return {
        "alarms": SignUpAlarm.objects.since(now - ATTACKS_SHOWN_FOR)[:MOST_SHOWN],
        "now": now,
    }


def _writing_url(thing: Issue | Article, user: User) -> str:
    """The editor while it can be written, the way page while it lies with a reviewer."""
    may = user.has_perm(COMPOSE_ISSUE if isinstance(thing, Issue) else COMPOSE_ARTICLE)
    if thing.workflow_in_progress or not may:
        return way_url(thing)
    return reverse(type(thing).snippet_viewset.get_url_name("edit"), args=(thing.pk,))
