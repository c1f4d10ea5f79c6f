"""Inviting somebody to the desk, and taking an invitation up.

Nobody ever knows somebody else's password: the account is closed until its owner has opened the
mailed link, chosen a password and set up the second factor.
"""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from newsletter.desk.models import Departure, Invitation, User
from newsletter.desk.models.invitation import LASTS, hash_of, new_token


@transaction.atomic
def make_account(
    *, email: str, first_name: str, last_name: str, groups: Iterable[Group], by: User
) -> User:
    """An account that nobody can sign in to yet. Its name is the address."""
    user = User(
        username=email.lower(),
        email=email,
        first_name=first_name,
        last_name=last_name,
        is_active=False,
    )
    user.set_unusable_password()
    user.save()
    user.groups.set(groups)
    log(user, "desk.invited", user=by)
    return user


@transaction.atomic
def invite(*, user: User, by: User) -> str:
    """Make the link that opens this closed account, in the place of any earlier one; return it.

    It can be read off nowhere afterwards. Raises ValueError for an account in use.
    """
    if user.is_active:
        raise ValueError("this account is in use")
    token = new_token()
    now = timezone.now()
    Invitation.objects.update_or_create(
        user=user,
        defaults={
            "token_hash": hash_of(token),
            "invited_by": by,
            "invited_at": now,
            "expires_at": now + LASTS,
            "accepted_at": None,
        },
    )
    return settings.BASE_URL + reverse("security:invitation", args=(token,))


def mail_of(*, user: User, by: User, link: str) -> EmailMessage:
    """The mail that carries the link. The subject names nothing of what is done here."""
    text = render_to_string(
        "desk/mail/invitation.txt",
        {"user": user, "by": by, "link": link, "days": LASTS.days},
    )
    message = EmailMessage(
        _("Your account at the desk"), text, settings.DEFAULT_FROM_EMAIL, [user.email]
    )
    message.extra_headers["Auto-Submitted"] = "auto-generated"
    return message


@transaction.atomic
def take_up(*, token: str, password: str) -> User | None:
    """Open the account with this password. None when the link opens nothing any more.

    One conditional UPDATE decides, so that of two at the same moment one comes through.
    """
    invitation = Invitation.objects.opened_by(token)
    if invitation is None:
        return None
    taken = Invitation.objects.open().filter(pk=invitation.pk, token_hash=hash_of(token))
    if taken.update(accepted_at=timezone.now()) != 1:
        return None
    user = invitation.user
    assert isinstance(user, User)
    user.set_password(password)
    user.is_active = True
    user.save(update_fields=["password", "is_active"])
    Departure.objects.filter(user=user).delete()
    log(user, "desk.joined", user=user)
    return user
