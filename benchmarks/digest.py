"""A digest run: how long planning takes, how much memory, and how both grow with the readers.

    python -m benchmarks.digest [--readers 1000000] [--grow]

PostgreSQL. Every reader follows three of 200 conditions, the first ones far more often than the
last (Zipf); 500 new articles wait, each about one or two conditions; everybody is due. Planning
runs in a process of its own, so that its memory is its own.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from typing import Any

from benchmarks import cpu
from benchmarks.stage import ROOT, stage, table, write

REACH_SECONDS, REACH_MIB = 90, 400
CONDITIONS = 200
ARTICLES = 500
GROWTH = (10_000, 30_000, 100_000, 300_000, 1_000_000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.digest")
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--grow", action="store_true", help="from 10,000 up to --readers")
    parser.add_argument("--plan-only", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.plan_only:
        return plan_only()
    if not 1_000 <= chosen.readers <= 10_000_000:
        parser.error("--readers is 1,000 to 10,000,000")
    sizes = [chosen.readers]
    if chosen.grow:
        sizes = [size for size in GROWTH if size < chosen.readers] + sizes
    with stage("postgres"):
        runs = [measure(size) for size in sizes]
    result = {"database": "postgres", "conditions": CONDITIONS, "articles": ARTICLES, **runs[-1]}
    if chosen.grow:
        result["growth"] = runs
    columns = ("readers", "planned", "plan_seconds", "peak_rss_mib", "database_cpu_seconds")
    rows: list[tuple[str, ...]] = [tuple(name.replace("_", " ") for name in columns)]
    rows += [tuple(f"{run[column]:,}" for column in columns) for run in runs]
    print(table(rows))
    print(f"\nWritten to {write('digest', result).relative_to(ROOT)}")
    kept = result["plan_seconds"] <= REACH_SECONDS and result["peak_rss_mib"] <= REACH_MIB
    return 0 if kept or chosen.readers > 1_000_000 else 1


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

    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, used = time.monotonic(), time.process_time()
    runs = run_due(timezone.now())
    print(
        json.dumps(
            {
                "due": sum(run.due for run in runs),
                "planned": sum(run.planned for run in runs),
                "plan_seconds": round(time.monotonic() - began, 1),
                "process_cpu_seconds": round(time.process_time() - used, 1),
                "idle_rss_mib": round(idle / 1024),
                "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )
    return 0


def fill(readers: int) -> None:
    """Start anew: readers with a live digest subscription that is due, and what they follow."""
    from django.db import connection

    began = time.monotonic()
    with connection.cursor() as cursor:
        # The ledger's triggers refuse to be emptied; only the database's owner may lift them.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "TRUNCATE signup_subscriber, signup_subscription, signup_follow, sending_digestmark,"
            " sending_delivery, sending_batch, sending_edition, sending_mailing,"
            " catalogue_condition, catalogue_newsletter, editions_article, editions_release"
            " RESTART IDENTITY CASCADE"
        )
        make_catalogue()
        for statement in _FILL:
            cursor.execute(statement, {"readers": readers, "weights": _zipf()})
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    print(f"{readers:,} readers written in {time.monotonic() - began:.0f} s", file=sys.stderr)


def make_catalogue() -> None:
    """A digest, 200 conditions and 500 released articles."""
    from newsletter.catalogue.models import Condition, Newsletter, ReleaseCounter
    from newsletter.desk.models import User
    from newsletter.editions.models import Article, Release

    Newsletter.objects.create(
        name="My conditions", slug="my-conditions", kind="digest", promise="What is new.",
        from_name="Wellread", from_email="news@wellread.example", list_id_label="my-conditions",
        sensitive=True,
    )  # fmt: skip
    Condition.objects.bulk_create(
        Condition(name=f"Condition {n}", slug=f"condition-{n}", group="G", summary="It is.")
        for n in range(CONDITIONS)
    )
    dice = random.Random(1)
    conditions = list(Condition.objects.order_by("pk").values_list("pk", flat=True))
    articles = Article.objects.bulk_create(
        Article(
            title=f"Article {n}", slug=f"article-{n}", summary="In short.", body=[], live=True,
            author_name="A. Author", author_credentials="Physiotherapist", weight=dice.randrange(5),
        )
        for n in range(ARTICLES)
    )  # fmt: skip
    through = Article.conditions.through
    through.objects.bulk_create(
        through(article=article, condition_id=condition)
        for place, article in enumerate(articles)
        # Each condition has news, so that everybody gets a digest.
        for condition in {conditions[place % CONDITIONS], dice.choice(conditions)}
    )
    staff, _ = User.objects.get_or_create(username="bench")
    Release.objects.bulk_create(
        Release(article=article, seq=place, released_by=staff)
        for place, article in enumerate(articles, start=1)
    )
    ReleaseCounter.objects.update_or_create(pk=1, defaults={"value": ARTICLES})


def _zipf() -> list[float]:
    """Return for each condition the share of choices that fall on it or on one before it."""
    shares = [1 / place for place in range(1, CONDITIONS + 1)]
    whole, upto = sum(shares), 0.0
    edges = []
    for share in shares:
        upto += share / whole
        edges.append(upto)
    return edges


_FILL = (
    """INSERT INTO signup_subscriber (id, email, email_key, address_hash, first_name, language,
        timezone, text_only, created_at)
    SELECT n, 'reader' || n || '@example.org', 'reader' || n || '@example.org',
        decode('01' || lpad(to_hex(n), 64, '0'), 'hex'), '', 'en',
        (ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Auckland'])[1 + n %% 4], false,
        now() - interval '90 days'
    FROM generate_series(1, %(readers)s) n""",
    """INSERT INTO signup_consententry (subject, seq, action, purpose, method, form_url, evidence,
        at, key_version, previous_hash, entry_hash)
    SELECT gen_random_uuid(), seq, 'confirmed', purpose, 'confirmation', '', '', now(), 1,
        '', ''
    FROM generate_series(1, %(readers)s) n, (VALUES (1, 'mail'), (2, 'health')) x (seq, purpose)""",
    """UPDATE signup_subscriber SET health_consent_id = entry.id FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM signup_consententry
        WHERE purpose = 'health') entry WHERE entry.place = signup_subscriber.id""",
    """INSERT INTO signup_subscription (id, subscriber_id, newsletter_id, state, ended_reason,
        consent_id, cadence, weekday, hour, created_at, live_at)
    SELECT place, place, 1, 'live', '', id,
        (ARRAY['weekly', 'weekly', 'daily', 'monthly'])[1 + place %% 4], place %% 7,
        7 + place %% 3, now() - interval '90 days', now() - interval '90 days'
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM signup_consententry
        WHERE purpose = 'mail') entry""",
    # Three different conditions: of six throws of the dice the first three that differ.
    """INSERT INTO signup_follow (subscriber_id, condition_id, from_seq, followed_at)
    SELECT subscriber_id, condition_id, 0, now() - interval '90 days' FROM (
        SELECT reader.id AS subscriber_id, thrown.condition_id,
            row_number() OVER (PARTITION BY reader.id ORDER BY min(thrown.place)) AS nth
        FROM signup_subscriber reader CROSS JOIN LATERAL (
            SELECT place, 1 + width_bucket(random(), %(weights)s::float8[]) AS condition_id
            FROM generate_series(1, 12) place WHERE reader.id > 0
        ) thrown WHERE thrown.condition_id <= 200
        GROUP BY reader.id, thrown.condition_id
    ) chosen WHERE nth <= 3""",
    """INSERT INTO sending_digestmark (subscription_id, mark, next_due_at, first_sent_at)
    SELECT id, 0, now() - interval '1 minute', now() - interval '30 days'
    FROM signup_subscription""",
)


if __name__ == "__main__":
    sys.exit(main())
