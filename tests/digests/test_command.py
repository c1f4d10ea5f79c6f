"""`run_digests`: the same run by hand, or only what it would do."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError

from newsletter.sending.models import Delivery, DigestMark, Mailing
from newsletter.tasks import run_digests
from tests.digests import factories
from tests.digests.factories import reader, released, utc

pytestmark = pytest.mark.django_db

SUNDAY = utc(2026, 11, 22, 12)


@pytest.fixture(autouse=True)
def a_reader():
    with time_machine.travel(SUNDAY, tick=False):
        back = factories.ConditionFactory(name="Herniated disk")
        released(back)
        yield reader(factories.DigestNewsletterFactory(slug="my-conditions"), back)


def run(*args: str) -> str:
    out = StringIO()
    call_command("run_digests", *args, stdout=out)
    return out.getvalue()


def test_a_dry_run_says_what_a_run_would_do_and_does_nothing(a_reader):
    said = run("--dry-run")
    assert "my-conditions: 1 readers due, 1 would get a mail" in said
    assert "1 articles: 1 readers" in said
    for model in (Delivery, Mailing, DigestMark):
        assert not model.objects.exists()


def test_a_run_does_it(a_reader):
    assert "1 get a mail" in run()
    assert Delivery.objects.get().subscriber_id == a_reader.subscriber_id
    assert "Nobody is due." in run()


def test_it_names_no_reader_and_no_condition(a_reader):
    said = run("--dry-run")
    assert a_reader.subscriber.email not in said
    assert "disk" not in said.lower()


def test_a_dry_run_can_look_ahead_and_a_run_cannot():
    run()
    assert "1 readers due" in run("--dry-run", "--now", "2026-11-23T09:00+01:00")
    with pytest.raises(CommandError):
        run("--now", "2026-11-23T09:00+01:00")


@pytest.mark.parametrize("bad", ["tomorrow", "2026-13-01T00:00Z", "2026-11-22T08:00", ""])
def test_a_time_that_is_none_is_refused(bad):
    with pytest.raises(CommandError):
        run("--now", bad)
    assert not DigestMark.objects.exists()


def test_the_task_runs_what_is_due(a_reader):
    run_digests()
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(("minute", "found"), [(0, True), (3, False), (10, True)])
def test_a_live_reader_without_a_mark_is_found_within_ten_minutes(a_reader, minute, found):
    lost = a_reader
    DigestMark.objects.filter(subscription=lost).delete()

    with time_machine.travel(SUNDAY + timedelta(minutes=minute), tick=False):
        run_digests()

    assert DigestMark.objects.filter(subscription=lost).exists() is found
