"""When to try again (RFC 5321 section 4.5.4.1)."""

from datetime import UTC, datetime, timedelta

from newsletter.sending.backoff import delay_after, lumped


def waits() -> list[timedelta]:
    found = []
    while wait := delay_after(len(found) + 1):
        found.append(wait)
    return found


def test_the_first_wait_is_half_an_hour_and_each_further_one_at_least_as_long():
    found = waits()

    assert found[0] == timedelta(minutes=30)
    assert found == sorted(found)
    assert found[-1] == timedelta(hours=12)


def test_it_gives_up_after_four_days_in_all():
    total = sum(waits(), timedelta())

    assert timedelta(days=3) < total <= timedelta(days=4)


def test_how_long_to_try_is_a_setting(settings):
    settings.SENDING_GIVE_UP_DAYS = 0.0
    assert delay_after(1) is None


def test_very_many_attempts_do_no_harm():
    assert delay_after(10_000) is None


def test_what_falls_due_together_is_lumped_and_never_early():
    moment = datetime(2026, 11, 22, 12, 0, 7, tzinfo=UTC)

    assert lumped(moment, timedelta(minutes=30)) == datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
    assert lumped(moment, timedelta(seconds=1)) > moment
