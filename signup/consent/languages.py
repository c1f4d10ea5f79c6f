"""In which languages somebody can sign up: those in which every question has its words."""

from django.conf import settings

from signup.models import ConsentText


def offered() -> list[str]:
    """Return the codes of LANGUAGES in which every purpose has an approved wording, ours first.

    Nobody consents in a language that is not the page's, so a language whose wording is missing
    or not yet approved is not offered at all. Ours is the one that everything falls back to.
    """
    worded: dict[str, set[str]] = {}
    rows = ConsentText.objects.approved().values_list("language", "purpose").distinct()
    for language, purpose in rows:
        worded.setdefault(language, set()).add(purpose)
    needed = set(ConsentText.Purpose.values)
    codes = [code for code, _name in settings.LANGUAGES]
    found = [code for code in codes if worded.get(code, set()) >= needed]
    return [settings.LANGUAGE_CODE, *(code for code in found if code != settings.LANGUAGE_CODE)]
