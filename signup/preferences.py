"""What a reader can change with a link that was mailed afresh."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from newsletter.catalogue.models import Condition, Newsletter, ReleaseCounter
from signup import cadence, consent, tokens, unsubscribe
from signup.address import Address, hashes_of
from signup.confirm import follow
from signup.models import (
    ConsentEntry,
    ConsentText,
    Follow,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)
from signup.subscribe import mail_again, request_sign_up

Purpose = ConsentText.Purpose
LINKS_A_DAY = 5
LINK_EVERY = timedelta(minutes=2)


class NoHealthConsent(ValueError):
    """Following needs the consent for health data, and it does not stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """A filled-in preferences page. `pause_until` is a day in the reader's own time zone."""

    first_name: str
    language: str
    timezone: str
    text_only: bool
    conditions_in_subject: bool = False
    alerts_while_paused: bool = False
    pause_until: date | None
    cadence: Subscription.Cadence
    weekday: int
    hour: int
    conditions: frozenset[int]
    paused: frozenset[int]
    # The wording beside a box that the reader ticked just now; None when not ticked.
    health_text: ConsentText | None = None
    measurement_text: ConsentText | None = None


def request_link(*, address_key: str) -> SystemMail | None:
    """Return the mail with a fresh link, or None: unknown, suppressed, or asked too often.

    Who has not confirmed yet gets the confirmation once more, if one is due: that mail was lost,
    or its link was broken by a mail program.
    """
    now = timezone.now()
    with transaction.atomic():
        found = Subscriber.objects.filter(email_key=address_key).first()
        if found is None:
            return None
        subscriber = Subscriber.objects.locked(found.pk)
        return _link(subscriber, now) or _confirmation(subscriber)


def request_link_again(*, subscriber_id: int) -> SystemMail | None:
    """The same, for the reader behind a link of ours that works no more."""
    now = timezone.now()
    with transaction.atomic():
        if not Subscriber.objects.filter(pk=subscriber_id).exists():
            return None
        subscriber = Subscriber.objects.locked(subscriber_id)
        return _link(subscriber, now) or _confirmation(subscriber)


def save(*, subscriber: Subscriber, choices: Choices, form_url: str = "") -> None:
    """Store the page. Raises NoHealthConsent when conditions are added without it."""
    with transaction.atomic():
        subscriber = Subscriber.objects.locked(subscriber.pk)
        if subscriber.is_erased:
            return
        ticked = (choices.health_text, choices.measurement_text)
        _agree(subscriber, [text for text in ticked if text is not None], form_url)
        _follow_these(subscriber, choices)
        _describe(subscriber, choices)
        cadence.announce(_retime(subscriber, choices))


def give(*, subscriber: Subscriber, text: ConsentText, form_url: str = "") -> None:
    """Give one consent by itself, to the words in `text`. Harmless twice."""
    with transaction.atomic():
        subscriber = Subscriber.objects.locked(subscriber.pk)
        if not subscriber.is_erased and text.purpose != Purpose.MAIL:
            _agree(subscriber, [text], form_url)
            subscriber.save(update_fields=["health_consent", "measurement_consent"])


def begin(
    *, subscriber: Subscriber, newsletter: Newsletter, text: ConsentText, form_url: str = ""
) -> SystemMail | None:
    """Subscribe to one more newsletter, agreeing to the words in `text`.

    A newsletter that this reader never had begins at once, because the page was opened by a link
    mailed minutes ago. One that was ended begins only when the reader confirms anew: then the
    mail for that is returned (None when none is due). Raises NoHealthConsent for a newsletter that
    says something about health while that consent does not stand.
    """
    with transaction.atomic():
        subscriber = Subscriber.objects.locked(subscriber.pk)
        if subscriber.is_erased or not newsletter.open_for_signup:
            return None
        if _about_health(newsletter) and subscriber.health_consent_id is None:
            raise NoHealthConsent
        subscription, _created = Subscription.objects.get_or_create(
            subscriber=subscriber, newsletter=newsletter
        )
        if subscription.state == Subscription.State.LIVE:
            return None
        if subscription.state == Subscription.State.ENDED:
            return _ask_anew(subscriber, newsletter, text, form_url)
        subscription.consent = consent.record(
            subscriber=subscriber,
            action=ConsentEntry.Action.CONFIRMED,
            purpose=Purpose.MAIL,
            method=ConsentEntry.Method.PREFERENCES,
            newsletter=newsletter,
            text=text,
            form_url=form_url,
        )
        subscription.state = Subscription.State.LIVE
        subscription.live_at = timezone.now()
        subscription.save()
        cadence.announce([subscription.pk])
        return None


