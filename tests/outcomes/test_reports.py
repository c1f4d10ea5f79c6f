"""Complaints are counted in readers, and each for its own mailing."""

import pytest

from newsletter.outcomes.reports import complaints_of
from tests.outcomes.factories import live_reader, mailing_with, told

pytestmark = pytest.mark.django_db


def test_a_reader_who_is_told_of_twice_counts_once():
    subscription = live_reader()
    mailing = mailing_with(subscription, state="accepted").mailing
    for _ in range(2):
        told(subscription, "complained", mailing_id=mailing.pk)
    told(subscription, "bounced", "5.2.2", mailing_id=mailing.pk)
    told(live_reader(), "complained")
    assert complaints_of([mailing]) == {mailing.pk: 1}


def test_a_mailing_that_nobody_complained_of_counts_none():
    mailing = mailing_with(live_reader(), state="accepted").mailing
    assert complaints_of([mailing]) == {mailing.pk: 0}
