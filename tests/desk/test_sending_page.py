"""The page that says how sending is, and the plain numbers of limits on a mailing's page."""

from datetime import timedelta

import pytest
import redis
from django.urls import reverse
from django.utils import timezone

from newsletter.desk.progress import progress_of
from newsletter.desk.views import sending as page
from newsletter.sending import brakes, sightings, warm_up
from newsletter.sending.models import (
    Alarm,
    Batch,
    DomainLimit,
    Mailing,
    SendingDay,
    WarmUp,
)
from newsletter.transports.protocol import WayState
from tests.desk.conftest import client_of
from tests.sending.mailings import planned


@pytest.fixture(autouse=True)
def _fresh():
    brakes.forget()
    warm_up.forget()


def text(user) -> str:
    answer = client_of(user).get(reverse("desk:sending"))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_quiet_house_says_so(desk):
    said = text(desk.sender)
    assert "There was none." in said
    assert "No worker was heard of" in said
    assert "any number is allowed" in said


def test_the_rate_is_one_number_by_the_second_and_the_hour_beside_what_is_reached(desk, settings):
    settings.SENDING_RATE = 2.5
    going, waiting = planned(2), planned(2)
    Mailing.objects.filter(pk__in=[going.pk, waiting.pk]).update(pace=1.75)
    Batch.objects.filter(mailing=going).update(state="claimed")

    said = text(desk.sender)

    assert "<dt>Messages a second</dt><dd>1.8</dd>" in said
    assert "at most 2.5, or 9,000 an hour" in said


def test_nothing_goes_out_where_no_worker_has_a_batch(desk):
    planned(2)
    Mailing.objects.update(pace=1.75)

    assert "<dt>Messages a second</dt><dd>0</dd>" in text(desk.sender)


def test_relays_are_summed_over_the_processes_that_were_heard_of(desk):
    sightings.tell("host:1", [WayState("relay.example:25", 3)])
    sightings.tell("host:2", [WayState("relay.example:25", 2)])
    sightings.tell("host:3", [WayState("away.example:25", 0, 12.0, "connection refused")])
    (away, works) = page.relays(sightings.sightings())

    assert (works.lines, works.processes) == (5, 2)
    assert away.trouble == "connection refused"
    said = text(desk.sender)
    assert "connection refused" in said
    assert "Left alone for 12 seconds." in said


def test_slowed_and_limited_domains_are_shown_with_who_waits(desk):
    DomainLimit.objects.create(domain="limited.example", per_second=20)
    brakes.slow_down("slow.example", getting=10)
    planned(2)
    Batch.objects.update(domain="slow.example")
    (limited, slow) = page.domains(brakes.slowed_domains())

    assert (limited.name, limited.limit, limited.slowed, limited.waiting) == (
        "limited.example", 20, None, 0,
    )  # fmt: skip
    assert slow.slowed == pytest.approx(5, rel=0.01)
    assert slow.waiting == 2
    assert "slow.example" in text(desk.sender)


def test_a_warm_up_says_today_and_when_it_goes_on(desk):
    WarmUp.objects.create(name="new address", caps="5000 10000")
    SendingDay.objects.create(day=timezone.localdate(), taken=2000)
    assert "Today 2,000 of 5,000 messages (new address)." in text(desk.sender)
    SendingDay.objects.update(taken=5000)

    said = text(desk.sender)
    assert "It goes on by itself" in said
    assert "with up to 10,000." in said
    assert "It continues on" in progress_of(planned(2)).remaining


def test_each_relay_says_its_rate_and_what_its_new_address_may_send(desk):
    WarmUp.objects.create(name="new address", relay="new.example:587", caps="500 1000")
    SendingDay.objects.create(day=timezone.localdate(), relay="new.example:587", taken=120)
    sightings.tell(
        "host:1", [WayState("new.example:587", 4, rate=25), WayState("old.example:25", 1)]
    )

    said = text(desk.sender)

    assert "Today 120 of 500 messages (new address)." in said
    assert "Only what leaves by new.example:587." in said
    assert (
        '<td class="title">new.example:587</td> <td>Works.</td> <td class="desk-num">25</td>'
        in said
    )
    assert (
        '<td class="title">old.example:25</td> <td>Works.</td> <td class="desk-num">any</td>'
        in said
    )


def test_a_full_disk_and_open_alarms_are_said(desk):
    sightings.tell("bulk@host")
    sightings.tell("host:1", [], "no space left on device")
    Alarm.objects.create(
        kind="relay", about="relay:25", text="connection refused", began_at=timezone.now()
    )
    said = text(desk.sender)
    assert "host:1 cannot write its journal: no space left on device" in said
    assert "A relay cannot be reached" in said
    assert "bulk@host" in said


def test_an_alarm_names_the_mailing_as_people_know_it(desk):
    mailing = planned(1)
    Alarm.objects.create(
        kind="stopped", about=f"mailing {mailing.pk}", text="550 5.7.1", began_at=timezone.now()
    )
    said = text(desk.sender)
    assert f'href="/admin/mailings/{mailing.pk}/">{mailing.issue.title}</a>' in said


def test_without_the_queue_the_page_stands_and_says_so(desk, monkeypatch):
    def down():
        raise redis.ConnectionError

    monkeypatch.setattr(page, "sightings", down)
    assert "The work queue does not answer" in text(desk.sender)


@pytest.mark.parametrize("role", ["author", "reviewer"])
def test_only_who_may_see_mailings_sees_it(desk, role):
    answer = client_of(getattr(desk, role)).get(
        reverse("desk:sending"), HTTP_X_REQUESTED_WITH="XMLHttpRequest"
    )
    assert answer.status_code == 403


def test_administrators_edit_limits_and_senders_do_not(desk):
    for name in ("domainlimit", "warmup"):
        url = reverse(f"wagtailsnippets_sending_{name}:add")
        assert client_of(desk.admin).get(url).status_code == 200
        assert client_of(desk.sender).get(url).status_code != 200


def test_the_time_left_is_that_of_the_slowest_domain(desk):
    DomainLimit.objects.create(domain="slow.example", per_second=0.5)
    mailing = planned(2)
    Batch.objects.update(domain="slow.example", planned=1800)
    mailing.started_at = timezone.now() - timedelta(seconds=100)
    mailing.save()
    progress = progress_of(mailing)

    assert progress.slowed == 1800
    assert progress.slowed_left == timedelta(hours=1)
