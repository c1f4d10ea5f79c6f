"""How long planning a mailing takes, and whether its memory stays flat.

    python -m benchmarks.plan [--readers 1000000]

PostgreSQL. Half of the readers are planned first, in a mailing of their own, so that the memory of
the whole can be held against that of the half.
"""

import argparse
import os
import subprocess
import sys
import time
from typing import Any, NamedTuple

from benchmarks import cpu
from benchmarks.stage import ROOT, stage, table, write

REACH_SECONDS = 30.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.plan")
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--mailing", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.mailing:
        _resume(chosen.mailing)
        return 0
    if not 1_000 <= chosen.readers <= 10_000_000:
        parser.error("--readers is 1,000 to 10,000,000")
    with stage("postgres"):
        half, whole = chosen.readers // 2, chosen.readers
        _fill(1, half)
        of_half = _plan(half)
        _fill(half + 1, whole)
        seconds, used, peak = _plan(whole)
        result: dict[str, Any] = {
            "readers": whole,
            "plan_seconds": round(seconds, 1),
            "database_cpu_us_per_reader": round(used / whole * 1e6, 1),
            "peak_rss_mib": round(peak, 1),
            "peak_rss_mib_for_half": round(of_half.peak_rss_mib, 1),
        }
    print(table([(name.replace("_", " "), str(value)) for name, value in result.items()]))
    print(f"\nWritten to {write('plan', result).relative_to(ROOT)}")
    return 0 if seconds <= REACH_SECONDS * max(1.0, whole / 1_000_000) else 1


class Planned(NamedTuple):
    seconds: float
    # Of PostgreSQL's processor, seconds.
    used: float
    peak_rss_mib: float


def _plan(readers: int) -> Planned:
    """Plan in a process of its own, as a worker does: this one has migrated, which takes more."""
    from benchmarks.pipeline import postmaster
    from newsletter.management import test_mailing
    from newsletter.sending import plan
    from newsletter.sending.balance import counts

    issue, approval = test_mailing.make_approved_issue(test_mailing.make_newsletter())
    server = postmaster()
    assert server is not None
    mailing = plan.plan_issue(issue=issue, approval=approval, by=None)
    before = cpu.family_seconds(server)
    planner = subprocess.run(
        [sys.executable, "-m", "benchmarks.plan", "--mailing", str(mailing.pk)],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    seconds, peak = map(float, planner.stdout.split())
    used = cpu.family_seconds(server) - before
    assert counts(mailing).planned == readers
    return Planned(seconds, used, peak)


def _resume(pk: int) -> None:
    """The planner's process: print the seconds that it took and its peak of memory in MiB."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    from django import setup

    setup()
    from newsletter.sending import plan
    from newsletter.sending.models import Mailing

    mailing = Mailing.objects.get(pk=pk)
    begun = time.monotonic()
    plan.resume(mailing)
    print(time.monotonic() - begun, cpu.peak_rss_mib(os.getpid()))


def _fill(first: int, last: int) -> None:
    """Live readers whom planning looks at like any other; their consent is one shared line."""
    from django.db import connection

    from newsletter.management import test_mailing
    from signup.models import Subscription

    newsletter = test_mailing.make_newsletter()
    test_mailing.make_readers(newsletter, 1)
    consent = Subscription.objects.filter(newsletter=newsletter).values_list("consent", flat=True)
    values = {
        "first": first + 1_000_000_000,
        # The one that lent its consent is one of them.
        "last": last - (first == 1) + 1_000_000_000,
        "newsletter": newsletter.pk,
        "consent": consent.order_by("pk").first(),
    }
    with connection.cursor() as cursor:
        for statement in _FILL:
            cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")


_FILL = (
    """INSERT INTO signup_subscriber (id, email, email_key, address_hash, first_name, language,
        timezone, text_only, created_at)
    SELECT n, 'reader' || n || '@readers.example', 'reader' || n || '@readers.example',
        decode('01' || lpad(to_hex(n), 64, '0'), 'hex'), '', 'en', 'UTC', false, now()
    FROM generate_series(%(first)s, %(last)s) n""",
    """INSERT INTO signup_subscription (subscriber_id, newsletter_id, state, ended_reason,
        consent_id, cadence, weekday, hour, created_at, live_at)
    SELECT n, %(newsletter)s, 'live', '', %(consent)s, 'weekly', 0, 8, now(), now()
    FROM generate_series(%(first)s, %(last)s) n""",
)


if __name__ == "__main__":
    raise SystemExit(main())
