"""A large mailing to readers who do not exist, for trying out and measuring.

Everything that sending looks at is real: live subscriptions, sealed consent, an approval of what
is sent. What is not real says so: the addresses end in .example (RFC 2606), the form and the
evidence name the command, and the accounts behind the approval cannot log in.
"""

import uuid
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from newsletter.approval import preflight, sign_off
from newsletter.approval.models import Approval
from newsletter.catalogue.models import Newsletter
from newsletter.editions.models import Issue
from newsletter.rendering.issue import compile_issue
from newsletter.sending import plan
from newsletter.sending.models import Mailing
from signup import consent
from signup.address import hash_address
from signup.consent.chain import FIRST, seal
from signup.models import (
    ConsentEntry,
    ConsentSubject,
    ConsentText,
    Subscriber,
    Subscription,
)

SOURCE = "make_test_mailing"
DOMAIN = "readers.example"
SLUG = "test-mailing"
_AT_ONCE = 2000

_PARAGRAPH = (
    "<p>Most back pain eases within weeks, with movement and patience. This paragraph is here to "
    "give a test mail the weight of a real one, so that what is measured means something.</p>"
)


def make(readers: int) -> Mailing:
    """Plan a mailing to `readers` invented readers, making those who are missing."""
    newsletter = make_newsletter()
    make_readers(newsletter, readers)
    issue, approval = make_approved_issue(newsletter)
    return plan.resume(plan.plan_issue(issue=issue, approval=approval, by=None))


def make_newsletter(slug: str = SLUG) -> Newsletter:
    newsletter, _ = Newsletter.objects.get_or_create(
        slug=slug,
        defaults={
            "name": "Test mailing",
            "promise": "Goes to readers who do not exist.",
            "from_name": "Test mailing",
            "from_email": "test@wellread.example",
            "list_id_label": slug,
            "postal_address": "1 Test Street, Example Town",
            "open_for_signup": False,
        },
    )
    return newsletter


def make_approved_issue(newsletter: Newsletter, *, paragraphs: int = 10) -> tuple[Issue, Approval]:
    """Compose an issue as one account and sign it off as another, as the rules ask."""
    users = get_user_model()._default_manager
    author, _ = users.get_or_create(username=f"{SLUG}-author", defaults={"is_active": False})
    reviewer, _ = users.get_or_create(username=f"{SLUG}-reviewer", defaults={"is_active": False})
    issue = Issue(
        newsletter=newsletter,
        title="A test mailing",
        slug=f"{SLUG}-{uuid.uuid4().hex[:12]}",
        subject="A test mailing",
        preheader="Nobody is meant to read this. It shows that mail goes out.",
        live=False,
        body=[
            ("heading", "Hello {first_name|reader}"),
            *(("rich_text", _PARAGRAPH) for _ in range(paragraphs)),
        ],
    )
    issue.full_clean()
    issue.save()
    revision = issue.save_revision(user=author)
    # That it has no readers yet, say, is all right here, and preflight wants to hear it.
    given = {
        finding.key: "A test mailing, which nobody is meant to read."
        for finding in preflight.check(issue, edition=compile_issue(issue))
        if finding.level == preflight.Level.WARNING
    }
    return issue, sign_off.approve_issue(issue=issue, revision=revision, by=reviewer, given=given)


def make_readers(newsletter: Newsletter, number: int) -> None:
    """Fill the newsletter up to `number` live readers, in bulk."""
    there = Subscription.objects.live().filter(newsletter=newsletter).count()
    text = consent.current_texts("en")[ConsentText.Purpose.MAIL]
    for start in range(there, number, _AT_ONCE):
        with transaction.atomic():
            _make_slice(newsletter, text, range(start, min(number, start + _AT_ONCE)))


def _make_slice(newsletter: Newsletter, text: ConsentText, numbers: range) -> None:
    now = timezone.now()
    subscribers = Subscriber.objects.bulk_create(_subscribers(numbers))
    subjects = ConsentSubject.objects.bulk_create(
        ConsentSubject(subscriber=subscriber) for subscriber in subscribers
    )
    key_version, key = settings.LEDGER_KEYS[0]
    entries = []
    for subject in subjects:
        entry = ConsentEntry(
            subject=subject.subject,
            seq=1,
            action=ConsentEntry.Action.CONFIRMED,
            purpose=ConsentText.Purpose.MAIL,
            newsletter=newsletter,
            text=text,
            method=ConsentEntry.Method.COMMAND,
            form_url=SOURCE,
            evidence="an invented reader",
            at=now,
            key_version=key_version,
            previous_hash=FIRST,
        )
        entry.entry_hash = seal(key, entry, text.wording)
        subject.head_seq, subject.head_hash = 1, entry.entry_hash
        entries.append(entry)
    ConsentEntry.objects.bulk_create(entries)
    ConsentSubject.objects.bulk_update(subjects, ["head_seq", "head_hash"], batch_size=200)
    Subscription.objects.bulk_create(
        Subscription(
            subscriber=subscriber,
            newsletter=newsletter,
            state=Subscription.State.LIVE,
            consent=entry,
            live_at=now,
        )
        for subscriber, entry in zip(subscribers, entries, strict=True)
    )


def _subscribers(numbers: range) -> Iterator[Subscriber]:
    batch = uuid.uuid4().hex[:8]
    for number in numbers:
        key = f"reader{number}.{batch}@{DOMAIN}"
        yield Subscriber(
            email=key,
            email_key=key,
            address_hash=hash_address(key),
            first_name="Reader",
        )
