"""What the desk shows while somebody writes: the mail as an example reader would get it."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.translation import gettext as _

from newsletter.editions.models import Article, Issue
from newsletter.editions.models.preview import DARK, HTML, NO_IMAGES, TEXT, language_of
from newsletter.rendering import article_page, links
from newsletter.rendering import issue as issues
from newsletter.wire.slots import MARK, Slot, resolve_stretches

_ASKS_FOR_DARK = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")
_SCHEMES = re.compile(r'content="light dark"')
_SOURCE = re.compile(r'(<img\b[^>]*?\bsrc=")[^"]*(")')
_HEAD_END = re.compile(r"</head>")
# How mail programs show a picture that they do not load: its words in its place, and nothing
# where there are none.
_EMPTY_PLACES = (
    "<style>img{background:#E4E1DA;color:#1F2A2E!important;font:16px/24px sans-serif!important;"
    'min-height:48px}img[alt=""]{display:none!important}</style>'
)


@dataclass(frozen=True, slots=True)
class Example:
    """Whose copy is shown. `follows` of None: everybody's, so that each part can be read."""

    first_name: str
    follows: Collection[int] | None = None


def issue_html(issue: Issue, mode: str = HTML, reader: Example | None = None) -> str:
    html, _text = issues.compose(issue, language=language_of(mode))
    return in_mode(shown(html, html=True, reader=reader), mode)


def issue_text(issue: Issue, reader: Example | None = None) -> str:
    _html, text = issues.compose(issue)
    return shown(text, reader=reader)


def article_html(article: Article, mode: str = HTML) -> str:
    return in_mode(article_page.compose(article)[0], mode)


def article_text(article: Article) -> str:
    return article_page.compose(article)[1]


def shown(document: str, *, html: bool = False, reader: Example | None = None) -> str:
    """Return a document with an example reader in its slots. No link in it is anybody's."""
    reader = reader or Example(_("Maria"))
    follows = reader.follows
    document = resolve_stretches(
        document, lambda keys: follows is None or not keys.isdisjoint(follows)
    )
    values = {
        Slot.FIRST_NAME: reader.first_name,
        Slot.UNSUBSCRIBE_URL: links.preferences_request(),
        Slot.WITHDRAW_URL: links.preferences_request(),
    }
    values_as_written = {slot: escape(value) if html else value for slot, value in values.items()}
    return MARK.sub(lambda match: values_as_written.get(Slot(match[1])) or match[2] or "", document)


def in_mode(html: str, mode: str) -> str:
    """Return the mail as a program in dark mode shows it, or one that loads no pictures."""
    if mode == DARK:
        return _SCHEMES.sub('content="dark"', _ASKS_FOR_DARK.sub("@media all", html))
    if mode == NO_IMAGES:
        return _HEAD_END.sub(f"{_EMPTY_PLACES}</head>", _SOURCE.sub(r"\1\2", html), count=1)
    return html


def preview_issue(issue: Issue, mode: str) -> tuple[str, str]:
    """The desk's renderer for issues (editions.models.preview)."""
    if mode == TEXT:
        return issue_text(issue), "text/plain"
    return issue_html(issue, mode), "text/html"


def preview_article(article: Article, mode: str) -> tuple[str, str]:
    if mode == TEXT:
        return article_text(article), "text/plain"
    return article_html(article, mode), "text/html"
