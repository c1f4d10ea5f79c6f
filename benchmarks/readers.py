"""How long staff wait for the readers' pages when there are a million readers.

    python -m benchmarks.readers [--readers 1000000] [--times 15]

PostgreSQL; each page is asked for in this process, templates and all, the whole answer counted.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.stage import ROOT, stage, table, write

REACH_MS = 300
CONDITIONS = 200


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.readers")
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=15)
    chosen = parser.parse_args()
    if not (1_000 <= chosen.readers <= 10_000_000 and 1 <= chosen.times <= 1_000):
        parser.error("--readers is 1,000 to 10,000,000, --times 1 to 1,000")
    with stage("postgres"):
        fill(chosen.readers)
        pages = measure(chosen.readers, chosen.times)
    slowest = max(page["median_ms"] for page in pages.values())
    result = {
        "database": "postgres",
        "readers": chosen.readers,
        "reach_ms": REACH_MS,
        "slowest_page_ms": slowest,
        "pages": pages,
    }
    columns = ("median_ms", "slowest_ms", "database_ms", "statements")
    rows: list[tuple[str, ...]] = [("page", *(name.replace("_", " ") for name in columns))]
    rows += [(name, *(f"{page[column]:.0f}" for column in columns)) for name, page in pages.items()]
    print(table(rows))
    print(f"\nWritten to {write('readers', result).relative_to(ROOT)}")
    return 0 if slowest < REACH_MS else 1


def measure(readers: int, times: int) -> dict[str, dict[str, Any]]:
    """Return page → median and slowest time, and how many statements it took."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from newsletter.catalogue.models import Condition, Newsletter
    from newsletter.desk.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    first = Newsletter.objects.order_by("pk").first()
    assert first is not None
    conditions = list(Condition.objects.order_by("pk").values_list("pk", flat=True))
    listed, middle = reverse("desk:readers"), readers // 2

    def by_health(**asked: Any) -> Callable[..., Any]:
        answer = client.post(reverse("desk:list_by_health"), {"reason": "A measurement", **asked})
        assert answer.status_code == 302, answer.content
        opened = dict(client.session["desk_listing"])

        def ask(query: str = "") -> Any:
            session = client.session
            session["desk_listing"] = opened
            session.save()
            return client.get(reverse("desk:readers_by_health") + query)

        return ask

    def list_of(**asked: Any) -> Callable[[], Any]:
        return lambda: client.get(listed, asked)

    common, rare = by_health(condition=conditions[0]), by_health(condition=conditions[-1])
    both = by_health(condition=conditions[0], state="ended")
    neither = by_health(condition=conditions[1], state="pending", newsletter=first.pk)
    asked: dict[str, Callable[[], Any]] = {
        "newest": list_of(),
        "in the middle": list_of(before=middle),
        "back up from the middle": list_of(after=middle),
        "live, of one newsletter": list_of(state="live", newsletter=first.pk),
        "live, in the middle": list_of(state="live", before=middle),
        "ended (one in 50)": list_of(state="ended"),
        "of one newsletter, any state": list_of(newsletter=first.pk),
        "a state that nobody is in": list_of(state="pending", newsletter=first.pk),
        "one address": lambda: client.post(
            reverse("desk:find_reader"), {"who": f"Reader{middle}@EXAMPLE.org"}
        ),
        "an address that nobody has": lambda: client.post(
            reverse("desk:find_reader"), {"who": "nobody@example.org"}
        ),
        "a common condition": common,
        "a common condition, in the middle": lambda: common(f"?before={middle}"),
        "a rare condition": rare,
        "a condition and ended": both,
        "a condition and a state that nobody is in": neither,
        "one reader": lambda: client.get(reverse("desk:reader", args=(middle,))),
        "the access log": lambda: client.get(reverse("desk:access_log")),
        "the access log of one reader": lambda: client.get(
            reverse("desk:access_log"), {"reader": middle}
        ),
        "what is kept": lambda: client.get(reverse("desk:retention")),
    }
    found = {}
    for name, ask in asked.items():
        statements: list[str] = []

        def note(execute: Any, sql: str, *rest: Any, seen: list[str] = statements) -> Any:
            seen.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            assert ask().status_code in (200, 302), name
        spent, waited = [], [0.0]

        def watch(execute: Any, *rest: Any, waited: list[float] = waited) -> Any:
            began = time.perf_counter()
            try:
                return execute(*rest)
            finally:
                waited[0] += (time.perf_counter() - began) * 1000

        with connection.execute_wrapper(watch):
            for _ in range(times):
                began = time.perf_counter()
                ask()
                spent.append((time.perf_counter() - began) * 1000)
        found[name] = {
            "median_ms": round(statistics.median(spent), 1),
            "slowest_ms": round(max(spent), 1),
            "database_ms": round(waited[0] / times, 1),
            "statements": len(statements),
        }
    return found


