"""How long things are kept, and how much of each is due to go tonight.

The periods are those of the code that deletes (signup.privacy.retention); here they are shown.
Counting stops at a thousand: a report must not read a table of a million rows.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Newsletter
from signup.models import AddressChange, Asked, Parting, SignUp, Subscription, SystemMail
from signup.privacy.retention import KEEP, KEEP_PARTINGS
from signup.subscribe import CONFIRMATION_EVERY

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
    then = _("then deleted")
    return [
        _short(_("Sign-up forms as they were filled in"), then, KEEP, SignUp.objects, "created_at"),
        _short(
            _("Confirmations, links and notices that we mailed"),
            then,
            KEEP,
            SystemMail.objects,
            "created_at",
        ),
        _short(
            _("Readers who never confirmed"),
            then,
            KEEP,
            # By newsletter too, for the index begins with it.
            Subscription.objects.filter(
                newsletter__in=list(Newsletter.objects.values_list("pk", flat=True)),
                state=Subscription.State.PENDING,
            ),
            "created_at",
        ),
        _short(
            _("Addresses that readers want to move to"),
            then,
            KEEP,
            AddressChange.objects,
            "created_at",
        ),
        _short(_("Why readers left"), then, KEEP_PARTINGS, Parting.objects, "at"),
        _short(
            _("When an address was last asked to confirm, as a keyed hash"),
            then,
            CONFIRMATION_EVERY,
            Asked.objects,
            "at",
        ),
        Kept(
            _("Networks that forms were sent from"),
            _("as hashes in the cache, for a day at most; never in the database"),
        ),
        _long(
            _("Consent, after the last mail that it allowed"),
            _("then it expires, and nothing more is sent"),
            settings.CONSENT_EXPIRES_AFTER_DAYS,
        ),
        Kept(_("Address, name, choices, conditions"), _("until the reader leaves or is erased")),
        _long(
            _("Readers who have left everything"),
            _("then erased, but for a keyed hash that keeps them from being brought in again"),
            settings.LEFT_READERS_KEEP_DAYS,
        ),
        _long(
            _("Who said what to which words, after a reader's last line"),
            _("then a sealed tombstone stands for them"),
            settings.LEDGER_KEEP_DAYS,
        ),
        Kept(_("Addresses never to be mailed"), _("for ever, as a keyed hash")),
        Kept(_("Who of the staff looked at a reader's data"), _("for ever, without an address")),
    ]


def _short(what: str, until: str, keep: timedelta, rows: Any, moment: str) -> Kept:
    due = rows.filter(**{f"{moment}__lt": timezone.now() - keep})
    return Kept(what, until, keep // timedelta(days=1), _some(due))


def _long(what: str, until: str, days: int) -> Kept:
    """0 days in the settings: for ever."""
    return Kept(what, until, days) if days else Kept(what, _("for ever"))


def _some(rows: "QuerySet[Any]") -> int:
    return len(rows.order_by().values_list("pk", flat=True)[: MOST_COUNTED + 1])
