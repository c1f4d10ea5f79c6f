"""Ticking conditions where there may be hundreds: by group, with a line to find one in.

Django's own boxes take a template each; five hundred of them were half the time of the form.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

# Fewer are seen at a glance.
WORTH_FINDING = 12


class ConditionBoxes(forms.CheckboxSelectMultiple):
    """For a ModelMultipleChoiceField of conditions."""

    class Media:
        css = {"all": ["desk/condition-boxes.css"]}
        js = ["desk/condition-boxes.js"]

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        attrs = self.build_attrs(self.attrs, attrs)
        box_id = str(attrs.pop("id", f"id_{name}"))
        ticked = set(self.format_value(value))
        shared = SafeString(flatatt({**attrs, "name": name}))
        groups: dict[str, list[tuple[Any, ...]]] = {}
        number = 0
        choices: Iterable[tuple[Any, Any]] = self.choices
        for number, (pk, label) in enumerate(choices):
            checked = SafeString(" checked" if str(pk) in ticked else "")
            row = (f"{box_id}_{number}", shared, str(pk), checked, label)
            groups.setdefault(pk.instance.group, []).append(row)
        return format_html(
            '<div id="{}" class="desk-boxes"{}>{}{}</div>',
            box_id,
            SafeString(" data-desk-boxes"),
            self._finder(box_id) if number >= WORTH_FINDING else "",
            format_html_join("", "{}", ((self._group(*one),) for one in sorted(groups.items()))),
        )

    def _finder(self, box_id: str) -> SafeString:
        """Hidden until its script is there: without it all boxes simply stand in the page."""
        return format_html(
            '<div class="desk-boxes__finder" hidden><label for="{0}-find">{1}</label>'
            '<input type="search" id="{0}-find" autocomplete="off" data-desk-boxes-find>'
            '<span class="desk-boxes__none" role="status" data-none="{2}"></span></div>',
            box_id,
            _("Find a condition"),
            _("None of that name."),
        )

    def _group(self, name: str, rows: list[tuple[Any, ...]]) -> SafeString:
        return format_html(
            '<fieldset class="desk-boxes__group"><legend>{}</legend>{}</fieldset>',
            name,
            format_html_join(
                "",
                '<label for="{0}"><input type="checkbox" id="{0}"{1} value="{2}"{3}> {4}</label>',
                rows,
            ),
        )
