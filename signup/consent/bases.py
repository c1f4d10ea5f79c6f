"""Legal bases other than a confirmed sign-up, each by its own name and never without evidence.

Neither is enough for what says something about health: a digest, or a newsletter marked
sensitive, is mailed to nobody who has not agreed on a form that says so (GDPR Art. 9(2)(a)).
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from signup import cadence, consent
from signup.address import Address, hash_address
from signup.models import ConsentEntry, ConsentText, Subscriber, Subscription
from signup.suppress import is_suppressed

Action = ConsentEntry.Action
Method = ConsentEntry.Method


_GIVEN = re.compile(r"given (?P<on>\d{4}-\d\d-\d\d) at (?P<source>.+?); proof: ", re.DOTALL)
_SALE = re.compile(r"sale .+? on (?P<on>\d{4}-\d\d-\d\d); refusal offered: ", re.DOTALL)


class BasisRefused(ValueError):
    """This basis cannot carry mail to this reader. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What soft opt-in rests on (ePrivacy Directive Art. 13(2), PECR reg. 22(3))."""

    on: date
    # An invoice or order number: what shows that there was a sale, not what was bought.
    reference: str
    # That one could refuse when the address was taken, and how that was offered.
    refusal_offered: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an imported consent was given, and where its proof is."""

    given_on: date
    source: str
    proof: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an address came from, for its reader (GDPR Art. 14(2)(f)). `source` "": a sale."""

    on: date
    source: str


def provenance(entry: ConsentEntry) -> Provenance:
    """Read back from the evidence what `record_soft_opt_in` or `record_import` wrote into it.

    Raises ValueError for a line that neither of them wrote.
    """
    found = _GIVEN.match(entry.evidence) or _SALE.match(entry.evidence)
    if found is None:
        raise ValueError(f"Entry {entry.pk} has no evidence of an import or a sale.")
    return Provenance(date.fromisoformat(found["on"]), found.groupdict().get("source") or "")


def record_soft_opt_in(
    *, address: Address, newsletter: Newsletter, sale: Sale, by: str, language: str = "en"
) -> Subscription:
    """Make live on the basis of a sale. Raises BasisRefused."""
    if not sale.reference.strip() or not sale.refusal_offered.strip():
        raise BasisRefused(
            "Soft opt-in needs evidence: which sale it was, and how one could refuse when the "
            "address was taken."
        )
    _not_ahead(sale.on)
    evidence = (
        f"sale {sale.reference.strip()} on {sale.on}; "
        f"refusal offered: {sale.refusal_offered.strip()}; recorded by {by}"
    )
    return _record(address, newsletter, Action.SOFT_OPT_IN, Method.SALE, evidence, language)


def record_import(
    *, address: Address, newsletter: Newsletter, origin: Origin, by: str, language: str = "en"
) -> Subscription:
    """Make live on a consent that was given elsewhere. Raises BasisRefused."""
    if not origin.source.strip() or not origin.proof.strip():
        raise BasisRefused(
            "An import needs evidence: where the consent was given, and where its proof is kept."
        )
    _not_ahead(origin.given_on)
    evidence = (
        f"given {origin.given_on} at {origin.source.strip()}; "
        f"proof: {origin.proof.strip()}; recorded by {by}"
    )
    return _record(address, newsletter, Action.IMPORTED, Method.IMPORT, evidence, language)


def _not_ahead(day: date) -> None:
    if day > timezone.localdate():
        raise BasisRefused("The day that it rests on lies in the future.")


def _record(
    address: Address,
    newsletter: Newsletter,
    action: Action,
    method: Method,
    evidence: str,
    language: str,
) -> Subscription:
    if newsletter.is_digest or newsletter.sensitive:
        raise BasisRefused(
            f"“{newsletter.name}” says something about health: only the reader's own consent on a "
            "form can carry it."
        )
    if len(evidence) > ConsentEntry._meta.get_field("evidence").max_length:  # type: ignore[operator]
        raise BasisRefused("The evidence is too long: name it, and keep it where it is.")
    now = timezone.now()
    with transaction.atomic():
        subscriber = _reader(address, language)
        subscription, _created = Subscription.objects.get_or_create(
            subscriber=subscriber, newsletter=newsletter
        )
        _refuse_who_left(subscription)
        if subscription.state == Subscription.State.LIVE:
            return subscription  # what carries it already is at least as strong
        _make_live(subscription, action, method, evidence, now)
        return subscription


def _reader(address: Address, language: str) -> Subscriber:
    """The locked reader. Invariant 9: nothing but the reader lifts a suppression."""
    if is_suppressed(address.key):
        raise BasisRefused("This address must not be mailed. Only its reader can lift that.")
    subscriber, _created = Subscriber.objects.get_or_create(
        email_key=address.key,
        defaults={
            "email": address.email,
            "address_hash": hash_address(address.key),
            "language": language,
            "timezone": settings.TIME_ZONE,
        },
    )
    locked = Subscriber.objects.locked(subscriber.pk)
    if is_suppressed(address.key):  # while we waited for the lock
        raise BasisRefused("This address must not be mailed. Only its reader can lift that.")
    return locked


def _refuse_who_left(subscription: Subscription) -> None:
    if subscription.state == Subscription.State.ENDED:
        raise BasisRefused("This reader has left. Only by confirming anew do they come back.")


def _make_live(
    subscription: Subscription, action: Action, method: Method, evidence: str, now: datetime
) -> None:
    subscription.consent = consent.record(
        subscriber=subscription.subscriber,
        action=action,
        purpose=ConsentText.Purpose.MAIL,
        method=method,
        newsletter=subscription.newsletter,
        evidence=evidence,
    )
    subscription.state = Subscription.State.LIVE
    subscription.live_at = now
    subscription.save()
    cadence.announce([subscription.pk])
