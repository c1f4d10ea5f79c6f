"""What happened between a reader and us, newest first, in words for staff.

What tells of health is left out until somebody asked for it with a reason: the conditions, and
the names of newsletters that are marked sensitive.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from newsletter.catalogue.models import Newsletter
from newsletter.outcomes.models import Event
from newsletter.sending.models import Delivery, Mailing
from signup.models import ConsentEntry, SignUp, Subscriber, Subscription, SystemMail
from signup.privacy.ledger import ledger_of

# Deliveries have no index by reader, on purpose (docs/sending.md): each mailing is one look-up.
MAILINGS = 200
MOST = 300


@dataclass(frozen=True, slots=True)
class Moment:
    """One line. `kind` is "sign-up", "subscription", "mail" or "consent"."""

    at: datetime
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Naming:
    """How newsletters are named here: the sensitive ones not before their reader's sake is said."""

    everything: bool

    def __call__(self, newsletter: Newsletter | None) -> str:
        if newsletter is None:
            return ""
        if newsletter.sensitive and not self.everything:
            return _("a sensitive newsletter")
        return f"“{newsletter.name}”"


def timeline(subscriber: Subscriber, *, everything: bool) -> list[Moment]:
    """Return the newest moments. `everything` names conditions and sensitive newsletters."""
    name = Naming(everything)
    moments: Iterable[Moment] = [
        *_sign_ups(subscriber, name),
        *_subscriptions(subscriber, name),
        *_system_mails(subscriber),
        *_deliveries(subscriber, name),
        *_events(subscriber, name),
        *_consents(subscriber, name),
    ]
    return sorted(moments, key=lambda moment: moment.at, reverse=True)[:MOST]


def _sign_ups(subscriber: Subscriber, name: Naming) -> Iterator[Moment]:
    rows = SignUp.objects.filter(subscriber=subscriber).prefetch_related(
        "newsletters", "conditions"
    )
    for row in rows:
        wanted = [name(newsletter) for newsletter in row.newsletters.all()]
        if name.everything:
            wanted += [condition.name for condition in row.conditions.all()]
        names = ", ".join(dict.fromkeys(wanted)) or _("nothing by name")
        yield Moment(row.created_at, "sign-up", _("Filled in the form: %s") % names)
        if row.confirmed_at:
            yield Moment(row.confirmed_at, "sign-up", _("Confirmed: %s") % names)


def _subscriptions(subscriber: Subscriber, name: Naming) -> Iterator[Moment]:
    for row in Subscription.objects.filter(subscriber=subscriber).select_related("newsletter"):
        of = name(row.newsletter)
        yield Moment(row.created_at, "subscription", _("Asked for %s") % of)
        if row.live_at:
            yield Moment(row.live_at, "subscription", _("Subscribed to %s") % of)
        if row.ended_at:
            yield Moment(
                row.ended_at,
                "subscription",
                _("Ended %(newsletter)s: %(reason)s")
                % {"newsletter": of, "reason": row.get_ended_reason_display()},
            )


def _system_mails(subscriber: Subscriber) -> Iterator[Moment]:
    for mail in SystemMail.objects.filter(subscriber=subscriber):
        yield Moment(
            mail.accepted_at or mail.created_at,
            "mail",
            _("System mail (%(kind)s): %(state)s")
            % {"kind": mail.get_kind_display(), "state": mail.get_state_display()},
        )


def _deliveries(subscriber: Subscriber, name: Naming) -> Iterator[Moment]:
    recent = list(Mailing.objects.order_by("-pk").values_list("pk", flat=True)[:MAILINGS])
    rows = Delivery.objects.filter(mailing__in=recent, subscriber=subscriber)
    for row in rows.select_related("mailing__newsletter", "mailing__issue"):
        state = row.get_state_display()
        if row.skip_reason:
            state = f"{state} ({row.get_skip_reason_display()})"
        issue = row.mailing.issue
        what = name(row.mailing.newsletter)
        if issue is not None and (name.everything or not row.mailing.newsletter.sensitive):
            what = f"{what}, {issue.title}"
        yield Moment(row.outcome_at or row.mailing.dated, "mail", f"{what}: {state}")


def _events(subscriber: Subscriber, name: Naming) -> Iterator[Moment]:
    # What was clicked is between the reader and the statistics; only what bears on mailing is here.
    rows = Event.objects.filter(subscriber=subscriber).exclude(kind=Event.Kind.CLICKED)
    for event in rows.select_related("mailing__newsletter").order_by("-at")[:MOST]:
        of = name(event.mailing.newsletter) if event.mailing else ""
        what = _("The mail service says: %s") % event.get_kind_display()
        yield Moment(event.at, "mail", f"{what} {event.status} {of}".strip())


def _consents(subscriber: Subscriber, name: Naming) -> Iterator[Moment]:
    for entry in ledger_of(subscriber).select_related("newsletter"):
        purpose = entry.get_purpose_display() if entry.purpose else _("everything")
        about = f"{purpose}, {name(entry.newsletter)}" if entry.newsletter else purpose
        yield Moment(
            entry.at,
            "consent",
            _("Consent %(action)s: %(about)s (%(how)s)")
            % {
                "action": ConsentEntry.Action(entry.action).label,
                "about": about,
                "how": entry.get_method_display(),
            },
        )
