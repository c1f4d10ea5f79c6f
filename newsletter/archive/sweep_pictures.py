"""Pictures that no mail shows are cleared away, so that ten years of drafts do not fill a disk."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage
from django.db.models import Manager
from django.utils import timezone

from newsletter.approval.models import Frozen
from newsletter.rendering.pictures import FOLDER, NAME
from newsletter.sending.models import AlertForm, Edition

# Since it was last drawn for anything. What names pictures and is kept nowhere (tests, system
# mails with a logo, drafts shown to a colleague) has been read and forgotten by then.
KEPT = timedelta(days=365)
# A hundred mails at a time: all of ten years would be gigabytes.
_PAGE = 100
# Ends of lines that quoted-printable put into the middle of an address, as bytes and as the JSON
# in which messages are stored.
_SOFT_BREAK = re.compile(rb"=(?:\r?\n|\\r\\n)")
# Every stretch that could be a name, whatever stands beside it: rather one picture too many.
_STEM = re.compile(rb"(?=([0-9a-f]{40}))")


class NoFolder(Exception):
    """The pictures lie in a store that does not tell when a file was last wanted."""


def sweep_pictures(*, kept: timedelta = KEPT, pretend: bool = False) -> list[str]:
    """Delete the pictures of mails that were last drawn longer than `kept` ago, and that nothing
    approved, sent, scheduled or shown on the website names. Returns their names.

    With `pretend` nothing is deleted. Safe to repeat, to stop and to run twice at once. Drafts are
    not asked: whoever looks at one draws its pictures anew (newsletter.rendering.pictures).
    Raises NoFolder for another store than the file system.
    """
    if not isinstance(default_storage, FileSystemStorage):
        raise NoFolder
    before = (timezone.now() - kept).timestamp()
    old = [path for path in _pictures() if _drawn_at(path) < before]
    if not old:
        return []
    named = _named()
    found = [path for path in old if path.stem not in named]
    for path in found:
        # Drawn again since we looked: what shows it may be approved any moment.
        if not pretend and _drawn_at(path) < before:
            path.unlink(missing_ok=True)
    return sorted(path.name for path in found)


def _pictures() -> Iterator[Path]:
    folder = Path(default_storage.path(FOLDER))
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if NAME.fullmatch(path.name))


def _drawn_at(path: Path) -> float:
    """Seconds since 1970; now for one that another sweep has taken."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return timezone.now().timestamp()


def _named() -> set[str]:
    """The stems of all pictures in what was approved, sent or alerted, whatever became of it."""
    rows: tuple[Manager[Frozen] | Manager[Edition] | Manager[AlertForm], ...] = (
        Frozen.objects,
        Edition.objects,
        AlertForm.objects,
    )
    return {
        stem.decode()
        for manager in rows
        for content in _contents(manager)
        for stem in _STEM.findall(_SOFT_BREAK.sub(b"", content))
    }


def _contents(rows: "Manager[Frozen] | Manager[Edition] | Manager[AlertForm]") -> Iterator[bytes]:
    """Page by page by number: behind a pooler there are no cursors that would spare the memory."""
    last = 0
    while True:
        page = list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", "content")[:_PAGE])
        if not page:
            return
        yield from (bytes(content) for _pk, content in page)
        last = page[-1][0]
