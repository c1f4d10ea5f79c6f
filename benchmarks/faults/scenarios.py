"""What breaks, one mailing each. A scenario lets it happen; `verdict` says what became of it."""

import random
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from django.db.models import Q

from benchmarks.faults import leaving, twice
from benchmarks.faults.crew import TIMES, WORKER_KILLED
from benchmarks.faults.ground import Ground, persistently
from benchmarks.faults.play import Play, play
from tests.running import pgbouncer
from tests.running.processes import Running

LEASE = float(TIMES["SENDING_LEASE_SECONDS"])


class Sizes(NamedTuple):
    """How much of everything."""

    readers: int
    kills: int
    few: int
    leavers: int
    # Seconds for which the relay is away.
    away: float
    # How many times longer than usual a scenario may take.
    patience: float


Scenario = Callable[[Ground, Sizes, random.Random], AbstractContextManager[Play]]


@contextmanager
def killed(ground: Ground, sizes: Sizes, dice: random.Random) -> Iterator[Play]:
    """Workers are killed, or told to stop, at random all through a large mailing."""
    at = sorted(dice.uniform(0.001, 0.97) for _ in range(sizes.kills))
    with play(
        ground,
        "killed",
        readers=sizes.readers,
        dice=dice,
        seconds=900 * sizes.patience,
        newsletter="faults-many",
    ) as it:
        it.crew.start_beat()
        it.crew.start_control()
        it.crew.start_bulk(3)
        for share in at:
            it.until(share)
            while not (ready := it.crew.some_ready()):
                it.watch()
            it.count(it.crew.strike(dice.choice(ready), dice))
        it.until_end()
        it.troubles += it.crew.troubles()
        yield it


@contextmanager
def asleep(ground: Ground, sizes: Sizes, dice: random.Random) -> Iterator[Play]:
    """Workers sleep past their lease in the middle of a chunk, and wake up."""
    with play(ground, "asleep", readers=sizes.few, dice=dice, seconds=240 * sizes.patience) as it:
        it.relay.order(delay=0.05)
        it.crew.start_beat()
        it.crew.start_control()
        first, second = it.crew.start_bulk(2)
        for share, worker in ((0.1, first), (0.4, second), (0.7, first)):
            it.until(share)
            worker.freeze()
            while not (held := _held_by(it, worker)):
                # It was between two batches just then.
                worker.thaw()
                it.watch()
                worker.freeze()
            it.for_seconds(LEASE + 1)
            asleep = time.monotonic()
            while _held_by(it, worker) & held and time.monotonic() < asleep + 60:
                it.watch()
            it.expect(not _held_by(it, worker) & held, "a sleeper's batch was not taken")
            worker.thaw()
            it.count("worker frozen")
        it.until_end()
        it.for_seconds(2)
        yield it


def _held_by(it: Play, worker: Running) -> set[tuple[int, int]]:
    """The batches and epochs that this worker's processes have."""
    from newsletter.sending.models import Batch

    ours = [f":{pid}" for pid in worker.family()]
    rows = persistently(
        lambda: list(
            Batch.objects.filter(mailing=it.mailing, state=Batch.State.CLAIMED).values_list(
                "pk", "epoch", "worker"
            )
        )
    )
    return {(pk, epoch) for pk, epoch, name in rows if name.endswith(tuple(ours))}


@contextmanager
def database(ground: Ground, sizes: Sizes, dice: random.Random) -> Iterator[Play]:
    """PostgreSQL is restarted, and crashes, while mail is on the wire."""
    with play(ground, "database", readers=sizes.few, dice=dice, seconds=240 * sizes.patience) as it:
        it.relay.order(delay=0.05)
        it.crew.start_beat()
        it.crew.start_control()
        it.crew.start_bulk(2)
        for share, how in ((0.2, signal.SIGINT), (0.4, signal.SIGQUIT), (0.7, signal.SIGQUIT)):
            it.until(share)
            ground.postgres.stop(how)
            time.sleep(dice.uniform(0.5, 3))
            ground.postgres.start()
            it.count("PostgreSQL crashed" if how is signal.SIGQUIT else "PostgreSQL restarted")
        it.until_end()
        yield it


@contextmanager
def broker(ground: Ground, sizes: Sizes, dice: random.Random) -> Iterator[Play]:
    """Valkey is flushed, killed and started again."""
    with play(ground, "broker", readers=sizes.few, dice=dice, seconds=240 * sizes.patience) as it:
        it.relay.order(delay=0.05)
        it.crew.start_beat()
        it.crew.start_control()
        it.crew.start_bulk(2)
        for share in (0.1, 0.5):
            it.until(share)
            ground.valkey.flush()
            it.count("Valkey flushed")
            it.until(share + 0.2)
            ground.valkey.kill()
            time.sleep(dice.uniform(0.5, 3))
            ground.valkey.start()
            it.count("Valkey killed")
        it.until_end()
        yield it


@contextmanager
def relay(ground: Ground, sizes: Sizes, dice: random.Random) -> Iterator[Play]:
    """Answers get lost, then contents; the relay dies, is away, and comes back half well."""
    with play(
        ground, "relay", readers=sizes.few, dice=dice, seconds=(300 + sizes.away) * sizes.patience
    ) as it:
        it.relay.order(delay=0.05)
        it.crew.start_beat()
        it.crew.start_control()
        it.crew.start_bulk(2)
        it.until(0.2)
        it.relay.order(lose_answers=20)
        it.count("answers lost", 20)
        it.until(0.3)
        it.relay.order(lose_contents=20)
        it.count("contents cut off", 20)
        it.until(0.5)
        # Dying must not be what happens to a second copy: what is lost twice stays unknown.
        while _second_copies_to_come(it) and not it.has_ended():
            it.watch()
        it.relay.kill()
        it.for_seconds(sizes.away)
        it.count("seconds away", round(sizes.away))
        it.relay.start()
        it.relay.order(refuse=0.1, delay=0.05)
        it.until_end()
        it.count("answered 451", _tried_more_than_once(it))
        it.expect(it.done["answered 451"], "nobody was refused for a while")
        yield it


