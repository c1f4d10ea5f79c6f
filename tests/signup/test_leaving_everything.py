"""This newsletter or all of them, a reason if one likes, and curl as a mail program's server."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.sending.models import Delivery
from newsletter.sending.plan import plan_issue, resume
from newsletter.transports import memory
from signup import consent, tokens
from signup.models import ConsentEntry, Parting, Subscriber, Subscription
from signup.privacy import retention
from signup.privacy.erase import erase
from tests.signup.conftest import Catalogue
from tests.signup.mailed import approved_issue, deliver_all, dump, sent_digest, sent_issue, urls_in


@pytest.fixture
def link(reader: Subscriber, catalogue: Catalogue) -> str:
    row = Subscription.objects.get(subscriber=reader, newsletter=catalogue.living_well)
    return f"/unsubscribe/{tokens.unsubscribe_token(row.pk)}/"


@pytest.fixture
def goodbye(browser_client: Client, link: str) -> str:
    return str(browser_client.post(link, {"end": "1", "which": "this"})["Location"])


# --- Everything -------------------------------------------------------------------------------


def test_everything_ends_by_one_button_and_one_undo_takes_all_of_it_back(
    browser_client: Client, link: str
) -> None:
    response = browser_client.post(link, {"end": "1", "which": "everything"})
    assert not Subscription.objects.live().exists()
    assert set(Subscription.objects.values_list("ended_reason", flat=True)) == {"unsubscribed"}
    undo = response["Location"].replace("goodbye", "undo")
    assert "Welcome back" in browser_client.post(undo).content.decode()
    assert Subscription.objects.live().count() == 2
    assert browser_client.post(undo).status_code == 410
    assert consent.verify() == []


def test_undoing_everything_does_not_revive_what_was_ended_before(
    browser_client: Client, link: str, catalogue: Catalogue
) -> None:
    digest = Subscription.objects.get(newsletter=catalogue.digest)
    browser_client.post(f"/unsubscribe/{tokens.unsubscribe_token(digest.pk)}/", {"end": "1"})
    goodbye = browser_client.post(link, {"end": "1", "which": "everything"})["Location"]
    browser_client.post(goodbye.replace("goodbye", "undo"))
    assert [row.newsletter for row in Subscription.objects.live()] == [catalogue.living_well]


def test_everything_can_be_ended_by_the_link_of_one_that_was_ended_before(
    browser_client: Client, link: str, goodbye: str
) -> None:
    assert Subscription.objects.live().count() == 1
    browser_client.post(link, {"end": "1", "which": "everything"})
    assert not Subscription.objects.live().exists()


def test_the_page_does_not_tell_whether_there_is_anything_else(
    browser_client: Client, link: str, catalogue: Catalogue
) -> None:
    with_two = browser_client.get(link).content
    Subscription.objects.filter(newsletter=catalogue.digest).delete()
    assert browser_client.get(link).content == with_two


def test_a_mail_programs_one_click_ends_one_newsletter_only(
    browser_client: Client, link: str
) -> None:
    browser_client.post(link, {"List-Unsubscribe": "One-Click", "which": "everything"})
    assert Subscription.objects.live().count() == 1


# --- Why --------------------------------------------------------------------------------------


def test_a_reason_is_kept_once_it_is_given(browser_client: Client, goodbye: str) -> None:
    assert not Parting.objects.exists()
    response = browser_client.post(
        goodbye, {"reason": "too_many", "words": "write to ada@example.org less"}, follow=True
    )
    assert "Thank you for telling us" in response.content.decode()
    assert "Undo" in response.content.decode()
    parting = Parting.objects.get()
    assert parting.reason == "too_many"
    assert "ada@" not in parting.words


@pytest.mark.parametrize("answer", [{}, {"reason": "", "words": "  "}])
def test_no_reason_is_needed(browser_client: Client, goodbye: str, answer: dict[str, str]) -> None:
    assert browser_client.post(goodbye, answer).status_code == 302
    assert not Parting.objects.exists()


@pytest.mark.parametrize(
    "answer", [{"reason": "because"}, {"words": "x" * 301}, {"words": "a\x00b"}]
)
def test_a_reason_that_cannot_be_kept_is_said_and_nothing_is_kept(
    browser_client: Client, goodbye: str, answer: dict[str, str]
) -> None:
    before = dump()
    assert browser_client.post(goodbye, answer).status_code == 422
    assert dump() == before


def test_nobody_else_can_give_a_reason(browser_client: Client, link: str, goodbye: str) -> None:
    row = Subscription.objects.exclude(ended_at=None).get()
    forged = tokens.make(tokens.Purpose.UNDO, row.pk, 7)
    for token in (forged, "damaged", link.split("/")[2]):
        browser_client.post(f"/goodbye/{token}/", {"reason": "never_asked"})
    assert not Parting.objects.exists()


def test_a_reason_goes_with_undo_with_erasure_and_after_ninety_days(
    browser_client: Client, goodbye: str, reader: Subscriber, link: str
) -> None:
    browser_client.post(goodbye, {"reason": "other", "words": "Bye."})
    browser_client.post(goodbye.replace("goodbye", "undo"))
    assert not Parting.objects.exists()

    again = str(browser_client.post(link, {"end": "1"})["Location"])
    browser_client.post(again, {"reason": "other", "words": "Bye."})
    with time_machine.travel(timezone.now() + retention.KEEP_PARTINGS * 1.1):
        retention.purge()
    assert not Parting.objects.exists()

    browser_client.post(again, {"reason": "other", "words": "Bye."})
    assert Parting.objects.exists()
    erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    assert not Parting.objects.exists()


# --- As a mail program does it ----------------------------------------------------------------


def curl(*arguments: str, into: Path) -> tuple[int, str, str]:
    """Run curl without following redirects; return the status, the headers, the body."""
    headers = into / "headers"
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "20", "-D", str(headers), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    lines = headers.read_text()
    return int(lines.split()[1]), lines.lower(), done.stdout


def one_click_url(content: bytes, server: str) -> str:
    """The one address in the raw List-Unsubscribe line, at the test's server."""
    (line,) = [
        line for line in content.split(b"\r\n") if line.lower().startswith(b"list-unsubscribe:")
    ]
    assert b"<http" in line  # literal, never an encoded word
    assert content.count(b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n") == 1
    url = line.decode().partition("<")[2].partition(">")[0]
    assert url in urls_in(content)
    return server + "/" + url.split("/", 3)[3]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["issue", "digest"])
