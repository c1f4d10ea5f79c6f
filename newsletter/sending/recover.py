"""What was left lying is taken up: batches whose worker is gone, mailings that are through."""

from dataclasses import dataclass

from newsletter.sending.clock import database_now
from newsletter.sending.models import Batch, Mailing
from newsletter.sending.settle import empty_cancelled, end_if_balanced
from newsletter.sending.take_back import read_journals, take_back

_State = Mailing.State


@dataclass(slots=True)
class Recovered:
    """What one sweep found to do."""

    batches: int = 0
    unknown: int = 0
    ended: int = 0
    journals: int = 0


def recover() -> Recovered:
    """Sweep once over every mailing that is under way. Harmless at any time and any number of
    times: each step is a conditional UPDATE."""
    found = Recovered(journals=read_journals())
    under_way = Mailing.objects.filter(
        state__in=[_State.SENDING, _State.PAUSED, _State.CANCELLED], ended_at__isnull=True
    ).select_related("newsletter")
    for mailing in under_way:
        expired = Batch.objects.filter(
            mailing=mailing, state=Batch.State.CLAIMED, lease_until__lt=database_now()
        )
        for batch in expired.order_by("pk"):
            unknown = take_back(mailing, batch)
            if unknown is not None:
                found.batches += 1
                found.unknown += unknown
        if mailing.state == _State.CANCELLED:
            empty_cancelled(mailing)
        found.ended += end_if_balanced(mailing.pk)
    return found
