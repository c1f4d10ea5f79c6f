"""The edge to Celery: an id in, one verb called. Any of these may be lost, late or run twice."""

from celery import shared_task

from signup import mail
from signup.consent import expiry, renewal, seals
from signup.consent import retention as ledger_retention
from signup.privacy import retention


@shared_task
def send_system_mail(system_mail_id: int | None) -> None:
    """Send one system mail. None: nothing was due, but asking took as long (invariant 13)."""
    if system_mail_id is not None:
        mail.send_system_mail(system_mail_id)


@shared_task
def sweep_system_mail() -> None:
    """Hand out again what got lost or is due for another try. Beat, every 15 seconds."""
    for system_mail_id in mail.sweep():
        send_system_mail.delay(system_mail_id)


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
