"""A form on another web site: it works without script, keeps what was typed, leads nowhere else."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signup import consent
from signup.consent import texts
from signup.embed.address import url_of
from signup.models import (
    ConsentEntry,
    ConsentText,
    EmbedForm,
    SignUp,
    Subscriber,
    Suppression,
    SystemMail,
)
from signup.suppress import suppress
from tests.signup.conftest import Catalogue, make_newsletter
from tests.signup.embedding import PAGE, Fields, html_of, make_form, path_of, sent
from tests.signup.filling_in import nothing_was_kept
from tests.signup.solving import solved

Purpose = ConsentText.Purpose
BACK = PAGE + "&wellread=check-inbox"


@pytest.fixture
def form(catalogue: Catalogue) -> EmbedForm:
    """One newsletter and one condition, each with its own box."""
    return make_form(catalogue.living_well, catalogue.disk)


def chosen(**changes: Any) -> dict[str, Any]:
    return sent(**{"newsletters": ["living-well"], "conditions": ["herniated-disk"], **changes})


def new_wording(purpose: Purpose = Purpose.MAIL) -> ConsentText:
    draft = texts.write_draft(purpose=purpose, language="en", wording="Other words.", by="dpo")
    return texts.approve(text_id=draft.pk, wording="Other words.", by="dpo")


# --- The HTML ------------------------------------------------------------------------------------


def test_the_html_is_a_plain_form_that_fetches_nothing(form: EmbedForm) -> None:
    html = html_of(form)
    fields = Fields(html)
    assert not {"script", "style", "link", "img", "iframe", "object"} & set(fields.tags)
    assert not re.search(r"\s(on\w+|style)=", html)
    assert f'<form action="{url_of(form)}" method="post"' in html
    assert set(re.findall(r'https?://[^"]+', html)) == {
        url_of(form),
        PAGE.replace("&", "&amp;"),
        f"{settings.BASE_URL}/en/privacy/",
    }


def test_the_address_in_the_html_is_the_one_that_takes_it(form: EmbedForm) -> None:
    path = reverse("signup:embedded", args=[form.public_id])
    assert url_of(form) == f"{settings.BASE_URL}/en{path}"


def test_no_box_in_the_html_is_ticked_and_each_stands_beside_its_wording(form: EmbedForm) -> None:
    html = html_of(form)
    assert Fields(html).boxes == {
        ("newsletters", "living-well"): False,
        ("conditions", "herniated-disk"): False,
        ("consent_mail", "on"): False,
        ("consent_health", "on"): False,
    }
    now = consent.current_texts("en")
    for purpose in (Purpose.MAIL, Purpose.HEALTH):
        label = re.search(rf'<label for="[^"]*-{purpose.value}">([^<]*)</label>', html)
        assert label is not None
        assert label[1] == now[purpose].wording


def test_a_form_about_one_thing_asks_no_choice_and_no_health_without_a_condition(
    catalogue: Catalogue,
) -> None:
    assert set(Fields(html_of(make_form(catalogue.living_well))).boxes) == {("consent_mail", "on")}
    about_the_disk = make_form(catalogue.disk)
    assert ("consent_health", "on") in Fields(html_of(about_the_disk)).boxes
    assert "Herniated disk" in html_of(about_the_disk)


def test_the_html_speaks_the_forms_language(form: EmbedForm) -> None:
    form.language = "es"
    for draft in ConsentText.objects.drafts().filter(language="es"):
        texts.approve(text_id=draft.pk, wording=draft.wording, by="dpo")
    html = html_of(form)
    assert 'lang="es" dir="ltr"' in html
    assert "/es/sign-up/embed/" in html
    assert consent.current_texts("es")[Purpose.MAIL].wording in html


def test_what_staff_wrote_cannot_break_out_of_the_html(catalogue: Catalogue) -> None:
    evil = make_newsletter("evil", name='"><script>x</script>', promise="<img src=x>")
    html = html_of(make_form(evil, catalogue.living_well))
    assert not {"script", "img"} & set(Fields(html).tags)


# --- The way of a sign-up ------------------------------------------------------------------------


def test_a_reader_signs_up_and_comes_back_to_the_page(
    browser_client: Client, form: EmbedForm
) -> None:
    response = browser_client.post(
        path_of(form), chosen(), headers={"Origin": "https://clinic.example"}
    )
    assert (response.status_code, response["Location"]) == (302, BACK)
    assert not browser_client.cookies
    sign_up = SignUp.objects.get()
    assert [one.slug for one in sign_up.conditions.all()] == ["herniated-disk"]
    assert {one.slug for one in sign_up.newsletters.all()} == {"living-well", "my-conditions"}
    assert sign_up.language == "en"
    assert sign_up.form_url == f"{url_of(form)}?on=https://clinic.example"
    assert SystemMail.objects.count() == 1
    entry = ConsentEntry.objects.filter(purpose="health").get()
    assert entry.text == consent.current_texts("en")[Purpose.HEALTH]


def test_a_form_about_one_condition_needs_no_choice(client: Client, catalogue: Catalogue) -> None:
    form = make_form(catalogue.disk)
    assert client.post(path_of(form), sent())["Location"] == BACK
    assert [one.slug for one in SignUp.objects.get().conditions.all()] == ["herniated-disk"]


def test_the_digest_that_staff_chose_carries_the_conditions(
    client: Client, catalogue: Catalogue
) -> None:
    mine = make_newsletter("their-conditions", kind="digest")
    form = make_form(catalogue.disk, catalogue.asthma, mine)
    client.post(path_of(form), sent(conditions=["asthma"]))
    assert list(SignUp.objects.get().newsletters.all()) == [mine]


def test_a_reader_may_take_the_newsletter_alone_without_the_consent_for_health(
    client: Client, form: EmbedForm
) -> None:
    values = sent(newsletters=["living-well"])
    del values["consent_health"]
    assert client.post(path_of(form), values).status_code == 302
    assert not ConsentEntry.objects.filter(purpose="health").exists()


def test_nothing_but_what_the_form_offers_can_be_asked_for(client: Client, form: EmbedForm) -> None:
    make_newsletter("internal")
    for values in (chosen(newsletters=["internal"]), chosen(conditions=["asthma"])):
        assert client.post(path_of(form), values).status_code == 422
    assert nothing_was_kept()


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "https://clinic.example/",
        "https://clinic.example/thank-you/",
        PAGE + "x",
        "https://clinic.example.evil.example/thank-you/?from=footer",
        "//clinic.example/thank-you/?from=footer",
        "javascript:alert(1)",
        "\\\\evil.example",
        "",
    ],
)
def test_only_a_listed_page_is_returned_to(client: Client, form: EmbedForm, elsewhere: str) -> None:
    location = client.post(path_of(form), chosen(return_to=elsewhere))["Location"]
    assert location == "/en/sign-up/check-your-inbox/"


def test_what_is_wrong_is_shown_on_our_page_with_everything_kept(
    client: Client, form: EmbedForm
) -> None:
    values = chosen(email="ada@", first_name="Ada", cadence="daily", consent_measurement="on")
    response = client.post(path_of(form), values)
    assert response.status_code == 422
    page = response.content.decode()
    assert "There is a problem" in page
    kept = Fields(page).values
    for name in ("newsletters", "conditions", "email", "first_name", "cadence", "return_to"):
        wanted = values[name] if isinstance(values[name], list) else [values[name]]
        assert kept[name] == wanted, name
    for name in ("consent_mail", "consent_health", "consent_measurement"):
        assert kept[name] == ["on"], name
    assert nothing_was_kept()
    # One press more.
    again = client.post(path_of(form), {**kept, "email": "ada@example.org"})
    assert again["Location"] == BACK
    assert SignUp.objects.get().cadence == "daily"


def test_a_wrong_name_or_cadence_can_be_put_right(client: Client, form: EmbedForm) -> None:
    page = client.post(path_of(form), chosen(first_name="http://x.y", cadence="hourly"))
    kept = Fields(page.content.decode()).values
    assert kept["first_name"] == ["http://x.y"]
    assert "cadence" not in kept
    assert client.post(path_of(form), {**kept, "first_name": "Ada"}).status_code == 302


def test_a_browser_lets_the_shown_form_lead_back(client: Client, form: EmbedForm) -> None:
    policy = client.post(path_of(form), chosen(email=""))["Content-Security-Policy"]
    assert "form-action 'self' https://clinic.example;" in policy + ";"


def test_opened_by_itself_it_stands_on_our_site_too(client: Client, form: EmbedForm) -> None:
    response = client.get(path_of(form))
    page = response.content.decode()
    assert response.status_code == 200
    assert not any(Fields(page).boxes.values())
    assert client.head(path_of(form)).status_code == 200
    values = {**Fields(page).values, **sent(newsletters=["living-well"])}
    values["form_token"] = Fields(page).values["form_token"][0]
    assert client.post(path_of(form), values).status_code == 302
    assert not client.cookies


# --- Outdated words ------------------------------------------------------------------------------


def test_old_html_leads_to_the_new_words_and_keeps_all_but_that_tick(
    client: Client, form: EmbedForm
) -> None:
    values = chosen()
    text = new_wording()
    response = client.post(path_of(form), values)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Other words." in page
    assert "Our words here have changed" in page
    assert nothing_was_kept()
    fields = Fields(page)
    assert not fields.boxes["consent_mail", "on"], "nobody agreed to the new words yet"
    assert fields.boxes["consent_health", "on"], "these are the words that were agreed to"
    assert fields.values["email"] == ["ada@example.org"]
    assert client.post(path_of(form), {**fields.values, "consent_mail": "on"})["Location"] == BACK
    assert ConsentEntry.objects.filter(purpose="mail", text=text).count() == 2


def test_words_that_nobody_vouches_for_count_for_nothing(client: Client, form: EmbedForm) -> None:
    for forged in ("", "forged", sent()["form_token"][:-2] + "AA"):
        response = client.post(path_of(form), chosen(form_token=forged))
        assert response.status_code == 422
        fields = Fields(response.content.decode())
        assert not fields.boxes["consent_mail", "on"]
        assert fields.values["email"] == ["ada@example.org"]
    assert nothing_was_kept()


def test_a_token_of_another_page_of_ours_is_none_for_this_form(
    client: Client, form: EmbedForm
) -> None:
    from tests.signup.filling_in import filled_in

    assert client.post(path_of(form), filled_in()).status_code == 422
    assert nothing_was_kept()


# --- The guard -----------------------------------------------------------------------------------


def test_the_answer_does_not_tell_whether_an_address_is_known(
    browser_client: Client, form: EmbedForm, ask: Callable[..., SystemMail | None]
) -> None:
    from signup.confirm import confirm

    with time_machine.travel(timezone.now() - timedelta(days=60)):
        for name in ("pending", "live", "suppressed"):
            ask(f"{name}@example.org")
        confirm(sign_up=SignUp.objects.get(subscriber__email_key="live@example.org"))
        suppress(
            address_key="suppressed@example.org",
            reason=Suppression.Reason.COMPLAINT,
            source="test",
        )
    for return_to in (PAGE, ""):
        answers = set()
        for name in ("new", "pending", "live", "suppressed", "new", "live"):
            values = chosen(email=f"{name}@example.org", return_to=return_to)
            answer = browser_client.post(path_of(form), values)
            headers = sorted((k, v) for k, v in answer.headers.items() if "nonce" not in v)
            answers.add((answer.status_code, answer.content, str(headers)))
        assert len(answers) == 1


def test_what_fell_into_the_trap_has_to_press_again(client: Client, form: EmbedForm) -> None:
    response = client.post(path_of(form), chosen(nickname_2="https://spam.example"))
    fields = Fields(response.content.decode())
    assert response.status_code == 422
    assert nothing_was_kept()
    assert fields.values["nickname_2"] == [""]
    assert client.post(path_of(form), fields.values)["Location"] == BACK


def test_in_a_crush_our_page_does_the_sum_and_then_lets_in(
    client: Client, form: EmbedForm, settings: Any
) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    response = client.post(path_of(form), chosen())
    page = response.content.decode()
    assert response.status_code == 429
    assert 'data-challenge="' in page
    assert nothing_was_kept()
    proved = {**Fields(page).values, "proof_of_work": solved()}
    assert client.post(path_of(form), proved)["Location"] == BACK


def test_too_many_from_one_network_are_slowed(
    client: Client, form: EmbedForm, settings: Any
) -> None:
    settings.SIGN_UPS_PER_NETWORK = 2
    answers = [
        client.post(path_of(form), chosen(email=f"r{n}@example.org"), REMOTE_ADDR="8.8.8.8")
        for n in range(4)
    ]
    assert [answer.status_code for answer in answers] == [302, 302, 429, 429]
    assert Subscriber.objects.count() == 2


# --- Closed, foreign, too much -----------------------------------------------------------------


def test_a_closed_form_takes_nobody_in_and_says_so(client: Client, catalogue: Catalogue) -> None:
    closed = make_form(catalogue.living_well, is_open=False)
    emptied = make_form(make_newsletter("gone", open_for_signup=False))
    for form in (closed, emptied):
        for response in (client.get(path_of(form)), client.post(path_of(form), sent())):
            assert response.status_code == 410
            assert "This form is closed" in response.content.decode()
    assert nothing_was_kept()


def test_without_a_digest_a_form_offers_no_conditions(client: Client, form: EmbedForm) -> None:
    from newsletter.catalogue.models import Newsletter

    Newsletter.objects.filter(kind="digest").update(open_for_signup=False)
    page = client.get(path_of(form)).content.decode()
    assert "Herniated disk" not in page
    assert "Living Well" in page


def test_a_form_that_does_not_exist_is_not_found(client: Client, catalogue: Catalogue) -> None:
    assert client.get("/sign-up/embed/0123456789abcdef/").status_code == 404
    assert client.post("/sign-up/embed/0123456789abcdef/", sent()).status_code == 404
    assert nothing_was_kept()


def test_a_form_larger_than_any_form_is_not_read(client: Client, form: EmbedForm) -> None:
    response = client.post(path_of(form), chosen(first_name="x" * 70_000))
    assert response.status_code in (400, 413)
    assert nothing_was_kept()


def test_other_methods_are_refused(client: Client, form: EmbedForm) -> None:
    for method in ("put", "patch", "delete", "options"):
        assert getattr(client, method)(path_of(form)).status_code == 405
    assert nothing_was_kept()
