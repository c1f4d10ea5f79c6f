"""What changes around a mailing while it is being sent, and must change nothing in its copies."""

import json
from hashlib import sha256

import pytest

from newsletter.approval.models import Frozen
from newsletter.rendering.copies import ReaderRow, message_ids
from newsletter.sending.copies import copies_of
from newsletter.sending.errors import ContentDamaged, NewerContent
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.transports import memory
from newsletter.wire import message as wire
from newsletter.wire.message import FORMAT_VERSION, READERS
from signup import tokens
from signup.tokens import Purpose
from tests.sending.mailings import planned, run, states

pytestmark = pytest.mark.django_db

OLD, NEW = (1, b"o" * 32), (2, b"n" * 32)

NEXT_ONE = max(READERS) + 1


def copies_made(mailing: Mailing) -> list[bytes]:
    memory.outbox.clear()
    Delivery.objects.filter(mailing=mailing).update(state="queued")
    Batch.objects.filter(mailing=mailing).update(state="ready", accepted=0, handed_upto=0)
    Mailing.objects.filter(pk=mailing.pk).update(state="sending", ended_at=None)
    run()
    return sorted(envelope.content for envelope in memory.outbox)


def test_a_copy_sent_again_after_a_rotation_of_keys_is_the_same_bytes(settings):
    settings.TOKEN_KEYS = [OLD]
    mailing = planned(3)
    before = copies_made(mailing)

    settings.TOKEN_KEYS = [NEW, OLD]

    assert len(before) == 3
    assert copies_made(mailing) == before


def test_a_mailing_made_after_the_rotation_uses_the_new_key(settings):
    settings.TOKEN_KEYS = [OLD]
    old = planned(1)
    settings.TOKEN_KEYS = [NEW, OLD]
    new = planned(1)

    assert (old.token_version, new.token_version) == (1, 2)
    assert old.salt != new.salt


def test_links_work_when_their_mailings_key_was_taken_off_the_list(settings):
    """Then they are signed with the newest: the old one's could not be checked by anybody."""
    settings.TOKEN_KEYS = [OLD]
    mailing = planned(1)
    ours = message_ids(mailing.stamp, "example.org")(7)
    settings.TOKEN_KEYS = [NEW]

    token = tokens.lasting_signer(Purpose.UNSUBSCRIBE, mailing.token_version)(5).decode()

    assert tokens.read(Purpose.UNSUBSCRIBE, token).ids == (5,)
    assert message_ids(mailing.stamp, "example.org")(7) == ours


def test_a_mailing_older_than_the_salt_keeps_the_message_ids_that_it_had(settings):
    """What the version before this one sent: keyed with the newest of TOKEN_KEYS at that time."""
    settings.TOKEN_KEYS = [OLD]
    mailing = planned(1)
    Mailing.objects.filter(pk=mailing.pk).update(salt=b"")
    mailing.refresh_from_db()
    before = message_ids(mailing.stamp, "example.org")(7)
    settings.TOKEN_KEYS = [NEW, OLD]

    assert message_ids(mailing.stamp, "example.org")(7) == before


def test_a_newsletter_that_moves_to_another_domain_changes_no_copy_that_is_on_its_way():
    mailing = planned(2)
    before = copies_made(mailing)
    type(mailing.newsletter).objects.update(from_email="hello@moved.example")

    assert copies_made(mailing) == before


def restore(mailing: Mailing, content: bytes) -> None:
    """Put that in place of what was frozen, as the version that wrote it would have."""
    for edition in mailing.editions.all():
        Frozen.objects.filter(pk=edition.frozen_id).update(
            content=content, content_hash=sha256(content).digest()
        )


def frozen(mailing: Mailing) -> bytes:
    edition = mailing.editions.get()
    assert edition.frozen
    return bytes(edition.frozen.content)


def test_a_mailing_compiled_by_the_version_before_goes_on_with_the_same_bytes(monkeypatch):
    mailing = planned(4)
    before = copies_made(mailing)
    # The deploy: this worker writes a new format, and reads the old one.
    monkeypatch.setattr(wire, "FORMAT_VERSION", NEXT_ONE)
    monkeypatch.setitem(READERS, NEXT_ONE, READERS[FORMAT_VERSION])

    assert copies_made(mailing) == before


def test_a_mailing_compiled_by_a_newer_version_is_put_back_and_not_stopped():
    mailing = planned(2)
    document = json.loads(frozen(mailing))
    stored = frozen(mailing)
    restore(mailing, json.dumps({**document, "format": NEXT_ONE}).encode())
    with pytest.raises(NewerContent, match=f"format {NEXT_ONE}"):
        copies_of(Mailing.objects.get(pk=mailing.pk))

    run()

    mailing.refresh_from_db()
    batch = Batch.objects.get(mailing=mailing)
    assert (mailing.state, mailing.trouble) == ("sending", "")
    assert (batch.state, batch.worker) == ("ready", "")
    assert batch.not_before is not None
    assert states(mailing) == ["queued"] * 2
    assert memory.outbox == []
    # The newer worker comes.
    restore(mailing, stored)
    Batch.objects.update(not_before=None)
    run()
    assert len(memory.outbox) == 2


def test_damage_stops_the_mailing_whatever_its_version():
    mailing = planned(1)
    Frozen.objects.update(content=b'{"format":99}')

    with pytest.raises(ContentDamaged):
        copies_of(Mailing.objects.get(pk=mailing.pk))


def test_a_copy_is_made_without_a_look_at_the_clock_or_the_keys(settings):
    """Two workers, started on two sides of a rotation, give one reader the same copy."""
    settings.TOKEN_KEYS = [OLD]
    mailing = planned(1)
    first = copies_of(mailing)
    row = Delivery.objects.select_related("subscriber").get()
    reader = ReaderRow(row.subscriber_id, row.subscriber.email, "Bo", 9)
    one = first._editions[row.edition_id].copy(reader)
    settings.TOKEN_KEYS = [NEW, OLD]
    other = copies_of(Mailing.objects.get(pk=mailing.pk))._editions[row.edition_id].copy(reader)

    assert one == other
