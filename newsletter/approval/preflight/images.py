"""Pictures: the words for them, how heavy they are, and whether they are sharp."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from wagtail.blocks import StreamValue, StructValue
from wagtail.blocks.list_block import ListValue
from wagtail.images.models import AbstractImage

from newsletter.approval.preflight.findings import Finding, error, warning
from newsletter.approval.preflight.outline import Outline, Part
from newsletter.editions.models import Issue
from newsletter.rendering.pictures import FOLDER, NAME

# On a phone with a poor line one heavy picture is what a reader waits for.
HEAVY = 300_000
TOO_HEAVY = 1_000_000
# Of all pictures of a mail.
HEAVY_TOGETHER = 1_500_000
# Narrower than this it is a stamp, or blurred where it is drawn larger.
NARROW = 160
# Above this share of its width a picture fills a phone's screen more than once.
TALL = 2.2

_FILE_NAME = re.compile(
    r"^\S+\.(?:jpe?g|png|gif|webp|heic|svg|tiff?)$|^(?:img|dsc|image|photo|foto|imagen|scan)"
    r"[ _-]?\d+$|^untitled",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"^(?:image|picture|photo|photograph|graphic|imagen|foto|fotografía) (?:of|de) ", re.IGNORECASE
)


def findings(issue: Issue, outline: Outline, parts: Sequence[Part]) -> Iterator[Finding]:
    yield from _words(outline, parts)
    together = 0
    weighed: set[str] = set()
    for part in parts:
        for source in (image.source for image in part.outline.images):
            if source not in weighed and (weight := _weight(source)):
                weighed.add(source)
                together += weight
                yield from _heavy(source, weight, part.block)
    for block, image in _pictures(issue.body):
        yield from _measures(image, block)
        yield from _named(image, block)
    if together > HEAVY_TOGETHER:
        yield warning(
            "images_heavy",
            _("The pictures weigh %(size)d kB together. Leave one out, or choose plainer ones.")
            % {"size": together // 1000},
            "body",
        )


def _words(outline: Outline, parts: Sequence[Part]) -> Iterator[Finding]:
    blocks = {image.source: part.block for part in parts for image in part.outline.images}
    for image in outline.images:
        block = blocks.get(image.source, "")
        name = image.source.rsplit("/", 1)[-1]
        if image.alt is None:
            yield error(
                "alt_missing",
                _(
                    "The image “%(name)s” has no text for those who cannot see it. Describe it, or "
                    "mark it as decorative."
                )
                % {"name": name},
                "body",
                block=block,
            )
        elif _FILE_NAME.match(image.alt.strip()):
            yield _file_name(image.alt, block)
        elif _BEGINS.match(image.alt):
            yield warning(
                "alt_wordy",
                _("“%(alt)s” need not say that it is a picture. Begin with what it shows.")
                % {"alt": image.alt},
                "body",
                block=block,
            )


def _named(image: AbstractImage, block: str) -> Iterator[Finding]:
    """Wagtail takes an uploaded file's name for its title, and offers the title as its text."""
    alt = (getattr(image, "contextual_alt_text", "") or "").strip()
    # Stored under that name, or with a few signs behind it where that was taken.
    stored = PurePath(image.file.name).stem.casefold()
    words = alt.casefold()
    one_word = bool(alt) and not any(sign.isspace() for sign in alt)
    if (
        one_word
        and not _FILE_NAME.match(alt)
        and re.fullmatch(rf"{re.escape(words)}(_\w+)?", stored)
    ):
        yield _file_name(alt, block)


def _file_name(alt: str, block: str) -> Finding:
    return error(
        "alt_file_name",
        _("“%(alt)s” is a file's name. Say what the picture shows.") % {"alt": alt},
        "body",
        block=block,
    )


def _weight(source: str) -> int:
    """Bytes of a picture as it lies in our store, in the form that mails show; 0 for others."""
    name = source.rsplit("/", 1)[-1]
    path = f"{FOLDER}/{name}"
    if not NAME.fullmatch(name) or not default_storage.exists(path):
        return 0
    return default_storage.size(path)


def _heavy(source: str, weight: int, block: str) -> Iterator[Finding]:
    if weight > TOO_HEAVY:
        yield error(
            "image_too_heavy",
            _("A picture weighs %(size)d kB. Use a photograph as JPEG, or a plainer drawing.")
            % {"size": weight // 1000},
            "body",
            block=block,
        )
    elif weight > HEAVY:
        yield warning(
            "image_heavy",
            _("A picture weighs %(size)d kB. On a phone it comes slowly.")
            % {"size": weight // 1000},
            "body",
            block=block,
        )


def _measures(image: AbstractImage, block: str) -> Iterator[Finding]:
    what = {"title": image.title, "width": image.width}
    if image.width < NARROW:
        yield warning(
            "image_narrow",
            _("“%(title)s” is only %(width)d pixels wide. Use a larger picture.") % what,
            "body",
            block=block,
        )
    if image.height > image.width * TALL:
        yield warning(
            "image_tall",
            _("“%(title)s” is more than twice as tall as wide. Crop it: it fills a phone's screen.")
            % what,
            "body",
            block=block,
        )


def _pictures(value: Any, block: str = "") -> Iterator[tuple[str, AbstractImage]]:
    """Every picture in a body, however deep, with the id of the block at the top it stands in."""
    if isinstance(value, AbstractImage):
        yield block, value
    elif isinstance(value, StreamValue):
        for child in value:
            yield from _pictures(child.value, block or str(child.id or ""))
    elif isinstance(value, StructValue):
        for inner in value.values():
            yield from _pictures(inner, block)
    elif isinstance(value, ListValue):
        for inner in value:
            yield from _pictures(inner, block)
