"""Pictures as mails show them: scaled, light, and at an address made of their content.

A mail is opened years after it was sent. Its pictures must be there then, and must be the ones
that were approved: so each is kept under the SHA-256 of its bytes, apart from Wagtail's own files,
and nothing that an editor deletes or replaces touches it.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

FOLDER = "mail"
# What mail programs show everywhere. Outlook's Word engine knows neither WebP nor AVIF nor SVG.
TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}
NAME = re.compile(r"[0-9a-f]{40}\.(jpg|png|gif)")
# A drawing as PNG is lighter than this; above it is a photograph, which JPEG holds in a tenth.
_HEAVY = 200_000
_SHARP = 2  # pixels of the picture for one of the mail's, on sharp screens


@dataclass(frozen=True, slots=True)
class Picture:
    url: str
    width: int


def in_mail(image: Any, width: int) -> Picture:
    """Return an uploaded image at most `width` px wide in the mail, kept for ever."""
    rendition = _light_rendition(image, f"width-{width * _SHARP}")
    return Picture(_kept(rendition), min(width, rendition.width))


def logo_in_mail(image: Any, *, height: int, most: int = 300) -> Picture:
    """Return a logo `height` px high, at most `most` px wide."""
    rendition = _light_rendition(image, f"max-{most * _SHARP}x{height * _SHARP}")
    width = min(most, round(rendition.width * height / rendition.height))
    return Picture(_kept(rendition), width)


def drawing(path: str) -> str:
    """Return the address of one of our own drawings in static/; "" for one that we do not have."""
    found = finders.find(path)
    if not isinstance(found, str):
        return ""
    return _keep(Path(found).read_bytes(), path.rpartition(".")[2])


def _light_rendition(image: Any, spec: str) -> Any:
    original = image.file.name.rpartition(".")[2].lower()
    if original in {"jpg", "jpeg", "webp"}:
        return image.get_rendition(f"{spec}|format-jpeg|jpegquality-82")
    rendition = image.get_rendition(spec if original == "gif" else f"{spec}|format-png")
    if original == "png" and rendition.file.size > _HEAVY:
        return image.get_rendition(f"{spec}|format-jpeg|jpegquality-82|bgcolor-ffffff")
    return rendition


def _kept(rendition: Any) -> str:
    with rendition.file.open("rb") as file:
        content: bytes = file.read()
    ending = rendition.file.name.rpartition(".")[2].lower().replace("jpeg", "jpg")
    return _keep(content, ending)


def _keep(content: bytes, ending: str) -> str:
    name = f"{hashlib.sha256(content).hexdigest()[:40]}.{ending}"
    path = f"{FOLDER}/{name}"
    if not _touch(path):
        default_storage.save(path, ContentFile(content))
    return f"{settings.BASE_URL}/pictures/{name}"


def _touch(path: str) -> bool:
    """True when it is there; then the sweep of forgotten pictures knows that it is still wanted."""
    try:
        os.utime(default_storage.path(path))
    except NotImplementedError:  # a store without folders
        return default_storage.exists(path)
    except FileNotFoundError:
        return False
    except PermissionError:
        # Another account's file, on a disk that only one of them writes to. Nobody waits for a
        # mail because of that: the sweep asks what was approved before it asks the clock.
        return True
    return True
