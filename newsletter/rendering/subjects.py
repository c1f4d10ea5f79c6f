"""A digest's subject line: neutral, unless newsletter and reader both want it otherwise.

It is read on a locked screen, by whoever lies beside it, and by every machine on the way
(invariant 11).
"""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from newsletter.rendering.cleaning import clean_line
from signup.models import Subscription

Cadence = Subscription.Cadence
# Names that a subject holds: more would be cut off on a phone.
NAMED = 2


def neutral(cadence: str = Cadence.WEEKLY) -> str:
    """Return the subject that says nothing of what is inside, in the active language."""
    if cadence == Cadence.IMMEDIATE:
        return _("New in your health reading")
    if cadence == Cadence.DAILY:
        return _("Your health reading for today")
    if cadence == Cadence.MONTHLY:
        return _("Your health reading for this month")
    return _("Your health reading for this week")


def naming(conditions: Sequence[str]) -> str:
    """Return the subject with the conditions' names in the mail's order, in the active language."""
    names = [clean_line(name) for name in conditions]
    first = ", ".join(names[:NAMED])
    if len(names) > NAMED:
        return _("%(conditions)s and more: your health reading") % {"conditions": first}
    return _("%(conditions)s: your health reading") % {"conditions": first}
