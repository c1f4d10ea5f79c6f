"""plan_mailing, send_due and make_test_mailing, also with what people mistype."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from newsletter.management import test_mailing
from newsletter.sending.balance import counts
from newsletter.sending.models import Mailing
from signup import consent
from signup.models import Subscription
from tests.sending.mailings import planned, sent_to, with_readers

pytestmark = pytest.mark.django_db


def said(command: str, *args: object) -> str:
    out = StringIO()
    call_command(command, *args, stdout=out)
    return out.getvalue()


def test_plan_mailing_plans_an_approved_issue_and_again_changes_nothing():
    newsletter = with_readers(3)
    issue, _ = test_mailing.make_approved_issue(newsletter)

    assert "3 planned, 3 open" in said("plan_mailing", issue.slug)
    assert "3 planned, 3 open" in said("plan_mailing", issue.slug)
    assert Mailing.objects.count() == 1


def test_plan_mailing_refuses_an_issue_that_is_not_there_or_not_approved():
    with pytest.raises(CommandError, match="no-such-issue"):
        call_command("plan_mailing", "no-such-issue")

    issue, _ = test_mailing.make_approved_issue(with_readers(2))
    issue.subject = "Something else"
    issue.save_revision()
    with pytest.raises(CommandError, match="not approved"):
        call_command("plan_mailing", issue.slug)
    assert not Mailing.objects.exists()


def test_send_due_sends_what_is_due():
    mailing = planned(3)

    assert "done" in said("send_due")

    assert len(sent_to()) == 3
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.ENDED
    assert "0 batches" in said("send_due")


def test_send_due_says_when_mail_cannot_leave(settings):
    planned(1)
    settings.EMAIL_URL = "smtp://relay.example?tls=maybe"
    with pytest.raises(CommandError, match="EMAIL_URL"):
        call_command("send_due")


@pytest.mark.parametrize("seconds", ["0", "-5"])
def test_send_due_needs_some_time(seconds):
    with pytest.raises(CommandError, match="more than 0"):
        call_command("send_due", "--seconds", seconds)


def test_make_test_mailing_makes_readers_whose_consent_the_ledger_shows(settings):
    settings.EMBEDDED = True

    assert "25 readers planned" in said("make_test_mailing", "--readers", "25")
    assert "30 readers planned" in said("make_test_mailing", "--readers", "30")

    assert Subscription.objects.live().count() == 30
    assert counts(Mailing.objects.latest("pk")).planned == 30
    assert consent.verify() == []


def test_make_test_mailing_stays_away_from_real_readers(settings):
    settings.EMBEDDED = settings.DEBUG = False
    with pytest.raises(CommandError, match="EMBEDDED"):
        call_command("make_test_mailing")
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("readers", ["0", "-1", "2000001"])
def test_make_test_mailing_needs_a_sensible_number(settings, readers):
    settings.EMBEDDED = True
    with pytest.raises(CommandError, match="--readers"):
        call_command("make_test_mailing", "--readers", readers)
    assert not Mailing.objects.exists()
