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
CHANGE_STAFF = "desk.change_user"
VIEW_READERS = "desk.view_readers"
VIEW_CONDITIONS = "desk.view_reader_conditions"
EXPORT_READER = "desk.export_reader"
ERASE_READER = "desk.erase_reader"
IMPORT_READERS = "desk.import_readers"
VIEW_ACCESS_LOG = "desk.view_access_log"
MARK_ALERT = "sending.mark_alert"
VIEW_UNREACHED = "sending.view_unreached"
CHANGE_NEWSLETTER = "catalogue.change_newsletter"
CHANGE_CONDITION = "catalogue.change_condition"

# Numbers about nobody: whoever has to do with issues may see how one goes.
MAY_WATCH = (SEND, VIEW_MAILING, COMPOSE_ISSUE, VIEW_ISSUE, APPROVE)


def require_any(request: HttpRequest, *permissions: str) -> User:
    """Return the member of staff who asks. Raises PermissionDenied without one of these."""
    user = request.user
    if not isinstance(user, User) or not any(user.has_perm(name) for name in permissions):
        raise PermissionDenied
    return user


def require_all(request: HttpRequest, *permissions: str) -> User:
    """Return the member of staff who asks. Raises PermissionDenied unless all are held."""
    user = staff(request)
    if not user.has_perms(permissions):
        raise PermissionDenied
    return user


def staff(request: HttpRequest) -> User:
    """Return the member of staff who asks. Raises PermissionDenied for anybody else."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
