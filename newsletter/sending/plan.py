"""Who gets this mailing, frozen set-based into deliveries and batches."""

from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, connection, transaction
from django.db.models import BigIntegerField, Case, Exists, Max, OuterRef, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.approval.models import Approval, Frozen, Schedule
from newsletter.approval.sign_off import valid_approval
from newsletter.audience.recipients import recipients
from newsletter.editions.models import Issue
from newsletter.sending.alert_readers import alert_readers
from newsletter.sending.corrections import correction_readers, refuse_too_early
from newsletter.sending.errors import NotApproved
from newsletter.sending.hours import span_of
from newsletter.sending.models import Batch, Delivery, Edition, Mailing, Wave
from newsletter.sending.waves import write_waves
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
    schedule: Schedule | None = None,
) -> Mailing:
    """Create the mailing of an approved issue; `resume` then fills it, in the background.

    `schedule` says by whose clock and between which hours it goes; without one it goes at once.
    Asking twice gives the same mailing. Raises NotApproved unless `approval` is the standing
    approval of exactly what the issue holds now (invariant 16), and for a correction as
    `corrections.refuse_too_early` says.
    """
    standing = valid_approval(issue)
    if standing is None or standing.pk != approval.pk:
        raise NotApproved(
            _("This content was not medically approved, or was changed since. Nothing is sent.")
        )
    frozen = list(approval.frozen.filter(form=Frozen.Form.MESSAGE).order_by("pk"))
    if not frozen:
        raise NotApproved(_("The approval holds no frozen message. Approve the issue again."))
    refuse_too_early(issue)
    try:
        with transaction.atomic():
            mailing = Mailing.objects.create(
                kind=Mailing.Kind.CORRECTION if issue.is_correction else Mailing.Kind.ISSUE,
                newsletter=issue.newsletter,
                issue=issue,
                purpose=purpose,
                approval=approval,
                schedule=schedule,
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
            write_waves(mailing, _audience(mailing))
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
    waves = mailing.waves.filter(complete=False).order_by("place")
    while mailing.state == Mailing.State.PLANNING:
        wave = waves.first()
        going_on = (
            _plan_slice(mailing, editions) if wave is None else _plan_wave(mailing, editions, wave)
        )
        if not going_on:
            break
        mailing.refresh_from_db()
    mailing.refresh_from_db()
    return mailing


def unfinished() -> list[int]:
    """Return the mailings whose plan waits to be gone on with: a task for each heals a lost one.

    Digest runs plan themselves (digest_run); the order of alerts is their own (alert.unplanned).
    """
    return list(
        Mailing.objects.filter(
            state=Mailing.State.PLANNING, kind__in=(Mailing.Kind.ISSUE, Mailing.Kind.CORRECTION)
        )
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
        in_waves = mailing.waves.exists()
        upto = None if in_waves else _plan_batches(mailing, editions, reached)
        if upto is None:
            return bool(mine.update(state=Mailing.State.SENDING, started_at=timezone.now()))
        mine.update(planned_upto=upto)
    return True


def _plan_wave(mailing: Mailing, editions: Sequence[Edition], wave: Wave) -> bool:
    """Plan some batches of this wave, or note that it is complete. False when somebody else is
    at it, or the mailing was cancelled meanwhile."""
    with transaction.atomic():
        mine = Wave.objects.filter(pk=wave.pk, planned_upto=wave.planned_upto, complete=False)
        if not mine.update(planned_upto=wave.planned_upto):
            return False
        if not Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PLANNING).exists():
            return False
        upto = _plan_batches(mailing, editions, wave.planned_upto, wave)
        if upto is None:
            mine.update(complete=True)
        else:
            mine.update(planned_upto=upto)
    return True


def _plan_batches(
    mailing: Mailing, editions: Sequence[Edition], after: int, wave: Wave | None = None
) -> int | None:
    """Plan some batches behind the reader `after`. Returns the last one planned, None for none."""
    begins_at = wave.begins_at if wave else None
    span = None if wave else span_of(mailing, None, timezone.now())
    batches = Batch.objects.bulk_create(
        Batch(
            mailing=mailing,
            planned=BATCH,
            wave=wave,
            not_before=span.opens if span else begins_at,
            not_after=span.closes if span else wave.closes_at if wave else None,
        )
        for _ in range(AT_ONCE)
    )
    ids = [batch.pk for batch in batches]
    planned = _write(mailing, _readers(mailing, editions, after, wave), ids)
    used = -(-planned // BATCH)
    Batch.objects.filter(pk__in=ids[used:]).delete()
    if not planned:
        return None
    last = ids[used - 1]
    Batch.objects.filter(pk=last).update(planned=planned - (used - 1) * BATCH)
    furthest = Delivery.objects.filter(batch=last).aggregate(upto=Max("subscriber"))
    return int(furthest["upto"])


def _write(
    mailing: Mailing, audience: "QuerySet[Subscription, tuple[int, int]]", batches: Sequence[int]
) -> int:
    """Write the deliveries of as many readers as `batches` hold. Returns how many there were."""
    readers, params = audience.order_by("subscriber_id")[
        : BATCH * len(batches)
    ].query.sql_with_params()
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
    mailing: Mailing, editions: Sequence[Edition], after: int, wave: Wave | None
) -> "QuerySet[Subscription, tuple[int, int]]":
    """Readers and the edition that each gets: their language's, or else the issue's own."""
    plain = [edition for edition in editions if not edition.variant] or list(editions)
    language = mailing.issue.language if mailing.issue else mailing.newsletter.language
    default = next((edition for edition in plain if edition.language == language), plain[0])
    return (
        _of_wave(_audience(mailing), wave)
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


def _of_wave(audience: QuerySet[Subscription], wave: Wave | None) -> QuerySet[Subscription]:
    """Those whose turn it is. Nobody twice, although readers may move while it is planned."""
    if wave is None:
        return audience
    if wave.zones:
        audience = audience.filter(subscriber__timezone__in=wave.zones)
    planned = Delivery.objects.filter(mailing=wave.mailing_id, subscriber=OuterRef("subscriber_id"))
    return audience.filter(~Exists(planned))


def _audience(mailing: Mailing) -> QuerySet[Subscription]:
    if mailing.kind == Mailing.Kind.ALERT:
        return alert_readers(mailing)
    if mailing.kind == Mailing.Kind.CORRECTION:
        assert mailing.issue is not None  # every mailing of this kind is made with one
        return correction_readers(mailing.issue)
    return recipients(mailing.newsletter)
