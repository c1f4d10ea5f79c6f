"""What signup itself keeps about a reader."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signup import letter
from signup.models import (
    AddressChange,
    ConsentEntry,
    ConsentSubject,
    Follow,
    Parting,
    RenewalQuestion,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
)
from signup.privacy.registry import Kind, Line

_WHY = {
    SystemMail.Kind.CONFIRM: gettext_lazy("Because this address was typed into a sign-up form."),
    SystemMail.Kind.ADD: gettext_lazy("Because this address was typed into a sign-up form."),
    SystemMail.Kind.PREFERENCES: gettext_lazy("Because the link to your page was asked for."),
    SystemMail.Kind.RENEWAL: gettext_lazy("Because we asked whether you still want it."),
    SystemMail.Kind.ADDRESS: gettext_lazy("Because you asked us to write to another address."),
    SystemMail.Kind.MOVED: gettext_lazy("Because your address was changed."),
    SystemMail.Kind.BROUGHT_IN: gettext_lazy("Because your address was brought in."),
    SystemMail.Kind.RETIRED: gettext_lazy("Because you followed what we write about no more."),
}


class SignupHolder:
    name = "signup"
    models: tuple[str, ...] = (
        "signup.Subscriber",
        "signup.Subscription",
        "signup.Follow",
        "signup.SignUp",
        "signup.SystemMail",
        "signup.ConsentSubject",
        "signup.ConsentEntry",
        "signup.AddressChange",
        "signup.Parting",
        "signup.RenewalQuestion",
    )

    def record(self, subscriber: Subscriber) -> Iterator[Line]:
        """Every line of the reader's ledger, and every system mail."""
        for entry in ledger_of(subscriber).select_related("newsletter", "text"):
            yield Line(entry.at, _sentence(entry), kind=Kind.CONSENT)
        for mail in SystemMail.objects.filter(subscriber=subscriber):
            if mail.accepted_at:
                yield Line(
                    mail.accepted_at,
                    letter.subject(mail),
                    why=str(_WHY.get(SystemMail.Kind(mail.kind), "")),
                    kind=Kind.MAIL,
                )
        for change in AddressChange.objects.filter(subscriber=subscriber):
            if change.confirmed_at:
                yield Line(change.confirmed_at, _("Your address was changed."))

    def export(self, subscriber: Subscriber) -> dict[str, Any]:
        """Everything, tokens apart: those are never stored."""
        return {
            "address": subscriber.email,
            "first_name": subscriber.first_name,
            "language": subscriber.language,
            "timezone": subscriber.timezone,
            "text_only": subscriber.text_only,
            "conditions_in_subject": subscriber.conditions_in_subject,
            "alerts_while_paused": subscriber.alerts_while_paused,
            "created_at": subscriber.created_at.isoformat(),
            "erased_at": subscriber.erased_at.isoformat() if subscriber.erased_at else None,
            "subscriptions": [
                {
                    "newsletter": row.newsletter.name,
                    "state": row.state,
                    "ended_reason": row.ended_reason,
                    "cadence": row.cadence,
                    "weekday": row.weekday,
                    "hour": row.hour,
                    "paused_at": _iso(row.paused_at),
                    "paused_until": _iso(row.paused_until),
                    "live_at": _iso(row.live_at),
                    "ended_at": _iso(row.ended_at),
                }
                for row in Subscription.objects.filter(subscriber=subscriber)
                .select_related("newsletter")
                .order_by("pk")
            ],
            "follows": [
                {
                    "condition": row.condition.name,
                    "followed_at": row.followed_at.isoformat(),
                    "paused_at": _iso(row.paused_at),
                }
                for row in Follow.objects.filter(subscriber=subscriber)
                .select_related("condition")
                .order_by("pk")
            ],
            "sign_ups": [
                {
                    "newsletters": [newsletter.name for newsletter in row.newsletters.all()],
                    "conditions": [condition.name for condition in row.conditions.all()],
                    "first_name": row.first_name,
                    "form_url": row.form_url,
                    "created_at": row.created_at.isoformat(),
                    "confirmed_at": _iso(row.confirmed_at),
                }
                for row in SignUp.objects.filter(subscriber=subscriber)
                .prefetch_related("newsletters", "conditions")
                .order_by("pk")
            ],
            "consents": [
                {
                    "seq": entry.seq,
                    "at": entry.at.isoformat(),
                    "action": entry.action,
                    "purpose": entry.purpose,
                    "newsletter": entry.newsletter.name if entry.newsletter else None,
                    "wording": entry.text.wording if entry.text else None,
                    "wording_version": entry.text.version if entry.text else None,
                    "method": entry.method,
                    "form_url": entry.form_url,
                    "evidence": entry.evidence,
                    "hash": bytes(entry.entry_hash).hex(),
                }
                for entry in ledger_of(subscriber).select_related("newsletter", "text")
            ],
            "system_mails": [
                {
                    "kind": mail.kind,
                    "state": mail.state,
                    "created_at": mail.created_at.isoformat(),
                    "accepted_at": _iso(mail.accepted_at),
                }
                for mail in SystemMail.objects.filter(subscriber=subscriber).order_by("pk")
            ],
            "address_changes": [
                {
                    "new_address": change.email,
                    "old_address": change.old_email,
                    "created_at": change.created_at.isoformat(),
                    "confirmed_at": _iso(change.confirmed_at),
                }
                for change in AddressChange.objects.filter(subscriber=subscriber).order_by("pk")
            ],
            "asked_anew": [
                {
                    "newsletter": question.subscription.newsletter.name,
                    "wording": question.text.wording,
                    "mailed_at": _iso(question.mailed_at),
                    "answered_at": _iso(question.answered_at),
                    "expired_at": _iso(question.expired_at),
                }
                for question in RenewalQuestion.objects.filter(subscription__subscriber=subscriber)
                .select_related("subscription__newsletter", "text")
                .order_by("pk")
            ],
            "partings": [
                {
                    "newsletter": parting.subscription.newsletter.name,
                    "reason": parting.reason,
                    "words": parting.words,
                    "at": parting.at.isoformat(),
                }
                for parting in Parting.objects.filter(subscription__subscriber=subscriber)
                .select_related("subscription__newsletter")
                .order_by("pk")
            ],
        }

    def erase(self, subscriber: Subscriber) -> None:
        """Empty the row, drop what hangs on it, and cut the ledger loose: it names nobody then.

        Questions asked anew stay, so that their counts balance: they hold no word of the reader.
        """
        Follow.objects.filter(subscriber=subscriber).delete()
        Parting.objects.filter(subscription__subscriber=subscriber).delete()
        AddressChange.objects.filter(subscriber=subscriber).delete()
        SystemMail.objects.filter(subscriber=subscriber).delete()
        SignUp.objects.filter(subscriber=subscriber).delete()
        Subscription.objects.filter(subscriber=subscriber).update(
            undo_hash=None, undo_until=None, paused_at=None, paused_until=None
        )
        ConsentSubject.objects.filter(subscriber=subscriber).update(subscriber=None)
        subscriber.email = subscriber.email_key = subscriber.address_hash = None
        subscriber.first_name = ""
        subscriber.language, subscriber.timezone = "en", "UTC"
        subscriber.text_only = subscriber.conditions_in_subject = False
        subscriber.alerts_while_paused = False
        subscriber.health_consent = subscriber.measurement_consent = None
        subscriber.address_since = None
        subscriber.erased_at = timezone.now()
        subscriber.save()


