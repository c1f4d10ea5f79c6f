"""Who of the staff is told when something goes wrong."""

from newsletter.desk.access import CHANGE_STAFF
from newsletter.desk.models import User

_BACKEND = "django.contrib.auth.backends.ModelBackend"


def administrators() -> list[str]:
    """Return the addresses of the active accounts that may change accounts."""
    allowed = User.objects.with_perm(CHANGE_STAFF, is_active=True, backend=_BACKEND)
    return sorted(set(allowed.exclude(email="").values_list("email", flat=True)))
