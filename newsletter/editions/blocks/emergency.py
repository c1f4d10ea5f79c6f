"""When to get emergency help: structured, so that no layout can bury it (standards I3)."""

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, ListBlock, StructBlock

phone_number = RegexValidator(
    r"^\+?[0-9][0-9 ]{1,18}\Z", _("Write a number that can be dialled, for example 112.")
)


class EmergencyBlock(StructBlock):
    title = CharBlock(
        label=_("title"), max_length=100, default=_("Get emergency help at once if you have")
    )
    signs = ListBlock(CharBlock(label=_("sign"), max_length=200), min_num=1, max_num=10)
    number = CharBlock(
        label=_("emergency number"),
        max_length=20,
        required=False,
        validators=[phone_number],
        help_text=_("Empty: the publisher's number."),
    )

    class Meta:
        label = _("Seek emergency care")
        icon = "warning"
