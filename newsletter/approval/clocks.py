"""From what a clock on the wall shows to an instant. Every edge of daylight saving has one answer:

- a time that the clock skips is the first instant after the gap (2:30 on the night when 2:00
  becomes 3:00 is 3:00; any time of Samoa's missing 30 December 2011 is its 31st, 0:00);
- a time that the clock shows twice is the first of the two.
"""

import functools
import logging
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

logger = logging.getLogger(__name__)

_SECOND = timedelta(seconds=1)


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """Return the zone of that IANA name; UTC, and one line in the log, where there is none.

    Names come and go with the time zone database, and a reader must not go without mail
    because the server's copy does not know theirs.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # KeyError: no such zone. ValueError: not a zone's name. OSError: a folder, "Europe".
        logger.warning("Time zone %r is not known here; its readers' mails go by UTC.", name)
        return UTC


def instant_of(wall: datetime, where: tzinfo) -> datetime:
    """Return the instant (in UTC) at which clocks in `where` show `wall` (naive).

    Raises ValueError for a time that has a zone already.
    """
    if wall.tzinfo is not None:
        raise ValueError("What a clock shows has no zone.")
    first = wall.replace(tzinfo=where, fold=0).astimezone(UTC)
    if first.astimezone(where).replace(tzinfo=None, fold=0) == wall:
        return first
    # In a gap. By the offset after it the instant lies before the gap's end, by the one before it
    # (PEP 495's fold 0) behind it.
    early = wall.replace(tzinfo=where, fold=1).astimezone(UTC)
    after = first.astimezone(where).utcoffset()
    while first - early > _SECOND:
        middle = (early + (first - early) / 2).replace(microsecond=0)
        if middle.astimezone(where).utcoffset() == after:
            first = middle
        else:
            early = middle
    return first
