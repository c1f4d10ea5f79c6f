"""“Did you mean gmail.com?” is a hint; it refuses nothing and doubts nobody's own domain."""

import pytest
from django.test import Client

from signup.forms.typos import DOMAINS, suggestion
from tests.signup.conftest import Catalogue
from tests.signup.filling_in import CHECK_INBOX, filled_in

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmai.com", "ada@gmail.com"),
        ("ada@gmaill.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("Ada.L@GMAIL.CO", "Ada.L@gmail.com"),
        ("ada@hotmial.com", "ada@hotmail.com"),
        ("ada@yaho.com", "ada@yahoo.com"),
        ("ada@outlok.com", "ada@outlook.com"),
        (" ada@iclod.com ", "ada@icloud.com"),
        ("a@b@gmal.com", "a@b@gmail.com"),
    ],
)
def test_one_slip_is_noticed(typed: str, meant: str) -> None:
    assert suggestion(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "@",
        "ada",
        "@gmial.com",
        "ada@",
        "ada@gmail.com",
        "ada@clinic.example",
        "ada@mail.com",
        "ada@gmx.at",
        "ada@me.co",
        "ada@gmil.co",
        "ada@" + "g" * 300,
        "ada@\x00",
    ],
)
def test_everything_else_is_left_alone(typed: str) -> None:
    assert suggestion(typed) is None


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_known_domain_is_doubted(domain: str) -> None:
    assert suggestion(f"ada@{domain}") is None


@pytest.mark.django_db
def test_the_hint_stands_beside_the_field_when_the_form_is_shown_again(
    client: Client, catalogue: Catalogue
) -> None:
    values = filled_in("ada@gmial.com")
    del values["consent_mail"]
    html = client.post("/sign-up/", values).content.decode()
    assert "Did you mean <strong>ada@gmail.com</strong>?" in html
    assert 'aria-describedby="id_email-suggestion"' in html
    assert 'value="ada@gmial.com"' in html, "nothing is changed unasked"


@pytest.mark.django_db
def test_the_hint_never_stands_in_the_way(client: Client, catalogue: Catalogue) -> None:
    assert client.post("/sign-up/", filled_in("ada@gmial.com"))["Location"] == CHECK_INBOX
