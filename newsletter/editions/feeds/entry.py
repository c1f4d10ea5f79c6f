"""What stands in a feed, whatever format it came in. Values only."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# What senders add to an address to know who came from where; never part of which page it is.
_TRACKING = re.compile(
    r"utm_\w+|mc_[ce]id|[gf]bclid|gclid|dclid|msclkid|yclid|igshid|_hs\w+|mkt_tok|at_\w+|ref_src",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, sanitised: no markup in `title` and `summary`, known tags in `html`."""

    guid: str
    url: str
    title: str
    summary: str
    html: str
    author: str
    categories: Sequence[str]
    published: datetime | None

    @property
    def guid_hash(self) -> bytes:
        return _hash(self.guid)

    @property
    def url_hash(self) -> bytes | None:
        return _hash(canonical(self.url)) if self.url else None

    @property
    def content_hash(self) -> bytes:
        """Of the words alone: another mark-up or another space is no other text."""
        words = re.sub(r"<[^>]*>", " ", f"{self.title} {self.summary} {self.html}")
        return _hash(" ".join(words.casefold().split()))

    @property
    def is_telling(self) -> bool:
        """Are there words enough for their equality to mean something? Not in a bare title."""
        return len(f"{self.summary} {self.html}".split()) >= 12


@dataclass(frozen=True, slots=True)
class Reading:
    """A feed as read: its entries, newest first, and what was odd about it in words for staff."""

    entries: Sequence[Entry]
    oddities: Sequence[str] = ()


class Unreadable(ValueError):
    """It cannot be read as a feed. `trouble` is one of Feed.Trouble."""

    def __init__(self, trouble: str, detail: str) -> None:
        super().__init__(detail)
        self.trouble = trouble


def canonical(url: str) -> str:
    """Return the address without what differs from reader to reader: which page it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.fullmatch(name)
    ]
    host = parts.netloc.lower().removeprefix("www.").removesuffix(":443").removesuffix(":80")
    # http and https are one page; so are /page and /page/.
    return urlunsplit(("https", host, parts.path.rstrip("/"), urlencode(sorted(kept)), ""))


def believable(moment: datetime, now: datetime) -> datetime | None:
    """Return the moment unless it lies before the web or later than tomorrow."""
    return moment if datetime(1990, 1, 1, tzinfo=UTC) < moment < now + timedelta(days=1) else None


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
