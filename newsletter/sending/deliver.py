"""A claimed batch goes out, chunk by chunk."""

import logging
import time
from collections.abc import Iterator
from enum import StrEnum

from django.conf import settings

from newsletter.sending import pace, stopping, throttle
from newsletter.sending.chunk import Chunk, hand_on, next_chunk
from newsletter.sending.claim import Claim
from newsletter.sending.clock import database_in, steady
from newsletter.sending.control import stop_for_trouble
from newsletter.sending.copies import Copies, copies_of
from newsletter.sending.errors import ContentDamaged, LostLease
from newsletter.sending.models import Batch, Mailing
from newsletter.sending.record import prove_late, record
from newsletter.sending.row import Row, step_end
from newsletter.sending.settle import end_if_balanced
from newsletter.transports.errors import LineDown, Misconfigured
from newsletter.transports.protocol import Outgoing, Transport
from newsletter.transports.values import (
    Envelope,
    Outcome,
    Receipt,
    UnsafeEnvelope,
    without_addresses,
)
from newsletter.wire.headers import UnsafeValue

log = logging.getLogger(__name__)

# A task is one of seconds: after this long the batch goes back, and the feeder hands it on.
TASK_SECONDS = 20.0
# The longest sleep while the throttle has nothing to give.
NAP = 0.25


class Ending(StrEnum):
    """Why deliver() returned."""

    DONE = "done"
    RELEASED = "released"
    LINE_DOWN = "line down"
    STOPPED = "mailing stopped"
    LOST = "lease lost"


def deliver(claim: Claim, transport: Transport) -> Ending:
    """Send what is queued in the claimed batch, and let go of it.

    Returns when the batch is through, its mailing is not being sent any more, the relay cannot
    be reached, this worker is shutting down, or another one has the batch.
    """
    try:
        return _Delivering(claim, transport).run()
    except LostLease:
        transport.abort()
        log.warning("Batch %s: epoch %s is over, somebody else has it", claim.batch_id, claim.epoch)
        return Ending.LOST
    finally:
        transport.close()


class _Delivering:
    def __init__(self, claim: Claim, transport: Transport) -> None:
        self.claim = claim
        self.transport = transport

    def run(self) -> Ending:
        try:
            copies = copies_of(self.claim.mailing)
            self.transport.open()
            return self._go_on(copies)
        except LineDown as error:
            return self._wait_for_line(str(error))
        except (Misconfigured, ContentDamaged) as error:
            return self._stop(str(error))

    def _go_on(self, copies: Copies) -> Ending:
        until = steady() + TASK_SECONDS
        while True:
            if stopping.is_stopping() or steady() > until:
                release(self.claim)
                return Ending.RELEASED
            name = self.transport.name
            grant = throttle.take(name, pace.chunk_size(name))
            if not grant.messages:
                time.sleep(min(grant.wait, NAP))
                continue
            chunk = next_chunk(self.claim, grant.messages, copies, pace.step_size(name))
            throttle.give_back(name, grant.messages - len(chunk.rows))
            if chunk.mailing_state != Mailing.State.SENDING:
                release(self.claim)
                return Ending.STOPPED
            if not chunk.looked_at:
                finish(self.claim)
                return Ending.DONE
            ending = self._send(chunk) if chunk.rows else None
            if ending:
                return ending

    def _send(self, chunk: Chunk) -> Ending | None:
        """Send one chunk and record it. Returns an ending when the batch cannot go on."""
        sending = _OnItsWay(self.claim, self.transport, chunk)
        try:
            sending.run()
        finally:
            throttle.give_back(self.transport.name, len(sending.untouched))
            # Also when something unforeseen was raised: what is known must not be lost.
            try:
                record(self.claim, sending.results, sending.untouched)
            except LostLease:
                proved = prove_late(sending.results)
                log.warning("Batch %s: %s proved late", self.claim.batch_id, proved)
                raise
        pace.measured(self.transport.name, messages=len(sending.results), seconds=sending.seconds)
        if sending.cut_off:
            release(self.claim)
            return Ending.RELEASED
        stop = sending.stopped_by
        if stop is None:
            return None
        if stop.outcome is Outcome.OURS:
            return self._stop(stop.as_line())
        return self._wait_for_line(stop.as_line())

    def _wait_for_line(self, why: str) -> Ending:
        """Waiting for a connection is never an error of the mail: nothing counts as tried."""
        log.warning("Batch %s waits for the relay: %s", self.claim.batch_id, without_addresses(why))
        release(self.claim, pause=settings.SENDING_LINE_PAUSE_SECONDS)
        return Ending.LINE_DOWN

    def _stop(self, trouble: str) -> Ending:
        stop_for_trouble(self.claim.mailing.pk, trouble)
        release(self.claim)
        return Ending.STOPPED


