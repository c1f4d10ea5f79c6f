"""What the server that took the mail writes of it: Authentication-Results (RFC 8601).

Only the topmost counts, and what its server goes on with right below: iCloud writes one field for
each method. All else may have come with the mail, and anybody may have written it; a receiver has
to take out what comes under its own name (section 5).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.outcomes.domain_records import DnsUnreachable, Finding, Level
from newsletter.outcomes.received.mail import Field, Mail
from newsletter.outcomes.received.organisation import Author, house

_RESULT = re.compile(r"\s*([a-z0-9-]+)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(
    r"([a-z0-9-]+\s*\.\s*[a-z0-9_-]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s;]+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Result:
    method: str
    result: str
    properties: dict[str, str]

    def domain(self, *names: str) -> str:
        """Return the domain in the first of these properties that is there."""
        value = next((self.properties[name] for name in names if name in self.properties), "")
        return value.strip('"<> ').rpartition("@")[2].lower().rstrip(".")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands on top. `server` is who wrote it; Outlook.com leaves that out, though section 2.2
    asks for it."""

    server: str
    results: tuple[Result, ...]

    def of(self, method: str) -> list[Result]:
        return [one for one in self.results if one.method == method]

    @property
    def signed_domains(self) -> frozenset[str]:
        """The domains whose signature it found valid."""
        return frozenset(
            one.domain("header.d", "header.i") for one in self.of("dkim") if one.result == "pass"
        )


def read(mail: Mail) -> Verdict | None:
    """Return what the last server says; None where it says nothing."""
    found: Verdict | None = None
    for one in mail.fields:
        if one.name.lower() != "authentication-results":
            if found:
                break
            continue
        verdict = _verdict(one)
        if found is None:
            found = verdict
        elif found.server and house(found.server) == house(verdict.server):
            found = Verdict(found.server, found.results + verdict.results)
        else:
            break
    return found


def _verdict(one: Field) -> Verdict:
    parts = _split(without_comments(one.value))
    server = ""
    if parts and "=" not in parts[0]:
        server = (parts.pop(0).split() or [""])[0].lower()
    results = []
    for part in parts:
        if match := _RESULT.match(part):
            properties = {
                re.sub(r"\s", "", name).lower(): value
                for name, value in _PROPERTY.findall(part[match.end() :])
            }
            results.append(Result(match[1].lower(), match[2].lower(), properties))
    return Verdict(server, tuple(results))


def look_at(verdict: Verdict | None, author: Author) -> Iterator[Finding]:
    """Yield what the receiver says of SPF, DKIM and DMARC, and what to do about it."""
    if verdict is None:
        yield Finding(
            Level.UNASKED,
            "Receiver",
            "It wrote no Authentication-Results. Send a test to Gmail or Outlook.com too.",
        )
        return
    for method, judge in (("SPF", _spf), ("DKIM", _dkim), ("DMARC", _dmarc)):
        about = f"Receiver on {method}"
        results = verdict.of(method.lower())
        if not results:
            yield Finding(Level.UNASKED, about, "It does not say; Gmail and Outlook.com do.")
        elif {one.result for one in results} == {"temperror"}:
            yield Finding(
                Level.WARNING, about, "It could not ask the DNS just then. Send another test."
            )
        else:
            try:
                yield judge(about, results, author)
            except DnsUnreachable as error:
                yield Finding(Level.UNASKED, about, f"pass, but for whom is not known: {error}")


def _spf(about: str, results: list[Result], author: Author) -> Finding:
    one = results[0]
    domain = one.domain("smtp.mailfrom", "smtp.helo")
    of_whom = domain or "the envelope's sender"
    if one.result != "pass":
        return Finding(
            Level.BAD,
            about,
            f"{one.result} for {of_whom}. Its SPF record has to name the address that the relay "
            "sends from; check_deliverability reads the record.",
        )
    if not domain:
        return Finding(Level.UNASKED, about, "pass, but it does not say for whom.")
    if not author.aligned(domain, strictness="aspf"):
        return Finding(
            Level.WARNING,
            about,
            f"pass for {domain}, which is not {author.domain}'s, so that DMARC hangs on DKIM "
            "alone. Better let bounces go to a domain below it (BOUNCE_DOMAIN, or your "
            "provider's “custom return path”).",
        )
    return Finding(Level.GOOD, about, f"pass for {domain}.")


def _dkim(about: str, results: list[Result], author: Author) -> Finding:
    passed = [one.domain("header.d", "header.i") for one in results if one.result == "pass"]
    if any(domain and author.aligned(domain, strictness="adkim") for domain in passed):
        return Finding(Level.GOOD, about, "pass.")
    if passed:
        named = ", ".join(sorted(filter(None, passed))) or "nobody that it names"
        return Finding(
            Level.BAD,
            about,
            f"pass, but for {named} and not for {author.domain}. Have the relay sign as "
            f"d={author.domain}.",
        )
    return Finding(
        Level.BAD,
        about,
        f"{results[0].result}. The lines on DKIM above tell why.",
    )


def _dmarc(about: str, results: list[Result], author: Author) -> Finding:
    result = results[0].result
    if result == "pass":
        return Finding(Level.GOOD, about, "pass.")
    if result in ("none", "bestguesspass"):
        return Finding(
            Level.BAD,
            about,
            f"{author.domain} has no policy. Bulk mail needs one; check_deliverability says what "
            "to write.",
        )
    return Finding(
        Level.BAD,
        about,
        f"{result}: neither SPF nor DKIM passes for {author.domain}. Put right what is said of "
        "them, above all that the relay signs as that domain.",
    )


def without_comments(text: str) -> str:
    """Return a structured field's text with a blank for each comment (RFC 5322 section 3.2.2)."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for one in text:
        if escaped:
            escaped = False
        elif one == "\\":
            escaped = True
        elif one == '"' and not depth:
            quoted = not quoted
        elif one == "(" and not quoted:
            depth += 1
            continue
        elif one == ")" and not quoted and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(one)
    return "".join(kept)


def _split(text: str) -> list[str]:
    """Cut at semicolons that stand outside quotes."""
    parts = [""]
    for piece in re.findall(r";|\"(?:[^\"\\]|\\.)*\"|[^;\"]+|\"", text):
        if piece == ";":
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]
