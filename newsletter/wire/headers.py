"""Header values as they may stand on the wire (RFC 5322, 2047, 2369, 2919)."""

import base64
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import urlsplit

import idna

MAX_LINE = 998  # RFC 5322 section 2.1.1, without the CRLF
FOLD_AT = 76  # RFC 2047 section 2: a line that holds an encoded word

_UNSAFE = re.compile("[\r\n\x00]")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
# A dot-atom of RFC 6531: any character beyond ASCII, and of ASCII what stands in _LOCAL.
_LOCAL_UTF8 = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*"
)
# What most readers have: needs no second look.
_LONGEST_SIMPLE_NAME = 40
_SIMPLE_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*").fullmatch
_SIMPLE_DOMAIN = re.compile(r"(?:[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*\.)+[A-Za-z0-9]+").fullmatch
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?")
# Characters that stand for themselves in a Q-encoded word inside a phrase (RFC 2047 section 5).
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


class UnsafeValue(ValueError):
    """A value that must not reach a header or an envelope."""


def assert_safe(value: str) -> str:
    """Return `value` unchanged. Raises UnsafeValue for CR, LF and NUL (header injection)."""
    if _UNSAFE.search(value):
        raise UnsafeValue("A line break or a NUL may not stand in a header or an address.")
    return value


def assert_line(value: str) -> str:
    """Return `value` if it is printable ASCII, as a header takes it; else raise UnsafeValue."""
    assert_safe(value)
    if not _PRINTABLE.fullmatch(value):
        raise UnsafeValue(
            "Only printable ASCII may stand in this header; encode names with format_address and "
            "free text with encode_text first."
        )
    return value


def encode_address(address: str) -> str:
    """Return the address as it goes on the wire, its domain in ASCII (A-labels).

    Raises UnsafeValue for anything but one plain `local@domain`; also for a local part outside
    ASCII, which only a relay with SMTPUTF8 (RFC 6531) could take.
    """
    assert_safe(address)
    local, at, domain = address.rpartition("@")
    if not at or not domain:
        raise UnsafeValue("An e-mail address looks like name@example.org.")
    if not local.isascii():
        raise UnsafeValue(
            "The part before the @ holds letters outside ASCII, which most relays cannot carry "
            "(RFC 6531)."
        )
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise UnsafeValue(f"The part after the @ is no domain name: {error}") from error
    _refuse_encoded_word(local)
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or len(address) > 254:
        raise UnsafeValue("An e-mail address looks like name@example.org.")
    return f"{local}@{domain}"


def encode_recipient(address: str) -> str:
    """Return a reader's address: as `encode_address` does, but for a local part outside ASCII.

    Such an address goes as it is, in UTF-8 (RFC 6532), by a relay that offers SMTPUTF8 (RFC 6531)
    or not at all, which is the transport's to see; it is never rewritten into another one.
    """
    local, at, domain = address.rpartition("@")
    if local.isascii():
        return encode_address(address)
    assert_printable(address)
    _refuse_encoded_word(local)
    if not _LOCAL_UTF8.fullmatch(local) or len(address.encode()) > 254:
        raise UnsafeValue("An e-mail address looks like name@example.org.")
    return f"{local}@{encode_address(f'x{at}{domain}')[2:]}"


def _refuse_encoded_word(local: str) -> None:
    """Raise UnsafeValue for what some parsers, Python's among them, decode to another address,
    even to one of another domain (RFC 2047 section 5: never within an address)."""
    if "=?" in local:
        raise UnsafeValue("The part before the @ of an address may not look like an encoded word.")


def assert_printable(value: str) -> str:
    """Return `value` if each of its characters is one that a person can see, or a space."""
    assert_safe(value)
    if not value.isprintable():
        raise UnsafeValue("A control character may not stand in a header or an address.")
    return value


def format_recipient(name: str, address: str) -> str:
    """Return `name <address>` for To. The hot path: a plain address with a plain name or none."""
    local, _, domain = address.partition("@")
    plain = not name or (name.isalnum() and name.isascii() and len(name) <= _LONGEST_SIMPLE_NAME)
    if plain and _SIMPLE_LOCAL(local) and _is_simple_domain(domain) and len(address) <= 254:
        return f"{name} <{address}>" if name else address
    return _named(name, encode_recipient(address))


