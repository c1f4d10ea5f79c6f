"""The sentences of the sign-up are the publisher's to change, language by language."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation

from newsletter.catalogue.models import PublicWords
from tests.signup.conftest import catalogue

__all__ = ["catalogue"]

pytestmark = pytest.mark.django_db


def test_the_form_promises_what_comes_and_says_what_the_data_are_for(
    client: Client, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("catalogue")
    for path in ("/sign-up/", "/sign-up/for/herniated-disk/", "/conditions/herniated-disk/"):
        html = client.get(path).content.decode()
        for words in ("Research news", "health tips", "current topics", "experts"):
            assert words in html, path
        assert "We use your address and your choices only to send you what you asked for." in html
        assert "We do not combine them with anything else that is known about you." in html
        assert "You can stop at any time with the link in every e-mail." in html
        assert 'href="/sample/"' in html


def test_success_says_what_will_come_and_what_happens_next(client: Client) -> None:
    html = client.get("/sign-up/check-your-inbox/").content.decode()
    assert "You will soon receive an e-mail from us." in html
    assert "Press the button in it, and you are signed up." in html


def test_what_the_publisher_wrote_stands_instead_in_its_language_only(
    client: Client, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("catalogue")
    PublicWords.objects.create(
        language="en",
        promise="Two mails a month.",
        data_use="Only for this.",
        patients="We use protected health information only as our Notice allows.",
        success="Thank you.",
    )
    html = client.get("/sign-up/").content.decode()
    assert "Two mails a month." in html
    assert "Only for this." in html
    assert "only as our Notice allows" in html
    assert "Research news" not in html
    assert "You can stop at any time" in html, "what was left empty is ours"
    with translation.override("es"):
        assert "Novedades" in PublicWords.current().shown_promise


def test_nothing_is_said_about_patients_where_there_are_none() -> None:
    assert len(PublicWords().data_sentences) == 3


def test_the_privacy_notice_has_a_text_for_each_language(client: Client) -> None:
    PublicWords.objects.create(language="en", privacy_notice="<p>Our own notice.</p>")
    assert "Our own notice." in client.get("/privacy/").content.decode()


def test_a_language_that_we_do_not_speak_is_refused() -> None:
    with pytest.raises(ValidationError, match="Choose one of: en, es"):
        PublicWords(language="xx").full_clean()


def test_what_is_written_is_shown_as_text(client: Client) -> None:
    PublicWords.objects.create(language="en", success="<script>x</script>")
    assert "<script>x" not in client.get("/sign-up/check-your-inbox/").content.decode()
