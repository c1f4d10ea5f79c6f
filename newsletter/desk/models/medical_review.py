"""The one step of our workflow: a medical reviewer signs off what the author submitted.

Where nothing medical has changed since a doctor signed, any second person may: an address in a
button or a sponsor's logo is no reason to call the doctor again.
"""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.locks import WorkflowLock
from wagtail.models import Task, TaskState

from newsletter.approval import sign_off
from newsletter.desk.models.limits import limits_of
from newsletter.editions.models import Article, Issue

APPROVE = "approval.approve_issue"
# Any of these makes a second person, who is staff and no contributor.
SECOND_PERSON = (
    "editions.change_issue",
    "editions.change_article",
    "sending.send_issue",
    APPROVE,
)


class ReviewLock(WorkflowLock):
    """What lies with the reviewer stands still, for everybody.

    A reviewer who could also edit would approve words that nobody else has read.
    """

    def get_message(self, user: AbstractUser) -> str:
        return _(
            "This is in medical review. Nobody can change it meanwhile. "
            "To change it, take it back from review first."
        )

    def get_locked_by(self, user: AbstractUser, can_lock: bool = False) -> str:
        return _("In medical review")

    def get_description(self, user: AbstractUser, can_lock: bool = False) -> str:
        return _("It stands still until a reviewer has decided")


class MedicalReview(Task):
    """Open to all who hold the permission to sign off, save those who wrote or submitted it."""

    lock_class = ReviewLock

    class Meta:
        default_permissions = ()
        verbose_name = gettext_lazy("medical review")

    @classmethod
    def get_description(cls) -> str:
        return _("Someone who may sign off medically, and did not write it, approves it")

    @staticmethod
    def needs_doctor(obj: Issue | Article) -> bool:
        """False while a doctor's approval still covers every medical word of the newest draft."""
        return sign_off.medical_basis(obj, obj.get_latest_revision_as_object()) is None

    def may_decide(
        self,
        obj: Issue | Article,
        user: AbstractUser,
        wrote: set[int] | None = None,
        open_to_second_person: bool | None = None,
    ) -> bool:
        """`wrote` spares a list the question who contributed (sign_off.contributors_of), and
        `open_to_second_person` whether a doctor is needed (desk.second_person)."""
        if not user.is_active or not limits_of(user).allow(obj):
            return False
        if user.pk in (sign_off.contributors(obj) if wrote is None else wrote):
            return False
        if user.has_perm(APPROVE):
            return True
        if not any(map(user.has_perm, SECOND_PERSON)):
            return False
        return (
            not self.needs_doctor(obj) if open_to_second_person is None else open_to_second_person
        )

    def user_can_access_editor(self, obj: Issue | Article, user: AbstractUser) -> bool:
        return user.has_perm(APPROVE)

    def locked_for_user(self, obj: Issue | Article, user: AbstractUser) -> bool:
        return True

    def get_actions(self, obj: Issue | Article, user: AbstractUser) -> list[tuple[str, str, bool]]:
        if not self.may_decide(obj, user):
            return []
        return [("reject", _("Ask for changes"), True), ("approve", _("Approve"), False)]

    def get_task_states_user_can_moderate(
        self, user: AbstractUser, **kwargs: Any
    ) -> "QuerySet[TaskState]":
        waiting: QuerySet[TaskState] = self.task_states.filter(status=TaskState.STATUS_IN_PROGRESS)
        # What a second person may decide on is asked of each by `may_decide`.
        return waiting if any(map(user.has_perm, SECOND_PERSON)) else waiting.none()

    @transaction.atomic
    def on_action(
        self, task_state: TaskState, user: AbstractUser, action_name: str, **kwargs: Any
    ) -> str | None:
        """Approving freezes the very revision that was submitted, then lets Wagtail publish it.

        `given` holds a reason for each warning (sign_off.approve_issue).
        Raises sign_off.NotApprovable; then nothing has changed.
        """
        given = kwargs.pop("given", None)
        if action_name == "approve":
            revision = task_state.revision
            thing = revision.content_object
            medically = user.has_perm(APPROVE)
            if isinstance(thing, Issue):
                sign_off.approve_issue(
                    issue=thing, revision=revision, by=user, given=given, medically=medically
                )
            else:
                sign_off.approve_article(
                    article=thing, revision=revision, by=user, given=given, medically=medically
                )
        return super().on_action(task_state, user, action_name, **kwargs)  # type: ignore[no-any-return]
