"""A test goes to staff only, is marked as one, and counts nowhere."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from newsletter.sending.models import Delivery, Mailing
from newsletter.transports import memory
from newsletter.transports.values import Outcome, Receipt
from tests.desk import world
from tests.desk.conftest import client_of


@pytest.fixture(autouse=True)
def outbox(settings):
    settings.EMAIL_URL = "memory:"
    memory.outbox.clear()
    return memory.outbox


@pytest.fixture
def post(desk):
    issue = world.issue(desk.newsletter, desk.author)
    url = reverse("desk:test_send", args=(issue.pk,))

    def post(to, user=desk.author):
        return client_of(user).post(url, {"to": to})

    return post


def test_a_draft_goes_to_staff_marked_as_a_test(desk, post, outbox):
    answer = post("author@staff.example.org, Reviewer@Staff.example.org")
    assert answer.status_code == 302
    assert [envelope.recipient for envelope in outbox] == [
        "author@staff.example.org",
        "reviewer@staff.example.org",
    ]
    assert all(b"[Test]" in envelope.content for envelope in outbox)
    assert len(list(get_messages(answer.wsgi_request))) == 2
    assert not Mailing.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "required"),
        ("  ,; ", "at least one address"),
        ("author", "no e-mail address"),
        ("author@staff", "no e-mail address"),
        ("reader@example.org", "belongs to no staff account"),
        ("author@staff.example.org\r\nBcc: x@example.org", "no e-mail address"),
        ("author@staff.example.org reader@example.org", "belongs to no staff account"),
        (" ".join(f"a{n}@example.org" for n in range(6)), "at most"),
        ("x" * 601, "at most 600"),
    ],
)
def test_anything_else_is_refused_and_nothing_goes_out(desk, post, outbox, typed, said):
    answer = post(typed)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert said in text
    assert "desk-field__error" in text
    assert outbox == []


def test_what_was_typed_is_kept(desk, post):
    assert "reader@example.org" in post("reader@example.org").content.decode()


def test_a_colleague_who_left_gets_no_test(desk, post, outbox):
    desk.sender.is_active = False
    desk.sender.save()
    assert post("sender@staff.example.org").status_code == 422
    assert outbox == []


def test_an_address_typed_twice_gets_one(desk, post, outbox):
    post("author@staff.example.org author@staff.example.org")
    assert len(outbox) == 1


def test_a_refusal_of_the_relay_is_said(desk, post, monkeypatch):
    refused = Receipt(Outcome.PERMANENT, 550, "5.1.1", "No such user")
    monkeypatch.setattr(
        memory.MemoryTransport,
        "send",
        lambda self, outgoing: iter([(one.key, refused) for one in outgoing]),
    )
    answer = post("author@staff.example.org")
    assert "550 5.1.1 No such user" in str(next(iter(get_messages(answer.wsgi_request))))


def test_a_relay_that_is_down_is_said_and_no_error_page(desk, post, settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    answer = post("author@staff.example.org")
    assert answer.status_code == 302
    assert "did not go out" in str(next(iter(get_messages(answer.wsgi_request))))