def fill(readers: int) -> None:
    """Readers with two newsletters, a ledger, three conditions and two mailings each."""
    from django.db import connection

    from newsletter.catalogue.models import Condition, Newsletter

    for slug, kind in (("living-well", "editorial"), ("my-conditions", "digest")):
        Newsletter.objects.create(
            name=slug, slug=slug, kind=kind, promise="One mail a week.", from_name="Wellread",
            from_email="news@wellread.example", list_id_label=slug,
        )  # fmt: skip
    Condition.objects.bulk_create(
        Condition(name=f"Condition {n}", slug=f"condition-{n}", group="G", summary="It is.")
        for n in range(CONDITIONS)
    )
    began = time.perf_counter()
    with connection.cursor() as cursor:
        for statement in _FILL:
            cursor.execute(statement, {"readers": readers, "conditions": CONDITIONS})
        cursor.execute("VACUUM ANALYZE")
    print(f"{readers:,} readers written in {time.perf_counter() - began:.0f} s")


# Of 50 readers one has ended. Conditions are followed unevenly: the first by a third of all.
_FILL = (
    """INSERT INTO signup_subscriber (id, email, email_key, address_hash, first_name, language,
        timezone, text_only, created_at)
    SELECT n, 'reader' || n || '@example.org', 'reader' || n || '@example.org',
        decode('01' || lpad(to_hex(n), 64, '0'), 'hex'), '', 'en', 'UTC', false,
        now() - (%(readers)s - n) * interval '1 second'
    FROM generate_series(1, %(readers)s) n""",
    """INSERT INTO signup_consentsubject (subject, subscriber_id, head_seq, head_hash, sealed_seq)
    SELECT gen_random_uuid(), id, 1, '', 0 FROM signup_subscriber""",
    """INSERT INTO signup_consententry (subject, seq, action, purpose, method, form_url, evidence,
        at, key_version, previous_hash, entry_hash)
    SELECT subject, 1, 'confirmed', 'mail', 'confirmation', '', '', now(), 1, '', ''
    FROM signup_consentsubject""",
    """INSERT INTO signup_subscription (subscriber_id, newsletter_id, state, ended_reason,
        consent_id, cadence, weekday, hour, created_at, live_at)
    SELECT reader.id, newsletter.id, CASE WHEN reader.id %% 50 = 0 THEN 'ended' ELSE 'live' END,
        CASE WHEN reader.id %% 50 = 0 THEN 'unsubscribed' ELSE '' END,
        CASE WHEN reader.id %% 50 = 0 THEN NULL ELSE entry.id END, 'weekly', 0, 8, now(), now()
    FROM signup_subscriber reader
    JOIN signup_consentsubject subject ON subject.subscriber_id = reader.id
    JOIN signup_consententry entry ON entry.subject = subject.subject
    CROSS JOIN catalogue_newsletter newsletter""",
    """INSERT INTO signup_follow (subscriber_id, condition_id, from_seq, followed_at)
    SELECT DISTINCT ON (reader.id, condition.id) reader.id, condition.id, 0, now()
    FROM signup_subscriber reader
    CROSS JOIN LATERAL (
        SELECT 1 + floor(%(conditions)s * power(random(), 5))::int AS place
        FROM generate_series(1, 3) WHERE reader.id > 0
    ) wanted
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM catalogue_condition) condition
        ON condition.place = wanted.place""",
    """INSERT INTO desk_accessentry (action, actor_id, actor_name, subscriber_id, detail, reason,
        at)
    SELECT 'conditions_seen', 1, 'protection', n %% %(readers)s, '', 'Asked by letter', now()
    FROM generate_series(1, 200000) n""",
)


if __name__ == "__main__":
    raise SystemExit(main())
