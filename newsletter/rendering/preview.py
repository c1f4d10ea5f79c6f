"""What the desk shows while somebody writes: the mail as an example reader would get it."""

from django.utils.html import escape
from django.utils.translation import gettext as _

from newsletter.editions.models import Article, Issue
from newsletter.editions.models.preview import TEXT
from newsletter.rendering import article_page, links
from newsletter.rendering import issue as issues
from newsletter.wire.slots import MARK, Slot


def issue_html(issue: Issue) -> str:
    html, _text = issues.compose(issue)
    return shown(html, html=True)


def issue_text(issue: Issue) -> str:
    _html, text = issues.compose(issue)
    return shown(text)


def article_html(article: Article) -> str:
    return article_page.compose(article)[0]


def article_text(article: Article) -> str:
    return article_page.compose(article)[1]


def shown(document: str, *, html: bool = False) -> str:
    """Return a document with an example reader in its slots. No link in it is anybody's."""
    values = {
        Slot.FIRST_NAME: _("Maria"),
        Slot.UNSUBSCRIBE_URL: links.preferences_request(),
        Slot.WITHDRAW_URL: links.preferences_request(),
    }
    values_as_written = {slot: escape(value) if html else value for slot, value in values.items()}
    return MARK.sub(lambda match: values_as_written.get(Slot(match[1])) or match[2] or "", document)


def preview_issue(issue: Issue, mode: str) -> tuple[str, str]:
    """The desk's renderer for issues (editions.models.preview)."""
    return (issue_text(issue), "text/plain") if mode == TEXT else (issue_html(issue), "text/html")


def preview_article(article: Article, mode: str) -> tuple[str, str]:
    if mode == TEXT:
        return article_text(article), "text/plain"
    return article_html(article), "text/html"
