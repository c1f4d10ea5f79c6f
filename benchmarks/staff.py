"""How long staff wait while a mailing goes out at full speed, and what memory all of it takes.

    python -m benchmarks.staff [--readers 100000] [--rounds 30]

gunicorn, a control worker, a beat and a sending worker as in production, PostgreSQL. The same pages
are asked for over HTTP first while nothing is sent, then until the mailing is out.
"""

import argparse
import http.client
import math
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks import cpu
from benchmarks.signup import web
from benchmarks.sink import sink
from benchmarks.stage import ROOT, stage, table, write
from tests.running import processes
from tests.running.processes import Running

# The reach for any page of the desk (docs/desk.md).
REACH_MS = 300
LONGEST = 900
PARAGRAPHS = 1
# Between two pages: people read.
PAUSE = 0.05
# Milliseconds that each page took, by its name.
Times = dict[str, list[float]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.staff")
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=30, help="while nothing is sent")
    chosen = parser.parse_args()
    if not 1 <= chosen.readers <= 1_000_000 or not 1 <= chosen.rounds <= 1_000:
        parser.error("--readers is 1 to 1000000, --rounds 1 to 1000")
    with stage("postgres"), sink() as (kind, port):
        result = {"database": "postgres", "sink": kind, **measure(chosen, port)}
    show(result)
    print(f"\nWritten to {write('staff', result).relative_to(ROOT)}")
    return 0 if result["slowest_median_ms"] < REACH_MS else 1


def measure(chosen: argparse.Namespace, relay: int) -> dict[str, Any]:
    from django.db import connection

    from newsletter.management import test_mailing
    from newsletter.sending import plan
    from newsletter.sending.balance import counts

    newsletter = test_mailing.make_newsletter()
    test_mailing.make_readers(newsletter, chosen.readers)
    issue, approval = test_mailing.make_approved_issue(newsletter, paragraphs=PARAGRAPHS)
    mailing = plan.resume(plan.plan_issue(issue=issue, approval=approval, by=None))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    env = {"EMAIL_URL": f"smtp://127.0.0.1:{relay}"}
    with web(WEB_WORKERS="2") as port:
        server = _process_at(port)
        staff = _Staff(port, mailing)
        staff.go_round()  # templates are read, caches filled
        quiet: Times = defaultdict(list)
        for _ in range(chosen.rounds):
            staff.go_round(quiet)
        busy: Times = defaultdict(list)
        rounds = 0
        with _workers(env) as (sender, others):
            begun = time.monotonic()
            while mailing.ended_at is None:
                staff.go_round(busy)
                rounds += 1
                if time.monotonic() - begun > LONGEST:
                    sys.exit(f"Not at an end after {LONGEST} s: {counts(mailing)}\n{sender.output}")
                mailing.refresh_from_db(fields=["ended_at"])
            seconds = time.monotonic() - begun
            memory = {
                "peak_web_rss_mib": cpu.peak_rss_mib(server),
                "peak_worker_rss_mib": cpu.peak_rss_mib(sender.pid),
                "peak_control_rss_mib": max(cpu.peak_rss_mib(one.pid) for one in others),
            }
    if rounds < 3:
        sys.exit("The mailing was out before anybody could look at it three times: --readers")
    pages = {
        name: {**_figures(quiet[name]), **_figures(busy[name], "while sending")} for name in quiet
    }
    return {
        "readers": chosen.readers,
        "rounds_while_sending": rounds,
        "messages_per_second": round(chosen.readers / seconds),
        **{name: round(mib, 1) for name, mib in memory.items()},
        "reach_ms": REACH_MS,
        "slowest_median_ms": max(page["median_ms_while_sending"] for page in pages.values()),
        "pages": pages,
    }


class _Staff:
    """Somebody who is logged in, and looks at one page after the other."""

    def __init__(self, port: int, mailing: Any) -> None:
        from django.conf import settings
        from django.test import Client
        from django.urls import reverse

        from newsletter.desk.models import User

        client = Client()
        client.force_login(User.objects.create_superuser("bench"))
        name = settings.SESSION_COOKIE_NAME
        self._cookie = f"{name}={client.cookies[name].value}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._pages = {
            "home": reverse("wagtailadmin_home"),
            "all mailings": reverse("desk:mailings"),
            "this mailing": reverse("desk:mailing", args=[mailing.pk]),
            "its moving numbers": reverse("desk:mailing_panel", args=[mailing.pk]),
            "its issue": reverse("desk:issue", args=[mailing.issue_id]),
            "readers": reverse("desk:readers"),
            "the public front page": "/",
        }

    def go_round(self, times: Times | None = None) -> None:
        for name, path in self._pages.items():
            begun = time.perf_counter()
            self._connection.request("GET", path, headers={"Cookie": self._cookie})
            answer = self._connection.getresponse()
            answer.read()
            spent = (time.perf_counter() - begun) * 1000
            if answer.status != 200:
                sys.exit(f"{path} was answered {answer.status}, to {answer.headers['Location']}")
            if times is not None:
                times[name].append(spent)
            time.sleep(PAUSE)


@contextmanager
def _workers(env: dict[str, str]) -> Iterator[tuple[Running, list[Running]]]:
    """Who sends; then who plans, feeds and keeps time."""
    folder = Path(os.environ["VAR_DIR"])
    everything = {**os.environ, **env, "LOG_LEVEL": "INFO"}
    started = []
    try:
        for queues in ("prompt,control", "bulk"):
            name = queues.rpartition(",")[2]
            log = folder / f"{name}.log"
            started.append(
                processes.start_worker(queues, name=name, log=log, env=everything, concurrency=2)
            )
        beat = [sys.executable, "-m", "celery", "-A", "project", "beat", "--pidfile="]
        started.append(processes.start("beat", beat, log=folder / "beat.log", env=everything))
        control, sender, clock = started
        yield sender, [control, clock]
    finally:
        for one in reversed(started):
            one.stop()


def _process_at(port: int) -> int:
    """Return the id of our child that serves `port`: gunicorn's first process."""
    wanted = f"PORT={port}".encode()
    for child in processes.children_of(os.getpid()):
        # `ps` itself was a child of ours and is gone; the database is not ours to read.
        with suppress(OSError):
            if wanted in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                return child
    raise RuntimeError("gunicorn was not found.")


def _figures(spent: list[float], when: str = "") -> dict[str, float]:
    end = f"_{when.replace(' ', '_')}" if when else ""
    spent = sorted(spent)
    return {
        f"median_ms{end}": round(statistics.median(spent), 1),
        f"p95_ms{end}": round(spent[math.ceil(len(spent) * 0.95) - 1], 1),
    }


def show(result: dict[str, Any]) -> None:
    rows: list[tuple[str, ...]] = [
        ("page, median (95 %) in ms", "nothing is sent", "while sending")
    ]
    for name, page in result["pages"].items():
        rows.append(
            (
                name,
                f"{page['median_ms']} ({page['p95_ms']})",
                f"{page['median_ms_while_sending']} ({page['p95_ms_while_sending']})",
            )
        )
    print(
        f"{result['readers']} readers at {result['messages_per_second']} messages/s, "
        f"{result['sink']}\n{table(rows)}\nlargest process, MiB: web {result['peak_web_rss_mib']}, "
        f"sending {result['peak_worker_rss_mib']}, control, beat {result['peak_control_rss_mib']}"
    )


if __name__ == "__main__":
    sys.exit(main())
