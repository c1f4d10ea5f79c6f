"""What a reader is given as their own copy of all that signup keeps about them (GDPR 15 and 20)."""

from datetime import datetime
from typing import Any

from signup.models import (
    AddressChange,
    Follow,
    Parting,
    RenewalQuestion,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
)
from signup.privacy.ledger import ledger_of


def kept_about(subscriber: Subscriber) -> dict[str, Any]:
    """Return everything as JSON takes it; tokens apart, which are never stored."""
    return {
        **_reader(subscriber),
        "subscriptions": _subscriptions(subscriber),
        "follows": _follows(subscriber),
        "sign_ups": _sign_ups(subscriber),
        "consents": _consents(subscriber),
        "system_mails": _system_mails(subscriber),
        "address_changes": _address_changes(subscriber),
        "asked_anew": _asked_anew(subscriber),
        "partings": _partings(subscriber),
    }


def _reader(subscriber: Subscriber) -> dict[str, Any]:
    return {
        "address": subscriber.email,
        "first_name": subscriber.first_name,
        "language": subscriber.language,
        "timezone": subscriber.timezone,
        "text_only": subscriber.text_only,
        "conditions_in_subject": subscriber.conditions_in_subject,
        "alerts_while_paused": subscriber.alerts_while_paused,
        "created_at": subscriber.created_at.isoformat(),
        "erased_at": _iso(subscriber.erased_at),
    }


def _subscriptions(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
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
    ]


def _follows(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
        {
            "condition": row.condition.name,
            "followed_at": row.followed_at.isoformat(),
            "paused_at": _iso(row.paused_at),
        }
        for row in Follow.objects.filter(subscriber=subscriber)
        .select_related("condition")
        .order_by("pk")
    ]


def _sign_ups(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
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
    ]


def _consents(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
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
    ]


def _system_mails(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
        {
            "kind": mail.kind,
            "state": mail.state,
            "created_at": mail.created_at.isoformat(),
            "accepted_at": _iso(mail.accepted_at),
        }
        for mail in SystemMail.objects.filter(subscriber=subscriber).order_by("pk")
    ]


def _address_changes(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
        {
            "new_address": change.email,
            "old_address": change.old_email,
            "created_at": change.created_at.isoformat(),
            "confirmed_at": _iso(change.confirmed_at),
        }
        for change in AddressChange.objects.filter(subscriber=subscriber).order_by("pk")
    ]


def _asked_anew(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
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
    ]


def _partings(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
        {
            "newsletter": parting.subscription.newsletter.name,
            "reason": parting.reason,
            "words": parting.words,
            "at": parting.at.isoformat(),
        }
        for parting in Parting.objects.filter(subscription__subscriber=subscriber)
        .select_related("subscription__newsletter")
        .order_by("pk")
    ]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
