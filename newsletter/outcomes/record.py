"""One event, written down once however often it is told."""

import re
from datetime import datetime

from django.db import IntegrityError, transaction

from newsletter.outcomes.models import Event

# Relays and providers repeat the address in their answers; an event names a reader by id only.
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;]+")


def record_event(
    *,
    kind: Event.Kind,
    source: str,
    source_id: str,
    at: datetime,
    subscriber_id: int | None = None,
    mailing_id: int | None = None,
    status: str = "",
    detail: str = "",
) -> Event | None:
    """Write the event, or return None when `source` has told it before under that id.

    `at` is when it happened, by the source's clock. Reacting is a step of its own
    (outcomes.reactions): whoever tells us must not wait for it.
    """
    event = Event(
        kind=kind,
        source=source[:30],
        source_id=source_id[:200],
        at=at,
        subscriber_id=subscriber_id,
        mailing_id=mailing_id,
        status=status[:12],
        detail=without_addresses(detail)[:300],
    )
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError:
        if Event.objects.filter(source=event.source, source_id=event.source_id).exists():
            return None
        raise
    return event


def without_addresses(text: str) -> str:
    return _ADDRESS.sub("[address]", text)
