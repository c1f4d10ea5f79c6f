"""Readers' copies of one issue, for the tests of ESPs."""

from functools import cache

from newsletter.transports.esp import EspTransport
from newsletter.transports.protocol import Outgoing
from newsletter.transports.values import Envelope, Outcome, Receipt
from newsletter.wire.headers import format_recipient
from newsletter.wire.message import CompiledMessage, boundary_for, compile_message
from newsletter.wire.slots import Slot, mark

NAMES = ["Ada", "Bo", "Zoë", "O'Neill & <Söhne>", "Mary Ann", "", "%x%", "{{ name }}"]


def copy(
    number: int, *, html: bool = True, subject: str = "Gesund & munter", name: str | None = None
) -> Envelope:
    """Reader `number`'s copy of one issue."""
    name = NAMES[number % len(NAMES)] if name is None else name
    address = f"reader{number}@example.org"
    content = issue(html, subject).fill(
        {
            Slot.TO: format_recipient(name, address),
            Slot.MESSAGE_ID: message_id(number),
            Slot.UNSUBSCRIBE_URL: url(number),
            Slot.FIRST_NAME: name,
        }
    )
    return Envelope("bounces@clinic.example", address, content)


@cache
def issue(html: bool, subject: str) -> CompiledMessage:
    link, name = mark(Slot.UNSUBSCRIBE_URL), mark(Slot.FIRST_NAME, "there")
    text = f"Hello {name},\n\n.walk = more\nGrüße\n{link}\n"
    page = f'<p>Hello {name}.</p>\n<p>Grüße</p>\n<a href="{link}">End</a>\n' if html else ""
    return compile_message(
        [
            ("From", "=?utf-8?q?R=C3=BCckenklinik?= <hello@clinic.example>"),
            ("To", mark(Slot.TO)),
            ("Subject", subject),
            ("Date", "Mon, 23 Nov 2026 07:00:00 +0000"),
            ("Message-ID", mark(Slot.MESSAGE_ID)),
            ("List-Unsubscribe", f"<{link}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("Feedback-ID", "i1:n1:issue:clinicexam"),
        ],
        text,
        page,
        boundary=boundary_for(text, page),
    )


def message_id(number: int) -> str:
    return f"<abc{number}def@clinic.example>"


def url(number: int) -> str:
    return f"https://clinic.example/unsubscribe/Tok-en_{number:029}/"


def send(made: EspTransport, *envelopes: Envelope) -> list[Receipt]:
    answers = list(made.send(Outgoing(key, one) for key, one in enumerate(envelopes)))
    assert sorted(answer.key for answer in answers) == list(range(len(envelopes)))
    return [receipt for _, receipt in sorted(answers)]


def outcomes(receipts: list[Receipt]) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]
