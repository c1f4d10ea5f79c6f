"""SMTP over several lines to one or more relays, driven by one thread."""

import select
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

from newsletter.transports.errors import Misconfigured, TransportError
from newsletter.transports.protocol import Answered, Meter, Outgoing, WayState
from newsletter.transports.relay import Relay
from newsletter.transports.smtp.conversation import Settled
from newsletter.transports.smtp.line import Line
from newsletter.transports.smtp.pool import Pool
from newsletter.transports.values import Outcome, Receipt

# Milliseconds before `outgoing` is asked again, when it had nothing ready.
SOON = 2
# Milliseconds between two looks at the clock, for relays that keep us waiting.
TICK = 250
# Messages for each open line before one more is opened: one line is enough for a few.
MESSAGES_A_LINE = 5
# Seconds before relays that gave no further line are asked again.
NEXT_OPENING = 0.1
# Seconds for which messages wait here for a relay's own limit; for longer, they are put back.
LONGEST_HOLD = 1.0
# Milliseconds between two looks whether it has room again.
HOLD_TICK = 20
# How often one message may move to another line; the relay may be refusing it by hanging up.
MOST_MOVES = 3

ABORTED = "the sender broke off"
UNSENT = Receipt(Outcome.TEMPORARY, None, "", f"not sent: {ABORTED}", about_the_line=True)
HELD_BACK = Receipt(
    Outcome.TEMPORARY, reply="not sent: this relay's own limit is used up", about_the_line=True
)


class SmtpTransport:
    """Lines to one relay, or to several that stand in for each other. One `send` at a time."""

    name = "smtp"
    announces_content = True

    def __init__(self, *relays: Relay) -> None:
        self.allowed_for_health = all(relay.health for relay in relays)
        self._relays = relays
        self._pool = Pool(relays)
        self._sending: _Sending | None = None

    @property
    def lines(self) -> int:
        first = min(relay.priority for relay in self._relays)
        return sum(relay.lines for relay in self._relays if relay.priority == first)

    def states(self) -> list[WayState]:
        now = time.monotonic()
        return [lane.state(now) for lane in self._pool.lanes]

    @property
    def relays(self) -> Sequence[Relay]:
        return self._relays

    def limit(self, meter: Meter | None) -> None:
        for lane in self._pool.lanes:
            lane.meter = meter

    def open(self) -> None:
        """Have a line. Raises LineDown or Misconfigured."""
        now = time.monotonic()
        self._pool.refresh(now)
        if not self._pool.has_room and self._sending is None:
            self._pool.connect(now)

    def close(self) -> None:
        self._pool.part_from_all()

    def abort(self) -> None:
        sending = self._sending
        if sending is None:
            self._pool.drop_all()
        else:
            # It may be another thread's: that one closes the files itself.
            sending.aborted = True
            self._pool.cut()

    def send(self, outgoing: Iterable[Outgoing | None]) -> Iterator[Answered]:
        if self._sending is not None:
            raise RuntimeError("This transport is sending already.")
        self._sending = sending = _Sending(self._pool, iter(outgoing))
        try:
            yield from sending.run()
        finally:
            self._sending = None
            for line in self._pool:
                # Whoever iterated broke off: what is on this line has nobody to hear of it.
                if not line.conversation.is_idle:
                    self._pool.drop(line)
            if sending.aborted:
                self._pool.drop_all()