def _second_copies_to_come(it: Play) -> bool:
    from newsletter.sending.models import Delivery

    to_come = Q(state=Delivery.State.UNKNOWN, resent=False)
    on_its_way = Q(state=Delivery.State.QUEUED, resent=True)
    return persistently(it.mailing.deliveries.filter(to_come | on_its_way).exists)


def _tried_more_than_once(it: Play) -> int:
    return it.mailing.deliveries.filter(attempt__gt=1, resent=False).count()


@contextmanager
def crowd(ground: Ground, sizes: Sizes, dice: random.Random) -> Iterator[Play]:
    """Two beats, two control workers, and every task handed over twice."""
    with play(ground, "crowd", readers=sizes.few, dice=dice, seconds=240 * sizes.patience) as it:
        it.relay.order(delay=0.02)
        for _ in range(2):
            it.crew.start_beat("benchmarks.faults.twice")
            it.crew.start_control("benchmarks.faults.twice")
        it.crew.start_bulk(2)
        it.until_end()
        it.for_seconds(2)
        again = sum(one.output.count(twice.SAYS) for one in it.crew.everybody)
        it.count("tasks handed over twice", again)
        # Each batch at least was, and the ticks of two beats.
        it.expect(again > it.mailing.batches.count(), "the tasks were not handed over twice")
        it.expect(len(it.relay.by_reader()) == it.sent, "somebody got two")
        yield it


@contextmanager
def pooler(ground: Ground, sizes: Sizes, dice: random.Random) -> Iterator[Play]:
    """Everybody speaks to PostgreSQL through PgBouncer, which pools by transaction, and dies."""
    with (
        pgbouncer.running(
            host=str(ground.postgres.folder), user=ground.postgres.user
        ) as between,
        play(
            ground, "pooler", readers=sizes.few, dice=dice, seconds=240 * sizes.patience,
            env={"DATABASE_URL": between.url()},
        ) as it,
    ):  # fmt: skip
        it.relay.order(delay=0.05)
        it.crew.start_beat()
        it.crew.start_control()
        it.crew.start_bulk(3)
        for share in (0.15, 0.3, 0.6, 0.75):
            it.until(share)
            while not (ready := it.crew.some_ready()):
                it.watch()
            it.count(it.crew.strike(dice.choice(ready), dice))
            if share == 0.3:
                between.kill()
                time.sleep(dice.uniform(0.5, 2))
                between.start()
                it.count("PgBouncer killed")
        it.until_end()
        it.troubles += it.crew.troubles()
        yield it


@contextmanager
def disk(ground: Ground, sizes: Sizes, dice: random.Random) -> Iterator[Play]:
    """The journal's disk is full from the start, then has room, then is full again.

    "Full" is a limit on the size of files (RLIMIT_FSIZE) of the processes that send: the kernel
    refuses to allot the journal's room, as it does without any left, and nobody needs to be root.
    """
    with play(ground, "disk", readers=sizes.few, dice=dice, seconds=240 * sizes.patience) as it:
        it.relay.order(delay=0.05)
        it.crew.start_beat()
        it.crew.start_control()
        (worker,) = it.crew.start_bulk()
        _disk_is(worker, full=True)
        it.until(0.2)
        it.expect("No journal is kept" in worker.output, "nothing was said of the full disk")
        worker.kill()
        it.crew.replace(worker)
        it.count(WORKER_KILLED)
        (worker,) = it.crew.bulk
        it.until(0.4)
        it.expect("No journal is kept" not in worker.output, "no journal though there is room")
        _disk_is(worker, full=True)
        it.until(0.6)
        _disk_is(worker, full=False)
        it.until(0.8)
        worker.kill()
        it.crew.replace(worker)
        it.count(WORKER_KILLED)
        it.until_end()
        yield it


def _disk_is(worker: Running, *, full: bool) -> None:
    for pid in worker.family():
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 20 if full else most, most))


@contextmanager
def unsubscribing(ground: Ground, sizes: Sizes, dice: random.Random) -> Iterator[Play]:
    """Readers leave by one click, through the web server, from a mailing at full speed."""
    with play(
        # At full speed the other mailings are over before so many have clicked.
        ground, "unsubscribing", readers=3 * sizes.readers, dice=dice, seconds=300 * sizes.patience,
        newsletter="faults-many", lines=8,
    ) as it:  # fmt: skip
        url = it.crew.start_web()
        it.crew.start_beat()
        it.crew.start_control()
        it.crew.start_bulk(1)
        it.until(0.02)
        it.left_at = leaving.leave(it, url, sizes.leavers)
        it.count("readers left", len(it.left_at))
        it.expect(not it.has_ended(), "the mailing was over before all had left")
        it.until_end()
        it.for_seconds(2)
        it.expect(len(it.left_at) == sizes.leavers, f"only {len(it.left_at)} could leave")
        yield it


SCENARIOS: dict[str, Scenario] = {
    "killed": killed,
    "asleep": asleep,
    "database": database,
    "broker": broker,
    "relay": relay,
    "crowd": crowd,
    "pooler": pooler,
    "disk": disk,
    "unsubscribing": unsubscribing,
}