@lru_cache(maxsize=1024)
def _is_simple_domain(domain: str) -> bool:
    """Remembered, because most readers are at a few providers."""
    return _SIMPLE_DOMAIN(domain) is not None


def format_address(name: str, address: str) -> str:
    """Return `name <address>` for From or Reply-To; without a name the bare address.

    A name outside ASCII becomes encoded words (RFC 2047); the address never does.
    """
    return _named(name, encode_address(address))


def _named(name: str, address: str) -> str:
    name = " ".join(assert_safe(name).split())
    if not name:
        return address
    if "=?" not in name and _PRINTABLE.fullmatch(name) and len(name) <= FOLD_AT - 12:
        if _ATOMS.fullmatch(name):
            return f"{name} <{address}>"
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{encode_words(name)} <{address}>"


def encode_text(text: str) -> str:
    """Return free text for Subject: as it is where ASCII allows, else as encoded words."""
    text = " ".join(assert_safe(text).split())
    plain = "=?" not in text and _PRINTABLE.fullmatch(text) is not None
    if plain and all(len(word) < FOLD_AT - 12 for word in text.split(" ")):
        return text
    return encode_words(text)


def encode_words(text: str) -> str:
    """Encode as RFC 2047 words that never split a character.

    A word has at most 65 of the 75 characters allowed, so that the first one fits behind
    `Subject: ` or `Reply-To: ` within a line of 76.
    """
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise UnsafeValue("The text holds half a character (a lone surrogate).") from error
    q_length = sum(1 if byte in _Q_SAFE or byte == 0x20 else 3 for byte in raw)
    use_q = q_length <= len(raw) * 4 / 3
    room = 65 - len("=?utf-8?q??=")
    words: list[str] = []
    pending = b""
    for character in text:
        candidate = pending + character.encode()
        if pending and len(_encoded(candidate, use_q)) > room:
            words.append(_encoded(pending, use_q))
            candidate = character.encode()
        pending = candidate
    words.append(_encoded(pending, use_q))
    letter = "q" if use_q else "b"
    return " ".join(f"=?utf-8?{letter}?{word}?=" for word in words)


def _encoded(raw: bytes, use_q: bool) -> str:
    if not use_q:
        return base64.b64encode(raw).decode("ascii")
    return "".join(
        chr(byte) if byte in _Q_SAFE else "_" if byte == 0x20 else f"={byte:02X}" for byte in raw
    )


def fold(name: str, value: str, *, column: int | None = None) -> str:
    """Break `value` at spaces so that lines stay within 76; unfolding gives `value` back.

    `column` is where the value begins; by default after `Name: `.
    Raises UnsafeValue when one word alone is longer than a line may be (998).
    """
    width = len(name) + 2 if column is None else column
    lines: list[str] = []
    line = ""
    for word in value.split(" "):
        longer = f"{line} {word}" if line else word
        if line and width + len(longer) > FOLD_AT:
            lines.append(line)
            line, width = word, 1
        else:
            line = longer
        if width + len(line) > MAX_LINE:
            raise UnsafeValue(f"A word in the header {name} is longer than a line may be.")
    return "\r\n ".join([*lines, line])


def list_url(url: str) -> str:
    """Return `<url>` for a List-* header: literal, never encoded, never folded (RFC 2369, 8058)."""
    assert_line(url)
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http", "mailto"} or re.search(r"[\s<>,\"]", url):
        raise UnsafeValue("A List header takes one plain https address.")
    return f"<{url}>"


def list_id(label: str, domain: str) -> str:
    """Return `<label.domain>` (RFC 2919): stable, without the newsletter's changeable name."""
    if not _LABEL.fullmatch(label):
        raise UnsafeValue("A List-Id label holds letters, digits and hyphens.")
    value = f"<{label}.{idna.encode(domain, uts46=True).decode('ascii')}>"
    if len(value) > 255:
        raise UnsafeValue("A List-Id is at most 255 characters long.")
    return value


def format_date(moment: datetime) -> str:
    """Return an RFC 5322 date in UTC. Raises UnsafeValue for a naive datetime."""
    if moment.tzinfo is None:
        raise UnsafeValue("A Date header needs a time zone.")
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0))
