"""My record, all of it to take away, and erasing by the reader's own hand."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.sending.models import Delivery
from signup import consent, preferences, tokens
from signup.models import (
    ConsentEntry,
    Follow,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)
from signup.privacy.parcel import as_csv, parcel
from signup.suppress import is_suppressed
from tests.signup.conftest import Catalogue
from tests.signup.mailed import dump, sent, sent_digest, sent_issue

Asking = Callable[..., SystemMail | None]


@pytest.fixture
def page(reader: Subscriber) -> str:
    return f"/preferences/{tokens.make(tokens.Purpose.PREFERENCES, reader.pk)}/"


# --- My record --------------------------------------------------------------------------------


def test_the_record_says_of_every_mail_why_it_came(
    browser_client: Client, page: str, reader: Subscriber, catalogue: Catalogue
) -> None:
    sent_issue(catalogue.living_well)
    sent_digest(catalogue.disk)
    sent(preferences.request_link(address_key="ada@example.org"))
    title = Delivery.objects.exclude(article_ids=None).get().article_ids
    assert title
    before = dump()
    text = browser_client.get(f"{page}record/").content.decode()
    assert dump() == before
    for words in (
        "“Living Well”: accepted – Moving well",
        "Because you subscribed to “Living Well” on",
        "“My Conditions”: accepted – Article",
        "You follow: Herniated disk.",
        "Your link to change what you get",
        "Because the link to your page was asked for.",
        "You agreed to: Living Well",
    ):
        assert words in text, words


def test_the_record_of_another_reader_is_not_in_it(
    browser_client: Client, page: str, ask: Asking, catalogue: Catalogue
) -> None:
    from signup.confirm import confirm

    owed = ask("bob@example.org", conditions=[catalogue.asthma])
    assert owed is not None and owed.sign_up is not None
    confirm(sign_up=owed.sign_up)
    sent_digest(catalogue.asthma)
    assert Delivery.objects.filter(subscriber__email="bob@example.org").exists()
    for path in ("record/", "", "export/"):
        assert "bob@" not in browser_client.get(page + path).content.decode()
    text = browser_client.get(f"{page}record/").content.decode()
    assert "Article" not in text


@pytest.mark.parametrize("path", ["record/", "export/", "erase/", "address/"])
def test_these_pages_are_closed_after_thirty_minutes_and_to_other_links(
    browser_client: Client, page: str, reader: Subscriber, path: str
) -> None:
    subscription = Subscription.objects.live().first()
    assert subscription is not None
    forwarded = f"/preferences/{tokens.unsubscribe_token(subscription.pk)}/"
    before = dump()
    for opened in (forwarded, "/preferences/damaged/"):
        assert browser_client.get(opened + path).status_code == 404
        assert browser_client.post(opened + path, {"action": "erase"}).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        for answer in (
            browser_client.get(page + path),
            browser_client.post(page + path, {"action": "erase"}),
        ):
            assert answer.status_code == 410
            assert not re.search(r"\bada\b", answer.content.decode())
    assert dump() == before


# --- Take it along ----------------------------------------------------------------------------


def files_in(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_file_is_made_by_the_button_only(
    browser_client: Client, page: str, catalogue: Catalogue
) -> None:
    sent_issue(catalogue.living_well)
    before = dump()
    shown = browser_client.get(f"{page}export/")
    assert shown["Content-Type"].startswith("text/html")
    response = browser_client.post(f"{page}export/")
    assert dump() == before
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    assert response["Cache-Control"] == "no-store, private"
    files = files_in(response.content)
    document = json.loads(files["everything.json"])
    assert document["signup"]["address"] == "ada@example.org"
    assert document["sending"]["deliveries"][0]["state"] == "accepted"
    assert "read-me.txt" in files
    rows = list(csv.DictReader(io.StringIO(files["signup-follows.csv"].decode("utf-8-sig"))))
    assert [row["condition"] for row in rows] == ["Herniated disk"]
    about = csv.DictReader(io.StringIO(files["signup-about_you.csv"].decode("utf-8-sig")))
    assert {row["what"]: row["value"] for row in about}["address"] == "ada@example.org"


def test_every_list_of_the_export_is_a_table_too(reader: Subscriber) -> None:
    files = files_in(parcel(subscriber=reader))
    document = json.loads(files["everything.json"])
    for station, values in document.items():
        for name, rows in values.items():
            if isinstance(rows, list) and rows:
                content = files[f"{station}-{name}.csv"].decode("utf-8-sig")
                read = list(csv.DictReader(io.StringIO(content), strict=True))
                assert len(read) == len(rows), (station, name)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\0"])
def test_no_cell_is_a_formula(sign: str) -> None:
    evil = f'{sign}HYPERLINK("https://evil.example","x")'
    content = as_csv([{"name": evil, "=head": 1}])
    for row in csv.reader(io.StringIO(content, newline="")):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0"))
    assert evil in next(csv.DictReader(io.StringIO(content, newline="")))["name"]


def test_the_tables_are_written_as_rfc_4180_has_it() -> None:
    content = as_csv(
        [{"a": 'say "yes"', "b": "one, two"}, {"a": "two\r\nlines", "b": None, "c": -3}]
    )
    assert content == 'a,b,c\r\n"say ""yes""","one, two",\r\n"two\r\nlines",,-3\r\n'


