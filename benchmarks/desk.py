"""How long staff wait for their pages when the desk has been at work for years.

    python -m benchmarks.desk [--issues 2000] [--articles 20000] [--conditions 500] [--times 15]
                              [--only home]

PostgreSQL; each page is asked for in this process, templates and all, by each role that works on
it. CPU is this process's own, so that it can be compared between machines that do other things
besides. The readers' pages with a million readers are benchmarks.readers' to measure.
"""

import argparse
import os
import statistics
import time
from typing import Any

from benchmarks.stage import ROOT, stage, table, write

REACH_MS = 300
# `limited` is a reviewer who works on one newsletter and twenty conditions only.
ROLES = ("author", "reviewer", "limited", "sender", "admin", "protection")


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.desk")
    parser.add_argument("--issues", type=int, default=2_000)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--conditions", type=int, default=500)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--only", default="", help="pages whose name holds this")
    chosen = parser.parse_args()
    if min(chosen.issues, chosen.articles, chosen.conditions) < 400 or chosen.times < 1:
        parser.error("at least 400 of each, and once")
    before = round(os.getloadavg()[0], 1)
    with stage("postgres"):
        from benchmarks.desk_fill import fill

        desk = fill(issues=chosen.issues, articles=chosen.articles, conditions=chosen.conditions)
        wanted = {name: page for name, page in pages_of(desk).items() if chosen.only in name}
        pages = measure(wanted, chosen.times)
    slowest = max(one["median_ms"] for roles in pages.values() for one in roles.values())
    result = {
        "database": "postgres",
        "issues": chosen.issues,
        "articles": chosen.articles,
        "conditions": chosen.conditions,
        "times": chosen.times,
        "reach_ms": REACH_MS,
        "slowest_page_ms": slowest,
        "load_before": before,
        "pages": pages,
    }
    show(pages)
    print(f"\nSlowest median: {slowest:.0f} ms; reach {REACH_MS} ms; load before {before}")
    print(f"Written to {write('desk', result).relative_to(ROOT)}")
    return 0 if slowest < REACH_MS else 1


