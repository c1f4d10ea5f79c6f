"""What the mail server receives is what was approved: byte for byte, slots apart (invariant 16)."""

import hashlib
import json
import re
import socket

import pytest
from aiosmtpd.controller import Controller

from newsletter.approval import freeze
from newsletter.sending import plan
from newsletter.sending.claim import claim
from newsletter.sending.deliver import deliver
from newsletter.sending.models import Batch, Delivery
from newsletter.transports.select import bulk_transport
from tests.desk import world

pytestmark = pytest.mark.django_db(transaction=True)

# The lines between the parts, as RFC 2046 has them: written here, not asked of the code.
_PART = (
    "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)


class _Keeps:
    def __init__(self):
        self.received = {}

    async def handle_DATA(self, server, session, envelope):
        (recipient,) = envelope.rcpt_tos
        self.received[recipient] = envelope.original_content
        return "250 kept"


@pytest.fixture
def server():
    keeps = _Keeps()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        keeps.port = free.getsockname()[1]
    controller = Controller(keeps, hostname="127.0.0.1", port=keeps.port, decode_data=False)
    controller.start()
    yield keeps
    controller.stop()


@pytest.fixture
def mailing(transactional_db, server, settings):
    settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}?starttls=no"
    world.publisher()
    letter = world.newsletter()
    author, reviewer, sender = (world.staff(name) for name in ("author", "reviewer", "sender"))
    for _ in range(3):
        world.reader(letter)
    article = world.published_article(author, reviewer)
    issue = world.issue(
        letter,
        author,
        body=[
            *world.body(article),
            ("quote", {"text": ". begins with a dot\n.. and two", "attribution": "José Ñandú 🙂"}),
            ("key_facts", {"title": "Key facts", "facts": ["=C3=A9 stays as it is", "ä" * 90]}),
        ],
    )
    approval = world.approve(issue, reviewer)
    return plan.resume(plan.plan_issue(issue=issue, approval=approval, by=sender))


def send(mailing):
    for batch_id in Batch.objects.filter(mailing=mailing).values_list("pk", flat=True):
        deliver(claim(batch_id, worker="test:1"), bulk_transport(health=False))


def pattern_of(frozen):
    """The approved bytes as a pattern: everything literal, and a group for each slot."""
    stored = json.loads(bytes(frozen.content))
    holes = []

    def joined(pieces):
        written = b""
        for piece in pieces:
            if isinstance(piece, str):
                written += re.escape(piece.encode("ascii"))
            elif isinstance(piece, dict):
                # A part for some readers: as it was approved, or not at all.
                written += b"(?:" + re.escape(piece["content"].encode("ascii")) + b")?"
            else:
                holes.append(piece[0])
                written += rb"([^\x00]*?)"
        return written

    boundary = stored["boundary"]
    head = joined(stored["headers"]) + re.escape(
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n'.encode()
    )
    parts = b"".join(
        re.escape(("\r\n" + _PART).format(boundary=boundary, kind=kind).encode())
        + joined(stored[name])
        for kind, name in (("plain", "text"), ("html", "html"))
    )
    end = re.escape(f"\r\n--{boundary}--\r\n".encode())
    return re.compile(head + parts + end), holes


def test_the_server_receives_what_was_approved_byte_for_byte(mailing, server):
    frozen = mailing.approval.frozen.get()
    assert hashlib.sha256(bytes(frozen.content)).digest() == bytes(frozen.content_hash)
    assert freeze.hash_of([frozen]) == bytes(mailing.approval.content_hash)

    send(mailing)

    assert len(server.received) == 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.ACCEPTED}
    pattern, holes = pattern_of(frozen)
    for recipient, content in server.received.items():
        match = pattern.fullmatch(content)
        assert match, "Something between the slots is not what was approved."
        values = dict(zip(holes, match.groups(), strict=True))
        assert recipient.encode() in values["to"]
        # What is in a slot is one reader's value and nothing that could carry content.
        assert max(len(value) for value in match.groups()) < 400
        assert not any(
            b"<" in value
            for name, value in zip(holes, match.groups(), strict=True)
            if name not in ("to", "message_id")
        )


def test_without_its_slots_every_copy_has_the_same_hash(mailing, server):
    send(mailing)
    pattern, _holes = pattern_of(mailing.approval.frozen.get())
    hashes = set()
    for content in server.received.values():
        rest, match = b"", pattern.fullmatch(content)
        edge = 0
        for group in range(1, pattern.groups + 1):
            rest += content[edge : match.start(group)]
            edge = match.end(group)
        hashes.add(hashlib.sha256(rest + content[edge:]).hexdigest())
    assert len(server.received) == 3 and len(hashes) == 1


def test_a_change_after_the_approval_reaches_no_copy(mailing, server):
    issue = mailing.issue
    world.edit(issue, issue.latest_revision.user, subject="Slipped in afterwards")
    issue.newsletter.name = "Another name"
    issue.newsletter.save()
    send(mailing)
    pattern, _holes = pattern_of(mailing.approval.frozen.get())
    assert server.received
    for content in server.received.values():
        assert pattern.fullmatch(content)
        assert b"Slipped in" not in content and b"Another name" not in content
