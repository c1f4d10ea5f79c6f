"""Quoted-printable as this project puts it on the wire (RFC 2045 section 6.7).

Three things go beyond the RFC. A line never begins with a dot, so that dot-stuffing (RFC 5321
section 4.5.2) changes nothing, whoever does it. A line never begins with `From `, which mailbox
formats would alter under a DKIM signature. And content takes at most 75 of a line's 76 columns,
the last line too, so that any two encoded pieces can be joined by a soft break.
"""

import re

from newsletter.wire.headers import UnsafeValue

SOFT_BREAK = b"=\r\n"
_ROOM = 75
_ENCODE = re.compile(rb"[^\t\x20-\x3c\x3e-\x7e]")
_HEX = [f"={byte:02X}".encode() for byte in range(256)]
_ENDS_IN_BLANK = re.compile(rb"[ \t]$")


def encode(text: str) -> bytes:
    """Encode a text of any number of lines; line ends become CRLF.

    A piece that does not end with a line end can be followed by SOFT_BREAK and another piece.
    Raises UnsafeValue for NUL and for half a character (a lone surrogate).
    """
    if "\x00" in text:
        raise UnsafeValue("A NUL may not stand in a message.")
    try:
        raw = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    except UnicodeEncodeError as error:
        raise UnsafeValue("The text holds half a character (a lone surrogate).") from error
    lines = raw.split(b"\n")
    encoded = [_encode_line(line, hard=True) for line in lines[:-1]]
    encoded.append(_encode_line(lines[-1], hard=False))
    return b"\r\n".join(encoded)


def _encode_line(line: bytes, *, hard: bool) -> bytes:
    rest = _ENCODE.sub(lambda match: _HEX[match[0][0]], line)
    if hard and _ENDS_IN_BLANK.search(rest):
        rest = rest[:-1] + _HEX[rest[-1]]
    pieces: list[bytes] = []
    while True:
        rest = _guard_start(rest)
        if len(rest) <= _ROOM:
            pieces.append(rest)
            return SOFT_BREAK.join(pieces)
        cut = _ROOM
        if rest[cut - 1] == 0x3D:
            cut -= 1
        elif rest[cut - 2] == 0x3D:
            cut -= 2
        pieces.append(rest[:cut])
        rest = rest[cut:]


def _guard_start(line: bytes) -> bytes:
    if line.startswith(b"."):
        return b"=2E" + line[1:]
    if line.startswith(b"From "):
        return b"=46" + line[1:]
    return line
