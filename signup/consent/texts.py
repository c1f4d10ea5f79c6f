"""Which wording is shown today."""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from signup.consent.wording import FIRST_TEXTS
from signup.models import ConsentText


class MissingText(LookupError):
    """There is no wording to show, so nobody can consent and no form can be shown."""


def current_texts(language: str) -> dict[ConsentText.Purpose, ConsentText]:
    """Return the newest wording of each purpose in the reader's language.

    Falls back from `de-at` to `de`, then to the service's own language, then to English; each
    purpose for itself. Raises MissingText when a purpose has no wording at all.
    """
    wanted = _fallbacks(language)
    found: dict[tuple[str, str], ConsentText] = {}
    for text in ConsentText.objects.filter(language__in=wanted).order_by("version"):
        found[text.purpose, text.language] = text
    texts: dict[ConsentText.Purpose, ConsentText] = {}
    for purpose in ConsentText.Purpose:
        text_or_none = next(
            (found[purpose, code] for code in wanted if (purpose, code) in found), None
        )
        if text_or_none is None:
            raise MissingText(f"No consent text for {purpose} in any of {', '.join(wanted)}.")
        texts[purpose] = text_or_none
    return texts


def ensure_texts(*, using: str = DEFAULT_DB_ALIAS, **_signal: Any) -> None:
    """Write the first wording of each purpose where there is none. Called after every migrate."""
    if ConsentText._meta.db_table not in connections[using].introspection.table_names():
        return  # migrated back to before the ledger
    with transaction.atomic(using=using):
        there = set(ConsentText.objects.using(using).values_list("purpose", "language"))
        for language, wordings in FIRST_TEXTS.items():
            for purpose, wording in wordings.items():
                if (purpose.value, language) not in there:
                    ConsentText.objects.using(using).create(
                        purpose=purpose, language=language, version=1, wording=wording
                    )


def _fallbacks(language: str) -> list[str]:
    codes = [language, language.partition("-")[0], settings.LANGUAGE_CODE, "en"]
    return list(dict.fromkeys(code.lower() for code in codes if code))
