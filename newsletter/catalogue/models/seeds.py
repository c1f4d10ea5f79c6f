"""A list of addresses of one's own, one a line."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

MOST = 10


def addresses_in(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.splitlines() if part.strip()))


def several_addresses(text: str) -> None:
    found = addresses_in(text)
    if len(found) > MOST:
        raise ValidationError(_("Ten addresses at most."))
    for address in found:
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(
                _("“%(address)s” is no e-mail address. Look for a missing @ or a stray sign."),
                params={"address": address},
            ) from None
