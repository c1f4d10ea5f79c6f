"""Everything that is kept about one reader (GDPR Art. 15 and 20), and "my record"."""

from typing import Any

from signup.models import Subscriber
from signup.privacy import registry
from signup.privacy.registry import Line


def export(*, subscriber: Subscriber) -> dict[str, Any]:
    """Return holder name → what it keeps, as values that JSON knows."""
    return {holder.name: holder.export(subscriber) for holder in registry.holders()}


def record(*, subscriber: Subscriber) -> list[Line]:
    """Return "my record", newest first."""
    lines = [line for holder in registry.holders() for line in holder.record(subscriber)]
    return sorted(lines, key=lambda line: line.at, reverse=True)
