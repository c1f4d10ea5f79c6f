"""Who needs a second factor, and who has one."""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from newsletter.desk.models import Authenticator

REQUIRED, OPTIONAL = "required", "optional"


def required() -> bool:
    """Whether nobody gets in without one. Otherwise it protects those who have set it up."""
    return bool(settings.STAFF_SECOND_FACTOR == REQUIRED)


def factor_of(user: AbstractBaseUser) -> Authenticator | None:
    """Return the account's authenticator app, or None."""
    found: Authenticator | None = (
        Authenticator.objects.filter(user_id=user.pk, confirmed=True).order_by("pk").first()
    )
    return found
