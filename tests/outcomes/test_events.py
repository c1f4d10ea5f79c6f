"""Events are written once, say nothing about addresses, and stay."""

import pytest
from django.db import IntegrityError
from django.utils import timezone

from newsletter.outcomes.models import AppendOnly, Event
from newsletter.outcomes.privacy import Events
from newsletter.outcomes.record import record_event
from tests.outcomes.factories import live_reader, told

pytestmark = pytest.mark.django_db


def test_what_is_told_twice_is_written_once():
    told_once = {
        "kind": Event.Kind.BOUNCED,
        "source": "postmark",
        "source_id": "42",
        "at": timezone.now(),
    }
    assert record_event(**told_once) is not None
    assert record_event(**told_once) is None
    assert Event.objects.count() == 1


def test_another_fault_is_not_taken_for_a_repetition():
    with pytest.raises(IntegrityError):
        record_event(kind=Event.Kind.BOUNCED, source="postmark", source_id="42", at=None)


def test_an_event_is_neither_changed_nor_deleted():
    event = told(live_reader(), "bounced", "5.1.1")
    event.status = "2.0.0"
    for change in (
        event.save,
        event.delete,
        Event.objects.all().delete,
        lambda: Event.objects.update(status="2.0.0"),
    ):
        with pytest.raises(AppendOnly):
            change()
    assert Event.objects.get().status == "5.1.1"


def test_an_event_keeps_no_address():
    event = told(
        live_reader(), "bounced", detail="550 <ann@example.org>: no such user ann@example.org"
    )
    assert event.detail == "550 <[address]>: no such user [address]"


def test_erasing_a_reader_leaves_an_event_that_names_nobody():
    subscription, other = live_reader(), live_reader()
    told(subscription, "bounced", "5.1.1", detail="no such user")
    told(other, "complained")
    holder = Events()
    assert len(list(holder.record(subscription.subscriber))) == 1
    assert holder.export(subscription.subscriber)["events"][0]["status"] == "5.1.1"
    holder.erase(subscription.subscriber)
    emptied = Event.objects.get(kind="bounced")
    assert (emptied.subscriber_id, emptied.detail, emptied.status) == (None, "", "5.1.1")
    assert Event.objects.get(kind="complained").subscriber_id == other.subscriber_id
