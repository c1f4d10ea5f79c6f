"""What nearly always comes is found out at one look, and means what it means in pieces."""

from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.transports.protocol import Outgoing
from newsletter.transports.smtp.conversation import Conversation, Settled
from tests.transports.messages import envelope
from tests.transports.table import Split, begun, one_by_one, whole, write

_USUAL = [
    b"2.0.0 Ok: queued as 4fXyZ", b"OK id=1uAbCd-0000", b"2.0.0", b"", b" ", b"2.6.0 taken",
    b"5.7.1 odd", b"2.0.0 2.0.0 twice", b"2.0.0  blanks ", b"2.0.0 \xc3\xa9", b"\x1b[31m",
]  # fmt: skip
_WORDS = st.one_of(
    st.sampled_from(_USUAL),
    st.binary(max_size=12).map(lambda octets: octets.replace(b"\n", b"").replace(b"\r", b"")),
    st.text("ab 2.0-", max_size=410).map(str.encode),
)
_CODES = st.sampled_from([b"250 ", b"250 ", b"250 ", b"354 ", b"250-", b"251 ", b"421 ", b"550 "])
_ANY = st.lists(st.tuples(_CODES, _WORDS).map(b"".join), min_size=1, max_size=5)
_WELL = st.tuples(*[_WORDS] * 4).map(
    lambda words: [b"250 " + word for word in words[:3]] + [b"354 " + words[3]]
)
_REPLIES = _ANY | _WELL
_TAKEN = b"250 2.0.0 Ok: queued as 4fXyZ"


def on_the_wire(*, all_of_it: bool) -> tuple[Conversation, list[int]]:
    """One message's content is out, or all but its end, and the next one's commands are."""
    began: list[int] = []
    talk = begun("ada@example.org")
    write(talk)
    talk.received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.take(Outgoing(1, envelope("bo@example.org"), began.append))
    written = talk.output()
    # The rest of the content and the commands behind it have more than 20 octets.
    talk.wrote(len(written) if all_of_it else len(envelope().content) - 20)
    return talk, began


def told(talk: Conversation, said: bytes, split: Split) -> list[Settled]:
    return [settled for piece in split(said) for settled in talk.received(piece)]


@given(replies=_REPLIES, ends=st.sampled_from([b"\r\n", b"\n"]), all_of_it=st.booleans())
@example([_TAKEN, b"250 ok", b"250 ok", b"354 go"], b"\r\n", True)
@example([_TAKEN, b"250 ok", b"250 ok", b"354 go"], b"\r\n", False)
@example([_TAKEN, b"250 ok", b"250 ok", b"354 go", b"250 more"], b"\r\n", True)
@example([_TAKEN, b"250 ok", b"550 no", b"354 go"], b"\r\n", True)
def test_replies_mean_the_same_in_one_piece_and_octet_by_octet(replies, ends, all_of_it):
    said = b"".join(reply + ends for reply in replies)
    at_once, began_at_once = on_the_wire(all_of_it=all_of_it)
    dripped, began_dripped = on_the_wire(all_of_it=all_of_it)

    settled = told(at_once, said, whole), told(dripped, said, one_by_one)

    assert _plain(settled[0]) == _plain(settled[1])
    asks = ["over", "carried", "proved", "awaits", "has_room", "is_idle"]
    for asked in asks if at_once.over else [*asks, "heard"]:
        assert getattr(at_once, asked) == getattr(dripped, asked), asked
    assert at_once.output() == dripped.output()
    assert began_at_once == began_dripped


def test_a_reply_that_is_half_here_is_not_taken_for_the_next_ones_beginning():
    talk, began = on_the_wire(all_of_it=True)

    first = talk.received(b"250-2.0.0 taken\r\n250")
    second = talk.received(b" 2.0.0 Ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")

    assert first == []
    assert [one.receipt.reply for one in second] == ["taken Ok"]
    talk.output()
    assert began == [1]


def _plain(settled: list[Settled]) -> list[tuple]:
    return [(one.outgoing.key, one.receipt, one.unsent) for one in settled]
