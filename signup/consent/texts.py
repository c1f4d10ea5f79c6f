"""The wordings: drafted, approved by data protection, shown from then on, never changed."""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.utils import timezone

from signup.consent.wording import FIRST_TEXTS, SHIPPED_APPROVED
from signup.models import ConsentText

Purpose = ConsentText.Purpose


class MissingText(LookupError):
    """There is no wording to show, so nobody can consent and no form can be shown."""


class NotADraft(ValueError):
    """An approved wording stays what it is: write a new version instead."""


def languages_offered() -> list[str]:
    """Return the languages in which one may sign up: every purpose has an approved wording.

    In the order of settings.LANGUAGES.
    """
    worded = _approved_languages([code for code, _name in settings.LANGUAGES])
    return [code for code, _name in settings.LANGUAGES if code.lower() in worded]


def current_texts(language: str) -> dict[ConsentText.Purpose, ConsentText]:
    """Return the newest approved wording of each purpose, all in one language.

    Falls back from `de-at` to `de`, then to the service's own language, then to English: a
    language that lacks one approved wording is not offered at all, since nobody should agree to
    one half of a form in words of another language. Raises MissingText.
    """
    wanted = _fallbacks(language)
    found: dict[str, dict[ConsentText.Purpose, ConsentText]] = {code: {} for code in wanted}
    for text in ConsentText.objects.approved().filter(language__in=wanted).order_by("version"):
        found[text.language][Purpose(text.purpose)] = text
    for code in wanted:
        if len(found[code]) == len(Purpose):
            return {purpose: found[code][purpose] for purpose in Purpose}
    raise MissingText(
        f"No language of {', '.join(wanted)} has an approved wording for every consent."
    )


def write_draft(*, purpose: Purpose, language: str, wording: str, by: str) -> ConsentText:
    """Begin the next version of a wording, or rewrite its draft. Nobody is shown it yet."""
    wording = " ".join(wording.split())
    if not wording:
        raise ValueError("A wording says something.")
    with transaction.atomic():
        same = ConsentText.objects.filter(purpose=purpose, language=language)
        draft = same.drafts().select_for_update().first()
        if draft is not None:
            draft.wording, draft.drafted_by = wording, by
            draft.save(update_fields=["wording", "drafted_by"])
            return draft
        last = same.order_by("-version").first()
        try:
            with transaction.atomic():
                return ConsentText.objects.create(
                    purpose=purpose,
                    language=language,
                    version=last.version + 1 if last else 1,
                    wording=wording,
                    drafted_by=by,
                )
        except IntegrityError as error:
            raise NotADraft("Somebody else began a draft just now. Look at it first.") from error


def approve(*, text_id: int, wording: str, by: str) -> ConsentText:
    """Show a draft from now on, for ever unchanged. `wording` is what the approver has read.

    What readers agreed to before stays what it was: the ledger names each version. Raises
    NotADraft when it is approved already, or says something else by now.
    """
    with transaction.atomic():
        draft = ConsentText.objects.drafts().select_for_update().filter(pk=text_id).first()
        if draft is None:
            raise NotADraft("It was approved or discarded in the meantime.")
        if draft.wording != wording:
            raise NotADraft("The draft was changed since you read it. Read it again.")
        draft.approved_at, draft.approved_by = timezone.now(), by
        draft.save(update_fields=["approved_at", "approved_by"])
        return draft


def discard(*, text_id: int) -> None:
    """Throw a draft away. Raises NotADraft for what was approved."""
    if not ConsentText.objects.drafts().filter(pk=text_id).delete()[0]:
        raise NotADraft("It was approved or discarded in the meantime.")


def ensure_texts(*, using: str = DEFAULT_DB_ALIAS, **_signal: Any) -> None:
    """Write the first wording of each purpose where there is none. Called after every migrate.

    English comes approved, because without one language nobody could sign up. Every other
    language comes as a draft: it stays off until data protection has approved it.
    """
    with connections[using].cursor() as cursor:
        table = ConsentText._meta.db_table
        introspection = connections[using].introspection
        if table not in introspection.table_names(cursor):
            return  # migrated back to before the ledger
        columns = {found.name for found in introspection.get_table_description(cursor, table)}
        if "approved_at" not in columns:
            return  # migrated back to before drafts
    texts = ConsentText.objects.using(using)
    with transaction.atomic(using=using):
        there = set(texts.values_list("purpose", "language"))
        for language, wordings in FIRST_TEXTS.items():
            approved = language in SHIPPED_APPROVED
            for purpose, wording in wordings.items():
                if (purpose.value, language) not in there:
                    texts.create(
                        purpose=purpose,
                        language=language,
                        version=1,
                        wording=wording,
                        drafted_by="installation",
                        approved_at=timezone.now() if approved else None,
                        approved_by="installation" if approved else "",
                    )


def _approved_languages(codes: list[str]) -> set[str]:
    found: dict[str, set[str]] = {}
    wanted = [code.lower() for code in codes]
    for purpose, language in (
        ConsentText.objects.approved()
        .filter(language__in=wanted)
        .values_list("purpose", "language")
        .distinct()
    ):
        found.setdefault(language, set()).add(purpose)
    return {language for language, purposes in found.items() if len(purposes) == len(Purpose)}


def _fallbacks(language: str) -> list[str]:
    codes = [language, language.partition("-")[0], settings.LANGUAGE_CODE, "en"]
    return list(dict.fromkeys(code.lower() for code in codes if code))
