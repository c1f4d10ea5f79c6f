"""What waits for whom: asked of one person, of everybody, or of somebody who is away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from wagtail.models import TaskState, WorkflowState

from newsletter.approval import sign_off
from newsletter.desk.access import APPROVE
from newsletter.desk.models import Absence, MedicalReview, ReviewRequest, User
from newsletter.desk.models.limits import limits_of
from newsletter.desk.models.review_request import usual_due_date
from newsletter.desk.second_person import open_to_second_person
from newsletter.editions.models import Article, Issue


@dataclass(frozen=True, slots=True)
class Waiting:
    thing: Issue | Article
    state: TaskState
    due_on: date
    # Who was asked; None asks everybody.
    asked: User | None
    # The person for whom one stands in.
    instead_of: User | None = None

    @property
    def is_late(self) -> bool:
        return self.due_on < timezone.localdate()


def waiting_for(user: User) -> list[Waiting]:
    """What this person may decide on and was asked for, by due date: themselves, as everybody, or
    as the deputy of somebody who is away today."""
    return [one for one in decidable_by(user) if one.asked in (None, user) or one.instead_of]


def decidable_by(user: User) -> list[Waiting]:
    """Everything this person may decide on, whoever was asked, by due date."""
    today = timezone.localdate()
    away = {
        absence.user_id: absence.user
        for absence in Absence.objects.on(today).filter(deputy=user).select_related("user")
    }
    states = (
        TaskState.objects.reviewable_by(user)
        .select_related("revision__user", "workflow_state__requested_by", "task")
        .defer("revision__content")
        .prefetch_related("workflow_state__review_request__reviewer", "revision__content_object")
        .order_by("started_at")
    )
    tasks = MedicalReview.objects.in_bulk()
    things = [state.revision.content_object for state in states]
    wrote = {
        model: sign_off.contributors_of([one for one in things if isinstance(one, model)])
        for model in (Issue, Article)
    }
    theirs = [one for one in things if one is not None and user.pk not in wrote[type(one)][one.pk]]
    # Whoever may sign medically needs no other leave.
    anybodys = set() if user.has_perm(APPROVE) else open_to_second_person(theirs)
    within = _within(things, user)
    found = []
    for state, thing in zip(states, things, strict=True):
        task = tasks.get(state.task_id)
        if thing is None or task is None or thing not in within:
            continue
        if not task.may_decide(thing, user, wrote[type(thing)][thing.pk], thing in anybodys):
            continue
        asked, due_on = _asked_and_due(state, _request_of(state))
        instead_of = away.get(asked.pk) if asked is not None else None
        found.append(Waiting(thing, state, due_on, asked, instead_of))
    return sorted(found, key=lambda one: (one.due_on, one.state.pk))


def _within(things: Sequence[Issue | Article | None], user: User) -> set[Issue | Article]:
    """Those that may lie within the user's limits, by their rows: most of what waits in a large
    house is somebody else's, and needs no look at its draft."""
    limits = limits_of(user)
    kept: set[Issue | Article] = {one for one in things if one is not None}
    if not limits:
        return kept
    for model in (Issue, Article):
        numbers = [one.pk for one in kept if isinstance(one, model)]
        rows = limits.among(model._default_manager.filter(pk__in=numbers))
        inside = set(rows.values_list("pk", flat=True))
        kept -= {one for one in kept if isinstance(one, model) and one.pk not in inside}
    return kept


def asked_and_due(state: TaskState) -> tuple[User | None, date]:
    """Who was asked and by when; what was submitted without saying so is due after a week."""
    request = ReviewRequest.objects.filter(workflow_state_id=state.workflow_state_id).first()
    return _asked_and_due(state, request)


def _request_of(state: TaskState) -> ReviewRequest | None:
    """As it was read with the state."""
    return getattr(state.workflow_state, "review_request", None)


def _asked_and_due(state: TaskState, request: ReviewRequest | None) -> tuple[User | None, date]:
    if request is None:
        return None, usual_due_date(timezone.localdate(state.started_at))
    return request.reviewer, request.due_on


def ask(state: WorkflowState, *, reviewer: User | None, due_on: date | None) -> ReviewRequest:
    """Write down who is asked and by when; asking again replaces it."""
    request, _created = ReviewRequest.objects.update_or_create(
        workflow_state=state,
        defaults={"reviewer": reviewer, "due_on": due_on or usual_due_date()},
    )
    return request
