"""One scenario's run: a mailing, a relay, a crew, and a look at the books now and then."""

import contextlib
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.crew import Crew
from benchmarks.faults.ground import Ground, persistently
from benchmarks.faults.relay import Relay
from benchmarks.faults.verdict import Verdict, judge

# Seconds between two looks at the books while things break.
LOOK = 1.0
# One that makes 26 kB.
PARAGRAPHS = 1


class TooLong(Exception):
    """A scenario did not come to its end in time; the message says where it stood."""


@dataclass
class Play:
    ground: Ground
    dice: random.Random
    mailing: Any
    readers: int
    relay: Relay
    crew: Crew
    deadline: float
    begun: float = field(default_factory=time.monotonic)
    # When each reader who unsubscribed had the answer.
    left_at: dict[str, float] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    # What was done, for the table.
    done: dict[str, int] = field(default_factory=dict)
    _looked: float = 0.0
    _looks: int = 0
    _out_of_balance: int = 0

    @property
    def sent(self) -> int:
        return len(self.relay.taken)

    def count(self, what: str, number: int = 1) -> None:
        self.done[what] = self.done.get(what, 0) + number

    def expect(self, truth: object, otherwise: str) -> None:
        """A promise of this scenario."""
        if not truth:
            self.troubles.append(otherwise)

    def until(self, share: float) -> None:
        """Wait until the relay has this share of the mailing."""
        while self.sent < share * self.readers and not self.has_ended():
            self.watch()
        self.expect(not self.has_ended(), f"the mailing was over before {share:.0%} of it")

    def until_end(self) -> None:
        while not self.has_ended():
            self.watch()

    def for_seconds(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.watch()

    def watch(self) -> None:
        """Let a moment pass, and look at the books when it is time. Raises TooLong."""
        time.sleep(0.05)
        if fallen := self.crew.raise_the_fallen():
            self.count("ended by itself, started again", len(fallen))
        if time.monotonic() > self.deadline:
            raise TooLong(f"{self.sent} sent, {persistently(self._where)}")
        if time.monotonic() - self._looked > LOOK:
            self._looked = time.monotonic()
            with contextlib.suppress(Away):
                self._looks += 1
                self._out_of_balance += not _balances(self.mailing)

    def has_ended(self) -> bool:
        from newsletter.sending.models import Mailing

        ended = Mailing.objects.filter(pk=self.mailing.pk, ended_at__isnull=False)
        return bool(persistently(ended.exists))

    def _where(self) -> str:
        from newsletter.sending.balance import counts
        from newsletter.sending.models import Batch

        self.mailing.refresh_from_db()
        open_ones = Batch.objects.filter(mailing=self.mailing).exclude(state=Batch.State.DONE)
        return (
            f"{self.mailing.state} {self.mailing.trouble!r} {counts(self.mailing)} "
            f"{list(open_ones.values()[:5])}"
        )

    def verdict(self) -> Verdict:
        # Should anybody be about to send something more.
        self.for_seconds(1)
        found: Verdict = persistently(lambda: judge(self.mailing, self.relay, self.left_at))
        found.balance_looked_at += self._looks
        found.out_of_balance += self._out_of_balance
        found.troubles += self.troubles
        return found


class Away(Exception):
    """The database is, just now."""


def _balances(mailing: Any) -> bool:
    """Whether the counts and the rows agree at this moment, in the middle of everything."""
    from django.db import Error, connection, connections, transaction

    from newsletter.sending.balance import counts, recount

    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                # Both see one moment.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return counts(mailing) == recount(mailing)
    except Error:
        connections.close_all()
        raise Away from None


@contextlib.contextmanager
def play(
    ground: Ground,
    name: str,
    *,
    readers: int,
    dice: random.Random,
    seconds: float,
    newsletter: str = "",
    env: Mapping[str, str] | None = None,
    lines: int = 4,
) -> Iterator[Play]:
    """Plan a mailing to so many readers, and start the relay. The crew is the scenario's to start.

    `seconds` bounds the whole, planning aside.
    """
    from newsletter.management import test_mailing
    from newsletter.sending import control, plan
    from newsletter.sending.errors import NotPossible

    folder = ground.folder / name
    folder.mkdir()
    paper = test_mailing.make_newsletter(newsletter or f"faults-{readers}")
    test_mailing.make_readers(paper, readers)
    issue, approval = test_mailing.make_approved_issue(paper, paragraphs=PARAGRAPHS)
    mailing = plan.resume(plan.plan_issue(issue=issue, approval=approval, by=None))
    relay = Relay(Path(folder / "records"))
    relay.start()
    crew = Crew(folder, {"EMAIL_URL": f"{relay.url}?timeout=20&lines={lines}", **(env or {})})
    try:
        planned = mailing.deliveries.count()
        yield Play(ground, dice, mailing, planned, relay, crew, time.monotonic() + seconds)
    except Exception:
        # It is not to be sent by the next scenario's workers.
        with contextlib.suppress(NotPossible):
            control.cancel(mailing=mailing)
        raise
    finally:
        crew.end()
        relay.kill()
        ground.valkey.flush()
