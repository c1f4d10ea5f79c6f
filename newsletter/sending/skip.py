"""A copy that is not to go out after all."""

from collections.abc import Mapping, Sequence

from django.db.models import F, QuerySet
from django.utils import timezone

from newsletter.sending.digest_marks import give_back
from newsletter.sending.errors import LostLease, OutOfBalance
from newsletter.sending.models import Batch, Delivery, Mailing

_State = Delivery.State


def skip(
    mailing: Mailing,
    batch: "QuerySet[Batch]",
    rows: Mapping[Delivery.SkipReason, Sequence[tuple[int, bool]]],
) -> None:
    """Skip queued deliveries, given as (id, resent) by reason, and count them.

    Inside the caller's transaction; `batch` selects the one batch they are in, with its epoch.
    One that was to be sent a second time becomes unknown again, for good: that it was not sent
    once more says nothing about the first copy. A digest's stretch goes back to the reader.
    """
    now = timezone.now()
    given_up = [pk for found in rows.values() for pk, resent in found if resent]
    skipped = {reason: [pk for pk, resent in found if not resent] for reason, found in rows.items()}
    total = sum(map(len, skipped.values()))
    if not batch.update(skipped=F("skipped") + total, unknown=F("unknown") + len(given_up)):
        raise LostLease
    changed = Delivery.objects.filter(pk__in=given_up, state=_State.QUEUED).update(
        state=_State.UNKNOWN, retry_at=None, outcome_at=now
    )
    for reason, ids in skipped.items():
        if ids:
            changed += Delivery.objects.filter(pk__in=ids, state=_State.QUEUED).update(
                state=_State.SKIPPED, skip_reason=reason, retry_at=None, outcome_at=now
            )
    if changed != total + len(given_up):
        raise OutOfBalance(f"{total + len(given_up)} rows to skip, {changed} skipped")
    if mailing.kind == Mailing.Kind.DIGEST:
        give_back([pk for ids in skipped.values() for pk in ids])
