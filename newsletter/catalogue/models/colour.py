"""The colours a publisher or a newsletter may choose: only what can be read."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from newsletter.catalogue import brand

OUR_GREEN = "#0F5C5C"

hex_colour = RegexValidator(r"^#[0-9A-Fa-f]{6}\Z", _("Write a colour as #RRGGBB, e.g. #0F5C5C."))


def readable_colour(value: str) -> None:
    """Refuse a colour in which links and buttons could not be read."""
    hex_colour(value)
    if not brand.readable(value):
        raise ValidationError(
            _("%(colour)s is too light to read: its contrast is %(ratio).1f, and 4.5 is needed."),
            params={
                "colour": value,
                "ratio": min(brand.contrast(value, ground) for ground in brand.GROUNDS),
            },
        )
