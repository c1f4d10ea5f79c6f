"""The mail with which a member of staff chooses a new password.

The request only looks up who is meant and hands over numbers, known address or not: a template to
render, or a relay to talk to, would let the answer's time tell which addresses have an account.
"""

from collections.abc import Sequence

from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from wagtail.admin.forms.auth import PasswordResetForm

from newsletter.desk.models import User

# One address belongs to a handful of accounts at most.
MOST_ACCOUNTS = 5
_BODY = "wagtailadmin/account/password_reset/email.txt"
_SUBJECT = "wagtailadmin/account/password_reset/email_subject.txt"


def accounts_of(form: PasswordResetForm) -> list[int]:
    """Return the numbers of the active accounts with this address and a password of their own."""
    users = form.get_users(form.cleaned_data["email"])
    return [user.pk for user in users][:MOST_ACCOUNTS]


def mail_links(account_ids: Sequence[int]) -> int:
    """Mail each of these accounts its link, by the relay of all mail; return to how many.

    A link is made when it is sent, so none ever stands in a queue. What the relay refuses is
    logged and not tried again: whoever waits in vain asks once more.
    """
    sent = 0
    for user in User.objects.filter(pk__in=account_ids, is_active=True).order_by("pk"):
        if not user.email or not user.has_usable_password():
            continue
        PasswordResetForm().send_mail(
            _SUBJECT,
            _BODY,
            {
                "email": user.email,
                "user": user,
                "uid": urlsafe_base64_encode(force_bytes(user.pk)),
                "token": default_token_generator.make_token(user),
            },
            None,
            user.email,
        )
        sent += 1
    return sent
