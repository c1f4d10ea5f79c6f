"""A mail as it arrived: its header fields to the octet, because that is what was signed."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime

# Ours have some 100 kB; receivers add a few of their own.
MAX_OCTETS = 2 * 1024 * 1024
MAX_FIELDS = 500

_LINE = re.compile(rb"\r?\n")
_FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e]+)[ \t]*:")
_SPACE = re.compile(r"\s+")
# What somebody may take for the mail: Outlook's own file, a page, a picture of it, an archive.
_OTHER_FILES = {
    b"\xd0\xcf\x11\xe0": "Outlook's own format (.msg)",
    b"%PDF": "a PDF",
    b"PK\x03\x04": "an archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<": "a web page",
}
_HOW = "Save the original from the mailbox (“Show original”, “View source”, Download .eml)."


class Unfit(Exception):
    """What was given is no mail, or not one that can be looked at; the words say why."""


@dataclass(frozen=True, slots=True)
class Field:
    """One header field: its name as it was written, and all its octets with the last CRLF."""

    name: str
    octets: bytes

    @property
    def raw(self) -> str:
        """What stands behind the colon, line breaks and all."""
        return self.octets.partition(b":")[2].decode("utf-8", "replace")

    @property
    def value(self) -> str:
        """The same on one line (RFC 5322 section 2.2.3)."""
        return _SPACE.sub(" ", self.raw).strip()


@dataclass(frozen=True, slots=True)
class Mail:
    fields: tuple[Field, ...]
    body: bytes

    def all(self, name: str) -> list[Field]:
        """Return the fields of this name from the top, whatever their case."""
        return [one for one in self.fields if one.name.lower() == name.lower()]

    def first(self, name: str) -> Field | None:
        return next(iter(self.all(name)), None)


def read(raw: bytes) -> Mail:
    """Take a file apart. Line ends become CRLF, as they were on the way. Raises Unfit."""
    if len(raw) > MAX_OCTETS:
        raise Unfit(f"That is more than {MAX_OCTETS // 1024 // 1024} MB, so it is no mail of ours.")
    for beginning, what in _OTHER_FILES.items():
        if raw.lstrip().startswith(beginning):
            raise Unfit(f"That is {what}, and not a mail as it arrived. {_HOW}")
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if not raw.strip():
        raise Unfit(f"There is nothing in it. {_HOW}")
    lines = _LINE.split(raw)
    if lines[0].startswith(b"From "):
        # The line that a mailbox file puts in front of each mail.
        del lines[0]
    fields: list[list[bytes]] = []
    for number, line in enumerate(lines):
        if not line:
            body = b"\r\n".join(lines[number + 1 :])
            break
        if line[:1] in b" \t" and fields:
            fields[-1].append(line)
        elif _FIELD.match(line) and len(fields) < MAX_FIELDS:
            fields.append([line])
        else:
            raise Unfit(f"Line {number + 1} is no header field, so that is not a mail. {_HOW}")
    else:
        body = b""
    if not body.strip():
        raise Unfit(f"There is a header and no body, so that is not the whole mail. {_HOW}")
    return Mail(tuple(_field(lines) for lines in fields), body)


def _field(lines: list[bytes]) -> Field:
    match = _FIELD.match(lines[0])
    assert match
    return Field(match[1].decode("ascii"), b"\r\n".join(lines) + b"\r\n")


def author_domain(mail: Mail, ours: Collection[str]) -> str:
    """Return the domain of the From address. Raises Unfit unless it is one of `ours`."""
    found = [domain for one in mail.all("From") for domain in domains_of(one.value)]
    if not found:
        raise Unfit(f"There is no From address, so that is not a mail. {_HOW}")
    if mine := next((one for one in found if one in ours), None):
        return mine
    raise Unfit(
        f"That mail comes from {found[0]}, and ours from {', '.join(sorted(ours)) or 'nowhere'}. "
        "Give a test issue itself, not a mail that it was forwarded with."
    )


def domains_of(value: str) -> list[str]:
    """Return the domains of the addresses in a field."""
    return [
        address.rpartition("@")[2].lower().rstrip(".")
        for _, address in getaddresses([value])
        if "@" in address
    ]


def arrived_at(mail: Mail) -> datetime | None:
    """Return when the last server took it; None where no line tells."""
    for one in mail.all("Received"):
        try:
            moment = parsedate_to_datetime(one.value.rpartition(";")[2].strip())
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
