"""The edge to Celery: an id in, one verb called. Any of these may be lost, late or run twice."""

import logging
import time
from collections.abc import Sequence

from celery import shared_task

from signup import mail
from signup.consent import expiry, renewal, seals
from signup.consent import retention as ledger_retention
from signup.privacy import retention

log = logging.getLogger(__name__)

# A relay that takes its time: what is not sent by then (seconds) is left to the sweep, long before
# CELERY_TASK_TIME_LIMIT would take this worker's process away in the middle of a mail.
ENOUGH = 60.0
# What the sweep hands out together: few, so that several workers share them.
IN_ONE_TASK = 5


@shared_task
def send_system_mails(system_mail_ids: Sequence[int]) -> None:
    """Send some system mails, one after another. None may be due: asking took as long all the same
    (invariant 13). One that cannot be made does not keep the others back."""
    until = time.monotonic() + ENOUGH
    for system_mail_id in system_mail_ids:
        if time.monotonic() > until:
            return
        try:
            mail.send_system_mail(system_mail_id)
        except Exception:
            # Its row says what became of it, and when it is tried again.
            log.exception("System mail %d could not be sent.", system_mail_id)


@shared_task
def sweep_system_mail() -> None:
    """Hand out again what got lost or is due for another try. Beat, every 15 seconds."""
    due = mail.sweep()
    for at in range(0, len(due), IN_ONE_TASK):
        send_system_mails.delay(due[at : at + IN_ONE_TASK])


@shared_task
def purge_sign_ups() -> None:
    """Delete what was never confirmed and is past its use. Beat, daily."""
    retention.purge()


@shared_task(queue="control")
def seal_ledger() -> None:
    """Write the ledger's next seal outside the database. Beat, nightly."""
    seals.seal()


@shared_task(queue="control")
def expire_consents() -> None:
    """End consents that have run out; remove lines of the ledger past their time. Beat, nightly."""
    expiry.expire()
    ledger_retention.remove()


@shared_task(queue="control")
def ask_anew() -> None:
    """Go on with the campaigns that ask readers anew. Beat, every 15 seconds."""
    renewal.tick()
