"""Back issues: what was sent, as it was sent, and nobody's data in it."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from newsletter.approval.models import Frozen
from newsletter.archive.views.issues import ISSUES_A_PAGE
from newsletter.editions.models import Issue
from newsletter.sending.models import Mailing
from tests.archive import published
from tests.archive.published import LAST_WEEK

pytestmark = pytest.mark.django_db


def test_a_sent_issue_stands_in_the_list_and_has_its_page(visitor: Client) -> None:
    issue = published.sent_issue("Sleep and the back")
    listed = visitor.get("/issues/").content.decode()
    assert "Sleep and the back" in listed
    assert "16 November 2026" in listed
    page = visitor.get(f"/issues/{issue.slug}/").content.decode()
    assert "Subject of Sleep and the back" in page
    assert "hello@lakeside.example" in page
    assert f'src="/issues/{issue.slug}/mail/?in=page"' in page


@pytest.mark.parametrize(
    "values",
    [
        {"started_at": None, "state": Mailing.State.PLANNING},
        {"started_at": LAST_WEEK, "state": Mailing.State.PLANNING},
        {"started_at": None, "state": Mailing.State.CANCELLED},
    ],
)
def test_what_never_left_is_not_shown(visitor: Client, values: dict[str, object]) -> None:
    planned = published.draft_issue("Planned")
    published.mailing_of(planned, **values)
    draft = published.draft_issue("Draft")
    listed = visitor.get("/issues/").content.decode()
    for issue in (planned, draft):
        assert issue.title not in listed
        assert visitor.get(f"/issues/{issue.slug}/").status_code == 404
        assert visitor.get(f"/issues/{issue.slug}/mail/").status_code == 404


def test_the_mail_is_the_frozen_one_whatever_was_written_since(visitor: Client) -> None:
    issue = published.sent_issue("Sleep and the back")
    Issue.objects.filter(pk=issue.pk).update(
        title="Changed", subject="Changed", body='[{"type":"rich_text","value":"<p>Changed</p>"}]'
    )
    mail = visitor.get(f"/issues/{issue.slug}/mail/").content.decode()
    assert "Good night." in mail
    page = visitor.get(f"/issues/{issue.slug}/").content.decode()
    for html in (mail, page, visitor.get("/issues/").content.decode()):
        assert "Changed" not in html
    assert "Sleep and the back" in page


def test_nothing_in_the_mail_belongs_to_a_reader(visitor: Client) -> None:
    issue = published.sent_issue()
    mail = visitor.get(f"/issues/{issue.slug}/mail/").content.decode()
    assert "/unsubscribe/" not in mail
    assert "/preferences/" in mail
    assert "@example.invalid" not in mail
    assert "\ue000" not in mail


def test_the_mail_runs_nothing_and_reaches_nobody(visitor: Client) -> None:
    issue = published.sent_issue()
    response = visitor.get(f"/issues/{issue.slug}/mail/")
    policy = response["Content-Security-Policy"]
    assert "script-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "sandbox allow-same-origin" in policy
    assert "allow-scripts" not in policy
    assert response["X-Robots-Tag"] == "noindex"
    page = visitor.get(f"/issues/{issue.slug}/")
    assert "'unsafe-inline'" not in page["Content-Security-Policy"]
    assert 'sandbox="allow-same-origin' in page.content.decode()
    assert "allow-scripts" not in page.content.decode()


def test_a_mailing_without_frozen_content_has_no_mail_to_show(visitor: Client) -> None:
    issue = published.sent_issue()
    Mailing.objects.get(issue=issue).editions.update(frozen=None)
    assert Frozen.objects.exists()
    assert visitor.get(f"/issues/{issue.slug}/mail/").status_code == 404


def test_the_list_comes_in_pages_newest_first(
    visitor: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(ISSUES_A_PAGE + 1):
        issue = published.draft_issue(f"Issue number {number:02}")
        published.mailing_of(issue, started_at=datetime(2026, 1, 1 + number, tzinfo=UTC))
    with django_assert_num_queries(5):  # how many, which, they, publisher, languages
        first = visitor.get("/issues/").content.decode()
    assert first.index("Issue number 20") < first.index("Issue number 19")
    assert "Issue number 00" not in first
    assert "Issue number 00" in visitor.get("/issues/?page=2").content.decode()
    assert "Issue number 00" in visitor.get("/issues/?page=77").content.decode()
    assert "Issue number 20" in visitor.get("/issues/?page=two").content.decode()


def test_before_the_first_issue_the_list_says_so(visitor: Client) -> None:
    assert "No issue has gone out yet" in visitor.get("/issues/").content.decode()
