"""When to try again after a temporary refusal (RFC 5321 section 4.5.4.1)."""

from datetime import datetime, timedelta

from django.conf import settings

LONGEST = timedelta(hours=12)


def delay_after(attempt: int) -> timedelta | None:
    """Return how long to wait after the `attempt`-th refusal, 1 being the first.

    Each wait is twice the one before, up to half a day. None when waiting that long would go
    past SENDING_GIVE_UP_DAYS since the first refusal: time to give up.
    """
    first = timedelta(seconds=settings.SENDING_RETRY_SECONDS)
    longest = max(LONGEST, first)
    waits: list[timedelta] = [min(first * 2.0 ** min(n, 30), longest) for n in range(attempt)]
    if sum(waits, timedelta()) > timedelta(days=settings.SENDING_GIVE_UP_DAYS):
        return None
    return waits[-1]


def lumped(moment: datetime, wait: timedelta) -> datetime:
    """Round `moment` up a little, so that what falls due together makes one batch, not many."""
    grain = max(1, int(wait.total_seconds() / 60))
    stamp = int(moment.timestamp())
    return datetime.fromtimestamp(stamp - stamp % grain + grain, tz=moment.tzinfo)
