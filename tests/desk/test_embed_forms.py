"""Staff make forms for other web sites, and copy their HTML."""

import html as html_module
import re

import pytest
from django.test import Client
from django.urls import reverse

from signup.consent import texts
from signup.models import ConsentText, EmbedForm, SignUp
from tests.desk import world
from tests.desk.conftest import client_of

NAMES = "wagtailsnippets_signup_embedform"
SCRIPT = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}


@pytest.fixture
def disk(desk):
    world.newsletter(slug="digest", name="My topics", kind="digest", list_id_label="digest")
    return world.condition()


def filled_in(desk, disk, **changes):
    return {
        "name": "Footer of the clinic",
        "newsletters": [desk.newsletter.pk],
        "conditions": [disk.pk],
        "return_pages": "https://Clinic.example\nhttps://clinic.example/thanks/?a=1",
        "language": "en",
        "is_open": "on",
        **changes,
    }


def page_of(form: EmbedForm, **query: str) -> str:
    return reverse(f"{NAMES}:code", args=[form.pk], query=query or None)


def copied(page: str) -> str:
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert found is not None
    return html_module.unescape(found[1])


def test_an_administrator_makes_a_form_and_what_is_copied_signs_readers_up(desk, disk):
    client = client_of(desk.admin)
    answer = client.post(reverse(f"{NAMES}:add"), filled_in(desk, disk))
    assert answer.status_code == 302, answer.context["form"].errors
    form = EmbedForm.objects.get()
    assert form.pages == ["https://clinic.example/", "https://clinic.example/thanks/?a=1"]
    assert form.origins == ["https://clinic.example"]

    listed = client.get(reverse(f"{NAMES}:list")).content.decode()
    assert page_of(form) in listed
    assert page_of(form) in client.get(reverse(f"{NAMES}:edit", args=[form.pk])).content.decode()

    snippet = copied(client.get(page_of(form)).content.decode())
    action = re.search(r'action="[a-z]+://[^/]+([^"]+)"', snippet)[1]
    values = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', snippet))
    sent = {
        **values,
        "email": "ada@example.org",
        "conditions": "herniated-disk",
        "consent_mail": "on",
        "consent_health": "on",
    }
    taken = Client(enforce_csrf_checks=True).post(action, sent)
    assert taken["Location"] == "https://clinic.example/?wellread=check-inbox"
    assert SignUp.objects.get().conditions.get() == disk


def test_the_page_to_return_to_is_chosen_among_those_listed_only(desk, disk):
    client = client_of(desk.admin)
    client.post(reverse(f"{NAMES}:add"), filled_in(desk, disk))
    form = EmbedForm.objects.get()
    second = "https://clinic.example/thanks/?a=1"
    assert second in copied(client.get(page_of(form, return_to=second)).content.decode())
    strange = client.get(page_of(form, return_to="https://evil.example/")).content.decode()
    assert "evil.example" not in strange


@pytest.mark.parametrize(
    "changes",
    [
        {"newsletters": [], "conditions": []},
        {"return_pages": "http://clinic.example/"},
        {"return_pages": "https://*.clinic.example/"},
        {"language": "es"},  # no approved wording
        {"language": "xx"},
        {"name": ""},
    ],
)
def test_a_form_that_could_not_work_is_not_saved(desk, disk, changes):
    answer = client_of(desk.admin).post(reverse(f"{NAMES}:add"), filled_in(desk, disk, **changes))
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not EmbedForm.objects.exists()


def test_a_digest_alone_is_about_nothing(desk, disk):
    digest = EmbedForm.newsletters.field.related_model.objects.get(slug="digest")
    values = filled_in(desk, disk, newsletters=[digest.pk], conditions=[])
    answer = client_of(desk.admin).post(reverse(f"{NAMES}:add"), values)
    assert "A digest needs conditions" in answer.content.decode()
    assert not EmbedForm.objects.exists()


@pytest.mark.parametrize("role", ["author", "reviewer", "sender", "protection"])
def test_nobody_else_makes_or_sees_forms(desk, disk, role):
    form = EmbedForm.objects.create(name="Footer")
    client = client_of(getattr(desk, role))
    for url in (
        reverse(f"{NAMES}:list"),
        reverse(f"{NAMES}:add"),
        reverse(f"{NAMES}:edit", args=[form.pk]),
        page_of(form),
    ):
        assert client.get(url, **SCRIPT).status_code == 403, url
    client.post(reverse(f"{NAMES}:add"), filled_in(desk, disk), **SCRIPT)
    client.post(reverse(f"{NAMES}:delete", args=[form.pk]), **SCRIPT)
    assert list(EmbedForm.objects.all()) == [form]


def test_a_stranger_is_asked_to_sign_in(client, desk):
    form = EmbedForm.objects.create(name="Footer")
    assert client.get(page_of(form)).url.startswith(reverse("wagtailadmin_login"))


def test_the_page_says_why_a_form_takes_nobody_in(desk, disk):
    client = client_of(desk.admin)
    form = EmbedForm.objects.create(name="Footer", is_open=False, language="es")
    page = client.get(page_of(form)).content.decode()
    for words in ("This form is closed", "All that it offers is closed", "no approved wording"):
        assert words in page
    for draft in ConsentText.objects.drafts().filter(language="es"):
        texts.approve(text_id=draft.pk, wording=draft.wording, by="dpo")
    assert "no approved wording" not in client.get(page_of(form)).content.decode()


def test_looking_at_the_html_changes_nothing(desk, disk, django_assert_max_num_queries):
    form = EmbedForm.objects.create(name="Footer")
    before = EmbedForm.objects.values().get()
    client = client_of(desk.admin)
    assert client.get(page_of(form)).status_code == 200
    assert client.post(page_of(form)).status_code == 405
    assert EmbedForm.objects.values().get() == before
