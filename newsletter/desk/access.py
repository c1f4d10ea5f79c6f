"""Who may do what here: the permissions by their names, and the one question asked of them."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from newsletter.desk.models import User

COMPOSE_ISSUE = "editions.change_issue"
COMPOSE_ARTICLE = "editions.change_article"
VIEW_ISSUE = "editions.view_issue"
VIEW_ARTICLE = "editions.view_article"
APPROVE = "approval.approve_issue"
SEND = "sending.send_issue"
VIEW_MAILING = "sending.view_mailing"


def require_any(request: HttpRequest, *permissions: str) -> User:
    """Return the member of staff who asks. Raises PermissionDenied without one of these."""
    user = request.user
    if not isinstance(user, User) or not any(user.has_perm(name) for name in permissions):
        raise PermissionDenied
    return user
