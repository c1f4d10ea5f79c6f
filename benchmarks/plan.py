"""How long planning a mailing takes, and whether its memory stays flat.

    python -m benchmarks.plan [--readers 1000000]

PostgreSQL. Half of the readers are planned first, in a mailing of their own, so that the memory of
the whole can be held against that of the half.
"""

import argparse
import resource
import time
from typing import Any

from benchmarks import cpu
from benchmarks.stage import ROOT, stage, table, write

REACH_SECONDS = 30.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.plan")
    parser.add_argument("--readers", type=int, default=1_000_000)
    chosen = parser.parse_args()
    if not 1_000 <= chosen.readers <= 10_000_000:
        parser.error("--readers is 1,000 to 10,000,000")
    with stage("postgres"):
        half, whole = chosen.readers // 2, chosen.readers
        _fill(1, half)
        _plan(half)
        rss_of_half = _peak_mib()
        _fill(half + 1, whole)
        seconds, used = _plan(whole)
        result: dict[str, Any] = {
            "readers": whole,
            "plan_seconds": round(seconds, 1),
            "database_cpu_us_per_reader": round(used / whole * 1e6, 1),
            "peak_rss_mib": round(_peak_mib(), 1),
            "peak_rss_mib_for_half": round(rss_of_half, 1),
        }
    print(table([(name.replace("_", " "), str(value)) for name, value in result.items()]))
    print(f"\nWritten to {write('plan', result).relative_to(ROOT)}")
    return 0 if seconds <= REACH_SECONDS * max(1.0, whole / 1_000_000) else 1


def _plan(readers: int) -> tuple[float, float]:
    """Return the seconds that it took, and how much CPU the server used meanwhile."""
    from benchmarks.pipeline import postmaster
    from newsletter.management import test_mailing
    from newsletter.sending import plan
    from newsletter.sending.balance import counts

    issue, approval = test_mailing.make_approved_issue(test_mailing.make_newsletter())
    server = postmaster()
    assert server is not None
    before, begun = cpu.family_seconds(server), time.monotonic()
    mailing = plan.resume(plan.plan_issue(issue=issue, approval=approval, by=None))
    seconds = time.monotonic() - begun
    assert counts(mailing).planned == readers
    return seconds, cpu.family_seconds(server) - before


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


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
