"""Attack mode: begins by itself, ends by itself, and tells staff.

The mode is a key in Redis that expires (signup.guard.counters); while it stands, limits are
tighter and whoever brings no proof of work shares a trickle. This row is for people: the desk
shows it, and it stays when Redis forgets.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from signup.guard.counters import Count
from signup.models import SignUpAlarm

log = logging.getLogger(__name__)


def tell(count: Count) -> None:
    """Note that attack mode was begun or kept up. Called about once a minute while it lasts."""
    now = timezone.now()
    until = now + timedelta(minutes=settings.SIGN_UP_ALARM_MINUTES)
    kept_up = SignUpAlarm.objects.filter(until__gt=now).update(
        until=until,
        most_in_a_minute=Greatest(F("most_in_a_minute"), count.sign_ups),
        suspicious=Greatest(F("suspicious"), count.suspicious),
    )
    if kept_up:
        return
    SignUpAlarm.objects.create(
        began_at=now, until=until, most_in_a_minute=count.sign_ups, suspicious=count.suspicious
    )
    log.warning(
        "Sign-up attack mode has begun: %d sign-ups this minute, suspicion %d in ten minutes. "
        "It ends by itself, %d minutes after the last sign of it.",
        count.sign_ups,
        count.suspicious,
        settings.SIGN_UP_ALARM_MINUTES,
    )
