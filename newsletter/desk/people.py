"""Who of the staff is told when something goes wrong."""

from django.db.models import Q

from newsletter.desk.models import User
from newsletter.desk.roles import ADMINISTRATORS


def administrators() -> list[str]:
    """Return the addresses of active administrators."""
    found = User.objects.filter(is_active=True).exclude(email="")
    found = found.filter(Q(is_superuser=True) | Q(groups__name=ADMINISTRATORS))
    return sorted(set(found.values_list("email", flat=True)))
