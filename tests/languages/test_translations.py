"""Spanish is whole, every template can be translated, and a catalogue needs no program but ours."""

import gettext
import re
from collections.abc import Mapping, Set
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from project import catalogues
from tests.languages import translatable
from tests.languages.translatable import relative

pytestmark = pytest.mark.once

SPANISH = Path(settings.BASE_DIR) / "locale" / "es" / "LC_MESSAGES" / "django.po"
_PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{[a-z_]+(?:\|[^}]*)?\}|<[^>]+>")
# Read by mail programs as names, not as words.
_NOT_WORDS = ("templates/emails/layout/sans.txt", "templates/emails/layout/styles.css")
TEMPLATES = [path for path in translatable.templates() if relative(path) not in _NOT_WORDS]


@pytest.fixture(scope="module")
def spanish() -> dict[str, catalogues.Entry]:
    return {entry.msgid: entry for entry in catalogues.read(SPANISH)}


def test_no_template_says_anything_that_cannot_be_translated() -> None:
    said = {relative(path): list(translatable.untranslatable_text(path)) for path in TEMPLATES}
    assert len(said) > 100
    assert not {name: words for name, words in said.items() if words}


def test_spanish_has_every_word_of_each_template(spanish: dict[str, catalogues.Entry]) -> None:
    asked = {relative(path): set(translatable.in_template(path)) for path in TEMPLATES}
    assert not _missing(asked, spanish)


def test_spanish_has_every_word_of_each_module_that_readers_meet(
    spanish: dict[str, catalogues.Entry],
) -> None:
    asked = {relative(path): set(translatable.in_code(path)) for path in translatable.modules()}
    assert not _missing(asked, spanish)


def _missing(
    asked: Mapping[str, Set[str]], spanish: dict[str, catalogues.Entry]
) -> dict[str, list[str]]:
    """Per file, the messages that Spanish lacks. Asserts that messages were found at all."""
    assert len(set().union(*asked.values())) > 100
    there = {words for words, entry in spanish.items() if entry.is_translated}
    return {name: sorted(words - there) for name, words in asked.items() if words - there}


def test_a_translation_keeps_every_placeholder_and_every_tag(
    spanish: dict[str, catalogues.Entry],
) -> None:
    for entry in spanish.values():
        if not entry.msgid:
            continue
        for form in entry.strings.values():
            wanted = sorted(_without_default(_PLACES.findall(entry.plural or entry.msgid)))
            kept = sorted(_without_default(_PLACES.findall(form)))
            if entry.plural and len(kept) < len(wanted):
                continue  # "one condition" may leave the number out
            assert kept == wanted, entry.msgid


def test_nothing_stands_in_the_catalogue_that_nobody_asks_for(
    spanish: dict[str, catalogues.Entry],
) -> None:
    asked = {""}
    for path in TEMPLATES:
        asked |= set(translatable.in_template(path))
    for path in [
        *translatable.modules(),
        Path(settings.BASE_DIR) / "newsletter/editions/models/article.py",
        Path(settings.BASE_DIR) / "newsletter/catalogue/models/public_words.py",
    ]:
        asked |= set(translatable.in_code(path))
    assert not sorted(set(spanish) - asked)


def test_the_publishers_sentences_exist_in_spanish_too() -> None:
    from newsletter.catalogue.models import PublicWords

    words = PublicWords()
    with translation.override("es"):
        said = [words.shown_promise, *words.data_sentences, words.shown_success, words.shown_next]
        failed = words.shown_failure
    assert failed == (
        "Algo ha fallado por nuestra parte. Vuelva a intentarlo en un par de minutos."
    )
    with translation.override("en"):
        assert not set(said) & {
            words.shown_promise,
            *words.data_sentences,
            words.shown_success,
            words.shown_next,
        }


# --- Catalogues without gettext's own programs -------------------------------------------------

PO = r"""
# A comment.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#: somewhere.py
msgid "Good \"morning\""
msgstr ""
"Buenos "
"días\n"

msgctxt "month"
msgid "May"
msgstr "mayo"

msgid "one day"
msgid_plural "%d days"
msgstr[0] "un día"
msgstr[1] "%d días"

#, fuzzy
msgid "guessed"
msgstr "adivinado"

msgid "still to do"
msgstr ""
"""


def test_python_reads_what_we_compile(tmp_path: Path) -> None:
    folder = tmp_path / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(PO)
    assert catalogues.compile_all(tmp_path) == [folder / "django.mo"]
    found = gettext.translation("django", tmp_path, ["xx"])
    assert found.gettext('Good "morning"') == "Buenos días\n"
    assert found.pgettext("month", "May") == "mayo"
    assert [found.ngettext("one day", "%d days", n) for n in (1, 3)] == ["un día", "%d días"]
    assert found.gettext("guessed") == "guessed", "a guess is no translation"
    assert found.gettext("still to do") == "still to do"


def test_a_catalogue_is_written_again_only_when_its_source_is_newer(tmp_path: Path) -> None:
    folder = tmp_path / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(PO)
    assert catalogues.compile_all(tmp_path)
    assert not catalogues.compile_all(tmp_path)
    (folder / "django.mo").unlink()
    assert catalogues.compile_all(tmp_path)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('msgid "a"\nmsgstr "b\n', "line 2"),
        ("nonsense\n", "line 1"),
        ('msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n', "twice"),
    ],
)
def test_a_broken_catalogue_is_refused_by_name_and_line(
    tmp_path: Path, source: str, complaint: str
) -> None:
    path = tmp_path / "django.po"
    path.write_text(source)
    with pytest.raises(catalogues.BadCatalogue, match=complaint) as refused:
        catalogues.read(path)
    assert "django.po" in str(refused.value)


def _without_default(places: list[str]) -> list[str]:
    """{first_name|there}: the word after the bar is for people, and is translated."""
    return [re.sub(r"\|[^}]*\}", "}", place) for place in places]
