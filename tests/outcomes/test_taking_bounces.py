"""A mail to a copy's signed return path is written down for that copy, and for no other."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from newsletter.outcomes.bounces.take import Fate, take
from newsletter.outcomes.models import Event
from newsletter.outcomes.reactions import react
from newsletter.outcomes.reports import came_back_of
from newsletter.sending.models import Delivery
from newsletter.transports.return_path import return_path_maker
from signup.models import Subscriber, Subscription, Suppression
from tests.outcomes.bounce_mails import (
    EXIM,
    POSTFIX,
    QMAIL,
    VACATION,
    mail,
    report,
    status_report,
)
from tests.outcomes.factories import live_reader, mailing_with

pytestmark = pytest.mark.django_db

DOMAIN = "bounces.wellread.example"


@pytest.fixture(autouse=True)
def _bounce_domain(settings):
    settings.BOUNCE_DOMAIN = DOMAIN


def return_path(copy: Delivery) -> str:
    return return_path_maker(*settings.TOKEN_KEYS[0], DOMAIN)(copy.pk)


@pytest.fixture
def copy() -> Delivery:
    return mailing_with(live_reader(), state="accepted")


def states(copy: Delivery) -> list[str]:
    found = Subscription.objects.filter(subscriber=copy.subscriber)
    return list(found.values_list("state", flat=True))


def test_an_address_that_does_not_exist_is_not_mailed_again(copy):
    assert take(POSTFIX, recipient=return_path(copy)) is Fate.RECORDED
    event = Event.objects.get()
    assert (event.kind, event.status, event.source) == ("bounced", "5.1.1", "return path")
    assert (event.mailing_id, event.subscriber_id) == (copy.mailing_id, copy.subscriber_id)
    # No address, neither the reader's nor the copy's.
    assert "@" not in f"{event.detail}{event.source_id}"

    assert react() == 1
    assert states(copy) == ["ended"]
    assert Suppression.objects.get().reason == Suppression.Reason.HARD_BOUNCE


@pytest.mark.parametrize("state", ["accepted", "unknown"])
def test_what_we_know_of_sending_stays_as_it_was(state):
    """Two vocabularies: what we did, and what the world said later."""
    copy = mailing_with(live_reader(), state=state)
    take(POSTFIX, recipient=return_path(copy))
    react()
    copy.refresh_from_db()
    assert copy.state == state
    batch = copy.batch
    assert (batch.planned, getattr(batch, state), batch.refused) == (1, 1, 0)


def test_the_same_comes_again_and_counts_once(copy):
    """Killed between writing down and letting go of the mail, or told by two ways at once."""
    to = return_path(copy)
    assert [take(POSTFIX, recipient=to) for _ in range(3)] == [
        Fate.RECORDED, Fate.KNOWN, Fate.KNOWN,
    ]  # fmt: skip
    elsewhere = POSTFIX.replace(b"\r\n", b"\r\nReceived: by another way\r\n", 1)
    assert take(elsewhere, recipient=to) is Fate.KNOWN
    assert Event.objects.count() == 1


def test_five_reports_of_one_copy_are_one_failure(copy):
    first = timezone.now() - timedelta(days=30)
    for number in range(20):
        raw = status_report(status=f"4.2.{number}")
        take(raw, recipient=return_path(copy), at=first + timedelta(days=number))
    assert Event.objects.count() == 1
    react()
    assert states(copy) == ["live"]


def test_a_cause_that_is_named_later_counts(copy):
    to = return_path(copy)
    told = [QMAIL, EXIM, status_report(status="5.7.1"), status_report(status="5.1.1")]
    assert [take(raw, recipient=to) for raw in told] == [
        Fate.RECORDED, Fate.KNOWN, Fate.RECORDED, Fate.RECORDED,
    ]  # fmt: skip
    react()
    assert states(copy) == ["ended"]


@pytest.mark.parametrize("raw", [QMAIL, EXIM, status_report(status="4.4.7")])
def test_a_mailbox_that_takes_nothing_for_weeks_is_given_up(raw):
    subscription = live_reader()
    first = timezone.now() - timedelta(days=20)
    for week in range(5):
        copy = mailing_with(subscription, state="accepted")
        assert states(copy) == ["live"]
        take(raw, recipient=return_path(copy), at=first + timedelta(days=4 * week))
        react()
    assert states(copy) == ["ended"]


@pytest.mark.parametrize("status", ["5.7.1", "5.7.26", "5.1.8"])
def test_what_is_our_own_fault_is_written_down_and_held_against_nobody(status, copy):
    take(status_report(status=status), recipient=return_path(copy))
    react()
    assert (Event.objects.get().status, states(copy)) == (status, ["live"])
    assert not Suppression.objects.exists()


def test_a_complaint_ends_everything(copy):
    raw = report("message/feedback-report", ("Feedback-Type: abuse", "Version: 1"))
    assert take(raw, recipient=return_path(copy)) is Fate.RECORDED
    react()
    assert states(copy) == ["ended"]
    assert Suppression.objects.get().reason == Suppression.Reason.COMPLAINT


def test_a_delay_is_written_down_once_and_changes_nothing(copy):
    raw = status_report(action="delayed", status="4.4.1")
    fates = [take(raw, recipient=return_path(copy)) for _ in range(2)]
    assert fates == [Fate.RECORDED, Fate.KNOWN]
    react()
    assert (Event.objects.get().kind, states(copy)) == ("deferred", ["live"])


@pytest.mark.parametrize(
    ("raw", "fate"),
    [
        (status_report(action="delivered", status="2.0.0"), Fate.NOTHING),
        (status_report(action="relayed", status="2.0.0"), Fate.NOTHING),
        (status_report(action="expanded", status="2.0.0"), Fate.NOTHING),
        (VACATION, Fate.NOTHING),
        (report("message/feedback-report", ("Feedback-Type: not-spam",)), Fate.NOTHING),
        (mail("From: Fay <fay@example.org>", "", "Please stop. 550 5.1.1"), Fate.NO_REPORT),
        (b"\0\xff" * 1000, Fate.NO_REPORT),
        (b"", Fate.NO_REPORT),
    ],
)
def test_anything_else_changes_nothing(raw, fate, copy):
    assert take(raw, recipient=return_path(copy)) is fate
    assert not Event.objects.exists()


def test_neither_body_nor_to_changes_whose_it_is(copy):
    other = mailing_with(live_reader(), state="accepted")
    forged = POSTFIX.replace(b"To: bounce", f"To: {return_path(other)}\r\nX-To: bounce".encode())
    forged = forged.replace(b"ada@example.org", return_path(other).encode())
    take(forged, recipient=return_path(copy))
    assert Event.objects.get().subscriber_id == copy.subscriber_id


@pytest.mark.parametrize(
    "forge",
    [
        lambda to: "",
        lambda to: "ada@example.org",
        lambda to: f"hello@{DOMAIN}",
        lambda to: to.replace("bounce+1-", "bounce+2-"),
        lambda to: to[:-30] + "0" + to[-29:],
        lambda to: to + "x",
        lambda to: to + "\0",
    ],
)
def test_what_we_did_not_sign_changes_nothing(forge, copy):
    assert take(POSTFIX, recipient=forge(return_path(copy))) is Fate.NOT_OURS
    assert not Event.objects.exists()


def test_a_good_address_in_the_mail_does_not_stand_in_for_a_bad_one_of_the_envelope(copy):
    raw = POSTFIX.replace(b"bounce+1-1-aaaaaaaaaaaaaaaaaaaa@" + DOMAIN.encode(),
                          return_path(copy).encode())  # fmt: skip
    assert take(raw, recipient=f"hello@{DOMAIN}") is Fate.NOT_OURS


# --- Out of a mailbox, where nobody says to whom the mail came but the server's own lines ---------


@pytest.mark.parametrize(
    "top",
    [
        ("Return-Path: <>", "X-Original-To: {}", "Delivered-To: bounces@here.example"),
        ("Return-Path: <>", "Delivered-To: {}"),
        ("Return-path: <>", "Envelope-to: {}", "Delivery-date: Mon, 23 Nov 2026 03:00:00 +0000"),
        ("X-Spam: no", "delivered-to: <{}>"),
        ("Envelope-to: somebody@here.example,\r\n\t{}",),
        ("Delivered-To: {}", "X-Original-To: {}"),
    ],
)
def test_our_own_servers_line_says_whose_it_is(top, copy):
    lines = tuple(one.format(return_path(copy)) for one in top)
    assert take(status_report(top=(*lines, "Received: by us"))) is Fate.RECORDED
    assert Event.objects.get().subscriber_id == copy.subscriber_id


@pytest.mark.parametrize(
    "top",
    [
        # What stands below the first Received was there before our own server had the mail.
        ("Received: by us", "Delivered-To: {}", "Received: by them"),
        ("Received: by us", "X-Original-To: {}", "Envelope-To: {}"),
        ("To: {}", "Cc: {}", "X-Envelope-To: {}", "Received: by us"),
        ("Return-Path: <{}>", "Received: by us for <{}>"),
    ],
)
def test_a_line_of_the_senders_own_does_not(top, copy):
    lines = tuple(one.format(return_path(copy), return_path(copy)) for one in top)
    assert take(status_report(top=lines)) is Fate.NAMELESS
    assert not Event.objects.exists()


def test_who_forges_a_line_gains_nothing_beside_our_own(copy):
    top = ("Delivered-To: bounces@here.example", "Received: by us", "Delivered-To: {}")
    lines = tuple(one.format(return_path(copy)) for one in top)
    assert take(status_report(top=lines)) is Fate.NOT_OURS


def test_a_mail_to_two_return_paths_is_of_neither(copy):
    other = mailing_with(live_reader(), state="accepted")
    top = (f"Envelope-to: {return_path(copy)}, {return_path(other)}", "Received: by us")
    assert take(status_report(top=top)) is Fate.NOT_OURS
    assert not Event.objects.exists()


# --- Readers who are not where they were ----------------------------------------------------------


def test_a_reader_who_has_moved_since_is_not_suppressed_at_the_new_address(copy):
    Subscriber.objects.update(address_since=timezone.now() + timedelta(seconds=2))
    assert take(POSTFIX, recipient=return_path(copy)) is Fate.RECORDED
    react()
    event = Event.objects.get()
    assert (event.mailing_id, event.subscriber_id) == (copy.mailing_id, None)
    assert states(copy) == ["live"]
    assert not Suppression.objects.exists()


def test_a_reader_who_moved_before_the_mail_is(copy):
    Subscriber.objects.update(address_since=copy.mailing.dated - timedelta(days=1))
    take(POSTFIX, recipient=return_path(copy))
    react()
    assert states(copy) == ["ended"]


def test_a_reader_who_was_erased_is_not_named_again(copy):
    Subscriber.objects.update(email=None, email_key=None, erased_at=timezone.now())
    take(POSTFIX, recipient=return_path(copy))
    react()
    assert Event.objects.get().subscriber_id is None


def test_a_copy_that_is_not_kept_any_more_leads_nowhere(copy):
    to = return_path(copy)
    copy.delete()
    assert take(POSTFIX, recipient=to) is Fate.NOT_OURS


# --- What stays ----------------------------------------------------------------------------------


def test_no_log_names_an_address_or_a_word_of_the_mail(copy, caplog):
    caplog.set_level("DEBUG")
    for raw in (POSTFIX, VACATION, QMAIL, b"\xff"):
        take(raw, recipient=return_path(copy))
        take(raw)
    take(POSTFIX, recipient="ada@example.org")
    assert "Mail to a return path: recorded" in caplog.text
    assert "@" not in caplog.text and "User unknown" not in caplog.text


def test_what_the_server_said_fits_every_database(copy):
    words = "smtp; 550 5.1.1 <ada@example.org> \0\x07 \udcff" + "long " * 200
    raw = status_report().replace(
        b"Status: 5.1.1", b"Status: 5.1.1\r\nDiagnostic-Code: " + words.encode("utf-8", "replace")
    )
    take(raw, recipient=return_path(copy))
    event = Event.objects.get()
    assert event.detail.startswith("550 5.1.1 <[address]>")
    assert len(event.detail) <= 300 and event.detail.isprintable()


def test_nothing_is_dated_later_than_now_or_earlier_than_it_came(copy):
    came = timezone.now() - timedelta(hours=3)
    take(QMAIL, recipient=return_path(copy), at=came)
    take(POSTFIX, recipient=return_path(copy), at=timezone.now() + timedelta(days=400))
    early, late = Event.objects.order_by("pk")
    assert early.at == came
    assert late.at <= timezone.now()


def test_staff_see_how_many_copies_of_a_mailing_came_back(copy, django_assert_num_queries):
    other = mailing_with(live_reader(), state="refused", reply="550 5.1.1 gone")
    take(QMAIL, recipient=return_path(copy))
    take(POSTFIX, recipient=return_path(copy))
    # Refused at the door is counted with the mailing itself, and not a second time.
    react()
    with django_assert_num_queries(1):
        found = came_back_of([copy.mailing, other.mailing])
    assert found == {copy.mailing_id: 1, other.mailing_id: 0}
