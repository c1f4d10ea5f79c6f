"""Who needs a second factor, and who has one."""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django_otp.plugins.otp_totp.models import TOTPDevice

REQUIRED, OPTIONAL = "required", "optional"


def required() -> bool:
    """Whether nobody gets in without one. Otherwise it protects those who have set it up."""
    return bool(settings.STAFF_SECOND_FACTOR == REQUIRED)


def factor_of(user: AbstractBaseUser) -> TOTPDevice | None:
    """Return the account's authenticator app, or None."""
    found: TOTPDevice | None = (
        TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).order_by("pk").first()
    )
    return found
