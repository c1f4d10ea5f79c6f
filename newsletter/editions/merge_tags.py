"""The words in braces that become a reader's own: a closed vocabulary, never a template language.

`{first_name|there}` is the reader's first name, or "there" for a reader who gave none. The part
after the | is required, so that nobody is ever greeted with a gap. Tags work in an issue's
greeting, headings and text; anywhere else they would reach readers as they stand, and preflight
says so.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# What each is called in the editor's menu, and what it says when there is nothing better.
MENU: dict[str, tuple[Any, str]] = {
    "first_name": (_("The reader's first name"), "there"),
    "newsletter": (_("The newsletter's name"), "this newsletter"),
    "publisher": (_("The publisher's name"), "us"),
    "emergency_number": (_("The emergency number"), "112"),
}
NAMES = frozenset(MENU)

_TAG = re.compile(r"\{\s*([a-z_]+)\s*\|\s*([^{}|]*[^{}|\s])\s*\}")
# What people bring along from other systems: {{ name }}, *|FNAME|*, %%name%%, [[name]], {name
_LOOKALIKE = re.compile(
    r"\{\{[^{}]*\}\}|\{[^{}]{0,80}\}|\*\|[^|]{0,40}\|\*|%%[\w .]{1,40}%%|\[\[[^\[\]]{1,40}\]\]"
    r"|\{\s*(?:first_name|newsletter|publisher|emergency_number)\b[^{}]{0,40}"
)


def menu() -> list[dict[str, str]]:
    """Return what the editor offers: a label, and the tag that it inserts."""
    return [
        {"label": str(label), "tag": f"{{{name}|{otherwise}}}"}
        for name, (label, otherwise) in MENU.items()
    ]


def field_attributes() -> dict[str, str]:
    """Return the attributes by which a text field gets the menu (static/desk/merge-tags.js)."""
    return {"data-controller": "merge-tags", "data-merge-tags-menu-value": json.dumps(menu())}


def replace(text: str, value_of: Callable[[str, str], str]) -> str:
    """Replace every known tag by `value_of(name, fallback)`; leave everything else as it is."""
    return _TAG.sub(
        lambda match: value_of(match[1], match[2]) if match[1] in NAMES else match[0], text
    )


def unknown(text: str) -> list[str]:
    """Return, in order, what looks like a merge tag in `text` and would reach readers unchanged."""
    rest = replace(text, lambda name, fallback: "")
    return [" ".join(tag.split()) for tag in _LOOKALIKE.findall(rest)]


def left_over(text: str) -> list[str]:
    """Return the tags in text where none are replaced: known ones too."""
    return [" ".join(tag.split()) for tag in _LOOKALIKE.findall(text)]


def known_tags_only(text: str) -> None:
    """Refuse text with a tag that we do not know (a form validator)."""
    if tags := unknown(text):
        raise ValidationError(
            _("We do not know %(tag)s. Write {first_name|there}, or leave it out."),
            params={"tag": tags[0]},
        )
