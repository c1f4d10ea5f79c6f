"""The forms as a browser meets them: no cookie, no JavaScript, errors that lead to the field."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from newsletter.catalogue.models import Newsletter
from signup import guard
from signup.consent import current_texts
from signup.models import (
    ConsentEntry,
    ConsentText,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
)
from tests.running.processes import wait_until
from tests.signup.conftest import Catalogue
from tests.signup.filling_in import CHECK_INBOX, filled_in, nothing_was_kept

Asking = Callable[..., SystemMail | None]


def test_the_page_offers_newsletters_conditions_and_cadence(
    client: Client, catalogue: Catalogue
) -> None:
    page = client.get("/sign-up/").content.decode()
    for words in ("Living Well", "Herniated disk", "Asthma", "Back and joints", "Lungs", "weekly"):
        assert words in page
    assert 'name="email"' in page
    assert 'autocomplete="email"' in page


def test_no_box_is_ticked_to_begin_with(client: Client, catalogue: Catalogue) -> None:
    for address in ("/sign-up/", "/sign-up/for/herniated-disk/"):
        page = client.get(address).content.decode()
        assert "checked" not in page
        assert page.count('name="consent_mail"') == page.count('name="consent_health"') == 1


def test_the_wording_stands_beside_its_box(client: Client, catalogue: Catalogue) -> None:
    texts = current_texts("en")
    page = client.get("/sign-up/for/herniated-disk/").content.decode()
    assert texts[ConsentText.Purpose.MAIL].wording in page
    assert texts[ConsentText.Purpose.HEALTH].wording in page


def test_a_sign_up_is_kept_and_one_mail_is_owed(
    browser_client: Client, catalogue: Catalogue
) -> None:
    response = browser_client.post("/sign-up/", filled_in())
    assert (response.status_code, response["Location"]) == (302, CHECK_INBOX)
    sign_up = SignUp.objects.get()
    assert sign_up.subscriber.email == "ada@example.org"
    assert sign_up.cadence == Subscription.Cadence.DAILY
    assert sign_up.form_url.endswith("/sign-up/")
    assert SystemMail.objects.get().state == SystemMail.State.QUEUED


def test_the_worker_gets_an_id_and_nothing_else(
    browser_client: Client,
    catalogue: Catalogue,
    valkey: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        browser_client.post("/sign-up/", filled_in())
    (raw,) = wait_until(lambda: valkey.lrange("prompt", 0, -1), seconds=30)
    assert not re.search(rb"\bada\b", raw)
    assert b"herniated" not in raw


def test_a_broker_that_is_away_loses_no_sign_up(
    browser_client: Client,
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from kombu.exceptions import OperationalError

    from signup import handing_over, tasks

    def away(*_args: object) -> None:
        raise OperationalError("nobody there")

    monkeypatch.setattr(tasks.send_system_mails, "delay", away)
    with django_capture_on_commit_callbacks(execute=True):
        response = browser_client.post("/sign-up/", filled_in())
    handing_over.now()
    assert "the sweep will send the mail" in caplog.text
    assert response["Location"] == CHECK_INBOX
    assert SystemMail.objects.count() == 1


def test_the_short_form_asks_for_its_condition_only(
    browser_client: Client, catalogue: Catalogue
) -> None:
    token = guard.form_token(guard.Place.CONDITION_PAGE, current_texts("en"))
    values = {"email": "ada@example.org", "consent_mail": "on", "consent_health": "on"}
    response = browser_client.post(
        "/sign-up/for/herniated-disk/", {**values, "form_token": token, "conditions": "asthma"}
    )
    assert response["Location"] == CHECK_INBOX
    sign_up = SignUp.objects.get()
    assert list(sign_up.conditions.all()) == [catalogue.disk]
    assert list(sign_up.newsletters.all()) == [catalogue.digest]
    assert sign_up.form_url.endswith("/conditions/herniated-disk/")
    assert sign_up.cadence == Subscription.Cadence.WEEKLY


def test_public_pages_set_no_cookie(browser_client: Client, catalogue: Catalogue) -> None:
    for address in (
        "/sign-up/",
        "/sign-up/for/herniated-disk/",
        CHECK_INBOX,
        "/preferences/",
        "/preferences/link-mailed/",
        "/privacy/",
        "/goodbye/",
    ):
        response = browser_client.get(address)
        assert response.status_code == 200, address
        assert not response.cookies, address
    assert not browser_client.post("/sign-up/", filled_in()).cookies
    assert not browser_client.post("/sign-up/", {}).cookies
    assert not browser_client.cookies


def test_pages_need_no_script_and_no_third_party(client: Client, catalogue: Catalogue) -> None:
    for address in ("/sign-up/", "/sign-up/for/herniated-disk/", "/preferences/", "/privacy/"):
        page = client.get(address).content.decode()
        # Our own files only, none inline; tests/journeys goes all the way without them.
        assert page.count("<script") == len(re.findall(r'<script src="/static/js/', page))
        assert not re.findall(r"(?:src|action)=\"(?:https?:)?//", page)


@pytest.mark.parametrize("address", ["/sign-up/", "/sign-up/for/herniated-disk/"])
def test_an_empty_form_names_every_problem_and_leads_to_it(
    client: Client, catalogue: Catalogue, address: str
) -> None:
    token = {"form_token": filled_in()["form_token"]}
    response = client.post(address, token)
    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: " in page
    assert "There is a problem" in page
    assert 'role="alert" tabindex="-1" autofocus' in page
    summary = page[page.index("error-summary") : page.index("</ul>", page.index("error-summary"))]
    targets = re.findall(r'href="#([^"]+)"', summary)
    assert targets
    for target in targets:
        assert f'id="{target}"' in page, target
    for message in re.findall(r">([^<]+)</a>", summary):
        assert page.count(message) >= 2, message
    assert nothing_was_kept()


def test_what_was_typed_is_kept_when_something_is_wrong(
    client: Client, catalogue: Catalogue
) -> None:
    values = filled_in(email="ada@example", conditions=["asthma"], consent_health="on")
    page = client.post("/sign-up/", values).content.decode()
    assert 'value="ada@example"' in page
    assert re.search(r'value="asthma"[^>]* checked', page)
    assert re.search(r'value="living-well"[^>]* checked', page)
    assert not re.search(r'value="herniated-disk"[^>]* checked', page)
    assert re.search(r'name="consent_health"[^>]* checked', page)
    assert re.search(r'value="daily" selected', page)
    assert nothing_was_kept()


def test_the_error_is_beside_the_field_in_the_same_words(
    client: Client, catalogue: Catalogue
) -> None:
    page = client.post("/sign-up/", filled_in(email="ada")).content.decode()
    message = "Enter an e-mail address with an @, like name@example.org."
    assert page.count(message) == 2
    assert 'aria-invalid="true" aria-describedby="id_email-error"' in page


@pytest.mark.parametrize("box", ["consent_mail", "consent_health"])
def test_an_unticked_box_is_asked_for(client: Client, catalogue: Catalogue, box: str) -> None:
    values = filled_in()
    del values[box]
    response = client.post("/sign-up/", values)
    assert response.status_code == 422
    assert f'href="#id_{box}"' in response.content.decode()
    assert nothing_was_kept()


def test_a_newsletter_alone_needs_no_consent_for_health(
    client: Client, catalogue: Catalogue
) -> None:
    values = filled_in(conditions=[])
    del values["consent_health"]
    assert client.post("/sign-up/", values).status_code == 302
    assert not ConsentEntry.objects.filter(purpose="health").exists()


def test_measurement_is_never_required_and_never_assumed(
    client: Client, catalogue: Catalogue
) -> None:
    client.post("/sign-up/", filled_in())
    client.post("/sign-up/", filled_in("bob@example.org", consent_measurement="on"))
    asked = ConsentEntry.objects.filter(purpose="measurement")
    assert [entry.subject for entry in asked] == [
        Subscriber.objects.get(email_key="bob@example.org").consent_subject.subject
    ]


def test_the_ledger_names_the_wording_that_was_shown_not_the_newest(
    client: Client, catalogue: Catalogue
) -> None:
    values = filled_in()
    shown = current_texts("en")[ConsentText.Purpose.MAIL]
    ConsentText.objects.create(purpose="mail", language="en", version=2, wording="New words.")
    client.post("/sign-up/", values)
    assert {e.text for e in ConsentEntry.objects.filter(purpose="mail")} == {shown}


@pytest.mark.parametrize(
    "change",
    [
        {"newsletters": ["no-such"]},
        {"conditions": ["no-such"]},
        {"conditions": ["herniated-disk", "\x00"]},
        {"newsletters": ["my-conditions"], "conditions": []},
        {"newsletters": [], "conditions": []},
        {"cadence": "hourly"},
        {"first_name": "https://spam.example"},
        {"first_name": "win at spam.example now"},
        {"first_name": "a" * 61},
        {"first_name": "Ada\r\nBcc: bob@example.org"},
        {"first_name": "A\x00da"},
        {"first_name": "\ue000to\ue002"},
        {"email": "a" * 10_000},
        {"email": "ada@example.org\x00"},
        {"email": "\U0001f600"},
        {"email": "ada@example.org\nBcc: bob@example.org"},
    ],
)
def test_bad_input_is_refused_in_words_and_nothing_is_kept(
    client: Client, catalogue: Catalogue, change: dict[str, Any]
) -> None:
    response = client.post("/sign-up/", filled_in(**change))
    if change == {"first_name": "Ada\r\nBcc: bob@example.org"}:
        # The line break becomes a space; the address in it does the rest.
        assert "first name only" in response.content.decode()
    assert response.status_code == 422
    assert "There is a problem" in response.content.decode()
    assert nothing_was_kept()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"email=%00%FF%ED%A0%80&newsletters=%ED%A0%80", "application/x-www-form-urlencoded"),
        (b"x" * 100_000, "application/x-www-form-urlencoded"),
        (b"--broken", "multipart/form-data; boundary=b"),
        (b"{}", "application/json"),
        (b"&".join(b"a%d=1" % n for n in range(2000)), "application/x-www-form-urlencoded"),
        (b"email=" + b"a" * 3_000_000, "application/x-www-form-urlencoded"),
    ],
)
def test_rubbish_is_refused_without_an_error_of_ours(
    client: Client, catalogue: Catalogue, body: bytes, content_type: str
) -> None:
    response = client.post("/sign-up/", body, content_type=content_type)
    assert response.status_code in {400, 413, 422}
    assert nothing_was_kept()


def test_unknown_query_strings_do_no_harm(client: Client, catalogue: Catalogue) -> None:
    page = client.get("/sign-up/?condition=asthma&condition=%00<script>").content.decode()
    assert re.search(r'value="asthma"[^>]* checked', page)
    assert "<script>" not in page


def test_a_closed_digest_is_said_on_the_condition_page(
    client: Client, catalogue: Catalogue
) -> None:
    Newsletter.objects.filter(pk=catalogue.digest.pk).update(open_for_signup=False)
    assert (
        "cannot be followed by e-mail"
        in client.get("/sign-up/for/herniated-disk/").content.decode()
    )
    response = client.post("/sign-up/for/herniated-disk/", filled_in())
    assert response.status_code == 422
    assert client.get("/sign-up/").content.decode().count('name="conditions"') == 0
    assert nothing_was_kept()


def test_other_methods_are_refused(client: Client, catalogue: Catalogue) -> None:
    for method in (client.put, client.delete, client.patch):
        assert method("/sign-up/").status_code == 405
