"""Asking: what somebody typed is kept, and one mail goes to the mailbox that it names."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from newsletter.catalogue.models import Condition, Newsletter
from signup import tokens
from signup.address import Address, hashes_of
from signup.keeping import Typed, keep
from signup.models import (
    ConsentText,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
    asked,
    plain,
)

# How often one address may be asked to confirm something.
CONFIRMATION_EVERY = asked.EVERY


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
    return keep(
        Typed(
            address=address,
            newsletters=newsletters,
            conditions=conditions,
            cadence=cadence,
            texts=texts,
            first_name=first_name,
            language=language,
            form_url=form_url,
        )
    )


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


def may_be_asked(address_key: str, now: datetime) -> bool:
    """Take the one confirmation that this address may get a day, whatever it is to confirm.

    Counted for the address across all that this installation sends, and kept for a day under its
    keyed hash: also when the reader was erased meanwhile. A suppressed address: one in 30 days.
    Inside the caller's transaction, which also writes the mail.
    """
    hashes = hashes_of(address_key)
    asking, noting = plain.Trip(), plain.Trip()
    asked.add_taking(asking, hashes, now)
    (taken,) = asking.go()
    asked.add_noting(noting, hashes, now, taken=bool(taken))
    noting.go()
    return bool(taken)


def _mail(sign_up: SignUp, now: datetime) -> SystemMail | None:
    """Queue the confirmation if this address may get one now. The reader's row is locked."""
    if not may_be_asked(sign_up.subscriber.email_key or "", now):
        return None
    live = Subscription.objects.live().filter(subscriber=sign_up.subscriber_id).exists()
    return SystemMail.objects.create(
        kind=SystemMail.Kind.ADD if live else SystemMail.Kind.CONFIRM,
        subscriber=sign_up.subscriber,
        sign_up=sign_up,
        expires_at=now + tokens.MAX_AGE[tokens.Purpose.CONFIRM],
    )