class _OnItsWay:
    """One chunk on its way. Afterwards every row is in `results` or in `untouched`."""

    def __init__(self, claim: Claim, transport: Transport, chunk: Chunk) -> None:
        assert chunk.copies is not None
        self._claim = claim
        self._transport = transport
        self._copies = chunk.copies
        self._rows = chunk.rows
        self._handed = chunk.handed
        self._step = pace.step_size(transport.name)
        self.results: list[tuple[Row, Receipt]] = []
        # Why the rest was not sent, if that lies with the line or with us.
        self.stopped_by: Receipt | None = None
        # The lease is half gone: the line was dropped.
        self.cut_off = False
        self.seconds = 0.0
        self._taken: dict[int, Row] = {}

    @property
    def untouched(self) -> list[Row]:
        known = {row.pk for row, _ in self.results}
        return [row for row in self._rows if row.pk not in known]

    def run(self) -> None:
        begun = steady()
        try:
            for key, receipt in self._transport.send(self._outgoing(begun)):
                row = self._taken.pop(key)
                if receipt.about_the_line:
                    self.stopped_by = receipt
                    continue
                self.results.append((row, receipt))
                if receipt.outcome is Outcome.OURS:
                    self.stopped_by = receipt
        except BaseException:
            # Those that were on their way: they may have gone out.
            for row in self._taken.values():
                self.results.append((row, Receipt(Outcome.UNKNOWN, reply="the sender broke off")))
            self._transport.abort()
            raise
        finally:
            self.seconds = steady() - begun
        if self.cut_off:
            self._transport.abort()

    def _outgoing(self, begun: float) -> Iterator[Outgoing]:
        for place, row in enumerate(self._rows):
            envelope = self._envelope(row)
            if envelope is None:
                continue
            if self.stopped_by or steady() - begun > pace.LONGEST_CHUNK_SECONDS:
                return
            # As late as can be, just before the first byte: this worker may have slept.
            if self._claim.lease.is_half_gone:
                self.cut_off = True
                return
            if place >= self._handed:
                self._handed = step_end(self._rows, place, self._step)
                hand_on(self._claim, self._rows[self._handed - 1])
            self._taken[row.pk] = row
            yield Outgoing(row.pk, envelope)

    def _envelope(self, row: Row) -> Envelope | None:
        try:
            return self._copies.envelope(row)
        except (UnsafeValue, UnsafeEnvelope) as error:
            # One reader's value that cannot go into a mail must not keep the others waiting.
            log.error("Delivery %s cannot be made: %s", row.pk, error)
            self.results.append((row, Receipt(Outcome.PERMANENT, reply=f"not sent: {error}")))
            return None


def release(claim: Claim, *, pause: float = 0.0) -> None:
    """Give the batch back, at once or after `pause` seconds. Losing it meanwhile is no matter."""
    Batch.objects.filter(claim.held()).update(
        state=Batch.State.READY,
        lease_until=None,
        worker="",
        not_before=database_in(pause) if pause else None,
    )


def finish(claim: Claim) -> None:
    """Nothing is queued in it any more; what is to be tried again will move to a new batch."""
    if not Batch.objects.filter(claim.held()).update(
        state=Batch.State.DONE, lease_until=None, worker=""
    ):
        raise LostLease
    end_if_balanced(claim.mailing.pk)