def ledger_of(subscriber: Subscriber) -> QuerySet[ConsentEntry]:
    """Return the reader's lines of the ledger in their order."""
    return ConsentEntry.objects.filter(
        subject__in=ConsentSubject.objects.filter(subscriber=subscriber).values("subject")
    ).order_by("seq")


def _sentence(entry: ConsentEntry) -> str:
    what = entry.newsletter.name if entry.newsletter else entry.get_purpose_display()
    sentences = {
        ConsentEntry.Action.GIVEN: _("You asked for: %(what)s (%(how)s)."),
        ConsentEntry.Action.CONFIRMED: _("You agreed to: %(what)s (%(how)s)."),
        ConsentEntry.Action.WITHDRAWN: _("Ended: %(what)s (%(how)s)."),
        ConsentEntry.Action.IMPORTED: _("Your agreement was brought in: %(what)s (%(how)s)."),
        ConsentEntry.Action.SOFT_OPT_IN: _("You bought from us and did not refuse: %(what)s."),
        ConsentEntry.Action.EXPIRED: _("Expired: %(what)s (%(how)s)."),
        ConsentEntry.Action.ERASED: _("Your data were erased."),
        ConsentEntry.Action.TOMBSTONE: _("Older lines were removed, because their time was over."),
    }
    sentence = sentences[ConsentEntry.Action(entry.action)] % {
        "what": what,
        "how": entry.get_method_display(),
    }
    return f"{sentence} “{entry.text.wording}”" if entry.text else sentence


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
