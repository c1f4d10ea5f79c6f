"""A digest run: how long planning takes, how much memory, how both grow, and how fast it leaves.

    python -m benchmarks.digest [--readers 1000000] [--grow] [--send 1000000] [--processes 2]

PostgreSQL. Every reader follows three of 200 conditions, the first ones far more often than the
last (Zipf); 500 new articles wait, each about one or two conditions; everybody is due. Planning
runs in a process of its own, so that its memory is its own.

Then real Celery workers send the last run, each reader's copy joined from what was approved, until
that many were accepted (all of them unless --send says less; 0 plans only). What the sink counted
is held against what was recorded.

--grow plans 10,000 readers, then more up to --readers, and draws docs/digest-planning.svg.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import cpu, digest_picture
from benchmarks.digest_fill import ARTICLES, CONDITIONS, fill
from benchmarks.sink import sink
from benchmarks.stage import ROOT, stage, table, write

REACH_SECONDS, REACH_MIB = 90, 400
COUNTER = Path(os.environ["VAR_DIR"]) / "digest-sink.count"
GROWTH = (10_000, 30_000, 100_000, 300_000, 1_000_000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.digest")
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--grow", action="store_true", help="from 10,000 up to --readers")
    parser.add_argument("--send", type=int, help="copies to send; all of them unless given")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--lines", type=int, default=8, help="connections of each process")
    parser.add_argument("--plan-only", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.plan_only:
        return plan_only()
    if not 1_000 <= chosen.readers <= 10_000_000:
        parser.error("--readers is 1,000 to 10,000,000")
    sizes = [chosen.readers]
    if chosen.grow:
        sizes = [size for size in GROWTH if size < chosen.readers] + sizes
    to_send = chosen.readers if chosen.send is None else min(chosen.send, chosen.readers)
    with stage("postgres"):
        runs = [measure(size) for size in sizes]
        result: dict[str, Any] = {
            "database": "postgres", "conditions": CONDITIONS, "articles": ARTICLES,
            **runs[-1],
        }  # fmt: skip
        if chosen.grow:
            result["growth"] = runs
        # Kept also when the sending is cut short.
        path = write("digest", result)
        if to_send:
            with sink(COUNTER) as (kind, port):
                result |= {"sink": kind, **send(to_send, chosen, port)}
            write("digest", result)
    show(result, runs)
    if chosen.grow:
        print(f"Drawn: {digest_picture.draw(runs).relative_to(ROOT)}")
    print(f"\nWritten to {path.relative_to(ROOT)}")
    if result.get("lost") or result.get("doubled"):
        return 1
    kept = result["plan_seconds"] <= REACH_SECONDS and result["peak_rss_mib"] <= REACH_MIB
    return 0 if kept or chosen.readers > 1_000_000 else 1


def show(result: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    columns = (
        "readers", "planned", "plan_seconds", "peak_rss_mib", "process_cpu_seconds",
        "database_cpu_seconds",
    )  # fmt: skip
    rows: list[tuple[str, ...]] = [tuple(name.replace("_", " ") for name in columns)]
    rows += [tuple(f"{run[column]:,}" for column in columns) for run in runs]
    print(table(rows))
    if "messages_per_second" in result:
        print(
            f"sent {result['sent']:,} copies of about {result['message_octets']:,} octets:"
            f" {result['messages_per_second']:,} a second; CPU a message:"
            f" worker {result['worker_cpu_us_per_message']} us,"
            f" database {result['sending_database_cpu_us_per_message']} us;"
            f" lost {result['lost']}, doubled {result['doubled']}"
        )


def send(number: int, chosen: argparse.Namespace, port: int) -> dict[str, Any]:
    """Send what was planned with real workers until `number` were accepted; return how fast.

    Then the mailing is paused, so that what is under way gets its outcome before it is counted.
    """
    from benchmarks.pipeline import feed_until, postmaster
    from benchmarks.sink import messages_in
    from newsletter.sending import control
    from newsletter.sending.balance import counts, recount
    from newsletter.sending.errors import NotPossible
    from newsletter.sending.models import Batch, Mailing
    from tests.running.processes import start_worker

    mailing = Mailing.objects.get(kind=Mailing.Kind.DIGEST)
    server = postmaster()
    assert server is not None  # the stage is PostgreSQL's
    worker = start_worker(
        "bulk",
        name="bench",
        log=COUNTER.with_name("worker.log"),
        env={
            **os.environ,
            "EMAIL_URL": f"smtp://127.0.0.1:{port}?lines={chosen.lines}&health=yes",
            "LOG_LEVEL": "INFO",
        },
        concurrency=chosen.processes,
    )
    try:
        sender, database = cpu.family_seconds(worker.pid), cpu.family_seconds(server)
        seconds = feed_until(
            lambda: mailing.ended_at is not None or counts(mailing).accepted >= number,
            mailing,
            worker,
            look_every=0.2,
        )
        sent = counts(mailing).accepted
        sender = cpu.family_seconds(worker.pid) - sender
        database = cpu.family_seconds(server) - database
        with contextlib.suppress(NotPossible):  # it has just come to its end
            control.pause(mailing=mailing)
            while Batch.objects.filter(mailing=mailing, state=Batch.State.CLAIMED).exists():
                time.sleep(0.1)
    finally:
        worker.stop()
    kept = counts(mailing)
    if kept != recount(mailing) or kept.refused or kept.unknown or kept.skipped:
        sys.exit(f"Not everybody was sent the digest: {kept}")
    taken = messages_in(COUNTER)
    taken = kept.accepted if taken is None else taken
    return {
        "sent": sent,
        "message_octets": one_copy(mailing),
        "send_seconds": round(seconds, 1),
        "messages_per_second": round(sent / seconds),
        "worker_cpu_us_per_message": round(sender / sent * 1e6, 1),
        "sending_database_cpu_us_per_message": round(database / sent * 1e6, 1),
        "lost": max(0, kept.accepted - taken),
        "doubled": max(0, taken - kept.accepted),
    }


def one_copy(mailing: Any) -> int:
    """Return how many octets the first reader's copy has."""
    from newsletter.sending.digest_copies import DigestMail
    from newsletter.sending.models import Delivery
    from newsletter.sending.row import Row

    delivery = Delivery.objects.select_related("subscriber").filter(mailing=mailing).first()
    assert delivery is not None  # everybody was planned
    reader = delivery.subscriber
    row = Row(
        delivery.pk, delivery.place, reader.pk, delivery.edition_id, 0, False, reader.email or "",
        reader.first_name, reader.language, reader.timezone, reader.text_only,
        reader.subscriptions.get().pk, delivery.article_ids,
    )  # fmt: skip
    return len(DigestMail(mailing).chunk([row]).copy(row))


