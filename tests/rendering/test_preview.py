"""The desk's preview: the mail as it will be, with an example reader."""

import pytest
from django.test import RequestFactory

from newsletter.editions.models import Article, Issue
from newsletter.rendering import preview
from newsletter.wire.slots import MARK
from tests.rendering import samples

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def shown(thing: Issue | Article, mode: str) -> tuple[str, str]:
    response = thing.serve_preview(RequestFactory().get("/"), mode)
    assert "default-src 'none'" in response["Content-Security-Policy"]
    return response.content.decode(), response["Content-Type"]


def test_an_issue_is_shown_as_mail_and_as_text() -> None:
    issue = samples.rich_issue()
    html, html_type = shown(issue, "")
    text, text_type = shown(issue, "text")
    assert html_type.startswith("text/html") and text_type.startswith("text/plain")
    assert "Hello Maria," in html and "Hello Maria," in text
    assert not MARK.search(html + text)


def test_an_article_is_shown_with_its_body_and_sources() -> None:
    html, _ = shown(samples.rich_article(), "")
    assert "What was found" in html and "Journal of Examples, 2025" in html


def test_no_link_in_a_preview_is_anybodys() -> None:
    assert "/unsubscribe/" not in preview.issue_html(samples.rich_issue())


def test_a_preview_writes_nothing() -> None:
    issue = samples.rich_issue()
    before = (Issue.objects.count(), Article.objects.count())
    shown(issue, "")
    assert (Issue.objects.count(), Article.objects.count()) == before


@pytest.mark.parametrize("model", [Issue, Article])
def test_every_mode_offered_can_be_served(model: type) -> None:
    thing = samples.rich_issue() if model is Issue else samples.rich_article()
    for mode, _label in thing.preview_modes:
        assert shown(thing, mode)[0]
