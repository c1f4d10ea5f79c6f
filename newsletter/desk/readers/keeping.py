"""How long things are kept, and how much of each is due to go tonight.

The periods are those of the code that deletes (signup.privacy.retention); here they are shown.
Counting stops at a thousand: a report must not read a table of a million rows.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from signup.models import SignUp, Subscription, SystemMail
from signup.privacy import retention

MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """`due` counts what the next nightly run deletes, up to MOST_COUNTED; None: nothing to count.

    `days` None: until the reader is erased, or for ever, as `until` says.
    """

    what: str
    until: str
    days: int | None = None
    due: int | None = None


def report() -> list[Kept]:
    """Return every rule in the order in which a reader's data come about."""
    before = timezone.now() - retention.KEEP
    days = retention.KEEP // timedelta(days=1)
    return [
        Kept(
            _("Sign-up forms as they were filled in"),
            _("then deleted"),
            days,
            _some(SignUp.objects.filter(created_at__lt=before)),
        ),
        Kept(
            _("Confirmations, links and notices that we mailed"),
            _("then deleted"),
            days,
            _some(SystemMail.objects.filter(created_at__lt=before)),
        ),
        Kept(
            _("Readers who never confirmed"),
            _("then deleted"),
            days,
            _some(
                Subscription.objects.filter(state=Subscription.State.PENDING, created_at__lt=before)
            ),
        ),
        Kept(_("Networks that forms were sent from"), _("hashed, in the cache, for a day at most")),
        Kept(_("Address, name, choices, conditions"), _("until the reader is erased")),
        Kept(_("Who said what to which words"), _("for ever, under a random name")),
        Kept(_("Addresses never to be mailed"), _("for ever, as a keyed hash")),
        Kept(_("Who of the staff looked at a reader's data"), _("for ever, without an address")),
    ]


def _some(rows: "QuerySet[Any]") -> int:
    return len(rows.order_by().values_list("pk", flat=True)[: MOST_COUNTED + 1])
