"""A copy as a mail program reads it, and a document as a screen reader walks it."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def part(raw: bytes, kind: str) -> str:
    found = parsed(raw).get_body((kind,))
    assert found is not None
    content = found.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


class Outline(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def levels(self) -> list[int]:
        return [int(name[1]) for name, _ in self.tags if name in {"h1", "h2", "h3", "h4"}]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def assert_fit_for_the_wire(raw: bytes) -> None:
    """RFC 5322 section 2.1.1, RFC 2045 section 6.7, and nothing for dot-stuffing to change."""
    assert raw.isascii() and b"\x00" not in raw
    bare = raw.replace(b"\r\n", b"")
    assert b"\r" not in bare and b"\n" not in bare
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(line.startswith(b".") for line in lines)
    _head, _, body = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