def withdraw(
    *,
    subscriber: Subscriber,
    purpose: Purpose,
    method: ConsentEntry.Method = ConsentEntry.Method.PREFERENCES,
) -> None:
    """Withdraw one consent, as easily as it was given (GDPR Art. 7(3)). Harmless twice.

    Without the consent for health data nothing may be kept about what the reader follows: the
    follows are deleted and the digest ends, and so does every newsletter marked sensitive.
    """
    with transaction.atomic():
        subscriber = Subscriber.objects.locked(subscriber.pk)
        if purpose == Purpose.HEALTH and subscriber.health_consent_id is not None:
            subscriber.health_consent = None
            subscriber.save(update_fields=["health_consent"])
            _write_withdrawal(subscriber, purpose, method)
            Follow.objects.filter(subscriber=subscriber).delete()
            SignUp.conditions.through.objects.filter(signup__subscriber=subscriber).delete()
            _end_what_needed_it(subscriber, method)
        elif purpose == Purpose.MEASUREMENT and subscriber.measurement_consent_id is not None:
            subscriber.measurement_consent = None
            subscriber.save(update_fields=["measurement_consent"])
            _write_withdrawal(subscriber, purpose, method)


def _link(subscriber: Subscriber, now: datetime) -> SystemMail | None:
    sent = SystemMail.objects.filter(
        subscriber=subscriber, kind=SystemMail.Kind.PREFERENCES, created_at__gt=now - timedelta(1)
    )
    too_many = sent.count() >= LINKS_A_DAY
    too_soon = sent.filter(created_at__gt=now - LINK_EVERY).exists()
    suppressed = Suppression.objects.filter(
        address_hash__in=hashes_of(subscriber.email_key or "")
    ).exists()
    never_confirmed = not (
        Subscription.objects.filter(subscriber=subscriber, live_at__isnull=False).exists()
    )
    if subscriber.is_erased or too_many or too_soon or suppressed or never_confirmed:
        return None
    return SystemMail.objects.create(
        kind=SystemMail.Kind.PREFERENCES,
        subscriber=subscriber,
        expires_at=now + tokens.MAX_AGE[tokens.Purpose.PREFERENCES],
    )


def _confirmation(subscriber: Subscriber) -> SystemMail | None:
    if Subscription.objects.filter(subscriber=subscriber, live_at__isnull=False).exists():
        return None
    sign_up = SignUp.objects.filter(subscriber=subscriber).order_by("-pk").first()
    return mail_again(sign_up=sign_up) if sign_up is not None else None


def _ask_anew(
    subscriber: Subscriber, newsletter: Newsletter, text: ConsentText, form_url: str
) -> SystemMail | None:
    texts = [text]
    standing = subscriber.health_consent
    if _about_health(newsletter) and standing is not None and standing.text:
        texts.append(standing.text)
    return request_sign_up(
        address=Address(email=subscriber.email or "", key=subscriber.email_key or ""),
        newsletters=[newsletter],
        conditions=[],
        cadence=Subscription.Cadence.WEEKLY,
        consent_texts=texts,
        language=subscriber.language,
        form_url=form_url,
    )


def _about_health(newsletter: Newsletter) -> bool:
    return newsletter.is_digest or newsletter.sensitive


