"""A heading between the parts of an issue or article."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock

from newsletter.editions import merge_tags
from newsletter.editions.blocks.picture import Pictured


class HeadingBlock(Pictured, CharBlock):
    def __init__(self, **kwargs: object) -> None:
        super().__init__(
            max_length=120,
            validators=[merge_tags.known_tags_only],
            help_text=_("May hold {first_name|dear reader}."),
            **kwargs,
        )
        self.field.widget.attrs.update(merge_tags.field_attributes())

    def clean(self, value: str) -> str:
        value = " ".join(super().clean(value).split())
        if not value:
            raise ValidationError(_("Write the heading, or take the block out."))
        return value

    class Meta:
        label = _("Heading")
        icon = "title"
        group = _("Text")
        description = _("Begins a part of the mail. May greet the reader by name.")
