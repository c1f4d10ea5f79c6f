"""Blocks that show articles of ours."""

from typing import Any

from newsletter.editions.models import Article
from newsletter.rendering.blocks.page import Page, Prepare
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.teaser import teaser


def _article_card(value: Any, page: Page) -> dict[str, Any] | None:
    article = value["article"]
    if article is None:  # deleted since; preflight speaks of it
        return None
    return {"article": teaser(article, lead=value["lead"], artwork=bool(value["show_artwork"]))}


def _newest_articles(value: Any, page: Page) -> dict[str, Any] | None:
    articles = newest(value, page)
    if not articles:
        return None
    page.shown_articles.update(article.pk for article in articles)
    return {
        "title": clean_line(value["title"]),
        "articles": [teaser(article, artwork=False) for article in articles],
        "below": "h4" if page.level == "h3" else "h3",
    }


def newest(value: Any, page: Page) -> list[Article]:
    """Return the articles that the block shows, newest first, none that the mail shows already.

    Chosen by what was published when the issue was last saved (Issue.newest_until).
    """
    conditions = [condition.pk for condition in value["conditions"] if condition is not None]
    found = Article.objects.published().filter(
        conditions__in=conditions,
        language=page.look.language,
        first_published_at__isnull=False,
        expired=False,
    )
    if page.newest_until is not None:
        found = found.filter(first_published_at__lte=page.newest_until)
    found = found.exclude(pk__in=page.shown_articles).distinct()
    return list(found.order_by("-first_published_at", "-pk")[: value["count"] or 3])


PREPARE: dict[str, Prepare] = {"article_card": _article_card, "newest_articles": _newest_articles}
