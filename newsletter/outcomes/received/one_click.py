"""Whether one-click unsubscribing survived the way (RFC 2369, RFC 8058, standards A6 and A8)."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.outcomes.domain_records import Finding, Level
from newsletter.outcomes.received.mail import Field, Mail

_HEADER, _POST = "List-Unsubscribe", "List-Unsubscribe-Post"
_VALUE = "List-Unsubscribe=One-Click"
_URI = re.compile(r"<([^<>]*)>")


def link_of(mail: Mail, *, host: str) -> str:
    """Return the header's link to `host` as it was written; "" where there is none."""
    header = mail.first(_HEADER)
    found = _URI.findall(header.raw) if header else []
    return next((uri for uri in found if _https_host(uri) == host), "")


def look_at(mail: Mail, *, host: str) -> Iterator[Finding]:
    """Yield what there is to say. `host` is where the link has to lead: BASE_URL's."""
    faults = [*_header(mail.all(_HEADER), host), *_post(mail.all(_POST))]
    yield from faults
    if not faults:
        yield Finding(Level.GOOD, "One-click", f"Both fields came whole; the link leads to {host}.")


def _header(found: list[Field], host: str) -> Iterator[Finding]:
    if not found:
        yield _bad(
            _HEADER,
            "There is none. Issues and digests have it, other mails do not: give a test issue. If "
            "this is one, the relay took it out.",
        )
        return
    if len(found) > 1:
        yield _bad(
            _HEADER,
            f"There are {len(found)}, so receivers take none or the wrong one. Switch off what the "
            "relay or provider adds.",
        )
    raw = found[0].raw.strip()
    if "=?" in raw:
        yield _bad(
            _HEADER,
            "It came as an encoded word, which no receiver reads. Something behind us wrote the "
            "field anew: let the relay pass it on as it is.",
        )
        return
    if any(re.search(r"\s", uri) for uri in _URI.findall(raw)):
        yield _bad(
            _HEADER,
            "Its link was broken over lines. Let the relay pass long lines on as they are.",
        )
        return
    try:
        links = [urlsplit(uri) for uri in _URI.findall(raw)]
    except ValueError:
        yield _bad(_HEADER, "What stands in it is no address. Let the relay pass it on as it is.")
        return
    secure = [link for link in links if link.scheme.lower() == "https"]
    if not secure:
        yield _bad(
            _HEADER,
            "No https address stands in it, so that no receiver shows a button (RFC 8058). "
            "BASE_URL has to begin with https.",
        )
    elif len(secure) > 1:
        yield _bad(
            _HEADER,
            f"{len(secure)} https addresses stand in it, where one may (RFC 8058). Switch off what "
            "the relay or provider adds.",
        )
    elif secure[0].hostname != host:
        yield _bad(
            _HEADER,
            f"Its link leads to {secure[0].hostname} and not to {host}: rewritten to track who "
            "clicks. Switch that off, or mend BASE_URL if the mail came from elsewhere.",
        )


def _https_host(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme == "https" else ""


def _post(found: list[Field]) -> Iterator[Finding]:
    if not found:
        yield _bad(_POST, "There is none, so receivers show no button. The relay took it out.")
    elif len(found) > 1:
        yield _bad(_POST, f"There are {len(found)}. Switch off what the relay or provider adds.")
    elif found[0].raw.strip() != _VALUE:
        yield _bad(_POST, f"It is not {_VALUE} any more. Let the relay pass it on as it is.")


def _bad(about: str, message: str) -> Finding:
    return Finding(Level.BAD, about, message)
