"""What the rendered mail is like for those who hear it, and for programs that cut it."""

from collections.abc import Iterator
from html.parser import HTMLParser

from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, warning
from newsletter.editions import merge_tags
from newsletter.editions.models import Issue
from newsletter.rendering.issue import CompiledEdition
from newsletter.wire import quoted_printable

# Gmail cuts a mail at about 102 kB of encoded HTML, and the unsubscribe link with it.
LARGE = 80_000
TOO_LARGE = 100_000


def findings(issue: Issue, edition: CompiledEdition) -> Iterator[Finding]:
    if not len(issue.body):
        yield error("body_empty", _("The issue is empty. Add a block."), "body")
    outline = _Outline.of(edition.html)
    yield from _images(outline)
    yield from _headings(outline)
    yield from _merge_tags(issue, edition)
    yield from _size(edition)


def _images(outline: "_Outline") -> Iterator[Finding]:
    for source in outline.images_without_alt:
        yield error(
            "alt_missing",
            _(
                "The image “%(name)s” has no text for those who cannot see it. Describe it, or "
                "mark it as decorative."
            )
            % {"name": source.rsplit("/", 1)[-1]},
            "body",
        )


def _headings(outline: "_Outline") -> Iterator[Finding]:
    previous = 0
    for level, text in outline.headings:
        if not text:
            yield error("heading_empty", _("There is an empty heading."), "body")
        if level > previous + 1:
            yield error(
                "heading_order",
                _(
                    "The heading “%(text)s” skips a level. Screen readers read headings as an "
                    "outline: use the next level down."
                )
                % {"text": text},
                "body",
            )
        previous = level


def _merge_tags(issue: Issue, edition: CompiledEdition) -> Iterator[Finding]:
    # Where tags are replaced, known ones are gone from what was rendered.
    written = {
        "subject": merge_tags.left_over(issue.subject),
        "preheader": merge_tags.left_over(issue.preheader),
        "greeting": merge_tags.unknown(issue.greeting),
        "body": merge_tags.left_over(edition.text),
    }
    said: set[str] = set()
    for anchor, tags in written.items():
        for tag in tags:
            # The rendered mail repeats what stands in the greeting.
            if tag in said:
                continue
            said.add(tag)
            yield error(
                "merge_tag_unknown",
                _("“%(tag)s” is not replaced here. It would reach readers as it stands.")
                % {"tag": tag},
                anchor,
            )


def _size(edition: CompiledEdition) -> Iterator[Finding]:
    size = len(quoted_printable.encode(edition.html))
    numbers = {"size": round(size / 1000), "limit": round(TOO_LARGE / 1000)}
    if size > TOO_LARGE:
        yield error(
            "too_large",
            _("The mail has %(size)d kB of HTML. Above %(limit)d kB Gmail cuts it: shorten it.")
            % numbers,
            "body",
        )
    elif size > LARGE:
        yield warning(
            "large",
            _("The mail has %(size)d kB of HTML. Above %(limit)d kB Gmail would cut it.") % numbers,
            "body",
        )


class _Outline(HTMLParser):
    """The headings and images of a document, in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.headings: list[tuple[int, str]] = []
        self.images_without_alt: list[str] = []
        self._level = 0
        self._text: list[str] = []

    @classmethod
    def of(cls, html: str) -> "_Outline":
        outline = cls()
        outline.feed(html)
        outline.close()
        return outline

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            values = dict(attrs)
            if "alt" not in values:
                self.images_without_alt.append(values.get("src") or "?")
        elif len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self._level, self._text = int(tag[1]), []

    def handle_endtag(self, tag: str) -> None:
        if self._level and tag == f"h{self._level}":
            self.headings.append((self._level, " ".join("".join(self._text).split())))
            self._level = 0

    def handle_data(self, data: str) -> None:
        if self._level:
            self._text.append(data)
