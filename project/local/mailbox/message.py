"""One caught mail, taken apart to be looked at. Broken mail is shown as far as it goes."""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage, Message

_LARGEST_SOURCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Caught:
    sender: str
    recipient: str
    content: bytes
    at: datetime
    message: EmailMessage

    @classmethod
    def parse(cls, key: str, sender: str, recipient: str, content: bytes) -> "Caught":
        at = datetime.fromtimestamp(int(key.partition(".")[0]) / 1e6, UTC)
        message = email.message_from_bytes(content, policy=email.policy.default)
        return cls(sender, recipient, content, at, message)

    @property
    def subject(self) -> str:
        return self._header("Subject") or "(no subject)"

    @property
    def from_header(self) -> str:
        return self._header("From")

    @property
    def to_header(self) -> str:
        return self._header("To")

    @property
    def html(self) -> str:
        return self._body("text/html")

    @property
    def text(self) -> str:
        return self._body("text/plain")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Name and value as they came over the line, folding included."""
        head = self.content.split(b"\r\n\r\n", 1)[0].decode("utf-8", "replace")
        fields = re.split(r"\r\n(?![ \t])", head)
        pairs = (field.partition(":") for field in fields if field)
        return [(name, value.strip()) for name, _, value in pairs]

    @property
    def source(self) -> str:
        return self.content[:_LARGEST_SOURCE].decode("utf-8", "replace")

    @property
    def source_is_cut(self) -> bool:
        return len(self.content) > _LARGEST_SOURCE

    @property
    def one_click_url(self) -> str:
        """Where a mail program's own unsubscribe button posts to (RFC 8058), if it may."""
        if self._header("List-Unsubscribe-Post").strip() != "List-Unsubscribe=One-Click":
            return ""
        found = re.search(r"<(https?://[^>\s]+)>", self._header("List-Unsubscribe"))
        return found.group(1) if found else ""

    def _header(self, name: str) -> str:
        try:
            return str(self.message.get(name, ""))
        except Exception:  # the parser of a broken header may raise anything
            return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def _body(self, kind: str) -> str:
        for part in self.message.walk():
            if part.get_content_type() == kind and not part.is_attachment():
                return _decoded(part)
        return ""


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:  # a charset that does not exist
        return content.decode("utf-8", "replace")


def for_frame(html: str) -> str:
    """Return the mail with links that open beside it, as a mail program does."""
    base = '<base target="_blank">'
    changed, count = re.subn(r"<head[^>]*>", lambda found: found.group(0) + base, html, count=1)
    return changed if count else base + html
