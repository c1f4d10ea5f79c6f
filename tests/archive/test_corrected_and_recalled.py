"""What was wrong stays findable, and says that it was wrong."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from newsletter.editions.models import Article, Issue
from newsletter.sending.models import Mailing
from newsletter.sending.recall import recall_article, recall_issue
from tests.archive import published
from tests.archive.published import LAST_WEEK

pytestmark = pytest.mark.django_db
WRONG = "We wrote ten tablets a day."
WHY = "It named a dose that can harm."


def corrected(original: Issue, days: int = 2, title: str = "Correction: Sleep") -> Issue:
    notice = {"was_wrong": WRONG, "is_right": "Eight at most.", "to_do": ""}
    issue = published.draft_issue(
        title,
        corrects=original,
        newsletter=original.newsletter,
        body=[("correction", notice), ("rich_text", "<p>The right dose.</p>")],
    )
    published.mailing_of(issue, started_at=LAST_WEEK + timedelta(days=days))
    return issue


def test_an_issue_names_its_correction_and_what_was_wrong(visitor: Client) -> None:
    original = published.sent_issue("Sleep and the back")
    correction = corrected(original)
    page = visitor.get(f"/issues/{original.slug}/").content.decode()
    assert "We corrected this issue on 18 November 2026" in page
    assert WRONG in page
    assert f'href="{settings.BASE_URL}/issues/{correction.slug}/"' in page
    listed = visitor.get("/issues/").content.decode()
    assert "corrected 18 November 2026" in listed
    assert "Correction: Sleep" in listed


def test_the_mail_on_a_page_of_its_own_begins_with_the_notice(visitor: Client) -> None:
    original = published.sent_issue()
    before = visitor.get(f"/issues/{original.slug}/mail/").content.decode()
    corrected(original)
    alone = visitor.get(f"/issues/{original.slug}/mail/").content.decode()
    assert alone.index(WRONG) < alone.index("Good night.")
    # The page around the frame has said it; in it, the mail is what it was, to the byte.
    assert visitor.get(f"/issues/{original.slug}/mail/?in=page").content.decode() == before


def test_a_correction_of_the_correction_is_what_the_original_leads_to(visitor: Client) -> None:
    original = published.sent_issue()
    first = corrected(original)
    second = corrected(first, days=3, title="Correction: again")
    for wrong in (original, first):
        page = visitor.get(f"/issues/{wrong.slug}/").content.decode()
        assert f"/issues/{second.slug}/" in page
    assert 'role="note"' not in visitor.get(f"/issues/{second.slug}/").content.decode()


def test_a_correction_that_has_not_gone_out_is_nobodys_business(visitor: Client) -> None:
    original = published.sent_issue()
    draft = published.draft_issue("Correction: to be", corrects=original)
    published.mailing_of(draft, state=Mailing.State.PLANNING, started_at=None)
    page = visitor.get(f"/issues/{original.slug}/").content.decode()
    assert 'role="note"' not in page
    assert "corrected" not in visitor.get("/issues/").content.decode()


def test_the_feed_says_that_it_was_corrected_and_when(visitor: Client) -> None:
    original = published.sent_issue("Sleep and the back")
    corrected(original)
    feed = visitor.get(f"/feeds/{original.newsletter.slug}/").content.decode()
    entry = re.search(r"<entry><title>Sleep and the back.*?</entry>", feed, re.DOTALL)
    assert entry is not None
    assert "<updated>2026-11-18" in entry[0]
    assert "Corrected on 18 November 2026. What a good mattress" in entry[0]
    assert "Correction: Sleep" in feed


def test_a_recalled_issue_keeps_its_page_and_loses_its_words(visitor: Client) -> None:
    issue = published.sent_issue("Sleep and the back")
    recall = recall_issue(issue=issue, by=published.user(), reason=WHY)
    page = visitor.get(f"/issues/{issue.slug}/")
    # 200: readers come from the mail, and some networks show their own page for an error's.
    assert page.status_code == 200
    assert page["X-Robots-Tag"] == "noindex"
    text = page.content.decode()
    assert WHY in text
    assert "Lakeside Clinic recalled it" in text
    mail = visitor.get(f"/issues/{issue.slug}/mail/")
    assert mail.status_code == 410
    assert WHY in mail.content.decode()
    for shown in (text, mail.content.decode(), visitor.get("/issues/").content.decode()):
        for word in ("Sleep and the back", "Good night", "mattress", recall.by.username):
            assert word not in shown
    assert f"/issues/{issue.slug}/" not in visitor.get("/sitemap-issues-1.xml").content.decode()
    assert "Sleep and the back" not in visitor.get("/").content.decode()


def test_a_recalled_issue_leads_to_its_correction(visitor: Client) -> None:
    issue = published.sent_issue()
    recall_issue(issue=issue, by=published.user(), reason=WHY)
    correction = corrected(issue)
    for path in (f"/issues/{issue.slug}/", f"/issues/{issue.slug}/mail/"):
        assert f"/issues/{correction.slug}/" in visitor.get(path).content.decode()


def test_a_recalled_correction_corrects_nothing_any_more(visitor: Client) -> None:
    issue = published.sent_issue()
    correction = corrected(issue)
    recall_issue(issue=correction, by=published.user(), reason=WHY)
    assert 'role="note"' not in visitor.get(f"/issues/{issue.slug}/").content.decode()


def test_feed_readers_are_told_to_delete_what_was_recalled(visitor: Client) -> None:
    issue = published.sent_issue("Sleep and the back")
    recall_issue(issue=issue, by=published.user(), reason=WHY)
    feed = visitor.get(f"/feeds/{issue.newsletter.slug}/").content.decode()
    assert "Sleep and the back" not in feed
    gone = rf'<at:deleted-entry ref="{settings.BASE_URL}/issues/{issue.slug}/" when="2'
    assert re.search(gone, feed)
    assert 'xmlns:at="http://purl.org/atompub/tombstones/1.0"' in feed


def test_a_recalled_article_leaves_site_lists_feeds_and_says_why(visitor: Client) -> None:
    about = published.condition()
    article = published.article("Walking helps", about)
    published.release(article)
    recall_article(article=article, by=published.user(), reason=WHY)
    page = visitor.get(f"/articles/{article.slug}/")
    assert page.status_code == 200
    assert WHY in page.content.decode()
    assert "A large study" not in page.content.decode()
    for path in ("/", f"/conditions/{about.slug}/", "/sitemap-articles-1.xml"):
        assert article.slug not in visitor.get(path).content.decode()
    feed = visitor.get(f"/feeds/conditions/{about.slug}/").content.decode()
    assert "<entry>" not in feed
    assert f'ref="{settings.BASE_URL}/articles/{article.slug}/"' in feed


def test_an_article_published_anew_says_that_an_earlier_version_was_recalled(
    visitor: Client,
) -> None:
    article = published.article("Walking helps")
    recall_article(article=article, by=published.user(), reason=WHY)
    Article.objects.filter(pk=article.pk).update(live=True)
    page = visitor.get(f"/articles/{article.slug}/").content.decode()
    assert "A large study" in page
    assert "We took an earlier version back" in page
    assert WHY in page


def test_what_was_only_unpublished_is_not_there(visitor: Client) -> None:
    article = published.article("Walking helps", live=False)
    assert visitor.get(f"/articles/{article.slug}/").status_code == 404


def test_notices_cost_the_list_no_statement_a_row(
    visitor: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        corrected(published.sent_issue(f"Issue {number}"), title=f"Correction: {number}")
    with django_assert_num_queries(5):  # as many as without any correction
        visitor.get("/issues/")
