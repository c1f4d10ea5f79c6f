"""The edge between Celery and the stations: id → verb. Only here is work enqueued.

Queues are pools (CELERY_TASK_ROUTES): prompt (nobody waits for a confirmation), control (plan,
feed, recover: short and never behind mail) and bulk (batches). Every task may be lost, run twice
or run late.
"""

import logging
import os
import socket
import time
from typing import Any

from celery import shared_task
from celery.signals import (
    heartbeat_sent,
    worker_init,
    worker_process_shutdown,
    worker_shutting_down,
)
from django.conf import settings
from django.utils import timezone

from newsletter.approval.links import looking
from newsletter.archive import sweep_pictures as forgotten
from newsletter.desk import attacks, schedule_notices
from newsletter.desk.digests import canary
from newsletter.desk.feeds.notices import tell_of_dead_feeds
from newsletter.desk.people import administrators
from newsletter.desk.security import resetting
from newsletter.desk.weekly_summary import send_summaries
from newsletter.editions.feeds import fetch as feeds
from newsletter.outcomes.bounces import trouble as bounce_trouble
from newsletter.outcomes.bounces.mailbox import read_mailbox
from newsletter.outcomes.reactions import react
from newsletter.outcomes.sender_domains import look_at_all
from newsletter.sending import alarms, alert, measured, news, plan, sightings, start, stopping
from newsletter.sending import feed as feeding
from newsletter.sending import recover as recovery
from newsletter.sending.claim import claim, claim_another
from newsletter.sending.control import stop_for_trouble
from newsletter.sending.deliver import deliver, journal_trouble, put_away, release
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Mailing
from newsletter.transports.errors import Misconfigured
from newsletter.transports.select import bulk_transport, close_kept

log = logging.getLogger(__name__)

# Waiting for one relay may take RFC 5321's ten minutes; the visibility timeout stands above it.
DELIVER_LIMIT = 840
# Of 5,000 readers each: some seconds.
DIGEST_SLICES = 10
# Ten links of at most twelve seconds each, and room.
LINKS_LIMIT = 180
# Its forty seconds, one answer's patience behind them, and room.
MAILBOX_LIMIT = 120
# Half a minute for the fetch, and room for two hundred drafts. Below the claim's ten minutes.
FEED_LIMIT = 300
# How often all live readers are looked through for one who lacks a mark: a second at a million.
SWEEP_MINUTES = 10
# Within a queue, before everything that its route says nothing else of (project.queues).
FIRST = 0
# How often a worker says that it is there.
TELL_SECONDS = 15.0
_told_at = -TELL_SECONDS


@worker_init.connect
def _worker_starts(**_: object) -> None:
    stopping.go_on()


@worker_shutting_down.connect
def _worker_is_told_to_stop(**_: object) -> None:
    # Celery tells the master only; its children read the flag before each chunk.
    stopping.stop()


@worker_process_shutdown.connect
def _worker_process_ends(**_: object) -> None:
    close_kept()
    put_away()


@heartbeat_sent.connect
def _worker_is_there(sender: Any, **_: object) -> None:
    """Every few seconds, by the master, however busy its children are."""
    global _told_at  # noqa: PLW0603 - a memory of this process
    if time.monotonic() - _told_at >= TELL_SECONDS:
        _told_at = time.monotonic()
        sightings.tell(sender.eventer.hostname)


@shared_task
def plan_issue(mailing_id: int) -> None:
    """Fill a mailing that `sending.plan.plan_issue` created."""
    mailing = Mailing.objects.filter(pk=mailing_id).first()
    if mailing is not None:
        plan.resume(mailing)


@shared_task
def plan_alert(alert_id: int) -> None:
    """Fill a safety alert's mailings, one after the other, and hand them on without delay."""
    while waiting := alert.unplanned(alert_id):
        mailing = plan.resume(Mailing.objects.get(pk=waiting[0]))
        if mailing.state == Mailing.State.PLANNING:
            # Another task is at it, and goes on with the rest.
            return
    feed()


