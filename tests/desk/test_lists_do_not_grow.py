"""A list asks the database the same number of things for two rows as for twenty."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import Workflow

from newsletter.approval.models import Approval, Schedule
from newsletter.desk.models import MedicalReview
from newsletter.desk.stages import stage_of, with_stages
from newsletter.desk.waiting import waiting_for
from newsletter.editions.models import Article, FeedItem, Issue, Release
from newsletter.sending.models import Batch, Mailing
from tests.desk import world
from tests.desk.conftest import client_of
from tests.editions.feeds import world as feeds

# How often it is asked is Django's doing, whichever database answers.
pytestmark = pytest.mark.once


def _mailed(issue: Issue, approval: Approval) -> None:
    mailing = Mailing.objects.create(
        kind=Mailing.Kind.ISSUE,
        newsletter=issue.newsletter,
        issue=issue,
        approval=approval,
        dated=timezone.now(),
        state=Mailing.State.ENDED,
        started_at=timezone.now(),
    )
    Batch.objects.create(mailing=mailing, planned=3, accepted=2)


def _issues(desk, number: int) -> None:
    """Some drafts, some with a reviewer, some approved, some of these with a time, some sent."""
    workflow = Workflow.objects.get()
    for n in range(number):
        issue = world.issue(desk.newsletter, desk.author, title=f"Issue {n}")
        if n % 4 == 0:
            workflow.start(issue, desk.author)
        if n % 4 in (2, 3):
            approval = Approval.objects.create(
                issue=issue,
                revision=issue.latest_revision,
                content_hash=b"x" * 32,
                approved_by=desk.reviewer,
            )
            if n % 8 == 2:
                Schedule.objects.create(
                    approval=approval,
                    send_at=timezone.now() + timedelta(days=1),
                    scheduled_by=desk.sender,
                )
            if n % 4 == 3:
                _mailed(issue, approval)


def _articles(desk, number: int) -> None:
    start = Release.objects.count()
    for n in range(number):
        article = world.article(desk.author, title=f"Article {n}", live=n % 2 == 0)
        if n % 4 == 0:
            Release.objects.create(article=article, seq=start + n + 1, released_by=desk.sender)
        if n % 4 == 1:
            Workflow.objects.get().start(article, desk.author)


def _conditions(desk, number: int) -> None:
    start = feeds.Condition.objects.count()
    for n in range(start, start + number):
        feeds.condition(f"Condition {n}")


def _feeds(desk, number: int) -> None:
    start = feeds.Feed.objects.count()
    for n in range(start, start + number):
        feeds.feed(url=f"https://feeds.example/{n}", name=f"Feed {n}")


def _feed_items(desk, number: int) -> None:
    feed = feeds.Feed.objects.first() or feeds.feed()
    start = FeedItem.objects.count()
    for n in range(start, start + number):
        article = world.article(desk.author, title=f"Item {n}")
        FeedItem.objects.create(
            feed=feed,
            guid_hash=n.to_bytes(32, "big"),
            content_hash=n.to_bytes(32, "big"),
            state=FeedItem.State.DRAFTED,
            title=article.title,
            article=article,
        )


def _waiting_again(desk, number: int) -> None:
    """In review once more after a doctor signed: a second person may decide, if nothing medical
    has changed. That takes rendering, which a dashboard does once and not at each look."""
    workflow = Workflow.objects.get()
    for n in range(number // 4):
        issue = world.issue(desk.newsletter, desk.author, title=f"Again {n}")
        world.approve(issue, desk.reviewer)
        world.edit(issue, desk.author, subject=f"A calmer subject {n}")
        workflow.start(issue, desk.author)


LISTS: list[tuple[str, str, Callable[..., None]]] = [
    ("author", "/admin/", _issues),
    ("reviewer", "/admin/", _issues),
    ("sender", "/admin/", _waiting_again),
    ("admin", "/admin/", _issues),
    ("author", "/admin/issues/", _issues),
    ("author", "/admin/articles/", _articles),
    ("author", "/admin/snippets/choose/editions/article/", _articles),
    ("author", "/admin/snippets/choose/catalogue/condition/", _conditions),
    ("author", "/admin/articles/add/", _conditions),
    ("author", "/admin/articles/add/", _articles),
    ("author", "/admin/feeds/add/", _conditions),
    ("author", "/issues/", _issues),
    ("author", "/conditions/", _conditions),
    ("author", "/sitemap-articles-1.xml", _articles),
    ("reviewer", "/admin/conditions/", _conditions),
    ("sender", "/admin/mailings/", _issues),
    ("author", "/admin/feeds/", _feeds),
    ("author", "/admin/feeds/look/{feed}/", _feed_items),
]


def _statements(client: Client, address: str) -> int:
    client.get(address)  # what is read once for the process
    with CaptureQueriesContext(connection) as asked:
        response = client.get(address)
    assert response.status_code == 200
    return len(asked)


@pytest.mark.parametrize(
    ("who", "address", "add"),
    LISTS,
    ids=[f"{who} {address} {add.__name__}" for who, address, add in LISTS],
)
def test_a_list_asks_no_more_for_more_rows(desk, who, address, add):
    client = client_of(getattr(desk, who))
    add(desk, 8)
    if "{feed}" in address:
        address = address.format(feed=feeds.Feed.objects.get().pk)
    few = _statements(client, address)
    add(desk, 10)
    assert _statements(client, address) <= few


def test_a_form_holds_no_list_of_all_articles(desk):
    _articles(desk, 3)
    page = client_of(desk.author).get("/admin/articles/add/").content.decode()
    assert "Article 1" not in page


def test_a_dashboard_renders_what_waits_for_a_second_person_once(desk, monkeypatch):
    _waiting_again(desk, 12)
    asked: list[Issue] = []
    needs_doctor = MedicalReview.needs_doctor
    monkeypatch.setattr(
        MedicalReview, "needs_doctor", lambda one: asked.append(one) or needs_doctor(one)
    )
    assert len(waiting_for(desk.sender)) == 3
    assert len(asked) == 3
    assert len(waiting_for(desk.sender)) == 3
    assert len(asked) == 3
    # A word that a doctor has to see: the draft is another one, so it is looked at again.
    issue = asked[0]
    world.edit(issue, desk.author, body=[("rich_text", "<p>Begin with an hour.</p>")])
    assert issue not in [one.thing for one in waiting_for(desk.sender)]


def test_conditions_are_ticked_by_group_and_found_among_many(desk):
    world.condition("Asthma & allergies", group="Lungs")
    page = client_of(desk.author).get("/admin/articles/add/").content.decode()
    assert "<legend>Lungs</legend>" in page and "Asthma &amp; allergies</label>" in page
    assert "desk-boxes__finder" not in page.split("<template")[0]
    _conditions(desk, 14)
    assert (
        "desk-boxes__finder" in client_of(desk.author).get("/admin/articles/add/").content.decode()
    )


def test_a_stage_read_for_a_whole_page_is_that_of_one(desk):
    _issues(desk, 16)
    _articles(desk, 8)
    for model in (Issue, Article):
        alone = {thing.pk: stage_of(thing) for thing in model.objects.all()}
        together = {thing.pk: stage_of(thing) for thing in with_stages(model.objects.all())}
        assert together == alone
        assert len({stage.key for stage in alone.values()}) >= 3
