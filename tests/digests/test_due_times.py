"""When a digest is due: the reader's wall clock, at every edge of daylight saving."""

import logging
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.approval import clocks
from newsletter.sending.due_times import Rhythm, next_due

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Pacific/Kiritimati",
]

rhythms = st.builds(
    Rhythm,
    cadence=st.sampled_from(["immediate", "daily", "weekly", "monthly"]),
    weekday=st.integers(0, 6),
    hour=st.integers(0, 23),
    timezone=st.sampled_from(ZONES),
)
instants = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@given(rhythms, instants)
def test_the_next_due_time_is_later_and_not_later_than_one_period(rhythm, after):
    longest = {"immediate": 1, "daily": 3 * 24, "weekly": 9 * 24, "monthly": 36 * 24}
    due = next_due(rhythm, after)
    assert after < due <= after + timedelta(hours=longest[rhythm.cadence])
    assert due.utcoffset() == timedelta(0)


@given(rhythms, instants)
def test_nothing_is_due_between_an_instant_and_the_due_time_after_it(rhythm, after):
    due = next_due(rhythm, after)
    halfway = after + (due - after) / 2
    assert next_due(rhythm, halfway) == due


@given(rhythms.filter(lambda r: r.cadence != "immediate"), instants)
def test_the_wall_shows_the_readers_hour_unless_the_clock_skips_it(rhythm, after):
    where = ZoneInfo(rhythm.timezone)
    due = next_due(rhythm, after)
    wall = due.astimezone(where)
    asked = wall.replace(hour=rhythm.hour, minute=0)
    skipped = asked.astimezone(UTC).astimezone(where).replace(tzinfo=None) != asked.replace(
        tzinfo=None
    )
    assert wall.hour == rhythm.hour or skipped or _a_day_was_skipped(wall, rhythm)
    if rhythm.cadence != "daily" and not skipped and not _a_day_was_skipped(wall, rhythm):
        assert wall.weekday() == rhythm.weekday
    if rhythm.cadence == "monthly" and not skipped and not _a_day_was_skipped(wall, rhythm):
        assert wall.day <= 7


def _a_day_was_skipped(wall: datetime, rhythm: Rhythm) -> bool:
    near = timedelta(days=1)
    return wall.utcoffset() != (wall - near).utcoffset()


@given(rhythms, instants)
def test_a_year_of_due_times_has_no_double_and_no_gap(rhythm, after):
    # The first such weekday may fall on the very first day, which is not after itself.
    expected = {"daily": (364, 367), "weekly": (52, 53), "monthly": (11, 13)}
    if rhythm.cadence == "immediate":
        return
    end, due, seen = after + timedelta(days=365, hours=12), after, 0
    while (due := next_due(rhythm, due)) <= end:
        seen += 1
    low, high = expected[rhythm.cadence]
    assert low <= seen <= high


@pytest.mark.parametrize(
    ("rhythm", "after", "due"),
    [
        # Clock goes forward: 2:00 does not exist and comes an hour later.
        (Rhythm("daily", 0, 2, "Europe/Berlin"), utc(2026, 3, 28, 12), utc(2026, 3, 29, 1)),
        (Rhythm("daily", 0, 2, "Europe/Berlin"), utc(2026, 3, 29, 1), utc(2026, 3, 30, 0)),
        (Rhythm("daily", 0, 2, "America/New_York"), utc(2026, 3, 7, 12), utc(2026, 3, 8, 7)),
        # Half an hour forward on Lord Howe: 2:00 comes at 2:30.
        (Rhythm("daily", 0, 2, "Australia/Lord_Howe"), utc(2026, 10, 3), utc(2026, 10, 3, 15, 30)),
        # Clock goes back: 2:00 comes twice, the digest the first time only.
        (Rhythm("daily", 0, 2, "Europe/Berlin"), utc(2026, 10, 24, 12), utc(2026, 10, 25, 0)),
        (Rhythm("daily", 0, 2, "Europe/Berlin"), utc(2026, 10, 25, 0), utc(2026, 10, 26, 1)),
        (Rhythm("daily", 0, 2, "Europe/Berlin"), utc(2026, 10, 25, 1), utc(2026, 10, 26, 1)),
        # 8:00 stays 8:00 on both sides.
        (Rhythm("weekly", 0, 8, "Pacific/Auckland"), utc(2026, 9, 21), utc(2026, 9, 27, 19)),
        (Rhythm("weekly", 0, 8, "Pacific/Auckland"), utc(2026, 9, 14), utc(2026, 9, 20, 20)),
        # Samoa had no 30 December 2011 (a Friday): its Friday digest comes on Saturday.
        (Rhythm("weekly", 4, 8, "Pacific/Apia"), utc(2011, 12, 29), utc(2011, 12, 30, 18)),
        # … and a daily reader gets one that morning, not two.
        (Rhythm("daily", 0, 8, "Pacific/Apia"), utc(2011, 12, 29, 18), utc(2011, 12, 30, 18)),
        (Rhythm("daily", 0, 8, "Pacific/Apia"), utc(2011, 12, 30, 18), utc(2011, 12, 31, 18)),
        # 29 February.
        (Rhythm("daily", 0, 8, "UTC"), utc(2028, 2, 28, 9), utc(2028, 2, 29, 8)),
        (Rhythm("daily", 0, 8, "UTC"), utc(2027, 2, 28, 9), utc(2027, 3, 1, 8)),
        # Monthly: the first such weekday.
        (Rhythm("monthly", 0, 8, "UTC"), utc(2026, 11, 22), utc(2026, 12, 7, 8)),
        (Rhythm("monthly", 1, 8, "UTC"), utc(2026, 11, 22), utc(2026, 12, 1, 8)),
        (Rhythm("monthly", 1, 8, "UTC"), utc(2026, 12, 1, 8), utc(2027, 1, 5, 8)),
        (
            Rhythm("monthly", 4, 0, "Pacific/Kiritimati"),
            utc(2026, 12, 31, 9),
            utc(2026, 12, 31, 10),
        ),
        # As it happens: the next full hour.
        (Rhythm("immediate", 0, 8, "Asia/Kathmandu"), utc(2026, 5, 5, 9, 1), utc(2026, 5, 5, 10)),
        (Rhythm("immediate", 0, 8, "UTC"), utc(2026, 5, 5, 23, 0), utc(2026, 5, 6, 0)),
    ],
)
def test_the_edges(rhythm, after, due):
    assert next_due(rhythm, after) == due


@pytest.mark.parametrize(
    "name", ["Atlantis/Sunken", "", "../../etc/passwd", "Europe", "/etc/localtime", "a\0b"]
)
def test_an_unknown_zone_goes_by_utc_and_says_so_once(name, caplog):
    clocks.zone.cache_clear()
    rhythm = Rhythm("daily", 0, 8, name)
    with caplog.at_level(logging.WARNING):
        assert next_due(rhythm, utc(2026, 5, 5)) == utc(2026, 5, 5, 8)
        assert next_due(rhythm, utc(2026, 5, 6)) == utc(2026, 5, 6, 8)
    assert [record.name for record in caplog.records] == ["newsletter.approval.clocks"]
