"""Choosing a language: one of those that our own words are in, or what stands there already."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language_info


class LanguageSelect(forms.Select):
    """`otherwise` is what choosing none is called; without it one has to be chosen."""

    def __init__(self, otherwise: Any = "") -> None:
        none = [("", otherwise)] if otherwise else []
        super().__init__(choices=[*none, *settings.LANGUAGES])

    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> Any:
        """Keep a language that we have no words in: a list would show another in its place."""
        offered = {code for code, _name in self.choices}
        kept = [(code, _name_of(code)) for code in value if code and code not in offered]
        before: Iterable[Any] = self.choices
        self.choices = [*before, *kept]
        try:
            return super().optgroups(name, value, attrs)
        finally:
            self.choices = before


def _name_of(code: str) -> str:
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code
