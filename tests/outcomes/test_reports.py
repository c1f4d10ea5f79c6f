"""A mailing's report counts readers, and says accepted and not delivered."""

import pytest

from newsletter.outcomes.reports import mailing_report
from tests.outcomes.factories import live_reader, mailing_with, told

pytestmark = pytest.mark.django_db


def test_a_reader_who_is_told_of_twice_counts_once():
    subscription = live_reader()
    mailing = mailing_with(subscription, state="accepted").mailing
    for _ in range(2):
        told(subscription, "bounced", "5.2.2", mailing_id=mailing.pk)
    told(subscription, "complained", mailing_id=mailing.pk)
    told(live_reader(), "complained")
    report = mailing_report(mailing)
    assert (report.sent.planned, report.sent.accepted, report.sent.open) == (1, 1, 0)
    assert (report.bounced, report.complained, report.delivered) == (1, 1, 0)
    assert report.complaint_rate == 1.0


def test_a_mailing_that_nobody_took_has_no_rate():
    mailing = mailing_with(live_reader(), state="refused").mailing
    assert mailing_report(mailing).complaint_rate == 0.0