class _Sending:
    """One call of `send`."""

    def __init__(self, pool: Pool, source: Iterator[Outgoing | None]) -> None:
        self._pool = pool
        self._source = source
        self.aborted = False
        self._exhausted = False
        # How many messages are on a line; which ones wait for another; what is to be yielded.
        self._on_lines = 0
        self._again: deque[Outgoing] = deque()
        self._answers: list[Answered] = []
        self._taken = 0
        self._moves: Counter[int] = Counter()
        # Why no line can be had any more: the answer to everything else.
        self._down: Receipt | None = None
        # Milliseconds that the next wait may take.
        self._patience = TICK
        self._next_opening = 0.0
        # Whether some relay has limits of its own.
        self._metered = any(lane.meter is not None for lane in pool.lanes)

    def run(self) -> Iterator[Answered]:
        pool = self._pool
        now = looked = time.monotonic()
        pool.refresh(now)
        touched: list[tuple[Line, int]] = []
        while not self.aborted:
            if self._answers:
                # Before another byte: what the answers are written down in must not say of two
                # messages on one line that they are under way.
                answers, self._answers = self._answers, []
                yield from answers
                if self.aborted:
                    break
            self._fill(now)
            for line, _ in touched:
                # Content after which no further message came.
                if line.conversation.has_output:
                    self._write(line, now)
            if self._answers:
                touched = []
                continue
            if self._exhausted and not (self._on_lines or self._again):
                return
            touched = pool.wait(self._patience)
            now = time.monotonic()
            for line, events in touched:
                if events & select.POLLOUT:
                    self._write(line, now)
                if events & ~select.POLLOUT:
                    self._settle(line, line.read(now))
            if now - looked > TICK / 1000:
                looked = now
                for line in pool:
                    self._settle(line, line.expire(now))
        self._give_up()
        yield from self._answers

    # --- Taking -------------------------------------------------------------------------

    def _fill(self, now: float) -> None:
        """Give each line that has room a message; open another line where that is not enough."""
        pool = self._pool
        self._patience = TICK
        while not self.aborted and (self._again or not self._exhausted):
            line = pool.take_free(now, freshest=bool(self._again)) if pool.free else None
            if line is None and self._down is None and self._metered:
                held = pool.held_back(now)
                if held and (held <= LONGEST_HOLD or self._on_lines):
                    self._patience = HOLD_TICK
                    return
                if held:
                    self._down = HELD_BACK
            if line is None:
                if self._on_lines or pool.is_opening:
                    self._open_one_more(now)
                    return
                if self._down is None:
                    self._connect(now)
                    continue
            one = self._next()
            if one is None or self.aborted:
                if line is not None:
                    pool.put_free(line, first=True)
                if one is not None:
                    self._again.append(one)
                return
            refused = self._down if line is None else line.take(one, now)
            if line is None or refused is not None:
                assert refused is not None
                if line is not None:
                    pool.put_free(line, first=True)
                # To be heard of before the next one is taken.
                self._answers.append(Answered(one.key, refused))
                self._patience = 0
                return
            if line.lane.meter is not None:
                line.lane.meter.used(line.lane.relay)
            self._taken += 1
            self._on_lines += 1
            self._write(line, now)

    def _next(self) -> Outgoing | None:
        if self._again:
            return self._again.popleft()
        try:
            one = next(self._source)
        except StopIteration:
            self._exhausted = True
            return None
        if one is None:
            self._patience = SOON
        return one

    def _connect(self, now: float) -> None:
        try:
            self._pool.connect(now)
        except TransportError as error:
            ours = isinstance(error, Misconfigured)
            outcome = Outcome.OURS if ours else Outcome.TEMPORARY
            self._down = Receipt(outcome, reply=str(error), about_the_line=True)

    def _open_one_more(self, now: float) -> None:
        pool = self._pool
        enough = now < self._next_opening or self._taken < MESSAGES_A_LINE * len(pool)
        if not (enough or pool.open_one_more(now)):
            self._next_opening = now + NEXT_OPENING

    # --- Answering ----------------------------------------------------------------------

    def _write(self, line: Line, now: float) -> None:
        settled = line.write(now)
        if line.is_writing is not line.watched:
            self._pool.watch(line)
        if settled or line.conversation.over:
            self._settle(line, settled)

    def _settle(self, line: Line, settled: list[Settled]) -> None:
        """Answer what was settled on this line, and see what the line is good for now."""
        conversation = line.conversation
        for outgoing, receipt, unsent in settled:
            self._on_lines -= 1
            if unsent:
                self._move(line, outgoing, receipt)
                continue
            self._answers.append(Answered(outgoing.key, receipt))
            if receipt.code is not None and receipt.code != 421:
                line.lane.took()
            elif conversation.carried == 0:
                line.lane.broke(receipt)
        if conversation.over:
            self._pool.drop(line)
        elif line.retiring:
            if conversation.is_idle and not line.leaving:
                self._pool.part(line, time.monotonic())
        elif not line.is_free and line.has_room:
            self._pool.put_free(line)

    def _move(self, line: Line, outgoing: Outgoing, receipt: Receipt) -> None:
        """Send over another line what was certainly not sent, if that may help; or else answer.

        Relays end a connection after so many messages, with 421 or without a word, and nobody
        waits half an hour for that. A line that ends so with its first one is another matter.
        """
        self._pool.drop(line)
        proved = line.conversation.proved
        if not proved:
            line.lane.broke(receipt)
        elsewhere = receipt.about_the_line and self._pool.can_serve(time.monotonic())
        if self._moves[outgoing.key] < MOST_MOVES and (elsewhere or proved):
            self._moves[outgoing.key] += 1
            self._again.append(outgoing)
            self._patience = 0
        else:
            self._answers.append(Answered(outgoing.key, receipt))

    def _give_up(self) -> None:
        """Answer everything that was taken, and write not one more byte."""
        settled = [one for line in self._pool for one in line.conversation.lost(ABORTED)]
        settled += [Settled(one, UNSENT, unsent=True) for one in self._again]
        self._answers += [
            Answered(one.key, UNSENT if unsent else receipt) for one, receipt, unsent in settled
        ]
