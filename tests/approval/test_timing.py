"""Whose turn is when: clocks on walls, and every edge that they have."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from newsletter.approval.clocks import instant_of
from newsletter.approval.timing import Timing, Window, first_instant

pytestmark = pytest.mark.once


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def at(zone, *parts):
    return instant_of(datetime(*parts), ZoneInfo(zone))


def test_a_clock_that_is_not_moved_just_shows_the_time():
    assert at("Europe/Berlin", 2026, 11, 23, 8) == utc(2026, 11, 23, 7)
    assert at("Asia/Kathmandu", 2026, 11, 23, 8) == utc(2026, 11, 23, 2, 15)


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("Europe/Berlin", (2027, 3, 28, 2), utc(2027, 3, 28, 1)),
        ("Europe/Berlin", (2027, 3, 28, 2, 30), utc(2027, 3, 28, 1)),
        ("Europe/Berlin", (2027, 3, 28, 2, 59, 59), utc(2027, 3, 28, 1)),
        ("Europe/Berlin", (2027, 3, 28, 3), utc(2027, 3, 28, 1)),
        # Half an hour only, and a whole day.
        ("Australia/Lord_Howe", (2026, 10, 4, 2, 15), utc(2026, 10, 3, 15, 30)),
        ("Pacific/Apia", (2011, 12, 30, 8), utc(2011, 12, 30, 10)),
    ],
)
def test_a_time_that_is_skipped_is_the_first_instant_after(zone, wall, instant):
    assert at(zone, *wall) == instant


def test_a_time_that_comes_twice_is_the_first_of_the_two():
    assert at("Europe/Berlin", 2026, 10, 25, 2, 30) == utc(2026, 10, 25, 0, 30)
    assert at("America/New_York", 2026, 11, 1, 1, 30) == utc(2026, 11, 1, 5, 30)


def test_a_time_with_a_zone_is_no_time_on_a_wall():
    with pytest.raises(ValueError, match="no zone"):
        instant_of(utc(2026, 1, 1), ZoneInfo("Europe/Berlin"))


EVENING = utc(2026, 11, 22, 21)


def local(*wall, set_at=EVENING):
    return Timing(set_at, "Europe/Berlin", set_at, datetime(*wall))


def begins(timing, reader):
    return timing.begins(timing.clock_of(reader))


def test_each_reader_gets_it_when_their_own_clock_shows_the_time():
    timing = local(2026, 11, 23, 8)
    assert begins(timing, "Europe/Berlin") == utc(2026, 11, 23, 7)
    assert begins(timing, "Pacific/Honolulu") == utc(2026, 11, 23, 18)
    assert begins(timing, "Asia/Tokyo") == utc(2026, 11, 22, 23)


@pytest.mark.parametrize("untold", ["", "UTC"])
def test_who_never_told_us_a_zone_goes_by_the_publishers_clock(untold):
    assert begins(local(2026, 11, 23, 8), untold) == utc(2026, 11, 23, 7)


def test_who_was_passed_by_a_little_gets_it_at_once_and_others_the_next_day():
    # 21:00 UTC: 8:00 on the 23rd was three hours ago on Kiritimati.
    timing = local(2026, 11, 23, 8)
    assert begins(timing, "Pacific/Kiritimati") == timing.set_at
    # 17:00 in Berlin, for 9:00 today: that is eight hours ago there, and to come in Chicago.
    timing = local(2026, 11, 23, 9, set_at=utc(2026, 11, 23, 16))
    assert begins(timing, "Europe/Berlin") == utc(2026, 11, 24, 8)
    assert begins(timing, "America/New_York") == timing.set_at
    assert begins(timing, "America/Los_Angeles") == utc(2026, 11, 23, 17)


def test_a_late_start_moves_nobody_to_the_next_day():
    timing = local(2026, 11, 23, 8, set_at=utc(2026, 11, 20, 12))
    assert begins(timing, "Europe/Berlin") == utc(2026, 11, 23, 7), "whatever the time is now"


def test_the_first_wave_starts_the_mailing():
    timing = local(2026, 11, 23, 8)
    zones = ["Europe/Berlin", "UTC", "America/Chicago"]
    assert first_instant(timing, zones) == utc(2026, 11, 23, 7)
    assert first_instant(timing, [*zones, "Asia/Tokyo"]) == utc(2026, 11, 22, 23)
    assert first_instant(timing, []) == utc(2026, 11, 23, 7)


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "opens", "closes"),
    [
        (utc(2026, 11, 23, 3), utc(2026, 11, 23, 7), utc(2026, 11, 23, 19)),
        (utc(2026, 11, 23, 7), utc(2026, 11, 23, 7), utc(2026, 11, 23, 19)),
        (utc(2026, 11, 23, 18, 59), utc(2026, 11, 23, 7), utc(2026, 11, 23, 19)),
        (utc(2026, 11, 23, 19), utc(2026, 11, 24, 7), utc(2026, 11, 24, 19)),
        # The night in which the clocks are put back.
        (utc(2026, 10, 24, 20), utc(2026, 10, 25, 7), utc(2026, 10, 25, 19)),
    ],
)
def test_a_window_is_the_stretch_that_is_open_or_the_next(now, opens, closes):
    span = Window(8, 20).span(now, BERLIN)
    assert (span.opens, span.closes) == (opens, closes)


def test_a_window_of_a_whole_day_never_closes():
    now = utc(2026, 11, 23, 23, 30)
    for _ in range(3):
        span = Window(0, 24).span(now, BERLIN)
        assert span.opens <= now < span.closes
        now = span.closes


def test_an_hour_that_a_day_leaves_out_opens_no_window():
    # 2 to 3 on the night when 2:00 becomes 3:00.
    span = Window(2, 3).span(utc(2027, 3, 28, 0, 30), BERLIN)
    assert span.opens == utc(2027, 3, 29, 0)


def test_hours_are_by_the_publishers_clock_or_by_each_readers():
    tokyo = ZoneInfo("Asia/Tokyo")
    now = utc(2026, 11, 23, 3)
    by_reader = Timing(now, "Europe/Berlin", now, None, Window(8, 20, by_reader=True))
    by_us = Timing(now, "Europe/Berlin", now, None, Window(8, 20))
    assert by_reader.span(now, tokyo).opens <= now
    assert by_us.span(now, tokyo).opens == now + timedelta(hours=4)
    assert Timing(now, "UTC", now).span(now, tokyo) is None
