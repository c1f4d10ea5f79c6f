"""On what ground somebody is mailed, and where the proof of it stands."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from newsletter.desk.readers.timeline import Naming
from signup.models import ConsentEntry, Subscriber, Subscription


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that a reader allows us, and the entry of the ledger that says so."""

    what: str
    entry: ConsentEntry

    @property
    def basis(self) -> str:
        if self.entry.action == ConsentEntry.Action.CONFIRMED:
            return _("Consent, confirmed by the reader")
        return str(ConsentEntry.Action(self.entry.action).label).capitalize()


def grounds(subscriber: Subscriber, *, everything: bool) -> list[Ground]:
    """Return what stands today: each live subscription, then the consents that are not for one."""
    name = Naming(everything)
    found = [
        Ground(name(row.newsletter), row.consent)
        for row in _live(subscriber)
        if row.consent is not None
    ]
    for entry, what in (
        (subscriber.health_consent, _("Use of the conditions followed")),
        (subscriber.measurement_consent, _("Measuring what is read")),
    ):
        if entry is not None:
            found.append(Ground(what, entry))
    return found


def proof_url(subscriber: Subscriber) -> str | None:
    """Where the printable proof stands; None while the desk has no such page."""
    try:
        return reverse("desk:consent_proof", args=(subscriber.pk,))
    except NoReverseMatch:
        return None


def _live(subscriber: Subscriber) -> "QuerySet[Subscription]":
    return (
        Subscription.objects.live()
        .filter(subscriber=subscriber)
        .select_related("newsletter", "consent__text")
        .order_by("pk")
    )
