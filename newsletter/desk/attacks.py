"""The mail that tells administrators of an attack on the sign-up form: one for each stretch.

The guard writes a row (`signup.guard.attack_mode`) and goes on; the row says whether anybody was
told. It holds no reader's address and no network, so the mail cannot name one.
"""

import logging
import smtplib

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.desk.people import administrators
from newsletter.transports.values import without_addresses
from signup.models import SignUpAlarm

log = logging.getLogger(__name__)


def tell() -> int:
    """Mail whoever sees to accounts of each attack that goes on untold; return how many mails.

    Who claims the row mails it, so two workers do not tell twice. If the relay takes none of
    the mails the row is given back, and the next tick tries again while the attack lasts.
    """
    sent = 0
    for alarm in SignUpAlarm.objects.filter(told_at=None, until__gt=timezone.now()).order_by("pk"):
        mine = SignUpAlarm.objects.filter(pk=alarm.pk)
        if mine.filter(told_at=None).update(told_at=timezone.now()) != 1:
            continue
        people = administrators()
        told = sum(_mail(address, alarm) for address in people)
        if people and not told:
            mine.update(told_at=None)
        sent += told
    return sent


def _mail(address: str, alarm: SignUpAlarm) -> bool:
    body = render_to_string(
        "desk/mail/sign_up_attack.txt",
        {
            "alarm": alarm,
            "minutes": settings.SIGN_UP_ALARM_MINUTES,
            "desk": settings.BASE_URL + reverse("wagtailadmin_home"),
        },
    )
    message = EmailMessage(_("Many sign-ups at once: limits are tighter"), body, to=[address])
    try:
        return message.send() == 1
    except smtplib.SMTPException as error:
        log.error("Somebody could not be told of the attack: %s", without_addresses(str(error)))
        return False