def _agree(subscriber: Subscriber, texts: Iterable[ConsentText], form_url: str) -> None:
    standing = {
        Purpose.HEALTH: subscriber.health_consent_id,
        Purpose.MEASUREMENT: subscriber.measurement_consent_id,
    }
    asked = [text for text in texts if standing[Purpose(text.purpose)] is None]
    # Whoever opened this page holds a link mailed minutes ago: given and confirmed in one step.
    entries = consent.record_all(
        subscriber=subscriber,
        statements=[
            consent.Statement(
                action=ConsentEntry.Action.CONFIRMED,
                purpose=Purpose(text.purpose),
                method=ConsentEntry.Method.PREFERENCES,
                text=text,
                form_url=form_url,
            )
            for text in asked
        ],
    )
    for text, entry in zip(asked, entries, strict=True):
        if text.purpose == Purpose.HEALTH:
            subscriber.health_consent = entry
        else:
            subscriber.measurement_consent = entry


def _follow_these(subscriber: Subscriber, choices: Choices) -> None:
    there = {row.condition_id: row for row in Follow.objects.filter(subscriber=subscriber)}
    added = choices.conditions - there.keys()
    if added and subscriber.health_consent_id is None:
        raise NoHealthConsent
    gone = there.keys() - choices.conditions
    Follow.objects.filter(subscriber=subscriber, condition__in=gone).delete()
    if added:
        follow(
            subscriber=subscriber,
            conditions=list(Condition.objects.open().filter(pk__in=added)),
        )
    now, current = timezone.now(), ReleaseCounter.current()
    kept = Follow.objects.filter(subscriber=subscriber)
    kept.active().filter(condition__in=choices.paused).update(paused_at=now)
    kept.filter(paused_at__isnull=False).exclude(condition__in=choices.paused).update(
        paused_at=None, from_seq=current
    )


def _describe(subscriber: Subscriber, choices: Choices) -> None:
    subscriber.first_name = choices.first_name
    subscriber.language = choices.language
    subscriber.timezone = choices.timezone
    subscriber.text_only = choices.text_only
    subscriber.conditions_in_subject = choices.conditions_in_subject
    subscriber.alerts_while_paused = choices.alerts_while_paused
    subscriber.save(
        update_fields=[
            "first_name",
            "language",
            "timezone",
            "text_only",
            "conditions_in_subject",
            "alerts_while_paused",
            "health_consent",
            "measurement_consent",
        ]
    )


def _retime(subscriber: Subscriber, choices: Choices) -> list[int]:
    """Set when mail comes; return the live subscriptions, which must be planned anew."""
    mine, now = Subscription.objects.filter(subscriber=subscriber), timezone.now()
    if choices.pause_until is not None:
        zone = ZoneInfo(choices.timezone)
        until = datetime.combine(choices.pause_until, wall_time.min, zone).astimezone(UTC)
        standing = mine.exclude(state=Subscription.State.ENDED)
        # A pause that is made longer or shorter began when it began.
        standing.exclude(paused_until__gt=now).update(paused_at=now)
        standing.update(paused_until=until)
    else:
        # A pause that is broken off ends now. When it ended must stay known: nothing released
        # before is owed (digests).
        mine.filter(paused_until__gt=now).update(paused_until=now)
    mine.filter(newsletter__kind=Newsletter.Kind.DIGEST).update(
        cadence=choices.cadence, weekday=choices.weekday, hour=choices.hour
    )
    return list(mine.live().values_list("pk", flat=True))


def _write_withdrawal(
    subscriber: Subscriber, purpose: Purpose, method: ConsentEntry.Method
) -> None:
    consent.record(
        subscriber=subscriber,
        action=ConsentEntry.Action.WITHDRAWN,
        purpose=purpose,
        method=method,
    )


def _end_what_needed_it(subscriber: Subscriber, method: ConsentEntry.Method) -> None:
    standing: Iterable[Subscription] = (
        Subscription.objects.filter(subscriber=subscriber)
        .exclude(state=Subscription.State.ENDED)
        .select_related("newsletter")
    )
    for subscription in standing:
        if _about_health(subscription.newsletter):
            unsubscribe.end(
                subscription=subscription,
                reason=Subscription.EndedReason.PREFERENCES,
                method=method,
            )
