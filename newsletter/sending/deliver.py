"""A claimed batch goes out, chunk by chunk, and the next ones of its mailing behind it."""

import logging
from collections.abc import Callable
from enum import StrEnum

from django.conf import settings

from newsletter.sending.claim import Claim
from newsletter.sending.clerk import clerk
from newsletter.sending.clock import database_in
from newsletter.sending.control import stop_for_trouble
from newsletter.sending.copies import copies_of
from newsletter.sending.errors import ContentDamaged, NewerContent
from newsletter.sending.journal import Journal
from newsletter.sending.models import Batch, Mailing
from newsletter.sending.relay_limits import meter_for
from newsletter.sending.run import Run
from newsletter.transports.errors import LineDown, Misconfigured
from newsletter.transports.protocol import Transport
from newsletter.transports.values import Outcome, without_addresses

log = logging.getLogger(__name__)

# How long batches to one slowed domain wait for each other, each of them and at most.
TURN_SECONDS = 2.0
LONGEST_TURN = 300.0

# This process' own, made when it sends for the first time; one, or none yet.
_journals: list[Journal] = []


class Ending(StrEnum):
    """Why deliver() returned."""

    DONE = "done"
    RELEASED = "released"
    LINE_DOWN = "line down"
    STOPPED = "mailing stopped"
    LOST = "lease lost"


def deliver(
    claim: Claim, transport: Transport, another: Callable[[Mailing], Claim | None] | None = None
) -> Ending:
    """Send what is queued in the claimed batch, and let go of it.

    Goes on, for some seconds and over the same lines, with whatever `another` then claims of the
    mailing. Returns when there is nothing more, the mailing is not being sent any more, the relay
    cannot be reached, this worker is shutting down, or another one has the batch. The transport's
    lines stay open.
    """
    try:
        copies = copies_of(claim.mailing)
        transport.open()
    except LineDown as error:
        return _wait_for_line([claim], str(error))
    except NewerContent as error:
        # In the middle of a deploy: a worker of the later version will take it.
        log.warning("Batch %s is put back for a newer worker: %s", claim.batch_id, error)
        release(claim, pause=settings.SENDING_LINE_PAUSE_SECONDS)
        return Ending.RELEASED
    except (Misconfigured, ContentDamaged) as error:
        return _stop([claim], str(error))
    with clerk() as books:
        journal = _open_journal()
        run = Run(claim, copies, transport, books, journal, another)
        meter = meter_for(transport, alert=claim.mailing.kind == Mailing.Kind.ALERT)
        transport.limit(meter)
        try:
            run.go()
        except BaseException:
            for left in run.close():
                release(left)
            raise
        held = run.close()
        journal.rest()
        if meter is not None:
            meter.close()
    if run.lost:
        return Ending.LOST
    if run.damaged:
        return _stop(held, run.damaged)
    if run.stopped_by is not None:
        if run.stopped_by.outcome is Outcome.OURS:
            return _stop(held, run.stopped_by.as_line())
        return _wait_for_line(held, run.stopped_by.as_line())
    for left in held:
        release(left, pause=_turn(left.domain, run.domain_wait) if left.domain else 0.0)
    if run.mailing_stopped:
        return Ending.STOPPED
    return Ending.RELEASED if held else Ending.DONE


def release(claim: Claim, *, pause: float = 0.0) -> None:
    """Give the batch back, at once or after `pause` seconds. Losing it meanwhile is no matter.

    Only when every outcome in it is recorded: what has none was not sent.
    """
    Batch.objects.filter(claim.held()).update(
        state=Batch.State.READY,
        lease_until=None,
        worker="",
        handed_upto=0,
        not_before=database_in(pause) if pause else None,
    )


def journal_trouble() -> str:
    """Return why this process keeps no journal; "" when it does, or has not sent yet."""
    return (_journals[0].trouble or "") if _journals else ""


def put_away() -> None:
    """This process ends, and what it did is recorded."""
    while _journals:
        _journals.pop().close()


def _turn(domain: str, wait: float) -> float:
    """Return how many seconds a batch to one slowed domain waits: until its turn comes, so that
    not all of them are claimed again and again for the few messages that may go."""
    if not wait:
        return 0.0
    others = Batch.objects.filter(domain=domain, state=Batch.State.READY).count()
    return min(LONGEST_TURN, max(wait, TURN_SECONDS) * (others + 1))


def _open_journal() -> Journal:
    if not _journals:
        _journals.append(Journal(settings.SENDING_JOURNAL_DIR))
    _journals[0].open()
    return _journals[0]


def _wait_for_line(held: list[Claim], why: str) -> Ending:
    """Waiting for a connection is never an error of the mail: nothing counts as tried."""
    for claim in held:
        log.warning("Batch %s waits for the relay: %s", claim.batch_id, without_addresses(why))
        release(claim, pause=settings.SENDING_LINE_PAUSE_SECONDS)
    return Ending.LINE_DOWN


def _stop(held: list[Claim], trouble: str) -> Ending:
    for claim in held:
        stop_for_trouble(claim.mailing.pk, trouble)
        release(claim)
    return Ending.STOPPED
