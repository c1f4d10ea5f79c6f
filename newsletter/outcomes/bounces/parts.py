"""A mail taken apart within limits: its header fields, and the parts of a report.

Whoever knows a return path may send anything to it, so nothing here goes deeper than one level or
reads more than is said below. The fields themselves are read by the standard library.
"""

import re
from email.message import Message
from email.parser import BytesHeaderParser, HeaderParser

# What is read of a mail. What a report says stands in front of the mail that it brings back.
MAX_OCTETS = 256 * 1024
MAX_HEAD = 64 * 1024
# A report has three parts (RFC 6522 section 3); a gateway may have put some of its own in front.
MAX_PARTS = 8
# One for the mail, one for each reader of it (RFC 3464 section 2.1): we send to one at a time.
MAX_BLOCKS = 20
MAX_FIELD = 1000

_END_OF_HEAD = re.compile(rb"(?:\A|\n)\r?\n")
_BETWEEN_BLOCKS = re.compile(r"\r?\n[ \t]*\r?\n")
_SPACE = re.compile(r"\s+")


def head_of(raw: bytes) -> tuple["Message[str, str]", bytes]:
    """Return the fields of a mail or of a part, and what stands behind them."""
    raw = raw[:MAX_OCTETS]
    end = _END_OF_HEAD.search(raw)
    head, body = (raw[: end.end()], raw[end.end() :]) if end else (raw, b"")
    return BytesHeaderParser().parsebytes(head[:MAX_HEAD]), body


def parts_of(body: bytes, boundary: str) -> list[tuple["Message[str, str]", bytes]]:
    """Return the parts between these boundaries, with whatever is in them left as it is.

    The last one may lack its end: a report that was cut off still says what it said first.
    """
    delimiter = b"--" + boundary.encode("ascii", "replace")
    found: list[list[bytes]] = []
    for line in body.splitlines(keepends=True):
        text = line.rstrip()
        if text == delimiter:
            if len(found) == MAX_PARTS:
                break
            found.append([])
        elif text == delimiter + b"--":
            break
        elif found:
            found[-1].append(line)
    return [head_of(b"".join(lines)) for lines in found]


def blocks_of(head: "Message[str, str]", body: bytes) -> list["Message[str, str]"]:
    """Return a part's blocks of fields, one for each group of lines without a blank one.

    The part may be in base64 or quoted-printable (RFC 6533 section 6.3 allows it).
    """
    head.set_payload(body.decode("ascii", "surrogateescape"))
    decoded = head.get_payload(decode=True)
    text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
    blocks = _BETWEEN_BLOCKS.split(text.strip("\r\n"), maxsplit=MAX_BLOCKS)[:MAX_BLOCKS]
    return [HeaderParser().parsestr(block.lstrip("\r\n")) for block in blocks]


def field(head: "Message[str, str]", name: str) -> str:
    """Return a field's value on one line and fit for every database; "" where there is none."""
    value = _SPACE.sub(" ", str(head.get(name, ""))[:MAX_FIELD]).strip()
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in value)
