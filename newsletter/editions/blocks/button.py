"""One thing to do, as a button."""

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, StructBlock

from newsletter.editions.blocks.picture import Pictured


def web_address(value: str) -> None:
    """Refuse what is no web address. A page of our own may be given as /path/."""
    if value.startswith("/") and not value.startswith("//"):
        return
    try:
        URLValidator(schemes=["https", "http"])(value)
    except ValidationError as error:
        raise ValidationError(
            _("Write the whole address, for example https://example.org/page/.")
        ) from error


class ButtonBlock(Pictured, StructBlock):
    text = CharBlock(
        label=_("text"), max_length=40, help_text=_("Begin with a verb: “Read the guide”.")
    )
    url = CharBlock(label=_("address"), max_length=500, validators=[web_address])

    class Meta:
        label = _("Button")
        icon = "link-external"
        group = _("Articles and pictures")
        description = _("One thing to do.")
