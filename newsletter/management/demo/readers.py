"""The demo's readers, made by the same verbs as real ones, so that every consent has its lines.

What differs is said in the rows themselves: the form is called seed_demo, the confirmation was
given by a command, and the replies to the confirmation mails say that none was sent.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.management.demo.population import Person, Story, people
from signup import consent, preferences, subscribe, suppress, unsubscribe
from signup.address import normalise
from signup.confirm import confirm
from signup.models import (
    ConsentEntry,
    ConsentText,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)

SOURCE = "seed_demo"
NOT_SENT = "seed_demo: invented, no mail was sent"
_PAUSE = timedelta(days=30)
# Readers made in one transaction: few commits, and an interrupted run keeps what it had.
_AT_ONCE = 50

Purpose = ConsentText.Purpose


def make() -> int:
    """Make the readers who are missing, each as far as their story goes before any mailing."""
    wanted = {normalise(person.email).key: person for person in people()}
    there = set(Subscriber.objects.filter(email_key__in=wanted).values_list("email_key", flat=True))
    missing = [person for key, person in wanted.items() if key not in there]
    shelf = _Shelf()
    for at in range(0, len(missing), _AT_ONCE):
        with transaction.atomic():
            for person in missing[at : at + _AT_ONCE]:
                _make(person, shelf)
    return len(missing)


def let_leave() -> int:
    """Let those readers leave whose story ends so. Who has left once is left alone."""
    leavers = {
        normalise(person.email).key: person for person in people() if person.story in _LEAVING
    }
    changed = 0
    for subscriber in Subscriber.objects.filter(email_key__in=leavers).order_by("pk"):
        with transaction.atomic():
            changed += _leave(subscriber, leavers[subscriber.email_key or ""].story)
    return changed


class _Shelf:
    """What every reader chooses from, read once."""

    def __init__(self) -> None:
        self.newsletters = {each.slug: each for each in Newsletter.objects.all()}
        self.conditions = {each.slug: each for each in Condition.objects.all()}
        self.texts = consent.current_texts("en")


def _make(person: Person, shelf: _Shelf) -> None:
    conditions = [shelf.conditions[slug] for slug in person.conditions]
    mail = subscribe.request_sign_up(
        address=normalise(person.email),
        newsletters=[shelf.newsletters[slug] for slug in person.newsletters],
        conditions=conditions,
        cadence=person.cadence,
        consent_texts=_agreed(person, shelf),
        first_name=person.first_name,
        form_url=SOURCE,
    )
    if mail is None or mail.sign_up is None:
        raise RuntimeError(f"{person.email} could not sign up: too many sign-ups today.")
    _settle(mail)
    if person.story == Story.PENDING:
        return
    confirm(sign_up=mail.sign_up, method=ConsentEntry.Method.COMMAND)
    paused = conditions[:1] if person.story == Story.PAUSED_CONDITION else []
    preferences.save(
        subscriber=mail.subscriber,
        choices=_choices(person, conditions, paused),
        form_url=SOURCE,
    )


def _agreed(person: Person, shelf: _Shelf) -> Sequence[ConsentText]:
    agreed = [shelf.texts[Purpose.MAIL]]
    if "my-conditions" in person.newsletters:
        agreed.append(shelf.texts[Purpose.HEALTH])
    if person.measurement:
        agreed.append(shelf.texts[Purpose.MEASUREMENT])
    return agreed


def _settle(mail: SystemMail) -> None:
    """Close the confirmation mail in the transaction that made it, so that no worker sends it."""
    now = timezone.now()
    queued = SystemMail.objects.filter(pk=mail.pk, state=SystemMail.State.QUEUED)
    queued.update(state=SystemMail.State.HANDED, attempt=1)
    SystemMail.objects.filter(pk=mail.pk, state=SystemMail.State.HANDED).update(
        state=SystemMail.State.ACCEPTED, accepted_at=now, reply=NOT_SENT
    )


def _choices(
    person: Person, conditions: Sequence[Condition], paused: Sequence[Condition]
) -> preferences.Choices:
    until = timezone.localdate() + _PAUSE if person.story == Story.PAUSED else None
    return preferences.Choices(
        first_name=person.first_name,
        language="en",
        timezone=person.timezone,
        text_only=person.text_only,
        pause_until=until,
        cadence=person.cadence,
        weekday=person.weekday,
        hour=person.hour,
        conditions=frozenset(condition.pk for condition in conditions),
        paused=frozenset(condition.pk for condition in paused),
    )


_BY_THEMSELVES: dict[Story, tuple[Subscription.EndedReason, ConsentEntry.Method]] = {
    Story.LEFT_BY_LINK: (Subscription.EndedReason.UNSUBSCRIBED, ConsentEntry.Method.LINK),
    Story.LEFT_BY_ONE_CLICK: (Subscription.EndedReason.ONE_CLICK, ConsentEntry.Method.ONE_CLICK),
}
_SUPPRESSED: dict[Story, Suppression.Reason] = {
    Story.COMPLAINED: Suppression.Reason.COMPLAINT,
    Story.BOUNCED: Suppression.Reason.HARD_BOUNCE,
}
_LEAVING = _BY_THEMSELVES.keys() | _SUPPRESSED.keys()


def _leave(subscriber: Subscriber, story: Story) -> int:
    subscriptions = Subscription.objects.filter(subscriber=subscriber)
    # Asked of the ledger, so that who came back by the undo button is not shown out again.
    left = ConsentEntry.objects.filter(
        subject=subscriber.consent_subject.subject, action=ConsentEntry.Action.WITHDRAWN
    )
    if left.exists():
        return 0
    if story in _SUPPRESSED:
        suppress.suppress(subscriber=subscriber, reason=_SUPPRESSED[story], source=SOURCE)
    else:
        reason, method = _BY_THEMSELVES[story]
        # One publication only: who gets two keeps the other.
        first = subscriptions.order_by("pk")[0]
        unsubscribe.end(subscription=first, reason=reason, method=method)
    return 1
