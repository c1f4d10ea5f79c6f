"""Wordings: drafted, approved, then for ever; a language without them is not offered."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from signup import consent
from signup.consent import texts
from signup.models import ConsentEntry, ConsentText, Subscriber, SystemMail
from tests.signup.tampering import sql

Asking = Callable[..., SystemMail | None]
Purpose = ConsentText.Purpose


@pytest.fixture(autouse=True)
def _two_languages(settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("es", "Spanish")]


def approve_all(language: str) -> None:
    for draft in ConsentText.objects.drafts().filter(language=language):
        texts.approve(text_id=draft.pk, wording=draft.wording, by="privacy")


def test_spanish_comes_as_a_draft_and_is_not_offered(db: None) -> None:
    assert consent.languages_offered() == ["en"]
    assert {text.language for text in consent.current_texts("es").values()} == {"en"}
    assert ConsentText.objects.drafts().filter(language="es").count() == 3


def test_a_language_is_offered_once_every_wording_is_approved(db: None) -> None:
    mail = ConsentText.objects.get(purpose=Purpose.MAIL, language="es")
    texts.approve(text_id=mail.pk, wording=mail.wording, by="privacy")
    assert consent.languages_offered() == ["en"], "one of three is half a form"
    assert {text.language for text in consent.current_texts("es").values()} == {"en"}
    approve_all("es")
    assert consent.languages_offered() == ["en", "es"]
    assert {text.language for text in consent.current_texts("es-mx").values()} == {"es"}


def test_a_new_version_never_alters_what_was_agreed_to(reader: Subscriber) -> None:
    before = list(ConsentEntry.objects.order_by("seq").values_list("seq", "text__wording"))
    draft = texts.write_draft(
        purpose=Purpose.MAIL, language="en", wording="Write to me.", by="privacy"
    )
    assert consent.current_texts("en")[Purpose.MAIL].version == 1, "nobody is shown a draft"
    texts.approve(text_id=draft.pk, wording="Write to me.", by="privacy")
    assert consent.current_texts("en")[Purpose.MAIL].version == 2
    after = list(ConsentEntry.objects.order_by("seq").values_list("seq", "text__wording"))
    assert after == before
    assert consent.verify() == []


def test_a_draft_can_be_rewritten_and_there_is_one_of_each(db: None) -> None:
    one = texts.write_draft(purpose=Purpose.MAIL, language="en", wording="One.", by="a")
    two = texts.write_draft(purpose=Purpose.MAIL, language="en", wording=" Two\n words. ", by="b")
    assert one.pk == two.pk
    assert (two.version, two.wording, two.drafted_by) == (2, "Two words.", "b")


def test_what_was_read_is_what_is_approved(db: None) -> None:
    draft = texts.write_draft(purpose=Purpose.MAIL, language="en", wording="One.", by="a")
    texts.write_draft(purpose=Purpose.MAIL, language="en", wording="Two.", by="b")
    with pytest.raises(texts.NotADraft, match="changed since you read it"):
        texts.approve(text_id=draft.pk, wording="One.", by="privacy")
    draft.refresh_from_db()
    assert draft.is_draft


def test_an_approved_wording_is_neither_approved_again_nor_discarded(db: None) -> None:
    text = consent.current_texts("en")[Purpose.MAIL]
    with pytest.raises(texts.NotADraft):
        texts.approve(text_id=text.pk, wording=text.wording, by="privacy")
    with pytest.raises(texts.NotADraft):
        texts.discard(text_id=text.pk)
    assert ConsentText.objects.filter(pk=text.pk, approved_by="installation").exists()


def test_a_draft_can_be_discarded(db: None) -> None:
    draft = texts.write_draft(purpose=Purpose.MAIL, language="en", wording="One.", by="a")
    texts.discard(text_id=draft.pk)
    assert not ConsentText.objects.filter(pk=draft.pk).exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE signup_consenttext SET wording = 'x' WHERE id = %s",
        "UPDATE signup_consenttext SET approved_at = NULL WHERE id = %s",
        "UPDATE signup_consenttext SET version = 9 WHERE id = %s",
        "DELETE FROM signup_consenttext WHERE id = %s",
    ],
)
def test_the_database_refuses_to_change_an_approved_wording(db: None, statement: str) -> None:
    draft = texts.write_draft(purpose=Purpose.MAIL, language="en", wording="One.", by="a")
    texts.approve(text_id=draft.pk, wording="One.", by="privacy")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(statement, draft.pk)


def test_nobody_can_agree_to_a_draft(reader: Subscriber) -> None:
    draft = texts.write_draft(purpose=Purpose.MEASUREMENT, language="en", wording="One.", by="a")
    with pytest.raises(ValueError, match="draft"), transaction.atomic():
        consent.record(
            subscriber=reader,
            action=ConsentEntry.Action.CONFIRMED,
            purpose=Purpose.MEASUREMENT,
            method=ConsentEntry.Method.FORM,
            text=draft,
        )
    assert ConsentEntry.objects.count() == 6


def test_an_empty_wording_is_refused(db: None) -> None:
    with pytest.raises(ValueError, match="says something"):
        texts.write_draft(purpose=Purpose.MAIL, language="en", wording="  ", by="a")
