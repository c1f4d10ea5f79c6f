"""Come, confirm and leave in English and Spanish, with and without JavaScript. And Arabic."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.local import Local
from django.utils.translation import trans_real
from playwright.sync_api import Browser, expect
from pytest_django.fixtures import Settings as SettingsWrapper
from pytest_django.live_server_helper import LiveServer

from project import catalogues
from signup.models import ConsentText, SignUp, Subscription
from tests.journeys.reading_room import (
    approve,
    assert_accessible,
    assert_not_too_wide,
    link_of_the_last_mail,
    open_the_house,
    visitor,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORDS = {
    "en": {
        "jump": "Get news about it by e-mail",
        "send": "Send me the e-mail",
        "inbox": "Check your inbox",
        "yes": "Yes, sign me up",
        "welcome": "Welcome. You are signed up",
        "saved": "Saved.",
        "stop": "Yes, stop them",
        "gone": "You are unsubscribed",
        "undo": "Undo",
        "back": "Welcome back",
    },
    "es": {
        "jump": "Recibir novedades por correo",
        "send": "Enviarme el correo",
        "inbox": "Mire su buzón",
        "yes": "Sí, suscribirme",
        "welcome": "La suscripción está hecha",
        "saved": "Guardado.",
        "stop": "Sí, detenerlos",
        "gone": "Se ha dado de baja",
        "undo": "Deshacer",
        "back": "Qué bien que vuelva",
    },
}


@pytest.fixture
def address(live_server: LiveServer) -> str:
    open_the_house()
    return live_server.url


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_reader_comes_and_goes_in_one_language(
    browser: Browser, address: str, language: str, script: bool
) -> None:
    words = WORDS[language]
    with visitor(browser, script=script) as page:
        page.goto(f"{address}/{language}/conditions/herniated-disk/")
        page.get_by_role("link", name=words["jump"]).click()
        page.locator("#id_email").fill("ada@example.org")
        page.locator("#id_consent_mail").check()
        page.locator("#id_consent_health").check()
        page.get_by_role("button", name=words["send"]).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(words["inbox"])
        assert "ada" not in page.url

        sign_up = SignUp.objects.get()
        assert sign_up.language == language
        shown = {text.language for text in sign_up.consent_texts.all()}
        assert shown == {language}, "consent is given in the words of the page"

        page.goto(link_of_the_last_mail(address))
        page.get_by_role("button", name=words["yes"]).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(words["welcome"])
        live = Subscription.objects.live().get()
        page.locator("#id_cadence").select_option("monthly")
        page.locator("#form button[type=submit]").click()
        expect(page.get_by_role("status").filter(has_text=words["saved"])).to_be_visible()
        live.refresh_from_db()
        assert live.cadence == "monthly"

        from signup import tokens

        page.goto(f"{address}/{language}/unsubscribe/{tokens.unsubscribe_token(live.pk)}/")
        page.get_by_role("button", name=words["stop"]).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(words["gone"])
        assert not Subscription.objects.live().exists()
        page.get_by_role("button", name=words["undo"], exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(words["back"])
        assert Subscription.objects.live().exists()


def test_the_switch_holds_for_the_visit(browser: Browser, address: str) -> None:
    with visitor(browser, script=False) as page:
        page.goto(f"{address}/conditions/herniated-disk/")
        page.get_by_role("link", name="Español").click()
        expect(page).to_have_url(f"{address}/es/conditions/herniated-disk/")
        page.locator(".masthead-name").click()
        expect(page.locator("html")).to_have_attribute("lang", "es")
        page.get_by_role("link", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")


# --- Right to left ------------------------------------------------------------------------------

_PLACES = re.compile(r"(%\(\w+\)[sd]|%[sd]|\{[a-z_]+(?:\|[^}]*)?\}|<[^>]+>|&\w+;)")
_ARABIC = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ابكدهفغحيجكلمنوبقرستوفوكيز")


def pseudo_arabic(message: str) -> str:
    """The English sentence in Arabic letters: no Arabic, but as long and as wide as any."""
    parts = _PLACES.split(message)
    return "".join(
        part if _PLACES.fullmatch(part) else part.casefold().translate(_ARABIC) for part in parts
    )


@pytest.fixture
def arabic(settings: SettingsWrapper, tmp_path: Path, address: str) -> Iterator[str]:
    """The whole site in pseudo-Arabic, approved as any language is."""
    folder = tmp_path / "locale" / "ar" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    spanish = settings.BASE_DIR / "locale" / "es" / "LC_MESSAGES" / "django.po"
    entries = [entry for entry in catalogues.read(spanish) if entry.msgid]
    for entry in entries:
        texts = [entry.msgid, entry.plural or entry.msgid]
        forms = [0, 1, 2, 3, 4, 5] if entry.plural else [0]
        if re.fullmatch(r"[jFYHi ,:]+", entry.msgid):
            entry.strings = {0: entry.msgid}  # how a date is written
        else:
            entry.strings = {form: pseudo_arabic(texts[min(form, 1)]) for form in forms}
    header = catalogues.Entry(
        strings={
            0: "Content-Type: text/plain; charset=UTF-8\n"
            "Plural-Forms: nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && "
            "n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5;\n"
        }
    )
    (folder / "django.mo").write_bytes(catalogues.compiled([header, *entries]))
    settings.LOCALE_PATHS = [tmp_path / "locale", *settings.LOCALE_PATHS]
    settings.LANGUAGES = [*settings.LANGUAGES, ("ar", "العربية")]
    _forget_catalogues()
    for text in ConsentText.objects.filter(language="en"):
        ConsentText.objects.create(
            purpose=text.purpose,
            language="ar",
            version=1,
            wording=pseudo_arabic(text.wording),
        )
    approve("ar")
    yield address
    shutil.rmtree(tmp_path / "locale")
    _forget_catalogues()


def _forget_catalogues() -> None:
    trans_real._translations = {}
    trans_real._default = None
    trans_real._active = Local()
    for found in vars(trans_real).values():
        if hasattr(found, "cache_clear"):
            found.cache_clear()


@pytest.mark.parametrize("width", [375, 1280])
def test_arabic_stands_from_right_to_left_and_breaks_nothing(
    browser: Browser, arabic: str, width: int
) -> None:
    paths = [
        "/",
        "/conditions/",
        "/conditions/herniated-disk/",
        "/sign-up/",
        "/sign-up/check-your-inbox/",
        "/sample/",
        "/privacy/",
        "/nowhere/",
    ]
    with visitor(browser, width=width) as page:
        for path in paths:
            page.goto(f"{arabic}/ar{path}")
            html = page.locator("html")
            expect(html).to_have_attribute("dir", "rtl")
            expect(html).to_have_attribute("lang", "ar")
            assert_not_too_wide(page)
            assert_accessible(page)
        page.goto(f"{arabic}/ar/sign-up/")
        box = page.locator("#id_consent_mail").bounding_box()
        label = page.locator("label[for=id_consent_mail]").bounding_box()
        assert box is not None
        assert label is not None
        assert box["x"] > label["x"] + label["width"] / 2, "a box stands to the right of its words"
        name = page.locator(".masthead-name").bounding_box()
        assert name is not None
        assert name["x"] + name["width"] > width - 100, "the name stands at the right edge"


def test_an_arabic_mail_is_set_from_right_to_left(arabic: str, client: Any) -> None:
    from signup import letter
    from signup.models import SystemMail
    from tests.signup.filling_in import filled_in

    values = filled_in(newsletters=[], conditions=["herniated-disk"])
    client.post("/ar/sign-up/", values)
    content = letter.envelope(SystemMail.objects.get()).content.decode()
    assert re.search(r'dir=(3D)?"rtl"', content)
    assert "/ar/confirm/" in letter.link(SystemMail.objects.get())
