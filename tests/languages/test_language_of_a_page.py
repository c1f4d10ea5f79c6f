"""Which language a page speaks, and that its address alone can say so."""

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.urls import get_script_prefix
from django.utils import timezone

from newsletter.archive import languages
from signup import letter
from signup.models import ConsentText, SignUp, SystemMail
from tests.signup.conftest import Catalogue
from tests.signup.filling_in import CHECK_INBOX, filled_in

pytestmark = pytest.mark.django_db


def test_the_prefix_decides_and_stands_in_every_address_of_the_page(
    client: Client, spanish: None
) -> None:
    response = client.get("/es/", headers={"accept-language": "en"})
    html = response.content.decode()
    assert '<html lang="es" dir="ltr">' in html
    assert "Suscribirse" in html
    assert 'href="/es/sign-up/"' in html
    assert 'href="/sign-up/"' not in html
    assert "Accept-Language" not in response.headers.get("Vary", "")
    assert get_script_prefix() == "/", "the next page is nobody's"


def test_without_a_prefix_the_browser_decides(client: Client, spanish: None) -> None:
    for accepted, language in [
        ("es", "es"),
        ("es-MX,en;q=0.5", "es"),
        ("de, es;q=0.5", "es"),
        ("en, es;q=0.9", "en"),
        ("de", "en"),
        ("", "en"),
        ("*", "en"),
        ("es;q=2, \x00", "en"),
    ]:
        response = client.get("/", headers={"accept-language": accepted})
        assert f'<html lang="{language}"' in response.content.decode(), accepted
        assert "Accept-Language" in response["Vary"]
        assert not response.cookies


def test_the_switch_leads_to_this_very_page_and_sets_no_cookie(
    client: Client, spanish: None
) -> None:
    html = client.get("/es/conditions/?q=back").content.decode()
    assert 'href="/en/conditions/?q=back" lang="en" hreflang="en"' in html
    assert 'href="/es/conditions/?q=back" lang="es" hreflang="es"' in html
    response = client.get("/en/conditions/?q=back", headers={"accept-language": "es"})
    assert '<html lang="en"' in response.content.decode()
    assert not response.cookies


def test_a_language_stays_off_until_its_wording_is_approved(client: Client, db: None) -> None:
    assert languages.offered() == ["en"]
    html = client.get("/", headers={"accept-language": "es"}).content.decode()
    assert '<html lang="en"' in html
    assert "Español" not in html
    assert client.get("/es/sign-up/?q=1")["Location"] == "/sign-up/?q=1"


def test_one_approved_purpose_is_not_enough(db: None) -> None:
    ConsentText.objects.filter(language="es", purpose="mail").update(approved_at=timezone.now())
    assert languages.offered() == ["en"]


def test_old_links_of_a_language_that_is_off_still_work_for_machines(
    client: Client, db: None
) -> None:
    response = client.post("/es/unsubscribe/nonsense/", {"List-Unsubscribe": "One-Click"})
    assert response.status_code == 404, "answered here and now, without a redirect"
    assert client.get("/es/unsubscribe/nonsense/").status_code == 302


@pytest.mark.parametrize(
    "path", ["/es/admin/", "/es/static/x.css", "/es/healthz", "/es/webhooks/x/", "/xx/", "/es/es/"]
)
def test_what_is_no_page_has_no_language(client: Client, spanish: None, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["//evil.example/", "/es//evil.example/", "/de//evil.example/x"])
def test_a_prefix_never_sends_anybody_to_another_site(
    client: Client, spanish: None, path: str
) -> None:
    response = client.get(path)
    assert not response.headers.get("Location", "/").startswith(("//", "http"))


def test_a_missing_slash_after_the_language_is_mended(client: Client, spanish: None) -> None:
    assert client.get("/es")["Location"] == "/es/"


def test_a_spanish_sign_up_is_spanish_to_the_last_mail(
    client: Client, spanish: None, catalogue: Catalogue
) -> None:
    response = client.post("/es/sign-up/", filled_in())
    assert response["Location"] == "/es" + CHECK_INBOX
    assert "Mire su buzón" in client.get(response["Location"]).content.decode()
    sign_up = SignUp.objects.get()
    assert sign_up.language == sign_up.subscriber.language == "es"
    assert sign_up.form_url == f"{settings.BASE_URL}/es/sign-up/"
    mail = SystemMail.objects.get()
    assert letter.link(mail).startswith(f"{settings.BASE_URL}/es/confirm/")
    content = letter.envelope(mail).content.decode()
    assert "Subject: Confirme su direcci" in content or "Subject: =?utf-8?" in content
    assert 'lang=3D"es"' in content or 'lang="es"' in content
    assert "Content-Language: es" in content


def test_errors_are_said_in_the_pages_language(
    client: Client, spanish: None, catalogue: Catalogue
) -> None:
    html = client.post("/es/sign-up/", filled_in(email="ada")).content.decode()
    assert "<title>Error: " in html
    assert "Escriba una dirección de correo con una @" in html
    assert "Hay un problema" in html


def test_the_wording_is_the_pages_language_too(
    client: Client, spanish: None, catalogue: Catalogue
) -> None:
    html = client.get("/es/sign-up/").content.decode()
    for text in ConsentText.objects.filter(language="es", purpose__in=["mail", "health"]):
        assert text.wording in html


def test_dates_are_written_as_the_language_writes_them(spanish: None) -> None:
    from datetime import date

    from django.utils import translation

    from newsletter.archive.templatetags.archive_frame import day, month

    with translation.override("es"):
        assert day(date(2026, 11, 22)) == "22 de noviembre de 2026"
        assert month(date(2026, 11, 22)) == "noviembre de 2026"
    assert day(None) == ""


def test_without_a_database_every_language_can_still_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone() -> list[str]:
        raise OperationalError("gone")

    monkeypatch.setattr(languages.consent, "languages_offered", gone)
    assert languages.offered() == ["en", "es"]


def test_the_desk_speaks_its_own_language(client: Client, spanish: None) -> None:
    html = client.get("/admin/login/", headers={"accept-language": "es"}).content.decode()
    assert 'lang="en"' in html


def test_an_english_mail_leads_to_english_pages_in_a_spanish_browser_too(
    client: Client, spanish: None, catalogue: Catalogue
) -> None:
    client.post("/en/sign-up/", filled_in())
    link = letter.link(SystemMail.objects.get())
    assert link.startswith(f"{settings.BASE_URL}/en/confirm/")
    path = link.removeprefix(settings.BASE_URL)
    html = client.get(path, headers={"accept-language": "es"}).content.decode()
    assert '<html lang="en"' in html


def test_where_one_language_is_offered_no_address_names_it(
    client: Client, catalogue: Catalogue
) -> None:
    client.post("/sign-up/", filled_in())
    link = letter.link(SystemMail.objects.get())
    assert link.startswith(f"{settings.BASE_URL}/confirm/")
