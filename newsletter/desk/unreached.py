"""The list of whom an alert or a correction did not reach, for the eyes of data protection."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from newsletter.desk import access_log
from newsletter.desk.models import AccessEntry, User
from newsletter.sending.models import Delivery
from newsletter.sending.unreached import Unreached

LISTED_AT_ONCE = 100


def listed(
    request: HttpRequest,
    *,
    by: User,
    reason: str,
    about: str,
    rows_after: Callable[[int], Sequence[Unreached]],
) -> dict[str, Any]:
    """Return a page of the list as context, and write down that it was opened, and why.

    `rows_after` gives up to LISTED_AT_ONCE rows behind a place; none is read unless the line in
    the access log was written.
    """
    after = request.POST.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    with transaction.atomic():
        access_log.write(
            by=by,
            action=AccessEntry.Action.LISTED,
            reason=reason,
            detail=f"{about}: not reached",
        )
        rows = rows_after(start)
    labels = dict(Delivery.State.choices) | dict(Delivery.SkipReason.choices)
    return {
        "rows": [(row, labels[row.reason]) for row in rows],
        "next": rows[-1].place if len(rows) == LISTED_AT_ONCE else None,
        "reason": reason,
    }
