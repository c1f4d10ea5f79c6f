"""What of an issue or article only a doctor may sign, and what any second person may.

A block is medical unless it stands in NOT_MEDICAL: one that is new here is medical until somebody
has thought about it. The words around an issue's body (subject, preheader, greeting) are outside
its medical blocks; of an article all that readers learn is inside.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields

from django.utils import translation
from wagtail.blocks import StreamValue

from newsletter.catalogue.models import Publisher
from newsletter.catalogue.models.colour import OUR_GREEN
from newsletter.editions.models import Article, Issue
from newsletter.rendering import blocks
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.look import OUR_GREEN_IN_THE_DARK, Look, is_rtl

NOT_MEDICAL = frozenset({"divider", "button", "sponsor", "appeal", "publication", "feedback"})


def medical_hash(thing: Issue | Article) -> bytes:
    """SHA-256 over the medical content as it renders today: articles that are shown count as they
    are now, the newsletter's colours and name do not."""
    digest = hashlib.sha256()
    for piece in _medical(thing):
        digest.update(hashlib.sha256(piece.encode()).digest())
    return digest.digest()


def plain_look(language: str) -> Look:
    """A look with nothing of any newsletter in it, but the number to call."""
    publisher = Publisher.current()
    values: dict[str, object] = {
        "language": language,
        "rtl": is_rtl(language),
        "brand": OUR_GREEN,
        "brand_dark": OUR_GREEN_IN_THE_DARK,
        "emergency_number": clean_line(publisher.emergency_number),
        "logo_width": 0,
    }
    needed = [field.name for field in fields(Look) if field.default is MISSING]
    return Look(**{**dict.fromkeys(needed, ""), **values})  # type: ignore[arg-type]


def _medical(thing: Issue | Article) -> Iterator[str]:
    look = plain_look(thing.language)
    if isinstance(thing, Article):
        yield from _around(thing)
    body: StreamValue = thing.body
    kept = [
        (child.block_type, child.value, child.id)
        for child in body
        if child.block_type not in NOT_MEDICAL
    ]
    with translation.override(thing.language):
        page = blocks.Page(look, fills_prose=True)
        if isinstance(thing, Issue):
            page.newest_until = thing.newest_until
        rendered = blocks.render(StreamValue(body.stream_block, kept), look, page)
    yield str(rendered.mjml)
    yield rendered.text


def _around(article: Article) -> Iterable[str]:
    return (
        article.language,
        article.title,
        article.summary,
        article.author_name,
        article.author_credentials,
        article.reviewer_name,
        article.reviewer_credentials,
        str(article.reviewed_on),
        str(article.review_due),
        article.sources,
    )
