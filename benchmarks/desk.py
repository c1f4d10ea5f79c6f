"""How long staff wait for their pages when the desk has been at work for years.

    python -m benchmarks.desk [--issues 2000] [--articles 20000] [--conditions 500] [--times 15]

PostgreSQL; each page is asked for in this process, templates and all. CPU is this process's own,
so that it can be compared between machines that do other things besides.
"""

import argparse
import statistics
import time
from typing import Any

from benchmarks.stage import ROOT, stage, table, write

REACH_MS = 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.desk")
    parser.add_argument("--issues", type=int, default=2_000)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--conditions", type=int, default=500)
    parser.add_argument("--times", type=int, default=15)
    chosen = parser.parse_args()
    if min(chosen.issues, chosen.articles, chosen.conditions) < 400 or chosen.times < 1:
        parser.error("at least 400 of each, and once")
    with stage("postgres"):
        from benchmarks.desk_fill import fill

        desk = fill(issues=chosen.issues, articles=chosen.articles, conditions=chosen.conditions)
        pages = measure(desk, chosen.times)
    slowest = max(page["median_ms"] for page in pages.values())
    result = {
        "database": "postgres",
        "issues": chosen.issues,
        "articles": chosen.articles,
        "conditions": chosen.conditions,
        "reach_ms": REACH_MS,
        "slowest_page_ms": slowest,
        "pages": pages,
    }
    columns = ("median_ms", "slowest_ms", "cpu_ms", "database_ms", "statements", "kilobytes")
    rows: list[tuple[str, ...]] = [("page", *(name.replace("_", " ") for name in columns))]
    rows += [(name, *(f"{page[column]:.0f}" for column in columns)) for name, page in pages.items()]
    print(table(rows))
    print(f"\nWritten to {write('desk', result).relative_to(ROOT)}")
    return 0 if slowest < REACH_MS else 1


def pages_of(desk: Any) -> dict[str, tuple[str, str]]:
    """Return page → (who asks, address)."""
    from django.urls import reverse

    def at(name: str, *args: Any) -> str:
        return reverse(f"desk:{name}", args=args)

    return {
        "home, author": ("author", "/admin/"),
        "home, reviewer": ("reviewer", "/admin/"),
        "home, sender": ("sender", "/admin/"),
        "home, administrator": ("admin", "/admin/"),
        "issues": ("author", "/admin/issues/"),
        "issues, last page": ("author", "/admin/issues/?p=100"),
        "issues, one newsletter": ("author", f"/admin/issues/?newsletter={desk.newsletter}"),
        "issues, found by words": ("author", "/admin/issues/?q=Issue+1999"),
        "articles": ("author", "/admin/articles/"),
        "articles, last page": ("author", "/admin/articles/?p=1000"),
        "articles, one condition": ("author", f"/admin/articles/?conditions={desk.condition}"),
        "articles, found by words": ("author", "/admin/articles/?q=Article+19999"),
        "conditions": ("reviewer", "/admin/conditions/"),
        "conditions, found by words": ("reviewer", "/admin/conditions/?q=ailment+499"),
        "newsletters": ("admin", "/admin/newsletters/"),
        "new issue": ("author", "/admin/issues/add/"),
        "an issue's form": ("author", f"/admin/issues/edit/{desk.issue}/"),
        "new article": ("author", "/admin/articles/add/"),
        "an article's form": ("author", f"/admin/articles/edit/{desk.article}/"),
        "a condition's form": ("reviewer", f"/admin/conditions/edit/{desk.condition}/"),
        "chooser of articles": ("author", "/admin/snippets/choose/editions/article/"),
        "chooser of articles, by words": (
            "author",
            "/admin/snippets/choose/editions/article/results/?q=Article+19999",
        ),
        "chooser of conditions": ("author", "/admin/snippets/choose/catalogue/condition/"),
        "an issue's way, with preflight": ("author", at("issue", desk.issue)),
        "a sent issue's way": ("sender", at("issue", desk.issue)),
        "an article's way": ("author", at("article", desk.article)),
        "read and decide": ("reviewer", at("read_issue", desk.waiting_issue)),
        "a sign-off's record": ("reviewer", at("record", desk.approval)),
        "mailings": ("sender", at("mailings")),
        "mailings, last page": ("sender", at("mailings") + "?p=9999"),
        "a mailing": ("sender", at("mailing", desk.mailing)),
        "feeds": ("author", "/admin/feeds/"),
        "a feed": ("author", at("feed", desk.feed)),
        "a feed's form": ("author", f"/admin/feeds/edit/{desk.feed}/"),
        "an article's history": ("author", f"/admin/articles/history/{desk.article}/"),
        "public: conditions": ("author", "/conditions/"),
        "public: issues, page 60": ("author", "/issues/?page=60"),
        "public: sitemap of articles": ("author", "/sitemap-articles-1.xml"),
    }


def measure(desk: Any, times: int) -> dict[str, dict[str, Any]]:
    """Return page → median and slowest time, CPU, and how many statements it took."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from newsletter.desk.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    clients = {}
    for user in User.objects.filter(username__in=("author", "reviewer", "sender", "admin")):
        clients[user.username] = Client()
        clients[user.username].force_login(user)
    found = {}
    for name, (who, address) in pages_of(desk).items():
        client = clients[who]
        seen, waited = [0], [0.0]

        def watch(
            execute: Any,
            *rest: Any,
            seen: list[int] = seen,
            waited: list[float] = waited,
        ) -> Any:
            began = time.perf_counter()
            try:
                return execute(*rest)
            finally:
                seen[0] += 1
                waited[0] += (time.perf_counter() - began) * 1000

        answer = client.get(address)  # what is read once for the process
        assert answer.status_code == 200, (name, address, answer.status_code, answer.content[:500])
        spent, used = [], []
        with connection.execute_wrapper(watch):
            for _ in range(times):
                began, cpu = time.perf_counter(), time.process_time()
                answer = client.get(address)
                spent.append((time.perf_counter() - began) * 1000)
                used.append((time.process_time() - cpu) * 1000)
        found[name] = {
            "median_ms": round(statistics.median(spent), 1),
            "slowest_ms": round(max(spent), 1),
            "cpu_ms": round(statistics.median(used), 1),
            "database_ms": round(waited[0] / times, 1),
            "statements": seen[0] // times,
            "kilobytes": round(len(b"".join(answer.streaming_content) if answer.streaming
                                   else answer.content) / 1000, 1),
        }  # fmt: skip
        print(
            f"{name}: {found[name]['median_ms']:.0f} ms, {found[name]['cpu_ms']:.0f} ms of CPU",
            flush=True,
        )
    return found


if __name__ == "__main__":
    raise SystemExit(main())
