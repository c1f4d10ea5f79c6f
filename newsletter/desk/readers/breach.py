"""Whose data, and of what kinds, a breach would touch: for the notice within 72 hours.

GDPR Art. 33(3) asks for the categories and the approximate number of people and of records; Art. 34
for telling the people themselves. The answer rests on what stands in the database today: who was
erased since is counted, and cannot be told any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Newsletter
from newsletter.desk.models import AccessEntry
from newsletter.sending.models import Delivery
from signup.models import (
    ConsentEntry,
    ConsentSubject,
    Follow,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
)

ALL, NEWSLETTER, MAILINGS, EXPORTS, ACCOUNT = "all", "newsletter", "mailings", "exports", "account"

_Action = AccessEntry.Action
# What one such line of the access log let out about its reader.
_TAKEN_OUT = (_Action.EXPORTED, _Action.PROOF_SEEN)
_LEFT = (Delivery.State.ACCEPTED, Delivery.State.UNKNOWN)
_PAGE = 2_000
# How long after a mailing's end an unknown copy may still be proved to have been accepted.
_LATE_PROOF = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Breach:
    """What lay open, from `since` to `until`. `newsletter` and `account` as `what` needs them."""

    what: str
    since: datetime
    until: datetime
    newsletter: Newsletter | None = None
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One category of data: of how many people, in how many records. `health`: GDPR Art. 9."""

    name: str
    people: int
    records: int
    health: bool = False


