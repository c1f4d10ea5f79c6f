"""What our mails use, held against published data on what mail programs understand."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rendering.reading import Outline

HERE = Path(__file__).parent
DATA = json.loads((HERE / "client_support.json").read_text(encoding="utf-8"))
OUTLOOK, *OTHERS = range(len(DATA["clients"]))
MAILS = [HERE / "golden" / "issue.html", HERE / "golden" / "digest" / "shell.html"]

# What a program may leave out, and why the mail stays whole without it.
WITHOUT_HARM = {
    "css-border-radius": "corners are square",
    "css-max-width": "Outlook gets widths from attributes, in comments that only it reads",
    "css-text-underline-offset": "the underline stands closer",
    "css-outline": "no ring around a linked picture in old programs",
    "css-word-break": "long words run on",
    "css-display": "Outlook stacks what is in line, the links stay whole",
    "css-min-width": "Outlook gets widths from attributes",
    "css-overflow": "hides the preview line, which Outlook hides by mso-hide",
    "css-max-height": "hides the preview line, which other rules hide too",
    "css-opacity": "hides the preview line, which other rules hide too",
    "css-word-spacing": "blanks are as wide as usual",
    "css-border-spacing": "cells without padding stand a hair apart",
    "css-cursor": "a pointer of the wrong shape",
    "css-background": "a colour that stands in background-color or bgcolor too",
}
# Data are kept by the shorthand; a side of it is understood as it is.
_SIDE = re.compile(r"-(top|right|bottom|left|color|style|width|tablespace)(?=-|$)")


def used_properties(html: str) -> Iterator[str]:
    for _tag, attributes in Outline(html).tags:
        for declaration in attributes.get("style", "").split(";"):
            name = declaration.partition(":")[0].strip().lower()
            if name and not name.startswith(("mso-", "-ms-", "-webkit-")):
                yield name


def entry(prefix: str, name: str) -> str | None:
    """Return the data's name for a property or element, or None where nobody measured it."""
    shorter = _SIDE.sub("", name)
    return next(
        (found for one in (name, shorter) if (found := f"{prefix}-{one}") in DATA["support"]), None
    )


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.name)
def test_gmail_and_apple_mail_understand_every_style_that_matters(path: Path) -> None:
    names = {entry("css", name) for name in used_properties(path.read_text(encoding="utf-8"))}
    refused = [
        name
        for name in sorted(names - {None})
        if any(DATA["support"][name][client] == "n" for client in OTHERS)
    ]
    assert set(refused) <= WITHOUT_HARM.keys()


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.name)
def test_outlook_leaves_out_only_what_can_be_missed(path: Path) -> None:
    names = {entry("css", name) for name in used_properties(path.read_text(encoding="utf-8"))}
    refused = [name for name in sorted(names - {None}) if DATA["support"][name][OUTLOOK] == "n"]
    assert set(refused) <= WITHOUT_HARM.keys()


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.name)
def test_no_mail_lays_out_by_what_word_does_not_know(path: Path) -> None:
    html = path.read_text(encoding="utf-8")
    styles = {attributes.get("style", "") for _tag, attributes in Outline(html).tags}
    for sign in ("flex", "grid", "position:", "float:", "calc(", "var(", "gradient", "box-shadow"):
        assert not any(sign in style for style in styles)


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.name)
def test_every_table_that_lays_out_says_so(path: Path) -> None:
    tables = Outline(path.read_text(encoding="utf-8")).of("table")
    assert tables and all(table.get("role") == "presentation" for table in tables)


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.name)
def test_each_element_is_known_everywhere(path: Path) -> None:
    tags = {tag for tag, _attributes in Outline(path.read_text(encoding="utf-8")).tags}
    known = {tag: entry("html", tag) for tag in tags}
    assert not [
        tag for tag, name in known.items() if name and "n" in DATA["support"][name].replace("u", "")
    ]


def test_the_data_say_when_they_are_from_and_about_whom() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", DATA["as_of"])
    assert {len(row) for row in DATA["support"].values()} == {len(DATA["clients"])}