def measure(readers: int) -> dict[str, Any]:
    """Fill the database, plan in a process of its own; return what that took."""
    from django.db import connection

    from benchmarks.pipeline import postmaster

    fill(readers)
    connection.close()
    server = postmaster()
    assert server is not None  # the stage is PostgreSQL's
    before = cpu.family_seconds(server)
    planned = subprocess.run(
        [sys.executable, "-m", "benchmarks.digest", "--plan-only"],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if planned.returncode:
        sys.exit(planned.stdout + planned.stderr)
    run = json.loads(planned.stdout.splitlines()[-1])
    run["database_cpu_seconds"] = round(cpu.family_seconds(server) - before, 1)
    if run["planned"] != run["due"] or run["due"] != readers:
        sys.exit(f"Not everybody was planned: {run}")
    return {"readers": readers, **run}


def plan_only() -> int:
    """In a process of its own, on the database that DATABASE_URL names: plan, and say it."""
    import django

    django.setup()
    from django.utils import timezone

    from newsletter.sending.digest_run import run_due

    # Not getrusage, which begins with the memory of whoever started this process.
    idle = cpu.peak_rss_mib(os.getpid())
    began, used = time.monotonic(), time.process_time()
    runs = run_due(timezone.now())
    print(
        json.dumps(
            {
                "due": sum(run.due for run in runs),
                "planned": sum(run.planned for run in runs),
                "plan_seconds": round(time.monotonic() - began, 1),
                "process_cpu_seconds": round(time.process_time() - used, 1),
                "idle_rss_mib": round(idle),
                "peak_rss_mib": round(cpu.peak_rss_mib(os.getpid())),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
