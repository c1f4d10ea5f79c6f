"""The clerk's look for what may go out next: in the batch at hand, or in another of its mailing."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from newsletter.sending import brakes, pace, throttle, warm_up
from newsletter.sending.chunk import Chunk, next_chunk
from newsletter.sending.claim import Claim
from newsletter.sending.clock import steady
from newsletter.sending.copies import Copies
from newsletter.sending.held import Held
from newsletter.sending.journal import Journal
from newsletter.sending.models import Mailing
from newsletter.sending.row import Row
from newsletter.sending.take_back import stamp_of

# For how long a run goes on with further batches of its mailing: others want their turn.
TURN_SECONDS = 5.0


class Found(NamedTuple):
    """A chunk of a batch; else why there is none."""

    held: Held | None = None
    chunk: Chunk | None = None
    # Rows of the chunk whose domain has to wait.
    waiting: Collection[int] = ()
    # Seconds until the throttle has something to give; with `held`, until its domain's brake has.
    wait: float = 0.0


@dataclass(slots=True)
class Search:
    """What a run's looks have in common. All of it is done by the clerk."""

    transport: str
    copies: Copies
    journal: Journal
    another: Callable[[Mailing], Claim | None] | None
    mailing: Mailing
    begun: float = field(default_factory=steady)

    def go_on(self, held: Held, *, over: bool, alone: bool) -> Found:
        """Return the next chunk of `held`, or, if that is `over`, of another batch."""
        alert = self.mailing.kind == Mailing.Kind.ALERT
        today = warm_up.take(pace.chunk_size(self.transport), alert=alert)
        if not today:
            return Found()
        found = self._look(held, today, over=over, alone=alone)
        warm_up.give_back(
            today - (len(found.chunk.rows) - len(found.waiting) if found.chunk else 0)
        )
        return found

    def _look(self, held: Held, most: int, *, over: bool, alone: bool) -> Found:
        grant = throttle.take(self.transport, most)
        if not grant.messages:
            return Found(wait=grant.wait)
        if over:
            found = self._another_batch()
            if found is None:
                throttle.give_back(self.transport, grant.messages)
                return Found()
            held, alone = found, True
        domain, size = held.claim.domain, grant.messages
        if domain:
            share = brakes.take({domain: size})[domain]
            size = share.messages
            if not size:
                throttle.give_back(self.transport, grant.messages)
                return Found(held, wait=share.wait)
        chunk = next_chunk(held.claim, size, self.copies, alone=alone)
        waiting = _waiting(chunk.rows) if not domain else ()
        if domain and size > len(chunk.rows):
            brakes.take({domain: len(chunk.rows) - size})  # gives the rest back
        throttle.give_back(self.transport, grant.messages - len(chunk.rows) + len(waiting))
        return Found(held, chunk, waiting)

    def _another_batch(self) -> Held | None:
        if self.another is None or steady() - self.begun > TURN_SECONDS:
            return None
        if self.journal.room < 4 * pace.MOST:
            return None
        claim = self.another(self.mailing)
        if claim is None:
            return None
        # Before anything of it is handed over.
        self.journal.batch(claim.batch_id, claim.epoch, stamp_of(claim.mailing))
        return Held(claim)


def _waiting(rows: Sequence[Row]) -> Collection[int]:
    """Ask the brakes, once for the chunk. Return the ids of those who have to wait."""
    left = {
        domain: share.messages
        for domain, share in brakes.take(brakes.counted(row.email for row in rows)).items()
    }
    if not left:
        return ()
    waiting = set()
    for row in rows:
        domain = brakes.domain_of(row.email)
        if domain in left:
            left[domain] -= 1
            if left[domain] < 0:
                waiting.add(row.pk)
    return waiting
