"""Mailings for the tests of sending: real rows, real approvals, real frozen content."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from newsletter.management import test_mailing
from newsletter.sending.balance import counts, recount
from newsletter.sending.claim import Claim, claim
from newsletter.sending.copies import Copies, copies_of
from newsletter.sending.deliver import Ending, deliver
from newsletter.sending.feed import feed
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.plan import plan_issue, resume
from newsletter.transports import memory
from newsletter.transports.memory import MemoryTransport
from newsletter.transports.protocol import Transport
from signup.models import Subscription

State = Delivery.State
# Beside the greeting. Each is checked and rendered, for which no test of sending waits.
PARAGRAPHS = 2


def planned(readers: int = 3, **newsletter_fields: Any) -> Mailing:
    """An approved issue's mailing, planned to that many readers, ready to be fed."""
    newsletter = with_readers(readers, **newsletter_fields)
    issue, approval = test_mailing.make_approved_issue(newsletter, paragraphs=PARAGRAPHS)
    return resume(plan_issue(issue=issue, approval=approval, by=None))


def with_readers(readers: int, **newsletter_fields: Any) -> Newsletter:
    newsletter = test_mailing.make_newsletter()
    Newsletter.objects.filter(pk=newsletter.pk).update(**newsletter_fields)
    newsletter.refresh_from_db()
    test_mailing.make_readers(newsletter, readers)
    return newsletter


def claimed(mailing: Mailing, worker: str = "worker") -> Claim:
    """The mailing's first batch that can be claimed."""
    for batch in Batch.objects.filter(mailing=mailing, state=Batch.State.READY).order_by("pk"):
        taken = claim(batch.pk, worker)
        if taken:
            return taken
    raise AssertionError("No batch can be claimed")


def copies(claim_: Claim) -> Copies:
    return copies_of(claim_.mailing)


def run(transport: Transport | None = None, *, now: Any = None) -> list[Ending]:
    """Feed and deliver until the feeder has nothing for now."""
    endings = []
    transport = transport or MemoryTransport()
    while fed := feed(now):
        for batch in fed:
            if taken := claim(batch, "worker"):
                endings.append(deliver(taken, transport))
    return endings


def let_lease_run_out(taken: Claim) -> None:
    Batch.objects.filter(pk=taken.batch_id).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def states(mailing: Mailing) -> list[str]:
    return list(
        Delivery.objects.filter(mailing=mailing)
        .order_by("subscriber")
        .values_list("state", flat=True)
    )


def sent_to() -> list[str]:
    return [envelope.recipient for envelope in memory.outbox]


def reader_addresses(mailing: Mailing) -> list[str]:
    return list(
        Subscription.objects.filter(newsletter=mailing.newsletter)
        .order_by("subscriber")
        .values_list("subscriber__email", flat=True)
    )


def assert_balanced(mailing: Mailing) -> None:
    """Invariant 5: what the batches say is what the deliveries say, and nothing is missing."""
    kept = counts(mailing)
    assert kept == recount(mailing)
    assert kept.open >= 0
