"""What the fault tests drive: workers as processes, and the beat's ticks in the test's hand."""

import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connections

from newsletter import tasks
from newsletter.management import test_mailing
from newsletter.sending.balance import counts, recount
from newsletter.sending.models import Batch, Delivery, Mailing
from tests.running.processes import Running, wait_until
from tests.running.smtp import Caught, SmtpCatcher

# Two batches, which the usual rate sends in some ten seconds: room to do something meanwhile.
READERS = 1000
LEASE = 3
UNKNOWN_AFTER = 2


@dataclass
class Line:
    relay: SmtpCatcher
    _start: Callable[..., Running]
    workers: list[Running] = field(default_factory=list)

    def plan(self, readers: int) -> Mailing:
        return test_mailing.make(readers)

    def worker(self, queues: str = "bulk", **env: str) -> Running:
        worker = self._start(
            queues,
            env={
                "EMAIL_URL": f"{self.relay.url}?timeout=20&lines=4",
                "SENDING_LEASE_SECONDS": str(LEASE),
                "SENDING_UNKNOWN_AFTER_SECONDS": str(UNKNOWN_AFTER),
                **env,
            },
        )
        self.workers.append(worker)
        return worker

    @contextmanager
    def beats(self, number: int = 1, settings: object = None) -> Iterator[None]:
        """Tick like that many beats: feeding and recovering, side by side."""
        stop = threading.Event()
        faults: list[BaseException] = []

        def tick() -> None:
            try:
                while not stop.wait(0.2):
                    tasks.feed()
                    tasks.recover()
            except BaseException as error:
                # Said at once too: what the block then waits for in vain would hide it.
                traceback.print_exc()
                faults.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=tick, daemon=True) for _ in range(number)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
        assert not faults, faults

    def wait_for_sent(self, number: int, seconds: float = 60) -> None:
        wait_until(
            lambda: len(self.relay.messages) >= number, seconds=seconds, about=f"{number} sent"
        )

    def wait_for_end(self, mailing: Mailing, seconds: float = 120) -> None:
        def ended() -> bool:
            mailing.refresh_from_db()
            return mailing.ended_at is not None

        try:
            wait_until(ended, seconds=seconds, every=0.2)
        except AssertionError:
            batches = list(Batch.objects.filter(mailing=mailing).values())
            output = "\n".join(worker.output[-3000:] for worker in self.workers)
            raise AssertionError(
                f"{mailing.state} {counts(mailing)}\n{batches}\n{output}"
            ) from None


class Lateness:
    """How long this machine kept somebody waiting who was due, in seconds: the longest it was.

    The promises are about what we decide to send. When it reaches the relay of the tests, whose
    process wants its turn on a busy machine too, is later by about so much.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while True:
            due = time.monotonic() + 0.01
            over = self._over.wait(0.01)
            self.longest = max(self.longest, time.monotonic() - due)
            if over:
                return

    def __enter__(self) -> "Lateness":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@contextmanager
def nothing_begins_after_a_second(relay: SmtpCatcher) -> Iterator[None]:
    """From what the block does, a second until no further message begins to reach the relay.

    Its answer to the one before is waited for in between: who was named to it already still gets
    theirs, one on each line.
    """
    with Lateness() as late:
        yield
        done = time.monotonic()
        wait_until(
            lambda: time.monotonic() - max([done, *(mail.begun for mail in relay.messages)]) > 2,
            seconds=60,
            about="quiet at the relay",
        )
    allowed = 1.0 + relay.delay + 2 * late.longest
    too_late = [mail.begun - done for mail in relay.messages if mail.begun - done > allowed]
    assert not too_late, (allowed, sorted(too_late))


def copies_by_reader(relay: SmtpCatcher) -> Counter[str]:
    return Counter(relay.recipients)


def assert_nobody_lost(relay: SmtpCatcher, mailing: Mailing) -> None:
    """Everybody who was planned got a copy, and the books say so."""
    kept = counts(mailing)
    assert kept == recount(mailing)
    assert kept.open == 0
    assert mailing.state == Mailing.State.ENDED
    planned = set(
        Delivery.objects.filter(mailing=mailing).values_list("subscriber__email", flat=True)
    )
    assert set(relay.recipients) == planned


def assert_twice_only_as_resent_unknown(relay: SmtpCatcher, mailing: Mailing) -> int:
    """Who got two got the second one as a re-sent unknown, with the same bytes.

    Returns how many got two.
    """
    resent = set(
        Delivery.objects.filter(mailing=mailing, resent=True).values_list(
            "subscriber__email", flat=True
        )
    )
    twice = [reader for reader, copies in copies_by_reader(relay).items() if copies > 1]
    for reader in twice:
        copies: list[Caught] = relay.to(reader)
        assert len(copies) == 2, reader
        assert copies[0].content == copies[1].content
        assert reader in resent
    return len(twice)
