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

_ADDRESS = re.compile(r"https?://[^\s<>()]+")
_SWITCH_OFF = (
    "Switch click tracking off at your relay or provider; your readers were promised that nobody "
    "counts."
)


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
    """Yield what there is to say. `host` is BASE_URL's, `link` the header's to it: where that is
    gone ("") nothing is said of the others, because one_click has said it."""
    parts = list(_parts(mail))
    text = [words for kind, words in parts if kind == "text/plain"]
    html = [_Html(words) for kind, words in parts if kind == "text/html"]
    if link:
        yield _links(text, html, link, host)
    strange = {_host(one) for page in html for one in page.pictures} - {host, ""}
    if strange:
        yield Finding(
            Level.BAD,
            "Pictures",
            f"There is one from {', '.join(sorted(strange))}, which tells that host who opened the "
            "mail. Ours come from BASE_URL only: switch open tracking off at your relay or "
            "provider.",
        )
    else:
        yield Finding(Level.GOOD, "Pictures", "There is none but ours.")


def _links(text: list[str], html: list[_Html], link: str, host: str) -> Finding:
    # Behind a blank or a bracket: a rewritten link may hold ours within itself.
    literal = re.compile(rf"(?<![^\s<(]){re.escape(link)}")
    whole = [literal.search(words) is not None for words in text]
    whole += [link in page.links for page in html]
    if not whole or not all(whole):
        return Finding(
            Level.BAD,
            "Links",
            "The unsubscribe link of the header does not stand in each part of the mail, as it "
            f"did: links were rewritten, most often to count clicks. {_SWITCH_OFF}",
        )
    # The text has every link that the HTML has, and providers leave it alone.
    named = {_host(one) for words in text for one in _ADDRESS.findall(words)}
    strange = {_host(one) for page in html for one in page.links} - named - {host, ""}
    if text and strange:
        return Finding(
            Level.BAD,
            "Links",
            f"Some lead to {', '.join(sorted(strange))} in the HTML and not in the text: they were "
            f"rewritten, most often to count clicks. {_SWITCH_OFF}",
        )
    return Finding(Level.GOOD, "Links", "They lead where the text says, and to leave as we wrote.")


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
