"""The button behind the mail: what was asked for begins."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from newsletter.catalogue.models import Condition, Newsletter, ReleaseCounter
from signup import cadence, consent, suppress
from signup.models import (
    ConsentEntry,
    ConsentSubject,
    ConsentText,
    Follow,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
)

Method = ConsentEntry.Method
Purpose = ConsentText.Purpose


class Superseded(Exception):
    """The reader has left, or was erased, after asking: an old link revives nothing."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The sign-up as it stands now, and whether this very call confirmed it."""

    sign_up: SignUp
    now: bool


def confirm(
    *,
    sign_up: SignUp,
    asked_at: datetime | None = None,
    method: Method = Method.CONFIRMATION,
) -> Confirmed:
    """Make live what was asked for, write it in the ledger, lift what stood against the address.

    `asked_at` is when the link was asked for (the sign-up itself, or a fresh link for it); what
    the reader ended after that stays ended. Harmless twice, also at the same moment: the reader's
    row is locked, and the second call changes nothing. Raises Superseded; nothing changed then.
    """
    with transaction.atomic():
        subscriber = Subscriber.objects.locked(sign_up.subscriber_id)
        sign_up = SignUp.objects.get(pk=sign_up.pk)
        if sign_up.confirmed_at is not None:
            return Confirmed(sign_up, now=False)
        if subscriber.is_erased:
            raise Superseded
        asked_at = asked_at or sign_up.created_at
        if asked_at == sign_up.created_at.replace(microsecond=0):
            # A link counts in whole seconds: what was left earlier in that second came before.
            asked_at = sign_up.created_at
        now = timezone.now()
        try:
            lifted = suppress.lift(address_key=subscriber.email_key, asked_at=asked_at)
        except suppress.StillSuppressed as error:
            raise Superseded from error
        newsletters = _not_left_since(subscriber, list(sign_up.newsletters.all()), asked_at)
        withdrawn = _withdrawn_since(subscriber, asked_at)
        if Purpose.HEALTH in withdrawn:
            newsletters = [one for one in newsletters if not (one.is_digest or one.sensitive)]
        if not newsletters:
            raise Superseded
        texts = {
            Purpose(text.purpose): text
            for text in sign_up.consent_texts.all()
            if text.purpose not in withdrawn
        }
        entries = _write_consents(subscriber, sign_up, texts, newsletters, lifted, method, now)
        changed = _make_live(subscriber, sign_up, newsletters, entries, now)
        if subscriber.health_consent_id and any(one.is_digest for one in newsletters):
            follow(subscriber=subscriber, conditions=sign_up.conditions.open())
        _fill_in(subscriber, sign_up)
        sign_up.confirmed_at = now
        sign_up.save(update_fields=["confirmed_at"])
        cadence.announce(changed)
        return Confirmed(sign_up, now=True)


def follow(*, subscriber: Subscriber, conditions: Iterable[Condition]) -> None:
    """Follow, or follow again what was paused. Nothing released before is owed."""
    current = ReleaseCounter.current()
    for condition in conditions:
        found, created = Follow.objects.get_or_create(
            subscriber=subscriber, condition=condition, defaults={"from_seq": current}
        )
        if not created and found.paused_at is not None:
            found.paused_at, found.from_seq = None, current
            found.save(update_fields=["paused_at", "from_seq"])


def _not_left_since(
    subscriber: Subscriber, newsletters: list[Newsletter], asked_at: datetime
) -> list[Newsletter]:
    left = set(
        Subscription.objects.filter(
            subscriber=subscriber, state=Subscription.State.ENDED, ended_at__gt=asked_at
        ).values_list("newsletter_id", flat=True)
    )
    return [newsletter for newsletter in newsletters if newsletter.pk not in left]


def _withdrawn_since(subscriber: Subscriber, asked_at: datetime) -> set[str]:
    """The purposes that the reader took back after asking, and that do not stand again."""
    standing = {
        Purpose.HEALTH: subscriber.health_consent_id,
        Purpose.MEASUREMENT: subscriber.measurement_consent_id,
    }
    withdrawn = ConsentEntry.objects.filter(
        subject__in=ConsentSubject.objects.filter(subscriber=subscriber).values("subject"),
        action=ConsentEntry.Action.WITHDRAWN,
        purpose__in=[purpose for purpose, entry in standing.items() if entry is None],
        at__gt=asked_at,
    )
    return set(withdrawn.values_list("purpose", flat=True))


def _write_consents(
    subscriber: Subscriber,
    sign_up: SignUp,
    texts: dict[Purpose, ConsentText],
    newsletters: list[Newsletter],
    lifted: list[Suppression],
    method: Method,
    now: datetime,
) -> dict[int, ConsentEntry]:
    """Append one line for each newsletter and each further purpose; return newsletter id → line."""
    evidence = f"answers sign-up {sign_up.pk} of {sign_up.created_at:%Y-%m-%dT%H:%M:%SZ}"
    if lifted:
        reasons = ", ".join(sorted({suppression.reason for suppression in lifted}))
        evidence += f"; lifted: {reasons}"
    others = [purpose for purpose in texts if purpose != Purpose.MAIL]
    statements = [
        consent.Statement(
            action=ConsentEntry.Action.CONFIRMED,
            purpose=Purpose.MAIL,
            method=method,
            newsletter=newsletter,
            text=texts[Purpose.MAIL],
            form_url=sign_up.form_url,
            evidence=evidence,
        )
        for newsletter in newsletters
    ] + [
        consent.Statement(
            action=ConsentEntry.Action.CONFIRMED,
            purpose=purpose,
            method=method,
            text=texts[purpose],
            form_url=sign_up.form_url,
            evidence=evidence,
        )
        for purpose in others
    ]
    entries = consent.record_all(subscriber=subscriber, statements=statements, at=now)
    further = dict(zip(others, entries[len(newsletters) :], strict=True))
    if Purpose.HEALTH in further:
        subscriber.health_consent = further[Purpose.HEALTH]
    if Purpose.MEASUREMENT in further:
        subscriber.measurement_consent = further[Purpose.MEASUREMENT]
    return {newsletter.pk: entry for newsletter, entry in zip(newsletters, entries, strict=False)}


def _make_live(
    subscriber: Subscriber,
    sign_up: SignUp,
    newsletters: list[Newsletter],
    entries: dict[int, ConsentEntry],
    now: datetime,
) -> list[int]:
    """Return the ids of the subscriptions that became live; a live one keeps its cadence."""
    changed: list[int] = []
    for newsletter in newsletters:
        subscription, _created = Subscription.objects.get_or_create(
            subscriber=subscriber, newsletter=newsletter
        )
        subscription.consent = entries[newsletter.pk]
        if subscription.state != Subscription.State.LIVE:
            subscription.state = Subscription.State.LIVE
            subscription.cadence = sign_up.cadence
            subscription.live_at = now
            subscription.ended_at = None
            subscription.ended_reason = ""
            subscription.paused_at = subscription.paused_until = None
            subscription.undo_hash = subscription.undo_until = None
            changed.append(subscription.pk)
        subscription.awaits_note = False  # who asks knows of us
        subscription.save()
    return changed


def _fill_in(subscriber: Subscriber, sign_up: SignUp) -> None:
    if not subscriber.first_name:
        subscriber.first_name = sign_up.first_name
    subscriber.language = sign_up.language
    subscriber.save(
        update_fields=["first_name", "language", "health_consent", "measurement_consent"]
    )
