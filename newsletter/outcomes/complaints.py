"""A mailing that too many readers call spam goes no further until somebody has looked at it.

Providers refuse a sender's mail, all of it, from three complaints in a thousand on, and take a week
to forget (standards D3).
"""

from newsletter.outcomes.models import Event
from newsletter.sending.balance import counts_of
from newsletter.sending.control import stop_for_trouble
from newsletter.sending.models import Mailing

# Of the copies that a relay took.
MOST = 0.0025
# Fewer than so many readers are a few readers and no rate.
FEWEST = 5


def stop_if_too_many(mailing: Mailing) -> bool:
    """Pause `mailing` if more of its readers complained than may. Returns whether too many did.

    A safety alert goes on: it is worth more than a reputation.
    """
    if mailing.kind == Mailing.Kind.ALERT or mailing.state != Mailing.State.SENDING:
        return False
    complaints = Event.objects.filter(mailing=mailing, kind=Event.Kind.COMPLAINED)
    readers = complaints.values("subscriber").distinct().count()
    accepted = counts_of([mailing])[mailing.pk].accepted
    if readers < FEWEST or readers <= accepted * MOST:
        return False
    stop_for_trouble(
        mailing.pk,
        f"{readers} of {accepted} readers called it spam, more than one in "
        f"{1 / MOST:.0f}. Providers soon refuse all mail of such a sender.",
    )
    return True
