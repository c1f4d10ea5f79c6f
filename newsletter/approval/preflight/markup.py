"""What the rendered mail is like for those who hear it, and for programs that cut it."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, warning
from newsletter.approval.preflight.outline import Outline, Part
from newsletter.editions import merge_tags
from newsletter.editions.models import Issue
from newsletter.rendering.issue import CompiledEdition
from newsletter.wire import quoted_printable

# Gmail cuts a mail at about 102 kB of encoded HTML, and the unsubscribe link with it.
LARGE = 80_000
TOO_LARGE = 100_000


def findings(
    issue: Issue, edition: CompiledEdition, outline: Outline, parts: Sequence[Part]
) -> Iterator[Finding]:
    if not len(issue.body):
        yield error("body_empty", _("The issue is empty. Add a block."), "body")
    yield from headings(outline, parts)
    yield from _merge_tags(issue, edition, parts)
    yield from _size(edition)


def headings(outline: Outline, parts: Sequence[Part]) -> Iterator[Finding]:
    """The order is the whole document's: a block alone cannot know what stands above it."""
    previous = 0
    for level, text in outline.headings:
        block = _block_with(text, parts)
        if not text:
            yield error("heading_empty", _("There is an empty heading."), "body", block=block)
        if level > previous + 1:
            yield error(
                "heading_order",
                _(
                    "The heading “%(text)s” skips a level. Screen readers read headings as an "
                    "outline: use the next level down."
                )
                % {"text": text},
                "body",
                block=block,
            )
        previous = level


def _block_with(heading: str, parts: Sequence[Part]) -> str:
    return next(
        (p.block for p in parts if any(text == heading for _level, text in p.outline.headings)), ""
    )


def _merge_tags(issue: Issue, edition: CompiledEdition, parts: Sequence[Part]) -> Iterator[Finding]:
    # Where tags are replaced, known ones are gone from what was rendered.
    written: list[tuple[str, str, list[str]]] = [
        ("subject", "", merge_tags.left_over(issue.subject)),
        ("preheader", "", merge_tags.left_over(issue.preheader)),
        ("greeting", "", merge_tags.unknown(issue.greeting)),
        *(("body", part.block, merge_tags.left_over(part.text)) for part in parts),
        ("body", "", merge_tags.left_over(edition.text)),
    ]
    said: set[str] = set()
    for anchor, block, tags in written:
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
                block=block,
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
