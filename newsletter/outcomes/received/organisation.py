"""Whether another domain belongs with the one in From: identifier alignment (RFC 9989)."""

from dataclasses import dataclass, field
from functools import cached_property

from newsletter.outcomes.domain_records import Resolver, tags_of

# RFC 9989 section 4.10: from a longer name the walk goes on with its last seven labels.
_LONGEST_WALK = 8
# Names under which strangers register, by the look of them: example.co.uk, example.nhs.uk.
_LONGEST_SECOND_LEVEL = 3


@dataclass(frozen=True)
class Author:
    """The domain in From."""

    domain: str
    resolver: Resolver = field(repr=False)

    def aligned(self, other: str, *, strictness: str) -> bool:
        """True when `other` counts as the author's for DMARC. `strictness` is the policy's tag,
        adkim or aspf. Raises DnsUnreachable where that hangs on the DNS."""
        if other == self.domain:
            return True
        if self._policy.get(strictness, "r").lower() == "s":
            return False
        return organisation(other, self.resolver)[0] == self._organisation[0]

    @property
    def _policy(self) -> dict[str, str]:
        return self._organisation[1]

    @cached_property
    def _organisation(self) -> tuple[str, dict[str, str]]:
        return organisation(self.domain, self.resolver)


def organisation(domain: str, resolver: Resolver) -> tuple[str, dict[str, str]]:
    """Return a name's organisational domain, and the tags of the policy that holds for the name.

    By the DNS tree walk of RFC 9989 section 4.10. Raises DnsUnreachable.
    """
    found: list[tuple[str, dict[str, str]]] = []
    for name in _walk(domain):
        records = [
            tags_of(one)
            for one in resolver.texts(f"_dmarc.{name}")
            if one.lower().startswith("v=dmarc1")
        ]
        if len(records) != 1:
            continue
        found.append((name, records[0]))
        public = records[0].get("psd", "u").lower()
        if public == "n":
            break
        if public == "y" and name != domain:
            below = domain.removesuffix(f".{name}").rpartition(".")[2] + f".{name}"
            return below, next(
                (tags for one, tags in found if one in (domain, below)), found[-1][1]
            )
    if not found:
        return domain, {}
    top = found[-1][0]
    return top, next((tags for one, tags in found if one in (domain, top)), {})


def _walk(domain: str) -> list[str]:
    labels = domain.split(".")
    first = [domain] if len(labels) > _LONGEST_WALK else []
    labels = labels[-(_LONGEST_WALK - 1) :] if first else labels
    return first + [".".join(labels[start:]) for start in range(len(labels))]


def house(host: str) -> str:
    """Return a host's domain by the look of it: near enough to tell a receiver's own machines from
    others, and asking the DNS of each would take too long."""
    labels = host.split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= _LONGEST_SECOND_LEVEL
    return ".".join(labels[-3:] if short else labels[-2:])
