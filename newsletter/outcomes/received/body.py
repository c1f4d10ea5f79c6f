"""Whether somebody behind us counts who opens and who clicks (standards E6, E14).

Providers do so unless they are told not to: they lead each link by way of a host of theirs and put
a picture in that reports. Our mails have the header's link in each of their parts, and no picture
but ours.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from html.parser import HTMLParser
from urllib.parse import urlsplit

from newsletter.outcomes.domain_records import Finding, Level
from newsletter.outcomes.received.mail import Mail


class _Html(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if tag == "a" and name == "href":
                self.links.append((value or "").strip())
            elif tag == "img" and name == "src":
                self.pictures.append((value or "").strip())


def look_at(mail: Mail, *, link: str, host: str) -> Iterator[Finding]:
    """Yield what there is to say. `link` is the header's, `host` is BASE_URL's."""
    parts = list(_parts(mail))
    # Behind a blank or a bracket: a rewritten link may hold ours within itself.
    literal = re.compile(rf"(?<![^\s<(]){re.escape(link)}")
    text = [literal.search(words) is not None for kind, words in parts if kind == "text/plain"]
    html = [_Html(words) for kind, words in parts if kind == "text/html"]
    faults = 0
    if not parts or not all([*text, *(link in one.links for one in html)]):
        faults += 1
        yield Finding(
            Level.BAD,
            "Links",
            "The unsubscribe link of the header does not stand in each part of the mail, as it "
            "did: links were rewritten, most often to count clicks. Switch click tracking off at "
            "your relay or provider; your readers were promised that nobody counts.",
        )
    strange = {_host(one) for page in html for one in page.pictures} - {host, ""}
    if strange:
        faults += 1
        yield Finding(
            Level.BAD,
            "Pictures",
            f"There is one from {', '.join(sorted(strange))}, which tells that host who opened the "
            "mail. Ours come from BASE_URL only: switch open tracking off at your relay or "
            "provider.",
        )
    if not faults:
        yield Finding(
            Level.GOOD, "Tracking", "Links are as we wrote them, and there is no picture but ours."
        )


def _parts(mail: Mail) -> Iterator[tuple[str, str]]:
    octets = b"".join(one.octets for one in mail.fields) + b"\r\n" + mail.body
    for part in message_from_bytes(octets).walk():
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html"):
            content = part.get_payload(decode=True)
            yield kind, content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _host(address: str) -> str:
    """Return the host that an address names; "" for one within the mail (cid:, data:)."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return "an address that cannot be read"
