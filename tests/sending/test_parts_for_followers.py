"""An issue with a part for followers, from the database to the wire."""

import hashlib

import pytest
from django.utils import timezone
from wagtail.rich_text import RichText

from newsletter.rendering.issue import compile_issue
from newsletter.sending.copies import copies_of
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.models import Delivery, Mailing
from newsletter.transports import memory
from signup.models import Follow
from tests.rendering import samples
from tests.sending.mailings import planned, run

pytestmark = pytest.mark.django_db
WORDS = b"For your back."


def mailing_with_a_part() -> tuple[Mailing, Follow]:
    """A planned mailing of three readers; the first follows, the second paused it."""
    disk = samples.condition()
    mailing = planned(3)
    issue = mailing.issue
    part = {"conditions": [disk], "content": [("rich_text", RichText("<p>For your back.</p>"))]}
    issue.body.append(("only_for", part))
    issue.save()
    frozen = mailing.editions.get().frozen
    frozen.content = compile_issue(issue).message.to_bytes()
    frozen.content_hash = hashlib.sha256(frozen.content).digest()
    frozen.save()
    first, second = (
        delivery.subscriber for delivery in Delivery.objects.order_by("subscriber")[:2]
    )
    follow = Follow.objects.create(subscriber=first, condition=disk)
    Follow.objects.create(subscriber=second, condition=disk, paused_at=timezone.now())
    return Mailing.objects.get(pk=mailing.pk), follow


def test_only_who_follows_now_gets_the_part() -> None:
    _mailing, follow = mailing_with_a_part()
    run()
    with_part = {one.recipient for one in memory.outbox if WORDS in one.content}
    assert with_part == {follow.subscriber.email}
    assert len(memory.outbox) == 3


def test_such_a_mailing_leaves_only_by_a_way_for_health_data() -> None:
    mailing, _follow = mailing_with_a_part()
    assert mailing.is_health_data and not mailing.newsletter.sensitive


def test_nothing_goes_out_while_the_mailing_does_not_say_so() -> None:
    mailing, _follow = mailing_with_a_part()
    assert mailing.issue is not None
    mailing.issue.body = []
    mailing.issue.save()
    with pytest.raises(ContentDamaged, match="followers"):
        copies_of(Mailing.objects.get(pk=mailing.pk))
