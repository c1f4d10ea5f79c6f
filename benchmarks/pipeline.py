"""The whole pipeline, fed → claimed → SMTP → recorded, beside Django's own send_messages.

    python -m benchmarks.pipeline [--readers 100000] [--runs 3] [--database postgres|sqlite]

Real Celery workers send a real mailing; CPU is read from /proc for every process of theirs and of
PostgreSQL. Both sides hand the same message to the same sink, in the same run. Django's side gets
its messages ready-made as EmailMultiAlternatives and keeps no books at all. What the sink counted
is held against what was planned.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import cpu
from benchmarks.sink import messages_in, sink
from benchmarks.stage import ROOT, stage, table, write

PEER_MESSAGES = 500
LONGEST = 1200
# So many make a message of 27 kB.
PARAGRAPHS = 4
COUNTER = Path(os.environ["VAR_DIR"]) / "sink.count"


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.pipeline")
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--lines", type=int, default=8, help="connections of each process")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="postgres")
    chosen = parser.parse_args()
    if not 1 <= chosen.readers <= 1_000_000 or not 1 <= chosen.runs <= 20:
        parser.error("--readers is 1 to 1000000, --runs 1 to 20")
    with stage(chosen.database), sink(COUNTER) as (kind, port):
        result = measure(chosen, port)
    result = {"database": chosen.database, "sink": kind, **result}
    show(result)
    print(f"\nWritten to {write('pipeline', result).relative_to(ROOT)}")
    return 1 if result["lost"] or result["doubled"] else 0


def measure(chosen: argparse.Namespace, port: int) -> dict[str, Any]:
    from newsletter.management import test_mailing
    from tests.running.processes import start_worker

    newsletter = test_mailing.make_newsletter()
    test_mailing.make_readers(newsletter, chosen.readers)
    _analyze()
    url = f"smtp://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "EMAIL_URL": f"{url}?lines={chosen.lines}",
        # The worker says when it is ready, at this level.
        "LOG_LEVEL": "INFO",
    }
    log = Path(os.environ["VAR_DIR"]) / "worker.log"
    runs, peers, size = [], [], 0
    for _ in range(chosen.runs):
        size, figures = _peer(newsletter, port)
        peers.append(figures)
        worker = start_worker(
            "bulk", name="bench", log=log, env=environment, concurrency=chosen.processes
        )
        try:
            runs.append(_run(chosen.readers, worker))
        finally:
            worker.stop()
    rates = sorted(run.rate for run in runs)
    worker_us = sorted(round(run.worker_us, 1) for run in runs)
    database_us = sorted(round(run.database_us, 1) for run in runs)
    peer = statistics.median(rate for rate, _ in peers)
    return {
        "message_octets": size,
        "readers": chosen.readers,
        "processes": chosen.processes,
        "lines_per_process": chosen.lines,
        "messages_per_second": round(statistics.median(rates)),
        "messages_per_second_spread": [round(rates[0]), round(rates[-1])],
        "worker_cpu_us_per_message": round(statistics.median(worker_us), 1),
        "worker_cpu_us_spread": [worker_us[0], worker_us[-1]],
        "database_cpu_us_per_message": round(statistics.median(database_us), 1),
        "database_cpu_us_spread": [database_us[0], database_us[-1]],
        "django_messages_per_second": round(peer),
        "django_cpu_us_per_message": round(statistics.median(used for _, used in peers), 1),
        "ratio_to_django": round(statistics.median(rates) / peer, 1),
        "lost": sum(run.lost for run in runs),
        "doubled": sum(run.doubled for run in runs),
        "peak_worker_rss_mib": round(max(run.rss_mib for run in runs), 1),
    }


class _Run(NamedTuple):
    rate: float
    worker_us: float
    database_us: float
    rss_mib: float
    lost: int
    doubled: int


def _run(readers: int, worker: Any) -> _Run:
    """Send one mailing with real workers, fed as the beat feeds them."""
    from newsletter.management import test_mailing
    from newsletter.sending import plan
    from newsletter.sending.balance import counts, recount

    issue, approval = test_mailing.make_approved_issue(
        test_mailing.make_newsletter(), paragraphs=PARAGRAPHS
    )
    mailing = plan.resume(plan.plan_issue(issue=issue, approval=approval, by=None))
    took = messages_in(COUNTER)
    database = postmaster()
    worker_before = cpu.family_seconds(worker.pid)
    database_before = cpu.family_seconds(database) if database else 0.0
    seconds = feed_until(lambda: mailing.ended_at is not None, mailing, worker)
    worker_used = cpu.family_seconds(worker.pid) - worker_before
    database_used = cpu.family_seconds(database) - database_before if database else 0.0
    kept = counts(mailing)
    if kept != recount(mailing) or kept.open:
        sys.exit(f"The mailing does not balance: {kept}")
    taken = (messages_in(COUNTER) or 0) - (took or 0) if took is not None else kept.accepted
    return _Run(
        readers / seconds,
        worker_used / readers * 1e6,
        database_used / readers * 1e6,
        cpu.peak_rss_mib(worker.pid),
        lost=max(0, kept.planned - taken),
        doubled=max(0, taken - kept.planned),
    )


def feed_until(
    done: Callable[[], bool], mailing: Any, worker: Any, look_every: float = 0.05
) -> float:
    """Feed each second, as the beat does, until `done`; look every so many seconds whether the
    mailing has ended. Returns the seconds it took; ends the program after LONGEST."""
    from newsletter import tasks
    from newsletter.sending.balance import counts

    begun, fed = time.monotonic(), 0.0
    while not done():
        if time.monotonic() - fed >= 1.0:
            fed = time.monotonic()
            tasks.feed()
        if fed - begun > LONGEST:
            sys.exit(f"Not at an end after {LONGEST} s: {counts(mailing)}\n{worker.output[-4000:]}")
        time.sleep(look_every)
        mailing.refresh_from_db(fields=["ended_at"])
    return time.monotonic() - begun


def _analyze() -> None:
    """What a server's autovacuum has done long before a mailing of this size."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def postmaster() -> int | None:
    """The server's first process, whose children all others are; None with SQLite."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    fields = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def _peer(newsletter: Any, port: int) -> tuple[int, tuple[float, float]]:
    from django.core.mail import EmailMultiAlternatives, get_connection

    from newsletter.management import test_mailing
    from newsletter.rendering.issue import compile_issue

    issue, _ = test_mailing.make_approved_issue(newsletter, paragraphs=PARAGRAPHS)
    edition = compile_issue(issue)
    messages = []
    for number in range(PEER_MESSAGES):
        message = EmailMultiAlternatives(
            subject=issue.subject,
            body=edition.text,
            from_email=newsletter.from_email,
            to=[f"reader{number}@readers.example"],
            headers={
                "List-Unsubscribe": f"<https://wellread.example/unsubscribe/{number}/>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        )
        message.attach_alternative(edition.html, "text/html")
        messages.append(message)
    size = len(messages[0].message().as_bytes())
    connection = get_connection(
        "django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port,
        use_tls=False, username="", password="",
    )  # fmt: skip
    begun, cpu = time.monotonic(), time.process_time()
    connection.send_messages(messages)
    seconds, used = time.monotonic() - begun, time.process_time() - cpu
    return size, (PEER_MESSAGES / seconds, used / PEER_MESSAGES * 1e6)


def _with_spread(result: dict[str, Any], whose: str) -> str:
    lowest, highest = result[f"{whose}_cpu_us_spread"]
    return f"{result[f'{whose}_cpu_us_per_message']} ({lowest}–{highest})"


def show(result: dict[str, Any]) -> None:
    low, high = result["messages_per_second_spread"]
    rows: list[tuple[str, ...]] = [
        ("", "messages/s", "lowest–highest", "sender CPU µs", "database CPU µs"),
        (
            f"wellread, {result['processes']} processes",
            str(result["messages_per_second"]),
            f"{low}–{high}",
            _with_spread(result, "worker"),
            _with_spread(result, "database"),
        ),
        (
            "Django send_messages",
            str(result["django_messages_per_second"]),
            "",
            str(result["django_cpu_us_per_message"]),
            "",
        ),
    ]
    print(
        f"{result['message_octets']} octets, {result['readers']} readers, {result['database']}, "
        f"{result['sink']}\n{table(rows)}\n"
        f"lost {result['lost']}, doubled {result['doubled']}, "
        f"largest worker {result['peak_worker_rss_mib']} MiB"
    )


if __name__ == "__main__":
    sys.exit(main())
