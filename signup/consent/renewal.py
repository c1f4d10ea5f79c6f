"""Asking readers anew whether they still want a newsletter, and letting go who stays silent.

One mail to each, no reminder. The mail names a date; whoever has had it for three days and has not
pressed its button by then is mailed no more (reason `expired`, with a line in the ledger). Whom the
mail did not reach in time is not held to it and stays.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from signup.consent.chain import record
from signup.consent.expiry import end_as_expired
from signup.consent.texts import current_texts
from signup.models import (
    ConsentEntry,
    ConsentText,
    Renewal,
    RenewalQuestion,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)

SHORTEST, LONGEST = timedelta(days=7), timedelta(days=90)
# Who got the mail later than this before the date has not had time to answer.
TIME_TO_ANSWER = timedelta(days=3)
# How long the mail may still be sent after it was written.
_MAIL_LASTS = timedelta(days=14)
# Few at a time: the mail shares its queue with confirmations, which must not wait behind it.
AT_ONCE = 100
WAITING_AT_MOST = 200
END_AT_ONCE = 500


class CannotRenew(ValueError):
    """Not like this; the message says why. Nothing was written."""


class TooLate(Exception):
    """The date has passed, or the reader has left since: the button keeps nothing any more."""


@dataclass(frozen=True, slots=True)
class Counts:
    asked: int
    reached: int
    answered: int
    expired: int


def begin(*, newsletter: Newsletter, answer_by: datetime, reason: str, by: str) -> Renewal:
    """Ask everybody who is live today. The mails go out little by little. Raises CannotRenew."""
    now = timezone.now()
    if not reason.strip():
        raise CannotRenew("Say why readers are asked anew. The reason is kept.")
    if not now + SHORTEST <= answer_by <= now + LONGEST:
        raise CannotRenew(
            f"Give readers {SHORTEST.days} to {LONGEST.days} days, so that they can answer."
        )
    try:
        with transaction.atomic():
            return Renewal.objects.create(
                newsletter=newsletter,
                reason=reason.strip()[:300],
                begun_by=by,
                begun_at=now,
                answer_by=answer_by,
            )
    except IntegrityError as error:
        raise CannotRenew("Readers of this newsletter are being asked already.") from error


def cancel(*, renewal: Renewal) -> bool:
    """Stop asking; nobody is let go. What was answered stands. False when it is over already."""
    return bool(
        Renewal.objects.filter(pk=renewal.pk, state=Renewal.State.OPEN).update(
            state=Renewal.State.CANCELLED, ended_at=timezone.now()
        )
    )


def counts(renewal: Renewal) -> Counts:
    found = RenewalQuestion.objects.filter(renewal=renewal).aggregate(
        asked=Count("pk"),
        reached=Count("mailed_at"),
        answered=Count("answered_at"),
        expired=Count("expired_at"),
    )
    return Counts(**found)


def tick() -> None:
    """Go on with every campaign that is open. Harmless twice, late, and when stopped half-way."""
    _note_what_was_mailed()
    for renewal in Renewal.objects.filter(state=Renewal.State.OPEN).select_related("newsletter"):
        if timezone.now() >= renewal.answer_by:
            _let_go(renewal)
        elif timezone.now() < renewal.answer_by - TIME_TO_ANSWER:
            _ask_some(renewal.pk)


def still_asks(mail: SystemMail) -> bool:
    """True while the question in `mail` has a meaning: open, unanswered, the reader live."""
    return RenewalQuestion.objects.filter(
        mail=mail,
        answered_at__isnull=True,
        renewal__state=Renewal.State.OPEN,
        subscription__state=Subscription.State.LIVE,
    ).exists()


def keep(*, question: RenewalQuestion) -> Subscription:
    """The reader's yes, to the words that the page showed. Harmless twice. Raises TooLate.

    After the date it still counts while the reader has not been let go.
    """
    with transaction.atomic():
        Subscriber.objects.locked(question.subscription.subscriber_id)
        question = RenewalQuestion.objects.select_related(
            "subscription__newsletter", "subscription__subscriber", "text", "renewal"
        ).get(pk=question.pk)
        subscription = question.subscription
        if subscription.state != Subscription.State.LIVE:
            raise TooLate
        if question.answered_at is not None:
            return subscription
        asked = question.mailed_at or question.renewal.begun_at
        subscription.consent = record(
            subscriber=subscription.subscriber,
            action=ConsentEntry.Action.CONFIRMED,
            purpose=ConsentText.Purpose.MAIL,
            method=ConsentEntry.Method.RENEWAL,
            newsletter=subscription.newsletter,
            text=question.text,
            evidence=f"asked anew in campaign {question.renewal_id}, mailed {asked:%Y-%m-%d}",
        )
        subscription.save(update_fields=["consent"])
        question.answered_at = timezone.now()
        question.save(update_fields=["answered_at"])
        return subscription


def _note_what_was_mailed() -> None:
    """Keep when a mail was accepted: the mail's own row goes after 30 days."""
    mails = SystemMail.objects.filter(pk=OuterRef("mail"), state=SystemMail.State.ACCEPTED)
    RenewalQuestion.objects.filter(
        Exists(mails), mailed_at__isnull=True, renewal__state=Renewal.State.OPEN
    ).update(mailed_at=Subquery(mails.values("accepted_at")[:1]))