def test_the_file_holds_no_token(reader: Subscriber, catalogue: Catalogue) -> None:
    everything = b"".join(files_in(parcel(subscriber=reader)).values()).decode()
    for row in Subscription.objects.all():
        assert tokens.unsubscribe_token(row.pk) not in everything


# --- Erase ------------------------------------------------------------------------------------


def test_the_page_explains_and_looking_erases_nothing(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    before = dump()
    text = browser_client.get(f"{page}erase/").content.decode()
    assert "This cannot be undone" in text
    assert "What stays" in text
    assert 'name="never_again"' in text
    assert "checked" not in text
    assert browser_client.post(f"{page}erase/").status_code == 200  # not the page's own button
    assert dump() == before


@pytest.mark.parametrize("never_again", [True, False])
def test_the_button_erases_and_the_code_stays_only_if_asked_for(
    browser_client: Client, page: str, reader: Subscriber, never_again: bool
) -> None:
    answers = {"action": "erase"} | ({"never_again": "on"} if never_again else {})
    response = browser_client.post(f"{page}erase/", answers)
    assert response["Location"] == "/erased/"
    assert "We no longer know who you are" in browser_client.get("/erased/").content.decode()
    reader.refresh_from_db()
    assert reader.is_erased
    assert reader.email is None
    assert not Follow.objects.exists()
    assert is_suppressed("ada@example.org") is never_again
    assert set(Subscription.objects.values_list("state", "ended_reason")) == {("ended", "erased")}
    entry = ConsentEntry.objects.latest("seq")
    assert (entry.action, entry.method) == ("erased", "preferences")
    assert consent.verify() == []
    assert browser_client.get(page).status_code == 410


def test_a_suppression_from_before_outlives_an_erasure_that_asks_for_none(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    from signup.suppress import suppress

    suppress(subscriber=reader, reason=Suppression.Reason.COMPLAINT, source="test")
    browser_client.post(f"{page}erase/", {"action": "erase"})
    assert is_suppressed("ada@example.org")


def test_what_is_planned_for_an_erased_reader_does_not_go_out(
    browser_client: Client, page: str, reader: Subscriber, catalogue: Catalogue
) -> None:
    from newsletter.sending.plan import plan_issue, resume
    from newsletter.transports import memory
    from tests.signup.mailed import approved_issue, deliver_all

    issue, approval = approved_issue(catalogue.living_well)
    resume(plan_issue(issue=issue, approval=approval, by=None))
    assert Delivery.objects.get().state == "queued"
    browser_client.post(f"{page}erase/", {"action": "erase"})
    memory.outbox.clear()
    deliver_all()
    assert memory.outbox == []
    assert Delivery.objects.get().skip_reason == "erased"


def test_the_record_tells_the_time_by_the_readers_own_clock(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    sent(preferences.request_link(address_key="ada@example.org"))
    accepted = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    SystemMail.objects.filter(state="accepted").update(accepted_at=accepted)
    Subscriber.objects.filter(pk=reader.pk).update(timezone="America/New_York")
    text = browser_client.get(f"{page}record/").content.decode()
    assert "1 July 2026, 18:30" in text
    assert "22:30" not in text
    assert "Times are in your time zone, America/New York." in text
