"""System mail: claimed, rendered, sent, recorded. A row says what is owed; no token is stored."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from newsletter.transports.classify import HARD
from newsletter.transports.errors import TransportError
from newsletter.transports.protocol import send_in_order
from newsletter.transports.select import bulk_transport, system_transport
from newsletter.transports.values import Envelope, Outcome, Receipt
from signup import letter, retire, suppress
from signup.address import hashes_of
from signup.consent import renewal
from signup.models import Subscription, Suppression, SystemMail

log = logging.getLogger(__name__)

# How long a worker may take over one mail before another may look at it. The worker's clock is
# good enough here: a lease is far longer than clocks differ, and a second confirmation is the
# worst that could come of it.
LEASE = timedelta(minutes=2)
UNKNOWN_AFTER = timedelta(minutes=15)
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120))
# A mail that was never tried after this long lost its task; the sweep hands it out again.
LOST_AFTER = timedelta(seconds=20)
SWEEP_AT_MOST = 500

State = SystemMail.State


@dataclass(frozen=True, slots=True)
class Claim:
    mail: SystemMail
    epoch: int


def send_system_mail(system_mail_id: int) -> None:
    """Send one mail if it is due and nobody else has it. Lost, late or twice: no harm.

    The network is spoken to outside every transaction; the outcome is written only while the
    claim is still ours.
    """
    now = timezone.now()
    if not _still_wanted(system_mail_id, now):
        return
    claim = _claim(system_mail_id, now)
    if claim is None:
        return
    try:
        envelope = letter.envelope(claim.mail)
    except Exception:
        # Nothing has left: give it back, so that a mended template still sends it.
        _record(claim, Receipt(Outcome.TEMPORARY, reply="could not be rendered"))
        raise
    receipt = _hand_over(envelope, health=claim.mail.is_health_data)
    _record(claim, receipt)
    if receipt.outcome is Outcome.PERMANENT and receipt.enhanced in HARD:
        # The address it went to, which a change of address may have made another than the reader's.
        suppress.suppress(
            address_key=envelope.recipient.lower(),
            reason=Suppression.Reason.HARD_BOUNCE,
            source=f"system mail {claim.mail.pk}: {receipt.enhanced}",
        )


def sweep() -> list[int]:
    """Put right what got lost, and return the ids that are due, oldest first.

    A worker that died while it had a mail leaves it unknown: it may have gone out. After a
    quarter of an hour it is sent once more, the same bytes, and then never again (invariant 7).
    """
    now = timezone.now()
    mails = SystemMail.objects
    mails.filter(state=State.QUEUED, expires_at__lte=now).update(state=State.EXPIRED)
    mails.filter(state=State.HANDED, lease_until__lt=now).update(
        state=State.UNKNOWN, retry_at=now + UNKNOWN_AFTER, lease_until=None
    )
    mails.filter(state=State.UNKNOWN, resent=False, retry_at__lte=now, expires_at__gt=now).update(
        state=State.QUEUED, resent=True, retry_at=now
    )
    lost = Q(retry_at__isnull=True, created_at__lt=now - LOST_AFTER)
    due = mails.filter(Q(retry_at__lte=now) | lost, state=State.QUEUED)
    return list(due.order_by("pk").values_list("pk", flat=True)[:SWEEP_AT_MOST])


def _still_wanted(system_mail_id: int, now: datetime) -> bool:
    """Let a mail expire that has lost its reason since it was queued."""
    mail = (
        SystemMail.objects.select_related("subscriber", "sign_up", "address_change")
        .filter(pk=system_mail_id, state=State.QUEUED)
        .first()
    )
    if mail is None:
        return False
    confirmed = (mail.sign_up is not None and mail.sign_up.confirmed_at is not None) or (
        mail.kind == SystemMail.Kind.ADDRESS
        and mail.address_change is not None
        and mail.address_change.confirmed_at is not None
    )
    pointless = (
        (mail.kind == SystemMail.Kind.RENEWAL and not renewal.still_asks(mail))
        or (mail.kind == SystemMail.Kind.BROUGHT_IN and letter.brought_in(mail) is None)
        or (mail.kind == SystemMail.Kind.RETIRED and not retire.still_tells(mail))
    )
    if mail.expires_at <= now or confirmed or pointless or _must_not_be_mailed(mail):
        SystemMail.objects.filter(pk=mail.pk, state=State.QUEUED).update(state=State.EXPIRED)
        return False
    return True


def _must_not_be_mailed(mail: SystemMail) -> bool:
    """Erased, or suppressed. A confirmation may go out past a suppression older than itself."""
    if mail.subscriber.email_key is None or mail.recipient is None:
        return True
    against = Suppression.objects.filter(address_hash__in=hashes_of(mail.recipient.lower()))
    if mail.kind in SystemMail.CONFIRMATIONS:
        against = against.filter(created_at__gt=mail.created_at)
    return against.exists()


def _claim(system_mail_id: int, now: datetime) -> Claim | None:
    claimed = SystemMail.objects.filter(
        Q(retry_at__isnull=True) | Q(retry_at__lte=now),
        pk=system_mail_id,
        state=State.QUEUED,
        expires_at__gt=now,
    ).update(
        state=State.HANDED,
        epoch=F("epoch") + 1,
        attempt=F("attempt") + 1,
        lease_until=now + LEASE,
        retry_at=None,
    )
    if claimed != 1:
        return None
    mail = SystemMail.objects.select_related("subscriber", "sign_up", "address_change").get(
        pk=system_mail_id
    )
    return Claim(mail, mail.epoch)


def _hand_over(envelope: Envelope, *, health: bool) -> Receipt:
    try:
        transport = bulk_transport(health=True) if health else system_transport()
        transport.open()
    except TransportError as error:
        log.error("System mail cannot leave: %s", error)
        return Receipt(Outcome.TEMPORARY, reply=str(error), about_the_line=True)
    try:
        return send_in_order(transport, [envelope])[0]
    finally:
        transport.close()


def _let_go(note: SystemMail) -> None:
    """The reader was told where the address came from: from now on issues may follow."""
    subscription = letter.brought_in(note)
    if subscription is not None:
        Subscription.objects.filter(pk=subscription.pk).update(awaits_note=False)


def _record(claim: Claim, receipt: Receipt) -> None:
    """Write the outcome unless the lease was lost meanwhile."""
    now = timezone.now()
    mine = SystemMail.objects.filter(pk=claim.mail.pk, epoch=claim.epoch, state=State.HANDED)
    reply = receipt.as_line()
    if receipt.outcome is Outcome.ACCEPTED:
        with transaction.atomic():
            accepted = mine.update(
                state=State.ACCEPTED, accepted_at=now, reply=reply, lease_until=None
            )
            if accepted and claim.mail.kind == SystemMail.Kind.BROUGHT_IN:
                _let_go(claim.mail)
    elif receipt.outcome is Outcome.PERMANENT:
        mine.update(state=State.REFUSED, reply=reply, lease_until=None)
    elif receipt.outcome is Outcome.UNKNOWN:
        again = None if claim.mail.resent else now + UNKNOWN_AFTER
        mine.update(state=State.UNKNOWN, retry_at=again, reply=reply, lease_until=None)
    else:
        if receipt.outcome is Outcome.OURS:
            log.error("The relay refuses system mail because of us: %s", reply)
        # A relay that is away says nothing about this mail: look again soon.
        tries = 1 if receipt.about_the_line else claim.mail.attempt
        wait = BACK_OFF[min(tries, len(BACK_OFF)) - 1]
        mine.update(state=State.QUEUED, retry_at=now + wait, reply=reply, lease_until=None)
