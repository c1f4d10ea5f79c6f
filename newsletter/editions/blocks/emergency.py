"""When to get emergency help: structured, so that no layout can bury it (standards I3)."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, ListBlock, StructBlock, StructBlockValidationError
from wagtail.snippets.blocks import SnippetChooserBlock

from newsletter.catalogue.models.help_line import phone_number
from newsletter.editions.blocks.picture import Pictured


class EmergencyBlock(Pictured, StructBlock):
    title = CharBlock(
        label=_("title"), max_length=100, default=_("Get emergency help at once if you have")
    )
    signs = ListBlock(
        CharBlock(label=_("sign"), max_length=200), label=_("signs"), min_num=0, max_num=10
    )
    condition = SnippetChooserBlock(
        "catalogue.Condition",
        label=_("condition"),
        required=False,
        help_text=_("Adds its help lines, and its emergency signs if you write none."),
    )
    number = CharBlock(
        label=_("emergency number"),
        max_length=20,
        required=False,
        validators=[phone_number],
        help_text=_("Empty: the number of the newsletter's country, or the publisher's."),
    )

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        condition = cleaned["condition"]
        written = any(str(sign).strip() for sign in cleaned["signs"])
        if not written and not (condition and condition.emergency_sign_list):
            raise StructBlockValidationError(
                block_errors={"title": ValidationError(_("Name at least one sign."))}
            )
        return cleaned

    class Meta:
        label = _("Seek emergency care")
        icon = "warning"
        group = _("Care")
        description = _("The signs for which to get help at once, and whom to call.")
