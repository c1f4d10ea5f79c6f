"""An article as it stands in a mail: drawing, title, summary, who wrote and who reviewed it."""

import re
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.editions.models import Article
from newsletter.rendering import links, pictures
from newsletter.rendering.cleaning import clean_line

_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Teaser:
    title: str
    summary: str
    url: str
    byline: str
    artwork_url: str
    # Of title and summary; the byline is in the language around it.
    language: str
    byline_language: str


def teaser(article: Article, *, lead: str = "", artwork: bool = True) -> Teaser:
    """Describe `article` in the active language; `lead` takes the place of its summary."""
    return Teaser(
        title=clean_line(article.title),
        summary=clean_line(lead or article.summary),
        url=links.article(article.slug),
        byline=_byline(article),
        artwork_url=artwork_url(article.artwork) if artwork else "",
        language=article.language,
        byline_language=get_language() or article.language,
    )


def artwork_url(name: str) -> str:
    """Return where mail programs find a drawing; "" for one that we do not have."""
    return pictures.drawing(f"art/{name}.png") if _NAME.fullmatch(name) else ""


def _byline(article: Article) -> str:
    author = clean_line(article.author_name)
    reviewer = clean_line(article.reviewer_name)
    if not article.is_reviewed or article.reviewed_on is None:
        return _("By %(author)s.") % {"author": author} if author else ""
    day = date_format(article.reviewed_on, "j F Y")
    return _("By %(author)s. Reviewed by %(reviewer)s on %(day)s.") % {
        "author": author,
        "reviewer": reviewer,
        "day": day,
    }