@shared_task
def feed() -> None:
    """Hand the workers what the rate allows for the next seconds."""
    alerts = feeding.feed(timezone.now(), alerts=True)
    for batch_id in alerts:
        # A safety alert never waits behind the issues that are being sent.
        deliver_batch.apply_async((batch_id,), queue="prompt", priority=FIRST)
    for batch_id in feeding.begin(timezone.now()):
        # Nor does a small mailing behind what a large one has in the queue.
        deliver_batch.apply_async((batch_id,), priority=FIRST)
    for batch_id in feeding.feed(timezone.now(), alerts=False):
        deliver_batch.delay(batch_id)
    measured.note()


@shared_task(time_limit=DELIVER_LIMIT)
def deliver_batch(batch_id: int) -> None:
    """Claim a batch and send it, and what comes next of its mailing, for some seconds."""
    worker = f"{socket.gethostname()}:{os.getpid()}"
    claimed = claim(batch_id, worker)
    if claimed is None:
        return
    try:
        transport = bulk_transport(health=claimed.mailing.is_health_data)
    except Misconfigured as error:
        stop_for_trouble(claimed.mailing.pk, str(error))
        release(claimed)
        return
    try:
        deliver(claimed, transport, lambda mailing: claim_another(mailing, worker))
    finally:
        sightings.tell(worker, transport.states(), journal_trouble())


@shared_task
def watch() -> None:
    """Look for what staff have to know of, and tell them."""
    schedule_notices.tell()
    found = alarms.watch(others=bounce_trouble.troubles())
    if found:
        news.tell(found, administrators())


@shared_task
def recover() -> None:
    """Take up what lost workers and lost tasks left lying."""
    recovery.recover()
    for mailing_id in plan.unfinished() + alert.unplanned():
        plan_issue.delay(mailing_id)


@shared_task
def start_scheduled() -> None:
    """Start the issues whose time has come."""
    for mailing_id in start.start_due(timezone.now()):
        plan_issue.delay(mailing_id)


@shared_task
def run_digests() -> None:
    """Plan the digests that are due; a run that is too large for one task is gone on with."""
    now = timezone.now()
    runs = run_due(now, at_most_slices=DIGEST_SLICES, sweep=now.minute % SWEEP_MINUTES == 0)
    if not all(run.complete for run in runs):
        run_digests.delay()


@shared_task
def watch_digests() -> None:
    """Tell staff when a digest that somebody watches did not come."""
    canary.watch(timezone.now())


@shared_task
def react_to_outcomes() -> None:
    """Act on refusals, bounces and complaints."""
    react()


@shared_task(time_limit=MAILBOX_LIMIT)
def read_bounces() -> None:
    """Take what came back into BOUNCE_MAILBOX; what is left over is taken by the next one."""
    if settings.BOUNCE_MAILBOX and read_mailbox(settings.BOUNCE_MAILBOX):
        read_bounces.delay()


@shared_task
def mail_new_password(account_ids: list[int]) -> None:
    """Mail staff the link to a new password. No numbers: nobody has the address that was typed."""
    resetting.mail_links(account_ids)


@shared_task(time_limit=LINKS_LIMIT)
def check_links() -> None:
    """Try some of the links in drafts; what is left over is tried by the next one."""
    if looking.look_at_some():
        check_links.delay()


@shared_task(time_limit=LINKS_LIMIT)
def check_sender_domains() -> None:
    """Ask the DNS about the domains that newsletters come from, and clear old link rows away."""
    looking.forget()
    look_at_all()


@shared_task(time_limit=LINKS_LIMIT)
def sweep_pictures() -> None:
    """Clear away pictures that no mail shows. A store that is no folder sees to that itself."""
    try:
        forgotten.sweep_pictures()
    except forgotten.NoFolder:
        log.info("Pictures lie in no folder, so none are swept.")


@shared_task
def send_review_summaries() -> None:
    """Send reviewers this week's mail about what waits."""
    send_summaries(timezone.now())


@shared_task
def tell_of_attacks() -> None:
    """Mail administrators of an attack on the sign-up form, once for each. Beat, every 30 s."""
    attacks.tell()


@shared_task
def fetch_feeds() -> None:
    """Have the feeds fetched whose time has come, and tell staff of those that have died."""
    for feed_id in feeds.due(timezone.now()):
        fetch_feed.delay(feed_id)
    tell_of_dead_feeds(timezone.now())


@shared_task(time_limit=FEED_LIMIT)
def fetch_feed(feed_id: int) -> None:
    """Fetch one feed: one that hangs or kills its worker holds no other up."""
    feeds.fetch(feed_id)