@dataclass(frozen=True, slots=True)
class Touched:
    people: int
    # Among them: erased since, so nobody knows any more how to reach them.
    erased: int
    kinds: list[Kind]
    # (country or "", language) → people, most first.
    places: list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to tell. Telling somebody of a breach is no newsletter: a suppression does not stand
    against it, but whoever writes should know of it."""

    number: int
    email: str
    language: str
    country: str
    follows_conditions: bool
    never_mail: bool


def touched(breach: Breach) -> Touched:
    """Count people, kinds of data, and where people live. Reads whole tables: asked rarely."""
    readers = readers_of(breach)
    known = readers.filter(erased_at__isnull=True)
    people = readers.count()
    return Touched(
        people=people,
        erased=people - known.count(),
        kinds=[kind for kind in _kinds(known) if kind.records],
        places=_places(known),
    )


def to_be_told(breach: Breach) -> Iterator[Person]:
    """Yield everybody whose address is known, by their numbers, a page at a time."""
    suppressed = Suppression.objects.filter(address_hash=OuterRef("address_hash"))
    rows = (
        readers_of(breach)
        .filter(erased_at__isnull=True)
        .annotate(
            follows_any=Exists(Follow.objects.filter(subscriber=OuterRef("pk"))),
            never_mail=Exists(suppressed),
        )
        .order_by("pk")
    )
    after = 0
    while True:
        page = list(
            rows.filter(pk__gt=after).values_list(
                "pk", "email", "language", "timezone", "follows_any", "never_mail"
            )[:_PAGE]
        )
        for number, email, language, zone, follows, never in page:
            yield Person(number, email or "", language, country_of(zone), follows, never)
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def readers_of(breach: Breach) -> QuerySet[Subscriber]:
    """Return the readers whose data lay open, those erased since among them."""
    readers = Subscriber.objects.all()
    if breach.what == ALL:
        return readers.filter(_there("created_at", "erased_at", breach))
    if breach.what == NEWSLETTER:
        rows = Subscription.objects.filter(
            _there("created_at", "ended_at", breach), newsletter=breach.newsletter
        )
        return readers.filter(pk__in=rows.values("subscriber"))
    if breach.what == MAILINGS:
        # An outcome stands on a row of a mailing that had begun, and had not ended long before:
        # only the rows of those mailings are read, there is no index on the time.
        mailed = Delivery.objects.filter(
            Q(mailing__ended_at__isnull=True)
            | Q(mailing__ended_at__gte=breach.since - _LATE_PROOF),
            mailing__created_at__lte=breach.until,
            mailing__newsletter=breach.newsletter,
            state__in=_LEFT,
            outcome_at__range=(breach.since, breach.until),
        )
        return readers.filter(pk__in=mailed.values("subscriber"))
    looks = AccessEntry.objects.filter(at__range=(breach.since, breach.until))
    if breach.what == EXPORTS:
        return readers.filter(pk__in=_about_one(looks.filter(action__in=_TAKEN_OUT)))
    looks = looks.filter(actor_id=breach.account or 0)
    whom = Q(pk__in=_about_one(looks))
    for look in looks.filter(action=_Action.LISTED):
        whom |= _on_the_list(look)
    return readers.filter(whom)


def _there(begun: str, ended: str, breach: Breach) -> Q:
    """Rows that existed at some moment of the breach."""
    return Q(**{f"{begun}__lte": breach.until}) & (
        Q(**{f"{ended}__isnull": True}) | Q(**{f"{ended}__gte": breach.since})
    )


def _about_one(looks: QuerySet[AccessEntry]) -> QuerySet[AccessEntry, int | None]:
    return looks.filter(subscriber_id__isnull=False).values_list("subscriber_id", flat=True)


def _on_the_list(look: AccessEntry) -> Q:
    """Whom a list by health could show then, as the access log describes it.

    Who has stopped following since is not known any more: the row is gone.
    """
    parts = [part.strip() for part in look.detail.split(",")]
    named = dict(part.split(" ", 1) for part in parts if " " in part)
    states = [part for part in parts if part in Subscription.State.values]
    whom = Q()
    if "condition" in named:
        follows = Follow.objects.filter(
            condition__slug=named["condition"], followed_at__lte=look.at
        )
        whom &= Q(pk__in=follows.values("subscriber"))
    if "newsletter" in named or states:
        rows = Subscription.objects.filter(created_at__lte=look.at)
        if "newsletter" in named:
            rows = rows.filter(newsletter__slug=named["newsletter"])
        whom &= Q(pk__in=rows.values("subscriber"))
    # A line that says nothing must never come to mean everybody.
    return whom or Q(pk__in=[])


def _kinds(readers: QuerySet[Subscriber]) -> Iterator[Kind]:
    ids = readers.values("pk")
    people = readers.count()
    named = readers.exclude(first_name="").count()
    yield Kind(_("E-mail address, language, time zone"), people, people)
    yield Kind(_("First name"), named, named)
    subscriptions = Subscription.objects.filter(subscriber__in=ids)
    plain = subscriptions.filter(newsletter__sensitive=False)
    yield _kind(_("Newsletters chosen"), plain, "subscriber")
    sensitive = subscriptions.filter(newsletter__sensitive=True)
    yield _kind(_("Newsletters that tell of health"), sensitive, "subscriber", health=True)
    follows = Follow.objects.filter(subscriber__in=ids)
    yield _kind(_("Conditions followed"), follows, "subscriber", health=True)
    forms = SignUp.objects.filter(subscriber__in=ids)
    yield _kind(_("Sign-up forms as they were filled in"), forms, "subscriber", health=True)
    chains = ConsentSubject.objects.filter(subscriber__in=ids)
    lines = ConsentEntry.objects.filter(subject__in=chains.values("subject"))
    yield _kind(_("Consents: who said what to which words"), lines, "subject")


def _kind(name: str, rows: QuerySet[Any], person: str, *, health: bool = False) -> Kind:
    # Two statements: COUNT(DISTINCT …) sorts a million rows, where DISTINCT by itself hashes them.
    rows = rows.order_by()
    return Kind(name, rows.values(person).distinct().count(), rows.count(), health)


def _places(readers: QuerySet[Subscriber]) -> list[tuple[str, str, int]]:
    found: dict[tuple[str, str], int] = {}
    rows = readers.order_by().values_list("timezone", "language").annotate(people=Count("pk"))
    for zone, language, people in rows:
        place = country_of(zone), language
        found[place] = found.get(place, 0) + people
    return sorted(
        ((country, language, people) for (country, language), people in found.items()),
        key=lambda row: (-row[2], row[0], row[1]),
    )


def country_of(zone: str) -> str:
    """Return the country of an IANA time zone, in English; "" where it belongs to none (UTC).

    Readers give no country. The zone is the nearest thing to one: for which authority to tell.
    """
    return _countries().get(zone, "")


@cache
def _countries() -> dict[str, str]:
    """zone.tab of the time zone database: each zone there belongs to one country."""
    folder = files("tzdata.zoneinfo")
    names = dict(_columns(folder.joinpath("iso3166.tab").read_text(encoding="utf-8")))
    zones = _columns(folder.joinpath("zone.tab").read_text(encoding="utf-8"))
    return {row[2]: names[row[0]] for row in zones}


def _columns(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [line.split("\t") for line in lines]
