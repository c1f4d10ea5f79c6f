"""Asking: what somebody typed is kept, and one mail goes to the mailbox that it names."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from newsletter.catalogue.models import Condition, Newsletter, Publisher
from signup import consent, tokens
from signup.address import Address, hash_address, hashes_of
from signup.models import (
    Asked,
    ConsentEntry,
    ConsentText,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
    plain,
)

CONFIRMATION_EVERY = timedelta(days=1)
CONFIRMATION_EVERY_IF_SUPPRESSED = timedelta(days=30)
# The last fence, in rows, when the limits in Redis are out of order.
SIGN_UPS_A_DAY = 10

_Newsletters = SignUp.newsletters.through
_Conditions = SignUp.conditions.through
_Texts = SignUp.consent_texts.through


class ConsentMissing(ValueError):
    """The choice needs a consent that was not given. Nothing was written."""


class NothingChosen(ValueError):
    """No newsletter that is open, or conditions without a digest to carry them."""


def request_sign_up(
    *,
    address: Address,
    newsletters: Iterable[Newsletter],
    conditions: Iterable[Condition],
    cadence: Subscription.Cadence,
    consent_texts: Iterable[ConsentText],
    first_name: str = "",
    language: str = "en",
    form_url: str = "",
) -> SystemMail | None:
    """Keep a sign-up until it is confirmed; return the mail to send, or None when none is due.

    Nothing changes for the reader: who is live stays live, who left stays away, and a stranger
    who types another person's address does that person no harm beyond one mail a day. The same
    work is done whether the address is new, known, ended or suppressed (invariant 13).

    Choosing a condition chooses the digest. Raises NothingChosen or ConsentMissing.
    """
    conditions, texts = list(conditions), list(consent_texts)
    newsletters = carried_by(newsletters, conditions)
    _require_consent(newsletters, conditions, texts)
    now = timezone.now()
    with transaction.atomic():
        subscriber = _reader(address, language)
        asked_today = SignUp.objects.filter(
            subscriber=subscriber, created_at__gt=now - timedelta(days=1)
        ).count()
        if asked_today >= SIGN_UPS_A_DAY:
            return None
        sign_up = SignUp(
            subscriber=subscriber,
            first_name=first_name,
            cadence=cadence,
            language=language,
            form_url=form_url[:500],
        )
        _keep(sign_up, newsletters, conditions, texts)
        _open_subscriptions(subscriber, newsletters, cadence)
        consent.record_all(
            subscriber=subscriber, statements=_given(newsletters, texts, form_url), at=now
        )
        return _mail(sign_up, now)


def mail_again(*, sign_up: SignUp) -> SystemMail | None:
    """Mail a new link for a sign-up whose link has expired; None when none is due (limits)."""
    with transaction.atomic():
        Subscriber.objects.locked(sign_up.subscriber_id)
        sign_up = SignUp.objects.select_related("subscriber").get(pk=sign_up.pk)
        if sign_up.confirmed_at is not None or sign_up.subscriber.is_erased:
            return None
        return _mail(sign_up, timezone.now())


def carried_by(
    newsletters: Iterable[Newsletter], conditions: Sequence[Condition]
) -> list[Newsletter]:
    """Return the newsletters that this choice comes to: conditions travel in the digest."""
    chosen = {newsletter.pk: newsletter for newsletter in newsletters}
    if conditions and not any(newsletter.is_digest for newsletter in chosen.values()):
        digests = list(digest_newsletters())
        if not digests:
            raise NothingChosen("No digest is open for sign-up, so conditions cannot be followed.")
        chosen |= {digest.pk: digest for digest in digests}
    if not chosen:
        raise NothingChosen("Choose at least one newsletter or condition.")
    return list(chosen.values())


def digest_newsletters() -> Iterable[Newsletter]:
    """Return the digests that are open for sign-up."""
    return Newsletter.objects.filter(kind=Newsletter.Kind.DIGEST, open_for_signup=True)


def needs_health_consent(
    newsletters: Iterable[Newsletter], conditions: Sequence[Condition]
) -> bool:
    """True when the choice alone says something about health (GDPR Art. 9)."""
    return bool(conditions) or any(newsletter.sensitive for newsletter in newsletters)


def _require_consent(
    newsletters: list[Newsletter], conditions: list[Condition], texts: list[ConsentText]
) -> None:
    purposes = {text.purpose for text in texts}
    if ConsentText.Purpose.MAIL not in purposes:
        raise ConsentMissing("Nobody is mailed without having agreed to it.")
    if needs_health_consent(newsletters, conditions) and ConsentText.Purpose.HEALTH not in purposes:
        raise ConsentMissing("Following a condition needs the consent for health data.")


def _reader(address: Address, language: str) -> Subscriber:
    """Return the row of this address under its lock; the same two statements if it is new."""
    reader = Subscriber(
        email_key=address.key,
        email=address.email,
        address_hash=hash_address(address.key),
        language=language,
        timezone=settings.TIME_ZONE,
    )
    return plain.insert_or_lock(reader, unique="email_key")


def _keep(
    sign_up: SignUp,
    newsletters: list[Newsletter],
    conditions: list[Condition],
    texts: list[ConsentText],
) -> None:
    plain.insert([sign_up])
    plain.insert([_Newsletters(signup=sign_up, newsletter=chosen) for chosen in newsletters])
    plain.insert([_Conditions(signup=sign_up, condition=chosen) for chosen in conditions])
    plain.insert([_Texts(signup=sign_up, consenttext=text) for text in texts])


def _open_subscriptions(
    subscriber: Subscriber, newsletters: list[Newsletter], cadence: Subscription.Cadence
) -> None:
    """One pending row for each newsletter that has none; live and ended rows stay as they are."""
    plain.insert(
        [
            Subscription(subscriber=subscriber, newsletter=newsletter, cadence=cadence)
            for newsletter in newsletters
        ],
        ignore_conflicts=True,
    )


def _given(
    newsletters: list[Newsletter], texts: list[ConsentText], form_url: str
) -> list[consent.Statement]:
    by_purpose = {text.purpose: text for text in texts}
    publisher = Publisher.current().name
    statements = [
        consent.Statement(
            action=ConsentEntry.Action.GIVEN,
            purpose=ConsentText.Purpose.MAIL,
            method=ConsentEntry.Method.FORM,
            newsletter=newsletter,
            text=by_purpose[ConsentText.Purpose.MAIL],
            form_url=form_url,
            evidence=f"shown as: {newsletter.name}, by {publisher}",
        )
        for newsletter in newsletters
    ]
    for purpose in (ConsentText.Purpose.HEALTH, ConsentText.Purpose.MEASUREMENT):
        if purpose in by_purpose:
            statements.append(
                consent.Statement(
                    action=ConsentEntry.Action.GIVEN,
                    purpose=purpose,
                    method=ConsentEntry.Method.FORM,
                    text=by_purpose[purpose],
                    form_url=form_url,
                )
            )
    return statements


def may_be_asked(address_key: str, now: datetime) -> bool:
    """Take the one confirmation that this address may get a day, whatever it is to confirm.

    Counted for the address across all that this installation sends, and kept for a day under its
    keyed hash: also when the reader was erased meanwhile. A suppressed address: one in 30 days.
    Inside the caller's transaction, which also writes the mail.
    """
    hashes = hashes_of(address_key)
    suppressed = list(Suppression.objects.filter(address_hash__in=hashes))
    since = now - CONFIRMATION_EVERY_IF_SUPPRESSED
    if any(row.confirmation_at and row.confirmation_at > since for row in suppressed):
        return False
    if not Asked.objects.take(hashes, now=now, since=now - CONFIRMATION_EVERY):
        return False
    for row in suppressed:
        row.confirmation_at = now
        row.save(update_fields=["confirmation_at"])
    return True


def _mail(sign_up: SignUp, now: datetime) -> SystemMail | None:
    """Queue the confirmation if this address may get one now. The reader's row is locked."""
    subscriber = sign_up.subscriber
    live = Subscription.objects.live().filter(subscriber=subscriber).exists()
    if not may_be_asked(subscriber.email_key or "", now):
        return None
    mail = SystemMail(
        kind=SystemMail.Kind.ADD if live else SystemMail.Kind.CONFIRM,
        subscriber=subscriber,
        sign_up=sign_up,
        expires_at=now + tokens.MAX_AGE[tokens.Purpose.CONFIRM],
    )
    plain.insert([mail])
    return mail
