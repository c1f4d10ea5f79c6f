"""How much is too much, for whom, and what two spellings of one mailbox count as."""

from dataclasses import dataclass
from hashlib import sha256

from django.conf import settings

from signup.address import hash_address

HOUR, DAY = 3_600, 86_400
# Under attack the limits shrink to a share of themselves, and whoever shows no proof of work
# shares a trickle: enough for the few people without JavaScript, useless to a machine.
ATTACK_SHARE = 3
ATTACK_UNPROVED_PER_NETWORK = 3
ATTACK_UNPROVED_PER_HOUR = 60
# A spelling that others share their mailbox with counts so often: `name+1@`, `name+2@`, … would
# otherwise be a mail each for the same person.
ALIAS_COUNTS = 3

_DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` (`under_attack`) in a window of `seconds`, for everyone who is `key`.

    `unproved`: counts those only who bring no proof of work.
    """

    kind: str
    key: str
    weight: int
    seconds: int
    most: int
    under_attack: int
    unproved: bool = False


def limits_for(*, address_key: str, network: str | None) -> list[Limit]:
    """Return what one attempt is counted against, in this order, up to the first that is full.

    The address comes before its domain and the whole installation: a flood at a few victims must
    not use up what everyone else at gmail.com has.
    """
    limits: list[Limit] = []

    def add(kind: str, what: str, most: int, **values: int) -> None:
        seconds = values.get("seconds", HOUR)
        limits.append(
            Limit(
                kind=kind,
                key=_hashed(kind, what),
                weight=values.get("weight", 1),
                seconds=seconds,
                most=most,
                under_attack=values.get("under_attack", max(1, most // ATTACK_SHARE)),
                unproved=kind.startswith("unproved"),
            )
        )

    if network is not None:
        add("network", network, settings.SIGN_UPS_PER_NETWORK)
        add(
            "unproved_network",
            network,
            settings.SIGN_UPS_UNPROVED_PER_NETWORK,
            under_attack=min(ATTACK_UNPROVED_PER_NETWORK, settings.SIGN_UPS_UNPROVED_PER_NETWORK),
        )
    mailbox = folded(address_key)
    most = settings.SIGN_UPS_PER_ADDRESS
    weight = 1 if mailbox == address_key else ALIAS_COUNTS
    # The same under attack: it is its own defence, and a reader may mistype again and again.
    add("address", mailbox, most, seconds=DAY, weight=weight, under_attack=most)
    # The domain and the whole keep their measure: else an attack would shut everybody out.
    per_domain, per_hour = settings.SIGN_UPS_PER_DOMAIN, settings.SIGN_UPS_PER_HOUR
    add("domain", mailbox.rpartition("@")[2], per_domain, under_attack=per_domain)
    add(
        "unproved",
        "all",
        settings.SIGN_UPS_UNPROVED_PER_HOUR,
        under_attack=min(ATTACK_UNPROVED_PER_HOUR, settings.SIGN_UPS_UNPROVED_PER_HOUR),
    )
    add("instance", "all", per_hour, under_attack=per_hour)
    return limits


def folded(address_key: str) -> str:
    """Return what the spellings of one mailbox share, for counting only.

    Nobody is mailed or known by it: to fold two people into one costs them nothing but some of
    the attempts they have a day.
    """
    local, _at, domain = address_key.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        local, domain = local.replace(".", "") or local, _DOTLESS[domain]
    return f"{local}@{domain}"


def _hashed(kind: str, what: str) -> str:
    """A network, a domain and above all an address tell of people: Redis sees none of them."""
    keyed = hash_address(f"{kind}:{what}") if kind != "instance" else kind.encode()
    return f"{kind}:{sha256(keyed).hexdigest()[:32]}"
