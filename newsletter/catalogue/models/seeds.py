"""A list of addresses of one's own, one a line."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

MOST = 10


def addresses_in(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.splitlines() if part.strip()))


def must_be_address(text: str) -> None:
    """Validate one address. Raises ValidationError, in words for whoever typed it."""
    try:
        validate_email(text)
    except ValidationError:
        raise ValidationError(
            _("“%(address)s” is no e-mail address. Look for a missing @ or a stray sign."),
            params={"address": text},
        ) from None


def several_addresses(text: str) -> None:
    """Validate a list, one a line. Raises ValidationError."""
    found = addresses_in(text)
    if len(found) > MOST:
        raise ValidationError(_("Ten addresses at most."))
    for address in found:
        must_be_address(address)