@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
def test_one_click_with_curl_from_the_raw_header_of_a_mail(
    live_server: Any,
    reader: Subscriber,
    catalogue: Catalogue,
    tmp_path: Path,
    kind: str,
    form: str,
) -> None:
    newsletter = catalogue.living_well if kind == "issue" else catalogue.digest
    copy = sent_issue(newsletter) if kind == "issue" else sent_digest(catalogue.disk)
    url = one_click_url(copy.content, live_server.url)
    body = (
        ["--data", "List-Unsubscribe=One-Click"]
        if form == "urlencoded"
        else ["--form", "List-Unsubscribe=One-Click"]
    )
    before = dump()
    assert curl("--head", url, into=tmp_path)[0] == 200
    assert curl(url, into=tmp_path)[0] == 200
    assert dump() == before
    for _ in range(2):
        status, headers, answer = curl(*body, url, into=tmp_path)
        assert status == 200
        assert "location:" not in headers
        assert "set-cookie" not in headers
        assert answer == "You are unsubscribed.\n"
    row = Subscription.objects.get(newsletter=newsletter)
    assert (row.state, row.ended_reason) == ("ended", "one_click")
    assert Subscription.objects.live().count() == 1
    assert ConsentEntry.objects.filter(method="one_click").count() == 1


def test_copies_that_are_queued_already_do_not_go_out(
    browser_client: Client, link: str, catalogue: Catalogue
) -> None:
    issue, approval = approved_issue(catalogue.living_well)
    resume(plan_issue(issue=issue, approval=approval, by=None))
    assert Delivery.objects.get().state == "queued"
    browser_client.post(link)
    memory.outbox.clear()
    deliver_all()
    assert memory.outbox == []
    row = Delivery.objects.get()
    assert (row.state, row.skip_reason) == ("skipped", "not_live")
