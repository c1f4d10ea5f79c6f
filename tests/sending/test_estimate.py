"""When the last readers will have it: turns, hours, shares of the day and paces, reckoned."""

from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter.approval.timing import Span, Window
from newsletter.sending.estimate import FURTHEST, Job, Shares, ends

pytestmark = pytest.mark.once

TODAY = date(2026, 3, 2)


def at(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, tzinfo=UTC) + timedelta(days=days)


def by_day(instant: datetime) -> Span:
    """From eight to eight."""
    return Window(opens=8, closes=20, by_reader=False).span(instant, UTC)


def test_readers_take_as_long_as_the_pace_says():
    assert ends([Job(at(9), 3600)], pace=1.0, now=at(9)) == [at(10)]


def test_a_turn_that_is_past_begins_now():
    assert ends([Job(at(7), 3600)], pace=1.0, now=at(9)) == [at(10)]


def test_turns_share_the_pace_one_after_the_other_and_are_told_in_the_order_asked():
    late, early = Job(at(9, 30), 3600), Job(at(9), 3600)
    assert ends([late, early], pace=1.0, now=at(9)) == [at(11), at(10)]


def test_a_turn_waits_for_its_time_although_nothing_else_is_to_do():
    assert ends([Job(at(9), 60), Job(at(15), 3600)], pace=1.0, now=at(9))[1] == at(16)


def test_a_slow_domain_goes_beside_the_others_and_holds_nobody_up():
    slow, others = Job(at(9), 3600, pace=0.5), Job(at(9), 3600)
    assert ends([slow, others], pace=1.0, now=at(9)) == [at(11), at(10)]


def test_what_does_not_go_by_day_goes_on_in_the_morning():
    thirteen_hours = Job(at(9), 13 * 3600, by_day)
    assert ends([thirteen_hours], pace=1.0, now=at(9)) == [at(10, days=1)]


def test_at_night_nothing_goes():
    assert ends([Job(at(23), 3600, by_day)], pace=1.0, now=at(23)) == [at(9, days=1)]


def test_at_the_minute_of_closing_it_waits_for_the_next_opening():
    assert ends([Job(at(20), 3600, by_day)], pace=1.0, now=at(20)) == [at(9, days=1)]


def test_what_a_day_may_not_take_waits_for_the_next(settings):
    settings.TIME_ZONE = "UTC"
    shares = Shares({TODAY: 3600, TODAY + timedelta(days=1): 1800})
    # An hour of it today, half an hour tomorrow, and the rest on the first day without a cap.
    assert ends([Job(at(9), 9000)], 1.0, at(9), shares) == [at(1, days=2)]


def test_a_days_share_is_for_all_turns_of_it():
    shares = Shares({TODAY: 3600})
    first, second = Job(at(9), 3600), Job(at(9), 1800)
    assert ends([first, second], 1.0, at(9), shares) == [at(10), at(0, 30, days=1)]


@pytest.mark.parametrize("pace", [None, 0.0])
def test_without_a_pace_nobody_knows(pace):
    assert ends([Job(at(9), 10)], pace=pace, now=at(9)) == [None]


def test_nobody_knows_what_is_further_ahead_than_months():
    readers = int(2 * FURTHEST.total_seconds())
    assert ends([Job(at(9), readers, by_day)], pace=1.0, now=at(9)) == [None]


def test_where_nobody_knows_one_the_next_is_still_reckoned():
    never = Job(at(9), 10**9, by_day)
    assert ends([never, Job(at(9), 3600)], pace=1.0, now=at(9)) == [None, at(10)]
