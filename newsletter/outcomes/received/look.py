"""All that a mail which arrived has to tell."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from newsletter.outcomes.domain_records import Finding, HostResolver
from newsletter.outcomes.received import body, dkim, hops, ids, one_click, receiver, relay
from newsletter.outcomes.received.mail import Mail, arrived_at, author_domain
from newsletter.outcomes.received.organisation import Author


@dataclass(frozen=True, slots=True)
class Looked:
    """Whose mail it is, who took it, and what was found."""

    domain: str
    receiver: str
    findings: tuple[Finding, ...]


def look_at(mail: Mail, *, ours: Collection[str], host: str, resolver: HostResolver) -> Looked:
    """Look at a mail. `ours` are the domains that our mail comes from, `host` is BASE_URL's.

    Raises Unfit for a mail of somebody else's.
    """
    author = Author(author_domain(mail, ours), resolver)
    verdict = receiver.read(mail)
    hop = hops.entrance(mail)
    by = (verdict and verdict.server) or (hop and hop.by) or "the receiver"

    def findings() -> Iterator[Finding]:
        yield from dkim.look_at(
            mail,
            author,
            resolver,
            arrived=arrived_at(mail) or datetime.now(UTC),
            found_valid=verdict.signed_domains if verdict else (),
            receiver=by,
        )
        yield from receiver.look_at(verdict, author)
        yield from one_click.look_at(mail, host=host)
        yield from body.look_at(mail, link=one_click.link_of(mail, host=host), host=host)
        yield from relay.look_at(hop, resolver)
        yield from ids.look_at(mail, ours)

    return Looked(author.domain, by, tuple(findings()))
