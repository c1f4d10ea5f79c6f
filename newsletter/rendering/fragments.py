"""The pieces that digests are joined from, each compiled once and never per reader."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Condition, Publisher
from newsletter.editions.models import Article
from newsletter.rendering import plain
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.look import colours, is_rtl
from newsletter.rendering.teaser import teaser
from newsletter.wire import mjml
from newsletter.wire.quoted_printable import encode

# Stands in the page around a fragment, so that it can be cut out of the compiled page.
_CUT = mark_safe("<!--cut-->")


@dataclass(frozen=True, slots=True)
class Fragment:
    """One piece of a digest's body, in both forms; each ends with a line end."""

    html: str
    text: str

    def encoded(self) -> "EncodedFragment":
        return EncodedFragment(encode(self.html), encode(self.text))


@dataclass(frozen=True, slots=True)
class EncodedFragment:
    """The same, ready for the wire: quoted-printable that can be joined to others as it is."""

    html: bytes
    text: bytes


def compile_article(article: Article, language: str | None = None) -> Fragment:
    """Return an article's place in a digest."""
    language = language or article.language
    with translation.override(language):
        return _compile("article", language, {"title": "", "article": teaser(article)})


def condition_heading(condition: Condition, language: str) -> Fragment:
    """Return the heading over what a reader gets because of one condition."""
    with translation.override(language):
        name = clean_line(condition.name)
        return _compile(
            "condition_heading",
            language,
            {"heading": name, "because": _("Because you follow")},
        )


def condition_headings(conditions: Iterable[Condition], language: str) -> dict[int, Fragment]:
    return {condition.pk: condition_heading(condition, language) for condition in conditions}


def other_heading(language: str) -> Fragment:
    """Return the heading over articles that go with no condition the reader follows now."""
    with translation.override(language):
        return _compile("condition_heading", language, {"heading": _("Also for you")})


def _compile(name: str, language: str, extra: dict[str, object]) -> Fragment:
    # Every digest newsletter shares the fragments, so they wear the publisher's colour.
    light, dark = colours(Publisher.current().brand_colour)
    context = {
        "language": language,
        "rtl": is_rtl(language),
        "brand": light,
        "brand_dark": dark,
        "cut": _CUT,
        **extra,
    }
    page = mjml.to_html(render_to_string(f"emails/fragments/{name}.mjml", context))
    _before, html, _after = page.split(_CUT)
    text = plain.tidy(render_to_string(f"emails/fragments/{name}.txt", context))
    return Fragment(html.strip() + "\n", text + "\n")
