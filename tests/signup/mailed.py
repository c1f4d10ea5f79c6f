"""Mail as it leaves, every link in it, and the whole database as it stands."""

import email
import email.policy
import re
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from newsletter.approval import sign_off
from newsletter.approval.models import Approval
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.editions.models import Issue
from newsletter.sending.claim import claim
from newsletter.sending.deliver import deliver
from newsletter.sending.digest_run import run_due
from newsletter.sending.feed import feed
from newsletter.sending.plan import plan_issue, resume
from newsletter.transports import memory
from newsletter.transports.select import bulk_transport
from newsletter.transports.values import Envelope
from signup.mail import send_system_mail
from signup.models import SystemMail
from tests.digests.factories import UserFactory, approved, released

_URL = re.compile(r"https?://[^\s<>\"'\])]+")


def sent(owed: SystemMail | None) -> Envelope:
    """Send one system mail and return it as it left."""
    assert owed is not None, "No mail is due"
    before = len(memory.outbox)
    send_system_mail(owed.pk)
    assert len(memory.outbox) == before + 1, SystemMail.objects.get(pk=owed.pk).state
    return memory.outbox[-1]


def sent_issue(newsletter: Newsletter) -> Envelope:
    """Send an approved issue to the newsletter's readers; return the last copy."""
    issue, approval = approved_issue(newsletter)
    resume(plan_issue(issue=issue, approval=approval, by=None))
    return _last_copy()


def approved_issue(newsletter: Newsletter) -> tuple[Issue, Approval]:
    """Compose an issue as one account and sign it off as another."""
    Newsletter.objects.filter(pk=newsletter.pk).update(postal_address="1 Harbour Street, Town")
    newsletter.refresh_from_db()
    issue = Issue(
        newsletter=newsletter,
        title="Moving well",
        slug=f"moving-well-{Issue.objects.count()}",
        subject="Moving well",
        preheader="Three things that help, and one that you may leave out for good.",
        live=False,
        body=[("heading", "Hello {first_name|reader}"), ("rich_text", "<p>Walk a little.</p>")],
    )
    issue.full_clean()
    issue.save()
    author, reviewer = UserFactory(), UserFactory()
    revision = issue.save_revision(user=author)
    return issue, sign_off.approve_issue(issue=issue, revision=revision, by=reviewer)


def sent_digest(condition: Condition) -> Envelope:
    """Release an article on `condition` and send the digests that are due."""
    approved(released(condition), text="Lift with care")
    run_due(timezone.now())
    return _last_copy()


def deliver_all() -> None:
    """Feed, claim and deliver until nothing is left for now."""
    while fed := feed():
        for batch in fed:
            if claimed := claim(batch, "test"):
                deliver(claimed, bulk_transport(health=claimed.mailing.is_health_data))


def urls_in(content: bytes) -> set[str]:
    """Every address of ours in every part and in the headers of a mail."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    words = [str(value) for _name, value in message.items()]
    words += [
        part.get_content() for part in message.walk() if part.get_content_maintype() == "text"
    ]
    found = {url.replace("&amp;", "&") for text in words for url in _URL.findall(text)}
    return {url for url in found if url.startswith(settings.BASE_URL)}


def link_in(content: bytes, path: str) -> str:
    """The one link below `path`, without the host."""
    (link,) = {url.removeprefix(settings.BASE_URL) for url in urls_in(content) if path in url}
    return link


def dump() -> dict[str, list[Any]]:
    """Every row of every table."""
    with connection.cursor() as cursor:
        tables = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT * FROM "{table}"')
            tables[table] = sorted(map(repr, cursor.fetchall()))
        return tables


def _last_copy() -> Envelope:
    before = len(memory.outbox)
    deliver_all()
    assert len(memory.outbox) > before, "Nothing was sent"
    return memory.outbox[-1]
