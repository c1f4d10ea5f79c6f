"""Who gets this mailing, frozen set-based into deliveries and batches."""

from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, connection, transaction
from django.db.models import BigIntegerField, Case, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.approval.models import Approval, Frozen
from newsletter.approval.sign_off import valid_approval
from newsletter.audience.recipients import recipients
from newsletter.editions.models import Issue
from newsletter.sending.alert_readers import alert_readers
from newsletter.sending.errors import NotApproved
from newsletter.sending.models import Batch, Delivery, Edition, Mailing
from signup.models import Subscription

BATCH = 500
# Batches in one transaction: few commits, and no long wait for whoever else writes.
AT_ONCE = 10


def plan_issue(
    *,
    issue: Issue,
    approval: Approval,
    by: AbstractBaseUser | None,
    purpose: str = "first",
) -> Mailing:
    """Create the mailing of an approved issue; `resume` then fills it, in the background.

    Asking twice gives the same mailing. Raises NotApproved unless `approval` is the standing
    approval of exactly what the issue holds now (invariant 16).
    """
    standing = valid_approval(issue)
    if standing is None or standing.pk != approval.pk:
        raise NotApproved(
            _("This content was not medically approved, or was changed since. Nothing is sent.")
        )
    frozen = list(approval.frozen.filter(form=Frozen.Form.MESSAGE).order_by("pk"))
    if not frozen:
        raise NotApproved(_("The approval holds no frozen message. Approve the issue again."))
    try:
        with transaction.atomic():
            mailing = Mailing.objects.create(
                kind=Mailing.Kind.ISSUE,
                newsletter=issue.newsletter,
                issue=issue,
                purpose=purpose,
                approval=approval,
                # Whole seconds, as the Date header has them.
                dated=timezone.now().replace(microsecond=0),
                requested_by_id=by.pk if by else None,
            )
            Edition.objects.bulk_create(
                Edition(
                    mailing=mailing,
                    language=form.language,
                    variant=form.variant,
                    frozen=form,
                    format_version=form.format_version,
                )
                for form in frozen
            )
    except IntegrityError:
        return Mailing.objects.get(issue=issue, purpose=purpose)
    return mailing


def resume(mailing: Mailing) -> Mailing:
    """Plan on from where the plan stands, and open the mailing once it is complete.

    Safe to interrupt and to run twice, even at once: each slice begins by moving
    `planned_upto`, and whoever finds it moved already leaves the rest to the other.
    """
    mailing.refresh_from_db()
    editions = list(mailing.editions.order_by("pk"))
    while mailing.state == Mailing.State.PLANNING:
        if not _plan_slice(mailing, editions):
            break
        mailing.refresh_from_db()
    mailing.refresh_from_db()
    return mailing


def unfinished() -> list[int]:
    """Return the mailings whose plan waits to be gone on with: a task for each heals a lost one.

    Digest runs plan themselves (digest_run); the order of alerts is their own (alert.unplanned).
    """
    return list(
        Mailing.objects.filter(state=Mailing.State.PLANNING, kind=Mailing.Kind.ISSUE)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _plan_slice(mailing: Mailing, editions: Sequence[Edition]) -> bool:
    """Plan some batches, or open the mailing. False when somebody else is at it."""
    reached = mailing.planned_upto
    with transaction.atomic():
        # The first statement locks the row: a second planner waits here and then finds that
        # its `planned_upto` is no longer true.
        mine = Mailing.objects.filter(
            pk=mailing.pk, state=Mailing.State.PLANNING, planned_upto=reached
        )
        ends = _slice_ends(mailing, reached)
        if not ends:
            return bool(mine.update(state=Mailing.State.SENDING, started_at=timezone.now()))
        if not mine.update(planned_upto=ends[-1]):
            return False
        for end in ends:
            _write_batch(mailing, editions, reached, end)
            reached = end
    return True


def _slice_ends(mailing: Mailing, after: int) -> list[int]:
    """Return the last subscriber of each of the next batches."""
    ids = list(
        _audience(mailing)
        .filter(subscriber_id__gt=after)
        .order_by("subscriber_id")
        .values_list("subscriber_id", flat=True)[: BATCH * AT_ONCE]
    )
    return [ids[min(at + BATCH, len(ids)) - 1] for at in range(0, len(ids), BATCH)]


def _write_batch(mailing: Mailing, editions: Sequence[Edition], after: int, upto: int) -> None:
    batch = Batch.objects.create(mailing=mailing)
    readers, params = _readers(mailing, editions, after, upto).query.sql_with_params()
    table = connection.ops.quote_name(Delivery._meta.db_table)
    with connection.cursor() as cursor:
        # INSERT … SELECT: no reader passes through this process.
        cursor.execute(
            f"INSERT INTO {table} (mailing_id, batch_id, subscriber_id, edition_id, place, state,"  # noqa: S608
            " skip_reason, attempt, resent, reply)"
            " SELECT %s, %s, reader.subscriber_id, reader.edition,"
            " ROW_NUMBER() OVER (ORDER BY reader.subscriber_id) - 1, %s, '', 0, %s, ''"
            f" FROM ({readers}) AS reader",
            [mailing.pk, batch.pk, Delivery.State.QUEUED.value, False, *params],
        )
        planned = cursor.rowcount
    Batch.objects.filter(pk=batch.pk).update(planned=planned)


def _readers(
    mailing: Mailing, editions: Sequence[Edition], after: int, upto: int
) -> "QuerySet[Subscription, tuple[int, int]]":
    """Readers and the edition that each gets: their language's, or else the issue's own."""
    plain = [edition for edition in editions if not edition.variant] or list(editions)
    language = mailing.issue.language if mailing.issue else mailing.newsletter.language
    default = next((edition for edition in plain if edition.language == language), plain[0])
    return (
        _audience(mailing)
        .filter(subscriber_id__gt=after, subscriber_id__lte=upto)
        .annotate(
            edition=Case(
                *(
                    When(subscriber__language=edition.language, then=Value(edition.pk))
                    for edition in plain
                    if edition is not default
                ),
                default=Value(default.pk),
                output_field=BigIntegerField(),
            )
        )
        .order_by()
        .values_list("subscriber_id", "edition")
    )


def _audience(mailing: Mailing) -> QuerySet[Subscription]:
    if mailing.kind == Mailing.Kind.ALERT:
        return alert_readers(mailing)
    return recipients(mailing.newsletter)
