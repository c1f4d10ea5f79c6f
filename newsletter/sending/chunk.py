"""The next chunk of a batch, checked and marked as handed before its first byte goes out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, FilteredRelation, Q

from newsletter.audience.eligibility import check
from newsletter.audience.reasons import Reason
from newsletter.sending.claim import Claim
from newsletter.sending.clock import database_in
from newsletter.sending.copies import Copies, Prepared
from newsletter.sending.errors import LostLease, OutOfBalance
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.pace import MOST
from newsletter.sending.row import Row, step_end
from newsletter.sending.skip import skip

_State = Delivery.State


class Chunk(NamedTuple):
    """`rows` are checked and may go: each must get an outcome, or be put back. The first `handed`
    of them are handed over; `hand_on` does that for the next ones.

    `looked_at` is 0 when the batch has nothing left; rows may be empty while it is not, when all
    of them were skipped.
    """

    mailing_state: str
    looked_at: int = 0
    rows: Sequence[Row] = ()
    handed: int = 0
    copies: Prepared | None = None


def next_chunk(claim: Claim, size: int, copies: Copies, step: int = MOST) -> Chunk:
    """Look at up to `size` deliveries, skip who may not be mailed, hand over the first `step`.

    One transaction: it renews the lease, reads the mailing's state, and checks each reader, so
    that pausing or unsubscribing is either seen here or was answered later (invariant 4).
    `handed_upto` is committed before the first byte of what stands before it goes out, so that
    whoever takes the batch over knows what may have gone (invariant 7).

    Raises LostLease when somebody else has the batch, ContentDamaged when no copy can be made.
    """
    with claim.lease.renewing(), transaction.atomic():
        held = Batch.objects.filter(claim.held())
        # First of all, because it locks the batch's row until the commit.
        if not held.update(lease_until=database_in(claim.lease.seconds)):
            raise LostLease
        state = Mailing.objects.values_list("state", flat=True).get(pk=claim.mailing.pk)
        if state != Mailing.State.SENDING:
            return Chunk(state)
        rows = _queued(claim, size)
        verdicts = check(
            newsletter=claim.mailing.newsletter,
            subscriber_ids=[row.subscriber for row in rows],
            through_pauses=claim.mailing.goes_through_pauses,
        )
        eligible = [row for row in rows if verdicts[row.subscriber] is None]
        prepared = copies.prepare(eligible)
        sendable = [row for row in eligible if not prepared.is_empty(row)]
        if len(sendable) < len(rows):
            skip(claim.mailing, held, _barred(rows, verdicts, prepared))
        handed = step_end(sendable, 0, step) if sendable else 0
        if sendable:
            # Nothing of this batch is under way just now, so the mark may also go back, to
            # before what an earlier chunk put back.
            held.update(handed_upto=sendable[handed - 1].place + 1)
            changed = Delivery.objects.filter(
                pk__in=[row.pk for row in sendable], state=_State.QUEUED
            ).update(state=_State.HANDED, attempt=F("attempt") + 1)
            if changed != len(sendable):
                raise OutOfBalance(f"{len(sendable)} queued rows, {changed} handed")
    return Chunk(state, len(rows), sendable, handed, prepared)


def hand_on(claim: Claim, last: Row) -> None:
    """Hand over the chunk's next rows, up to and with `last`, before their first byte goes out.

    Raises LostLease when somebody else has the batch: then none of them may go.
    """
    with claim.lease.renewing():
        if not Batch.objects.filter(claim.held()).update(
            handed_upto=last.place + 1, lease_until=database_in(claim.lease.seconds)
        ):
            raise LostLease


def _barred(
    rows: Sequence[Row], verdicts: Mapping[int, Reason | None], prepared: Prepared
) -> dict[Delivery.SkipReason, list[tuple[int, bool]]]:
    barred: defaultdict[Delivery.SkipReason, list[tuple[int, bool]]] = defaultdict(list)
    for row in rows:
        reason = verdicts[row.subscriber]
        if reason is not None:
            barred[Delivery.SkipReason(reason)].append((row.pk, row.resent))
        elif prepared.is_empty(row):
            barred[Delivery.SkipReason.NOTHING_LEFT].append((row.pk, row.resent))
    return barred


def _queued(claim: Claim, size: int) -> list[Row]:
    return [
        Row._make(values)
        for values in Delivery.objects.filter(
            batch=claim.batch_id, state=_State.QUEUED, retry_at__isnull=True
        )
        .annotate(
            subscription=FilteredRelation(
                "subscriber__subscriptions",
                condition=Q(subscriber__subscriptions__newsletter=claim.mailing.newsletter_id),
            )
        )
        .order_by("place")
        .values_list(
            "pk",
            "place",
            "subscriber_id",
            "edition_id",
            "attempt",
            "resent",
            "subscriber__email",
            "subscriber__first_name",
            "subscriber__language",
            "subscriber__timezone",
            "subscriber__text_only",
            "subscription__pk",
            "article_ids",
        )[:size]
    ]
