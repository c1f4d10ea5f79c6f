"""What goes with a public page: a strict content policy, no referrer, nothing kept of a reader."""

import pytest
from django.test import Client

from tests.signup.conftest import Catalogue
from tests.signup.filling_in import filled_in

pytestmark = [pytest.mark.once, pytest.mark.django_db]

PUBLIC = [
    "/",
    "/conditions/",
    "/conditions/herniated-disk/",
    "/issues/",
    "/sample/",
    "/sign-up/",
    "/sign-up/for/herniated-disk/",
    "/sign-up/check-your-inbox/",
    "/preferences/",
    "/preferences/link-mailed/",
    "/privacy/",
    "/goodbye/",
    "/nowhere/",
]
PERSONAL = ["/confirm/x/", "/preferences/x/", "/welcome/x/", "/unsubscribe/x/", "/undo/x/"]


def policy(response: object) -> dict[str, str]:
    header = response["Content-Security-Policy"]  # type: ignore[index]
    parts = [part.strip().partition(" ") for part in header.split(";")]
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("path", PUBLIC + PERSONAL)
def test_nothing_inline_and_nobody_else_is_allowed(
    client: Client,
    catalogue: Catalogue,
    path: str,
) -> None:
    directives = policy(client.get(path))
    assert directives["default-src"] == "'none'"
    assert directives["object-src"] == directives["base-uri"] == "'none'"
    assert directives["frame-ancestors"] == directives["form-action"] == "'self'"
    for name, value in directives.items():
        assert "unsafe" not in value, name
        assert "http" not in value, name
        assert "*" not in value, name


@pytest.mark.parametrize("path", PUBLIC + PERSONAL)
def test_no_page_tells_another_site_where_its_visitor_was(
    client: Client,
    catalogue: Catalogue,
    path: str,
) -> None:
    assert client.get(path)["Referrer-Policy"] == "no-referrer"


def test_forms_and_their_answers_tell_nobody_either(
    client: Client,
    catalogue: Catalogue,
) -> None:
    for values in ({}, filled_in()):
        assert client.post("/sign-up/", values)["Referrer-Policy"] == "no-referrer"


def test_the_desk_keeps_its_own_policy_because_its_forms_need_an_origin(client: Client) -> None:
    assert client.get("/admin/login/")["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PERSONAL)
def test_a_personal_page_is_stored_nowhere_and_found_by_nobody(
    client: Client,
    catalogue: Catalogue,
    path: str,
) -> None:
    response = client.get(path)
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in response["X-Robots-Tag"]


@pytest.mark.parametrize("path", PUBLIC)
def test_every_answer_says_what_it_is_and_nothing_more(
    client: Client,
    catalogue: Catalogue,
    path: str,
) -> None:
    response = client.get(path)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert not response.cookies


def test_a_form_that_was_refused_is_not_stored_with_what_was_typed(
    client: Client,
    catalogue: Catalogue,
) -> None:
    response = client.post("/sign-up/", filled_in(email="ada"))
    assert "no-store" in response["Cache-Control"]
