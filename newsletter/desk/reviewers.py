"""Who may sign medically."""

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from newsletter.desk.models import User
from newsletter.desk.models.limits import limits_of
from newsletter.editions.models import Article, Issue


def reviewers(about: Issue | Article | None = None) -> QuerySet[User]:
    """Active members of staff with the permission to sign, by their own or a group's; those who
    are limited to something else than `about` are left out."""
    permission = Permission.objects.filter(
        content_type__app_label="approval", codename="approve_issue"
    )
    found = (
        User.objects.filter(is_active=True)
        .filter(Q(groups__permissions__in=permission) | Q(user_permissions__in=permission))
        .distinct()
        .order_by("last_name", "username")
    )
    if about is None:
        return found
    limited = found.filter(scope__isnull=False)
    return found.exclude(pk__in=[one.pk for one in limited if not limits_of(one).allow(about)])
