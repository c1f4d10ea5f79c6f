"""The pieces that digests are joined from, each compiled once and never per reader."""

from dataclasses import dataclass
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.catalogue.models import Condition, Publisher
from newsletter.editions.models import Article
from newsletter.rendering import links, plain
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.look import colours, is_rtl
from newsletter.rendering.teaser import teaser
from newsletter.wire import mjml
from newsletter.wire.quoted_printable import SOFT_BREAK, encode
from newsletter.wire.slots import Slot, mark

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


class SplitFragment(NamedTuple):
    """One with a token in its middle, ready for the wire: what stands before and after it.

    The token stands on a line of its own between soft breaks, whatever its length up to 75.
    """

    html_before: bytes
    html_after: bytes
    text_before: bytes
    text_after: bytes


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


def section_end(condition: Condition, language: str, stop_url: str | None = None) -> Fragment:
    """Return what closes a condition's section: more on the web, and how to stop, pause, change.

    `stop_url` is for samples that are nobody's; without it the link holds a slot for the reader's
    token (`split_at_token`). A retired condition has no page to lead to.
    """
    if stop_url is None:
        before, after = links.stop_section_parts()
        stop_url = f"{before}{mark(Slot.SECTION)}{after}"
    with translation.override(language):
        return _compile(
            "section_end",
            language,
            {
                "name": clean_line(condition.name),
                "more_url": "" if condition.retired_at else links.condition(condition.slug),
                "stop_url": stop_url,
                "preferences_url": links.preferences_request(),
            },
        )


def more_new(count: int, language: str) -> Fragment:
    """Return the line on what is new besides what one mail shows."""
    with translation.override(language):
        line = ngettext(
            "One more new article on what you follow is on our website.",
            "%(count)s more new articles on what you follow are on our website.",
            count,
        ) % {"count": count}
        return _compile("more_new", language, {"line": line, "conditions_url": links.conditions()})


def while_away(count: int, language: str) -> Fragment:
    """Return the few words on what came out while the reader paused."""
    with translation.override(language):
        line = ngettext(
            "One article came out on what you follow.",
            "%(count)s articles came out on what you follow.",
            count,
        ) % {"count": count}
        return _compile(
            "while_away",
            language,
            {
                "heading": _("While you were away"),
                "line": line,
                "conditions_url": links.conditions(),
            },
        )


def split_at_token(fragment: Fragment) -> SplitFragment:
    """Return the fragment ready for the wire, open where the token goes."""
    html_before, html_after = _halves(fragment.html)
    text_before, text_after = _halves(fragment.text)
    return SplitFragment(html_before, html_after, text_before, text_after)


def _halves(content: str) -> tuple[bytes, bytes]:
    before, after = content.split(mark(Slot.SECTION))
    return encode(before) + SOFT_BREAK, SOFT_BREAK + encode(after)


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