def _ask_some(renewal_id: int) -> None:
    waiting = SystemMail.objects.filter(
        kind=SystemMail.Kind.RENEWAL, state=SystemMail.State.QUEUED
    ).count()
    if waiting >= WAITING_AT_MOST:
        return
    with transaction.atomic():
        # Two ticks at once: the second waits here, and goes on where the first one stopped.
        renewal = Renewal.objects.select_for_update().get(pk=renewal_id)
        if renewal.state != Renewal.State.OPEN:
            return
        subscriptions = list(_not_asked(renewal)[:AT_ONCE])
        _write(renewal, subscriptions)
        if subscriptions:
            renewal.asked_upto = subscriptions[-1].pk
            renewal.save(update_fields=["asked_upto"])


def _not_asked(renewal: Renewal) -> QuerySet[Subscription]:
    suppressed = Suppression.objects.filter(address_hash=OuterRef("subscriber__address_hash"))
    return (
        Subscription.objects.live()
        .filter(
            ~Exists(suppressed),
            newsletter=renewal.newsletter_id,
            pk__gt=renewal.asked_upto,
            consent__at__lt=renewal.begun_at,
            subscriber__email__isnull=False,
        )
        .select_related("subscriber")
        .order_by("pk")
    )


def _write(renewal: Renewal, subscriptions: list[Subscription]) -> None:
    now = timezone.now()
    languages = {subscription.subscriber.language for subscription in subscriptions}
    texts = {code: current_texts(code)[ConsentText.Purpose.MAIL] for code in languages}
    mails = SystemMail.objects.bulk_create(
        [
            SystemMail(
                kind=SystemMail.Kind.RENEWAL,
                subscriber=subscription.subscriber,
                expires_at=min(renewal.answer_by - TIME_TO_ANSWER, now + _MAIL_LASTS),
            )
            for subscription in subscriptions
        ]
    )
    RenewalQuestion.objects.bulk_create(
        [
            RenewalQuestion(
                renewal=renewal,
                subscription=subscription,
                text=texts[subscription.subscriber.language],
                mail=mail,
            )
            for subscription, mail in zip(subscriptions, mails, strict=True)
        ]
    )


def _let_go(renewal: Renewal) -> None:
    """End those who were reached in time and said nothing; close when none is left."""
    silent = RenewalQuestion.objects.filter(
        Q(subscription__state=Subscription.State.LIVE),
        Q(subscription__consent__at__lt=renewal.begun_at),
        renewal=renewal,
        answered_at__isnull=True,
        mailed_at__lte=renewal.answer_by - TIME_TO_ANSWER,
    ).order_by("pk")
    rows = list(silent.values_list("pk", "subscription_id")[:END_AT_ONCE])
    for pk, subscription_id in rows:
        with transaction.atomic():
            if end_as_expired(subscription_id=subscription_id, consented_before=renewal.begun_at):
                RenewalQuestion.objects.filter(pk=pk).update(expired_at=timezone.now())
    if len(rows) < END_AT_ONCE:
        Renewal.objects.filter(pk=renewal.pk, state=Renewal.State.OPEN).update(
            state=Renewal.State.CLOSED, ended_at=timezone.now()
        )
