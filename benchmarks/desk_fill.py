"""A desk that has been at work for years: what benchmarks.desk asks its pages for.

One of each thing is made by the stations themselves; the rest are copies of its rows, made by the
database.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, models

WORDS = "<p>Begin with ten minutes of walking, twice a day. After two weeks it may be twenty.</p>"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages are asked about."""

    issue: int
    article: int
    condition: int
    newsletter: int
    mailing: int
    feed: int
    waiting_issue: int
    # One that a doctor signed before, and that is in review again.
    waiting_again: int
    # Approved, with a time to go out; one that went.
    coming_issue: int
    sent_issue: int
    approval: int
    condition_slug: str
    article_slug: str


def fill(*, issues: int, articles: int, conditions: int) -> Desk:
    """Write the rows. A quarter of all is in draft, the rest published or sent."""
    from django.utils import timezone
    from wagtail.models import Revision

    from newsletter.approval.models import Schedule
    from newsletter.catalogue.models import Condition, Newsletter
    from newsletter.desk.models.limits import limit
    from newsletter.editions.models import Article, Feed, FeedItem, FeedRule, Issue, Release
    from newsletter.sending.models import Mailing
    from tests.desk import world

    began = time.perf_counter()
    now = timezone.now()
    world.publisher()
    letters = [
        world.newsletter(name=f"Letter {n}", slug=f"letter-{n}", list_id_label=f"letter-{n}")
        for n in range(5)
    ]
    author, reviewer, sender = (world.staff(name) for name in ("author", "reviewer", "sender"))
    for name in ("admin", "protection"):
        world.staff(name)
    for letter in letters:
        world.reader(letter)
    Condition.objects.bulk_create(
        Condition(
            name=f"Condition {n}", slug=f"condition-{n}", group=f"Group {n % 20}",
            synonyms=f"ailment {n}, complaint {n}", summary="It is one of many.", overview=WORDS,
            emergency_signs="Numbness",
        )
        for n in range(conditions)
    )  # fmt: skip
    topics = list(Condition.objects.order_by("pk"))
    limit(
        world.staff("limited", "Medical reviewers"),
        newsletters=Newsletter.objects.filter(pk=letters[0].pk),
        conditions=Condition.objects.filter(pk__in=[topic.pk for topic in topics[:20]]),
    )
    body = [(kind, WORDS) for kind in ("rich_text",) for _ in range(6)]
    first = world.published_article(author, reviewer, *topics[:2], body=body)
    letter_body = [*world.body(first), *body]
    sent = world.issue(letters[0], author, body=letter_body)
    approval = world.approve(sent, reviewer)
    sent.refresh_from_db()
    mailing = Mailing.objects.create(
        kind=Mailing.Kind.ISSUE, newsletter=letters[0], issue=sent, approval=approval, dated=now,
        state=Mailing.State.ENDED, requested_by=sender, started_at=now, ended_at=now,
    )  # fmt: skip

    when = "CASE WHEN n % 4 <> 0 THEN now() - n * interval '1 hour' END"
    _copy(Article, first.pk, articles - 1, title="'Article ' || n", slug="'copied-article-' || n",
          live="n % 4 <> 0", latest_revision_id="NULL", live_revision_id="NULL",
          latest_revision_created_at="now() - n * interval '1 hour'",
          first_published_at=when)  # fmt: skip
    _copy(Issue, sent.pk, issues - 1, title="'Issue ' || n", slug="'copied-issue-' || n",
          live="n % 4 <> 0", latest_revision_id="NULL", live_revision_id="NULL",
          latest_revision_created_at="now() - n * interval '1 hour'",
          newsletter_id=f"{letters[0].pk} + n % 5")  # fmt: skip
    for model, template in ((Article, first), (Issue, sent)):
        _revisions(model, Revision, template)
    with connection.cursor() as cursor:
        through = Article.conditions.through._meta.db_table
        cursor.execute(
            f"INSERT INTO {through} (article_id, condition_id) "
            "SELECT a.id, c.id FROM editions_article a JOIN (SELECT id, row_number() OVER "
            "(ORDER BY id) AS place FROM catalogue_condition) c "
            "ON c.place IN (1 + a.id %% %s, 1 + (a.id * 7 + 3) %% %s) ON CONFLICT DO NOTHING",
            [conditions, conditions],
        )
        # Three quarters of the issues were approved and sent; each had its mailing.
        cursor.execute(
            "INSERT INTO approval_approval (issue_id, revision_id, content_hash, medical_hash, "
            "approved_by_id, approved_at, void_reason) SELECT i.id, i.latest_revision_id, %s, "
            "'', %s, now(), '' FROM editions_issue i WHERE i.id <> %s AND i.live",
            [bytes(approval.content_hash), reviewer.pk, sent.pk],
        )
        columns = _columns(Mailing, but=("id", "issue_id", "approval_id", "newsletter_id"))
        cursor.execute(
            f"INSERT INTO sending_mailing (issue_id, approval_id, newsletter_id, "
            f"{', '.join(columns)}) SELECT a.issue_id, a.id, i.newsletter_id, "
            f"{', '.join('m.' + column for column in columns)} FROM approval_approval a "
            "JOIN editions_issue i ON i.id = a.issue_id JOIN sending_mailing m ON m.id = %s "
            "WHERE a.issue_id <> %s",
            [mailing.pk, sent.pk],
        )
    Release.objects.bulk_create(
        Release(article_id=pk, seq=seq, released_by=reviewer)
        for seq, pk in enumerate(
            Article.objects.filter(live=True).values_list("pk", flat=True)[:10_000], start=1
        )
    )
    waiting, again = _waiting(author, reviewer, letters, letter_body, topics)
    # Approved and on its way: twenty for the weeks to come.
    for n in range(20):
        issue = world.issue(letters[n % 5], author, title=f"Coming {n}", body=letter_body)
        coming = world.approve(issue, reviewer)
        Schedule.objects.create(
            approval=coming, send_at=now + timedelta(days=1 + n), scheduled_by=sender
        )
    feeds = []
    for n in range(40):
        feed = Feed(
            name=f"Feed {n}", url=f"https://feeds.example/{n}", author_name="Clinic",
            author_credentials="Press", tried_at=now, fetched_at=now,
        )  # fmt: skip
        feed.conditions = topics[n : n + 3]
        feed.rules.set([FeedRule(words=f"word {k}", condition=topics[k]) for k in range(20)])
        feed.save()
        feeds.append(feed)
    taken = list(Article.objects.values_list("pk", flat=True)[:8_000])
    FeedItem.objects.bulk_create(
        FeedItem(
            feed=feeds[0] if n < 4_000 else feeds[n % 40], guid_hash=n.to_bytes(32, "big"),
            url_hash=n.to_bytes(32, "big"), content_hash=n.to_bytes(32, "big"), state="drafted",
            title=f"Item {n}", url=f"https://feeds.example/item/{n}", article_id=taken[n],
        )
        for n in range(len(taken))
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(
        f"{issues:,} issues, {articles:,} articles, {conditions:,} conditions written in "
        f"{time.perf_counter() - began:.0f} s"
    )
    draft = Issue.objects.filter(live=False, workflow_states=None).order_by("pk")[50]
    return Desk(
        issue=draft.pk,
        article=Article.objects.filter(live=False).order_by("pk")[50].pk,
        condition=topics[conditions // 2].pk,
        newsletter=letters[0].pk,
        mailing=mailing.pk,
        feed=feeds[0].pk,
        waiting_issue=waiting,
        waiting_again=again,
        coming_issue=issue.pk,
        sent_issue=sent.pk,
        approval=approval.pk,
        condition_slug=topics[0].slug,
        article_slug=first.slug,
    )


def _waiting(
    author: Any, reviewer: Any, letters: list[Any], body: Any, topics: list[Any]
) -> tuple[int, int]:
    """Forty issues and forty articles with reviewers: more than a good week brings. A quarter of
    the issues were signed before, so that it matters what changed. One of each kind is returned."""
    from wagtail.models import Workflow

    from tests.desk import world

    workflow = Workflow.objects.get(name="Medical review")
    issues = []
    for n in range(40):
        issue = world.issue(letters[n % 5], author, title=f"Waiting {n}", body=body)
        article = world.article(author, title=f"Waiting article {n}")
        article.conditions.set(topics[n : n + 2])
        article.save()
        article.save_revision(user=author)
        if n % 4 == 0:
            world.approve(issue, reviewer)
            world.edit(issue, author, subject=f"A calmer subject for week {n}")
        for thing in (issue, article):
            workflow.start(thing, author)
        issues.append(issue.pk)
    return int(issues[1]), int(issues[0])


def _copy(model: type[models.Model], template: int, count: int, **columns: str) -> None:
    """Insert `count` copies of a row; `columns` are SQL expressions of n."""
    names = _columns(model, but=("id",))
    taken = [columns.get(name, f"t.{name}") for name in names]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(taken)} "
            f"FROM {table} t, generate_series(1, {int(count)}) n WHERE t.id = {int(template)}"
        )


def _revisions(model: type[Any], revision: type[Any], template: Any) -> None:
    """One revision for each copy, with the copy's own title and number in it."""
    table, own = model._meta.db_table, revision._meta.db_table
    names = _columns(revision, but=("id", "object_id", "content", "object_str"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {own} (object_id, content, object_str, {', '.join(names)}) "
            f"SELECT t.id::text, r.content || jsonb_build_object('pk', t.id, 'title', t.title, "
            f"'slug', t.slug), t.title, {', '.join('r.' + name for name in names)} "
            f"FROM {table} t, {own} r WHERE r.id = %s AND t.id <> %s",
            [template.latest_revision_id, template.pk],
        )
        cursor.execute(
            f"UPDATE {table} t SET latest_revision_id = r.id, live_revision_id = CASE WHEN t.live "
            f"THEN r.id END FROM {own} r, {own} o WHERE r.object_id = t.id::text "
            "AND r.content_type_id = o.content_type_id AND o.id = %s AND t.id <> %s",
            [template.latest_revision_id, template.pk],
        )


def _columns(model: type[models.Model], *, but: Collection[str]) -> list[str]:
    named = (str(field.column) for field in model._meta.concrete_fields)
    return [column for column in named if column not in but]
