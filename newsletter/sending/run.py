"""One run of a worker: chunks of one mailing, batch after batch, over lines that never drain.

The transport pulls from `_outgoing` whenever a line has room, and answers in any order. While a
chunk is on the wire the clerk checks the next one and records the last one. Three rules keep a
reader from getting two copies:

- a row is handed over only by `next_chunk`, whose transaction proves the batch's epoch;
- rows without an outcome in the database are looked at again only once nothing of their batch is
  under way and everything known of it is recorded;
- a batch is given back only when every outcome in it is recorded.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor

from newsletter.sending import brakes, pace, stopping
from newsletter.sending.chunk import Chunk
from newsletter.sending.claim import Claim
from newsletter.sending.clerk import Job
from newsletter.sending.clock import steady
from newsletter.sending.copies import Copies
from newsletter.sending.errors import BooksHaveGap, ContentDamaged, LostLease
from newsletter.sending.held import Held
from newsletter.sending.journal import Journal
from newsletter.sending.models import Mailing
from newsletter.sending.record import WAITS, record
from newsletter.sending.row import Row
from newsletter.sending.search import Found, Search
from newsletter.sending.settle import end_if_balanced
from newsletter.sending.take_back import act_on, stamp_of
from newsletter.transports.protocol import Outgoing, Transport
from newsletter.transports.values import Outcome, Receipt, UnsafeEnvelope
from newsletter.wire.headers import UnsafeValue

log = logging.getLogger(__name__)

# What nearly every message ends with: a member takes longer to look up than to compare.
_ACCEPTED = Outcome.ACCEPTED
# A task is one of seconds: after this long the batch goes back, and the feeder hands it on.
TASK_SECONDS = 20.0
# The longest that outcomes stay unrecorded while answers trickle in.
RECORD_SECONDS = 0.5
# So many answers of 4.7.x slow a domain, if they are this share of its answers; one of 421 does.
PATIENCE = 2
PATIENCE_SHARE = 1 / 3
# With fewer answers than that, only if all of them are.
ENOUGH = 10
# The longest sleep while the throttle has nothing to give.
NAP = 0.25


class Run:
    """Afterwards every row that was handed over has its outcome recorded or was put back."""

    def __init__(
        self,
        claim: Claim,
        copies: Copies,
        transport: Transport,
        books: Executor,
        journal: Journal,
        another: Callable[[Mailing], Claim | None] | None,
    ) -> None:
        self._copies = copies
        self._transport = transport
        self._books = books
        self._journal = journal
        self._search = Search(transport.name, copies, journal, another, claim.mailing)
        self._mailing = claim.mailing
        self._begun = steady()
        self._held: list[Held] = []
        # What is on the wire, by key.
        self._out: dict[int, tuple[Held, Row]] = {}
        self._jobs: list[tuple[Job, Held]] = []
        self._wanted: Job | None = None
        self._nap_until = 0.0
        self._recorded_at = steady()
        self._over = False
        # For the brakes: what is going out just now, and who asked for patience how often.
        self._going: Sequence[Row] = ()
        self._slow: Counter[str] = Counter()
        # Why it ended, for `deliver`.
        self.lost = False
        self.mailing_stopped = False
        # Seconds that a batch of one slowed domain has to wait.
        self.domain_wait = 0.0
        self.damaged = ""
        self.stopped_by: Receipt | None = None
        self._broken: Exception | None = None
        journal.batch(claim.batch_id, claim.epoch, stamp_of(claim.mailing))
        self._held.append(Held(claim))

    # --- The wire ------------------------------------------------------------------------------

    def go(self) -> None:
        """Send until there is nothing more, or no more may be sent. Raises what was unforeseen."""
        try:
            for key, receipt in self._transport.send(self._outgoing()):
                self._answer(key, receipt)
        except BaseException:
            # Those that were on their way: they may have gone out.
            self._transport.abort()
            for key in list(self._out):
                self._answer(key, Receipt(Outcome.UNKNOWN, reply="the sender broke off"))
            raise
        if self._broken is not None:
            raise self._broken

    def _outgoing(self) -> Iterator[Outgoing | None]:
        """What the transport pulls from. Raises nothing: what goes wrong ends it, and what is on
        the wire is still answered."""
        while not self._over:
            try:
                found = self._next()
            except LostLease:
                self._lose()
                return
            except ContentDamaged as error:
                self.damaged = str(error)
                return
            except Exception as error:
                self._broken = error
                return
            if found is None:
                if not self._over:
                    yield None
                continue
            yield from self._send(*found)

    def _send(self, held: Held, chunk: Chunk, waiting: Collection[int]) -> Iterator[Outgoing]:
        self._going = chunk.rows
        rows, copies, lease = chunk.rows, chunk.copies, held.claim.lease
        assert copies is not None
        journal, out, begins = self._journal, self._out, self._begins
        announces = self._transport.announces_content
        half_lease = lease.seconds / 2
        stale_at = chunk.checked_at + pace.LONGEST_CHUNK_SECONDS
        ask_at = len(rows) // 2
        begun = steady()
        for at, row in enumerate(rows):
            if at == ask_at:
                self._ask(held, chunk)
            # As late as can be, just before the first byte: this worker may have slept.
            now = steady()
            if now - lease.since >= half_lease:
                self._over = True
                self._transport.abort()
            if self._over or self.stopped_by is not None or now > stale_at:
                self._put_back(held, rows[at].place)
                break
            key = row.pk
            if key in held.answered:
                raise AssertionError("A row that has its outcome was handed over again.")
            if key in waiting:
                held.answered.add(key)
                held.results.append((row, WAITS))
                continue
            try:
                envelope = copies.envelope(row)
            except (UnsafeValue, UnsafeEnvelope) as error:
                self._refuse(held, row, error)
                continue
            out[key] = (held, row)
            held.under_way += 1
            if not announces:
                journal.taken(key, row.attempt + 1)
            yield Outgoing(key, envelope, begins)
        else:
            at = len(rows)
        sent = at - len(waiting)
        pace.measured(self._transport.name, messages=sent, seconds=steady() - begun)
        self._record_now_and_then(force=not held.last)

    def _begins(self, key: int) -> None:
        """The content's first byte is about to leave."""
        self._journal.taken(key, self._out[key][1].attempt + 1)

    def _answer(self, key: int, receipt: Receipt) -> None:
        held, row = self._out.pop(key)
        held.under_way -= 1
        outcome, journal, attempt = receipt.outcome, self._journal, row.attempt + 1
        if outcome is _ACCEPTED:
            journal.accepted(key, attempt)
        elif outcome is Outcome.UNKNOWN:
            journal.unknown(key, attempt)
        else:
            journal.not_sent(key, attempt)
            if receipt.about_the_line or outcome is Outcome.OURS:
                self.stopped_by = receipt
            if receipt.about_the_line:
                self._put_back(held, row.place)
                return
            if brakes.asks_for_patience(receipt):
                self._slow_down(held, row, receipt)
        held.answered.add(key)
        held.results.append((row, receipt))
        if held.is_through and held is not self._held[-1]:
            self._record(held, finished=True)
        elif steady() - self._recorded_at > RECORD_SECONDS:
            self._record_now_and_then()

    def _slow_down(self, held: Held, row: Row, receipt: Receipt) -> None:
        """The domain wants less mail at a time.

        Not by every 4.7.x: it may be about the reader. A domain that greylists one in ten does
        so at any rate, and to be slowed for each of them would bring it to a stop.
        """
        domain = brakes.domain_of(row.email)
        self._slow[domain] += 1
        if receipt.code != 421 and self._slow[domain] < PATIENCE:
            return
        self._slow[domain] = 0
        if receipt.code != 421 and not self._is_often(held, domain):
            return
        going = sum(brakes.domain_of(other.email) == domain for other in self._going)
        getting = going / pace.CHUNK_SECONDS
        job = self._books.submit(brakes.slow_down, domain, getting=getting)
        self._jobs.append((job, held))

    @staticmethod
    def _is_often(held: Held, domain: str) -> bool:
        """Whether 4.7.x is a fair share of what the domain answered, the one at hand included."""
        said = [reply for row, reply in held.results if brakes.domain_of(row.email) == domain]
        asked, answers = 1 + sum(map(brakes.asks_for_patience, said)), 1 + len(said)
        # Of a few answers, a third is chance: one who is slowed by it gets fewer still.
        return asked >= (PATIENCE_SHARE * answers if answers >= ENOUGH else answers)

    def _refuse(self, held: Held, row: Row, error: Exception) -> None:
        # One reader's value that cannot go into a mail must not keep the others waiting.
        log.error("Delivery %s cannot be made: %s", row.pk, error)
        held.answered.add(row.pk)
        held.results.append((row, Receipt(Outcome.PERMANENT, reply=f"not sent: {error}")))

    def _put_back(self, held: Held, place: int) -> None:
        held.put_back = place if held.put_back is None else min(place, held.put_back)

    # --- The next chunk --------------------------------------------------------------------------

    def _next(self) -> tuple[Held, Chunk, Collection[int]] | None:
        """Return the next chunk; None while there is none, or for good (`_over`)."""
        self._look_at_jobs()
        if steady() < self._nap_until:
            self._record_now_and_then()
            return None
        if self._wanted is None:
            self._ask_anew()
        if self._wanted is None or not self._wanted.done():
            self._record_now_and_then()
            return None
        found: Found = self._wanted.result()
        self._wanted = None
        if found.wait and found.held is None:
            self._nap_until = steady() + min(found.wait, NAP)
            return None
        return self._take_in(found)

    def _take_in(self, found: Found) -> tuple[Held, Chunk, Collection[int]] | None:
        held, chunk = found.held, found.chunk
        if held is None:
            self._over = True
            return None
        if held is not self._held[-1]:
            self._held.append(held)
            for earlier in self._held[:-1]:
                if earlier.is_through:
                    self._record(earlier, finished=True)
        if chunk is None:
            self.domain_wait, self._over = found.wait, True
            return None
        if chunk.mailing_state != Mailing.State.SENDING:
            self.mailing_stopped = self._over = True
            return None
        held.next_goes_alone = chunk.must_wait
        if held.put_back is not None:
            # It was asked for before some of what stands in front of it was put back.
            return None
        held.last = chunk.last
        return (held, chunk, found.waiting) if chunk.rows else None

    def _ask_anew(self) -> None:
        """Ask for the chunk after everything that was handed over so far."""
        held = self._held[-1]
        if stopping.is_stopping() or self.stopped_by is not None:
            self._over = True
            return
        if steady() - self._begun > TASK_SECONDS:
            self._over = True
            return
        if held.next_goes_alone and held.under_way:
            return
        if held.put_back is not None:
            # Whatever of the batch is under way or unrecorded stands before it: rows are taken
            # in the order of their places.
            held.claim.reached, held.put_back, held.last = held.put_back, None, False
        self._submit_search(held, alone=not held.under_way)

    def _ask(self, held: Held, chunk: Chunk) -> None:
        """Ask for the next chunk while this one goes out."""
        if self._wanted is not None or chunk.rows[0].resent or stopping.is_stopping():
            return
        if steady() - self._begun <= TASK_SECONDS:
            self._submit_search(held, alone=False)

    def _submit_search(self, held: Held, *, alone: bool) -> None:
        self._wanted = self._books.submit(self._search.go_on, held, over=held.last, alone=alone)

    # --- The books -------------------------------------------------------------------------------

    def _record_now_and_then(self, *, force: bool = False) -> None:
        if force or steady() - self._recorded_at > RECORD_SECONDS:
            for held in self._held:
                self._record(held)
            self._recorded_at = steady()

    def _record(self, held: Held, *, finished: bool = False) -> None:
        results = held.results[held.recorded :]
        if held.finished or not (results or finished):
            return
        held.recorded, held.finished = len(held.results), finished
        self._jobs.append((self._books.submit(self._write, held, results, finished), held))

    def _write(self, held: Held, results: list[tuple[Row, Receipt]], finished: bool) -> None:
        """The clerk's. Behind outcomes that could not be written nothing is: with the batch's last
        ones it would be done, and nobody would ever look for those that it lacks."""
        if held.has_gap:
            raise BooksHaveGap(f"Earlier outcomes of batch {held.claim.batch_id} are not written.")
        held.has_gap = True
        record(held.claim, results, finished=finished)
        held.has_gap = False
        if finished:
            end_if_balanced(held.claim.mailing.pk)

    def _look_at_jobs(self) -> None:
        """Forget what is recorded. Raises what went wrong in a job that is done."""
        while self._jobs and self._jobs[0][0].done():
            job, held = self._jobs[0]
            job.result()
            self._jobs.pop(0)
            if held.finished and held in self._held and held is not self._held[-1]:
                self._held.remove(held)

    def close(self) -> list[Claim]:
        """Record what is known, and return the claims that are still held, to be released.

        When that fails, because the database is away, the journal is left for whoever comes
        next; the failure is raised.
        """
        try:
            self._wait_for_search()
            for held in self._held:
                self._record(held, finished=held.is_through)
            while self._jobs:
                self._jobs[0][0].exception()
                self._look_at_jobs()
        except LostLease:
            self.lost = True
        except BaseException:
            self._tell_what_is_known()
            raise
        if self.lost:
            self._tell_what_is_known()
            return []
        return [held.claim for held in self._held if not held.finished]

    def _wait_for_search(self) -> None:
        """A batch that was claimed meanwhile is ours too."""
        if self._wanted is not None:
            found: Found = self._wanted.result()
            if found.held is not None and found.held not in self._held:
                self._held.append(found.held)

    def _tell_what_is_known(self) -> None:
        """Some batch is lost or could not be recorded: give back all, with all that is known."""
        log.warning("Mailing %s: a batch was lost, or could not be recorded", self._mailing.pk)
        try:
            for held in self._held:
                act_on(held.claim.batch_id, held.claim.epoch, held.all_known())
        except BaseException:
            self._journal.leave()
            raise

    def _lose(self) -> None:
        self.lost = self._over = True
        self._transport.abort()
