"""What a relay says, cut into replies. Bytes in, replies out; no socket and no clock."""

import re

# RFC 5321 section 4.5.3.1.5 allows 512 octets a line; relays write longer ones.
_LONGEST_LINE = 8192
_MOST_LINES = 200
# Looked up instead of parsed: four replies come for each message. 1yz is no SMTP.
_CODES = {str(code).encode(): code for code in range(200, 600)}
# How the last line of a reply begins, or its only one, when text follows.
_ENDS = {code + b" ": number for code, number in _CODES.items()}
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")


class NoReply(Exception):
    """What came is no SMTP reply: nothing on this line can be told any more."""


# One whole reply: its code, and its text without codes, its lines joined by blanks. A plain tuple,
# because four of them come for each message.
Reply = tuple[int, bytes]


def read(reply: Reply) -> tuple[str, str]:
    """Return (enhanced code or "", text for people)."""
    code, raw = reply
    text = raw.decode("utf-8", "replace").strip()
    if not text.isprintable():
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    match = _ENHANCED.match(text)
    # A class that belongs to another code says nothing.
    if match and ord(text[0]) - 48 == code // 100:
        return match[1], text[match.end() :]
    return "", text


class Replies:
    """Cuts whatever arrives, however it was split on the way, into whole replies."""

    __slots__ = ("_begun", "_code", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        # The lines of a reply of several (RFC 5321 section 4.2.1) whose last one is not here yet.
        self._begun: list[bytes] = []
        self._code = 0

    @property
    def is_clean(self) -> bool:
        """Whether what comes next is the beginning of a reply."""
        return not (self._rest or self._begun)

    def feed(self, received: bytes) -> tuple[list[Reply], NoReply | None]:
        """Return the replies that are now complete, and why there will be no more, if so.

        What came before the garbage still counts: it says what became of earlier messages.
        """
        lines = (self._rest + received).split(b"\n")
        self._rest = lines.pop()
        replies: list[Reply] = []
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
        for line in lines:
            code = _ENDS.get(line[:4])
            if code is not None and not self._begun and len(line) <= _LONGEST_LINE:
                replies.append((code, line[4:]))
                continue
            code, mark = _CODES.get(line[:3]), line[3:4]
            if code is None or len(line) > _LONGEST_LINE or mark not in _MARKS:
                return replies, NoReply("the relay answered with something that is no SMTP")
            if self._begun:
                # Some relays repeat the enhanced code on each line; people read it once.
                if code != self._code or len(self._begun) == _MOST_LINES:
                    return replies, NoReply("the relay mixed up the lines of a reply")
                self._begun.append(line[4:].strip())
                if mark == b"-":
                    continue
                replies.append((code, _joined(self._begun)))
                self._begun = []
            elif mark == b"-":
                self._begun, self._code = [line[4:].strip()], code
            else:
                replies.append((code, line[4:]))
        return replies, None


# After the code: text, more lines, or nothing at all.
_MARKS = frozenset({b" ", b"-", b"", b"\r"})


def _joined(lines: list[bytes]) -> bytes:
    first, *others = lines
    enhanced = first.partition(b" ")[0]
    if enhanced.count(b".") == 2 and enhanced[:1].isdigit():
        others = [line.removeprefix(enhanced).strip() for line in others]
    return b" ".join([first, *others])
