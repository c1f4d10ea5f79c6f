"""Who may sign medically."""

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from newsletter.desk.models import User


def reviewers() -> QuerySet[User]:
    """Active members of staff with the permission to sign, by their own or a group's."""
    permission = Permission.objects.filter(
        content_type__app_label="approval", codename="approve_issue"
    )
    return (
        User.objects.filter(is_active=True)
        .filter(Q(groups__permissions__in=permission) | Q(user_permissions__in=permission))
        .distinct()
        .order_by("last_name", "username")
    )