def show(pages: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Pages by roles: median, in brackets the slowest; then what it takes for the dearest role."""
    rows: list[tuple[str, ...]] = [
        ("page, ms: median (slowest)", *ROLES, "CPU ms", "SQL ms", "statements", "kB")
    ]
    for name, roles in pages.items():
        dearest = max(roles.values(), key=lambda one: float(one["cpu_ms"]))
        times = (
            f"{roles[role]['median_ms']:.0f} ({roles[role]['slowest_ms']:.0f})"
            if role in roles
            else "·"
            for role in ROLES
        )
        columns = ("cpu_ms", "database_ms", "statements", "kilobytes")
        rows.append((name, *times, *(f"{dearest[column]:.0f}" for column in columns)))
    print(table(rows))


def pages_of(desk: Any) -> dict[str, tuple[tuple[str, ...], str]]:
    """Return page → (the roles that work on it, address)."""
    from django.urls import reverse

    def at(name: str, *args: Any) -> str:
        return reverse(f"desk:{name}", args=args)

    def choose(model: str, rest: str = "") -> str:
        return f"/admin/snippets/choose/{model}/{rest}"

    author, reviewer = ("author",), ("reviewer",)
    staff = ("author", "reviewer", "limited", "sender", "admin")
    sends, guards = ("sender", "admin"), ("protection",)
    return {
        "home": ((*staff, "protection"), "/admin/"),
        "issues": (staff, "/admin/issues/"),
        "issues, last page": (staff, "/admin/issues/?p=100"),
        "issues, one newsletter": (author, f"/admin/issues/?newsletter={desk.newsletter}"),
        "issues, found by words": (author, "/admin/issues/?q=Issue+1999"),
        "articles": (staff, "/admin/articles/"),
        "articles, last page": (staff, "/admin/articles/?p=1000"),
        "articles, one condition": (author, f"/admin/articles/?conditions={desk.condition}"),
        "articles, found by words": (author, "/admin/articles/?q=Article+19999"),
        "conditions": (reviewer, "/admin/conditions/"),
        "conditions, found by words": (reviewer, "/admin/conditions/?q=ailment+499"),
        "newsletters": (("admin",), "/admin/newsletters/"),
        "new issue": (author, "/admin/issues/add/"),
        "an issue's form": (author, f"/admin/issues/edit/{desk.issue}/"),
        "new article": (author, "/admin/articles/add/"),
        "an article's form": (author, f"/admin/articles/edit/{desk.article}/"),
        "a condition's form": (reviewer, f"/admin/conditions/edit/{desk.condition}/"),
        "a newsletter's form": (("admin",), f"/admin/newsletters/edit/{desk.newsletter}/"),
        "chooser of articles": (author, choose("editions/article")),
        "chooser of articles, by words": (
            author,
            choose("editions/article", "results/?q=Article+19999"),
        ),
        "chooser of conditions": (author, choose("catalogue/condition")),
        "an issue's way, with preflight": (
            ("author", "reviewer", "sender", "admin"),
            at("issue", desk.issue),
        ),
        "a sent issue's way": (sends, at("issue", desk.sent_issue)),
        "an approved issue's way": (sends, at("issue", desk.coming_issue)),
        "send now, to confirm": (sends, at("send_now", desk.coming_issue)),
        "an article's way": (author, at("article", desk.article)),
        "read and decide": (reviewer, at("read_issue", desk.waiting_issue)),
        "read and decide, again": (reviewer, at("read_issue", desk.waiting_again)),
        "a sign-off's record": (reviewer, at("record", desk.approval)),
        "all looks": (("author", "reviewer"), at("looks", "issue", desk.issue)),
        "the mail in its frame": (author, at("preview", "issue", desk.issue, "html")),
        "mailings": (sends, at("mailings")),
        "mailings, last page": (sends, at("mailings") + "?p=9999"),
        "a mailing": (sends, at("mailing", desk.mailing)),
        "a mailing's moving part": (sends, at("mailing_panel", desk.mailing)),
        "sending": (("admin",), at("sending")),
        "digests": (sends, at("digests")),
        "digests, by condition": (reviewer, at("digest_conditions")),
        "digests, next run": (sends, at("dry_run")),
        "alerts": (reviewer, at("alerts")),
        "feeds": (author, "/admin/feeds/"),
        "a feed": (author, at("feed", desk.feed)),
        "a feed's form": (author, f"/admin/feeds/edit/{desk.feed}/"),
        "an article's history": (author, f"/admin/articles/history/{desk.article}/"),
        "site history": (("admin",), "/admin/reports/site-history/"),
        "people": (("admin",), at("people")),
        "readers": (guards, at("readers")),
        "access log": (guards, at("access_log")),
        "sign-up forms": (guards, at("form_counts")),
        "retention": (guards, at("retention")),
        "public: start": (author, "/"),
        "public: conditions": (author, "/conditions/"),
        "public: conditions, found by words": (author, "/conditions/?q=ailment+499"),
        "public: a condition": (author, f"/conditions/{desk.condition_slug}/"),
        "public: a condition's feed": (author, reverse("archive:condition_feed",
                                                       args=(desk.condition_slug,))),
        "public: an article": (author, f"/articles/{desk.article_slug}/"),
        "public: issues": (author, "/issues/"),
        "public: issues, page 60": (author, "/issues/?page=60"),
        "public: sitemap of articles": (author, "/sitemap-articles-1.xml"),
    }  # fmt: skip


def measure(
    pages: dict[str, tuple[tuple[str, ...], str]], times: int
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return page → role → median and slowest time, CPU, and how many statements it took."""
    from django.conf import settings
    from django.test import Client

    from newsletter.desk.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    clients = {}
    for user in User.objects.filter(username__in=ROLES):
        clients[user.username] = Client()
        clients[user.username].force_login(user)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, (roles, address) in pages.items():
        found[name] = {role: ask(clients[role], address, times) for role in roles}
        medians = ", ".join(f"{one['median_ms']:.0f}" for one in found[name].values())
        print(f"{name}: {medians} ms", flush=True)
    return found


def ask(client: Any, address: str, times: int) -> dict[str, Any]:
    """Ask for one page `times` times, after once for what is read once for the process."""
    from django.db import connection

    seen, waited = [0], [0.0]

    def watch(execute: Any, *rest: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*rest)
        finally:
            seen[0] += 1
            waited[0] += (time.perf_counter() - began) * 1000

    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code, answer.content[:500])
    spent, used = [], []
    with connection.execute_wrapper(watch):
        for _ in range(times):
            began, cpu = time.perf_counter(), time.process_time()
            answer = client.get(address)
            spent.append((time.perf_counter() - began) * 1000)
            used.append((time.process_time() - cpu) * 1000)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return {
        "median_ms": round(statistics.median(spent), 1),
        "slowest_ms": round(max(spent), 1),
        "cpu_ms": round(statistics.median(used), 1),
        "database_ms": round(waited[0] / times, 1),
        "statements": seen[0] // times,
        "kilobytes": round(len(content) / 1000, 1),
    }


if __name__ == "__main__":
    raise SystemExit(main())
