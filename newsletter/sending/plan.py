"""Who gets this mailing, frozen set-based into deliveries and batches."""

from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, connection, transaction
from django.db.models import BigIntegerField, Case, Max, QuerySet, Value, When
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
AT_ONCE = 40


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
        if not mine.update(planned_upto=reached):
            return False
        batches = Batch.objects.bulk_create(
            Batch(mailing=mailing, planned=BATCH) for _ in range(AT_ONCE)
        )
        ids = [batch.pk for batch in batches]
        planned = _write(mailing, editions, reached, ids)
        used = -(-planned // BATCH)
        Batch.objects.filter(pk__in=ids[used:]).delete()
        if not planned:
            return bool(mine.update(state=Mailing.State.SENDING, started_at=timezone.now()))
        last = ids[used - 1]
        Batch.objects.filter(pk=last).update(planned=planned - (used - 1) * BATCH)
        furthest = Delivery.objects.filter(batch=last).aggregate(upto=Max("subscriber"))
        mine.update(planned_upto=furthest["upto"])
    return True


def _write(
    mailing: Mailing, editions: Sequence[Edition], after: int, batches: Sequence[int]
) -> int:
    """Write the deliveries of as many readers as `batches` hold. Returns how many there were."""
    readers, params = (
        _readers(mailing, editions, after)
        .order_by("subscriber_id")[: BATCH * len(batches)]
        .query.sql_with_params()
    )
    table = connection.ops.quote_name(Delivery._meta.db_table)
    numbered = ", ".join(["(%s, %s)"] * len(batches))
    with connection.cursor() as cursor:
        # INSERT … SELECT: no reader passes through this process. column1 … are what both
        # databases call the columns of VALUES.
        cursor.execute(
            f"INSERT INTO {table} (mailing_id, batch_id, subscriber_id, edition_id, place, state,"  # noqa: S608
            " skip_reason, attempt, resent, reply)"
            " SELECT %s, batch.column2, reader.subscriber_id, reader.edition,"
            f" reader.number %% {BATCH}, %s, '', 0, %s, ''"
            " FROM (SELECT one.subscriber_id, one.edition,"
            " ROW_NUMBER() OVER (ORDER BY one.subscriber_id) - 1 AS number"
            f" FROM ({readers}) AS one) AS reader"
            f" JOIN (VALUES {numbered}) AS batch ON batch.column1 = reader.number / {BATCH}"
            " ORDER BY reader.number",
            [
                mailing.pk,
                Delivery.State.QUEUED.value,
                False,
                *params,
                *(value for numbered in enumerate(batches) for value in numbered),
            ],
        )
        return int(cursor.rowcount)


def _readers(
    mailing: Mailing, editions: Sequence[Edition], after: int
) -> "QuerySet[Subscription, tuple[int, int]]":
    """Readers and the edition that each gets: their language's, or else the issue's own."""
    plain = [edition for edition in editions if not edition.variant] or list(editions)
    language = mailing.issue.language if mailing.issue else mailing.newsletter.language
    default = next((edition for edition in plain if edition.language == language), plain[0])
    return (
        _audience(mailing)
        .filter(subscriber_id__gt=after)
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
        .values_list("subscriber_id", "edition")
    )


def _audience(mailing: Mailing) -> QuerySet[Subscription]:
    if mailing.kind == Mailing.Kind.ALERT:
        return alert_readers(mailing)
    return recipients(mailing.newsletter)
