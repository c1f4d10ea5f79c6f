"""SMTP as a state machine: replies in, commands and outcomes out. It has no socket and no clock.

With PIPELINING (RFC 2920), MAIL, RCPT and DATA of a message go out in one write, and its content
together with the next message's MAIL, RCPT and DATA: one round trip a message, and never more than
one whose content is under way. Replies are counted in the order of the commands. Content is never
written before its 354: a relay would read it as commands. Without PIPELINING each command waits for
the answer to the one before.
"""

import re
from collections import deque
from enum import Enum
from typing import NamedTuple

from newsletter.transports.classify import classify
from newsletter.transports.protocol import Outgoing
from newsletter.transports.smtp.envelope import Offer, commands, stuffed
from newsletter.transports.smtp.replies import Replies, Reply, read
from newsletter.transports.values import Outcome, Receipt


class Step(Enum):
    """What a reply is waited for."""

    RSET = "RSET"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    FINAL = "the content"
    # To the lone dot that ends a message without recipients.
    VOID = "the lone dot"
    QUIT = "QUIT"


# Looking a member up in its class takes longer than the rest of a reply's way.
_RSET, _MAIL, _RCPT, _DATA = Step.RSET, Step.MAIL, Step.RCPT, Step.DATA
_FINAL, _VOID, _QUIT = Step.FINAL, Step.VOID, Step.QUIT
_GROUP = (_MAIL, _RCPT, _DATA)
_ACCEPTED = Outcome.ACCEPTED
# The content's acceptance and a whole group after it: what is nearly always waited for.
_ROUND = 1 + len(_GROUP)
# And what nearly always comes, in one piece: taken, and the next one may begin. Found out by one
# pattern, which takes a third of the time of the way that every other answer goes.
_ALL_WELL = re.compile(
    rb"250 (2\.0\.0 )?(?![245]\.)([!-~][ -~]{0,400})\r\n"
    rb"250 [ -~]{0,400}\r\n250 [ -~]{0,400}\r\n354 [ -~]{0,400}\r\n"
).fullmatch


class Settled(NamedTuple):
    """What became of one message. `unsent`: for a reason that lies with this line the relay
    certainly did not take it, so it may go over another line at once.
    """

    outgoing: Outgoing
    receipt: Receipt
    unsent: bool = False


class _Message:
    __slots__ = ("has_recipient", "outgoing", "refusal")

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        # The first reply that said no, as a receipt; what comes after it only follows from it.
        self.refusal: Receipt | None = None
        self.has_recipient = False


class Conversation:
    """One connection's messages. `take` one, `write` what is there, feed `received`, and so on."""

    __slots__ = (
        "_beginning", "_closing", "_expected", "_opening", "_out", "_replies", "_reset",
        "_script", "_until_dot", "carried", "heard", "offer", "over", "proved",
    )  # fmt: skip

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        # How many messages the relay has answered here: an old connection may just be worn out.
        self.carried = 0
        # It let a message begin, or refused one by itself: whatever ends it later, it did work.
        self.proved = False
        # Whole replies so far: a relay that drips bytes makes no progress by it.
        self.heard = 0
        # Nothing more may be written; the line is to be closed.
        self.over = False
        # The message whose commands are not all answered, and the one whose content is under way.
        self._opening: _Message | None = None
        self._closing: _Message | None = None
        # The one whose content stands in `_out` and is not announced yet.
        self._beginning: Outgoing | None = None
        self._expected: deque[Step] = deque()
        # What waits for the reply to the command before it (without PIPELINING).
        self._script: deque[tuple[Step, bytes]] = deque()
        self._out: list[bytes] = []
        self._replies = Replies()
        # Something was refused: without RSET Postfix would give the next message its sender.
        self._reset = False
        # Octets to be written before the first one of the dot that makes the content a message.
        self._until_dot = 0

    # --- What the driver asks -------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        """Whether a message may be taken now."""
        if self._opening is not None or self.over:
            return False
        return self.offer.pipelining or self._closing is None

    @property
    def is_idle(self) -> bool:
        """No message is on this line."""
        return self._opening is None and self._closing is None

    @property
    def awaits(self) -> Step | None:
        """What the next reply is for."""
        return self._expected[0] if self._expected else None

    @property
    def has_output(self) -> bool:
        return bool(self._out)

    def output(self) -> bytes:
        """Return what is to be written next, b"" if nothing, and forget it. Call `wrote` as octets
        go out."""
        if not self._out:
            return b""
        beginning = self._beginning
        if beginning is not None:
            # Now, and not when the relay let it begin: it did so in one breath with its answer to
            # the message before, which is to be heard of first. Of each line, whoever is killed
            # leaves one message unknown and not two.
            self._beginning = None
            if beginning.begins is not None:
                beginning.begins(beginning.key)
        # Joined, not given to `sendmsg` in pieces: copying 26 kB takes less than that call adds.
        out = b"".join(self._out)
        self._out.clear()
        return out

    def wrote(self, octets: int) -> None:
        """Note that so many octets may have left this machine."""
        self._until_dot -= octets

    # --- What happens ---------------------------------------------------------------------

    def take(self, outgoing: Outgoing) -> Receipt | None:
        """Begin a message; there must be room. A receipt means that it cannot go to this relay."""
        opening = commands(outgoing.envelope, self.offer)
        if isinstance(opening, Receipt):
            return opening
        self._opening = _Message(outgoing)
        if self.offer.pipelining:
            if self._reset:
                self._say(_RSET, b"RSET\r\n")
            self._expected += _GROUP
            self._out.append(opening)
        else:
            self._script.extend(zip(_GROUP, opening.splitlines(keepends=True), strict=True))
            if self._reset:
                self._script.appendleft((_RSET, b"RSET\r\n"))
            self._say(*self._script.popleft())
        self._reset = False
        return None

    def quit(self) -> None:
        """Take leave. Only when idle."""
        if not self.over and self.is_idle:
            self._say(_QUIT, b"QUIT\r\n")

    def received(self, data: bytes) -> list[Settled]:
        """Take in what the relay sent; return the messages that this settles."""
        closing, opening = self._closing, self._opening
        if closing and opening and self._until_dot < 0 and len(self._expected) == _ROUND:
            well = self._replies.is_clean and _ALL_WELL(data)
            if well:
                self._expected.clear()
                self.heard += _ROUND
                self.carried += 1
                self._begin(opening)
                enhanced, said = "2.0.0" if well[1] else "", well[2].rstrip().decode()
                return [Settled(closing.outgoing, Receipt(_ACCEPTED, 250, enhanced, said))]
        replies, garbled = self._replies.feed(data)
        settled: list[Settled] = []
        self.heard += len(replies)
        for reply in replies:
            if self.over:
                break
            self._replied(reply, settled)
        if garbled and not self.over:
            settled += self.lost(str(garbled))
        return settled

    def lost(self, why: str) -> list[Settled]:
        """The line is gone, or is to be dropped: settle what was on it. Read to its end first."""
        settled: list[Settled] = []
        closing, opening = self._closing, self._opening
        awaited = self.awaits
        self._finish()
        if closing:
            if self._until_dot >= 0:
                # The relay cannot have seen the end of it, so there is nothing it could take.
                receipt = Receipt(Outcome.TEMPORARY, None, "4.4.2", f"within the content: {why}")
                settled.append(Settled(closing.outgoing, receipt, unsent=True))
            else:
                # It may have taken it and lost the line while saying so (RFC 1047).
                receipt = Receipt(Outcome.UNKNOWN, None, "4.4.2", f"after the content: {why}")
                settled.append(Settled(closing.outgoing, receipt))
        if opening:
            if opening.refusal:
                settled.append(Settled(opening.outgoing, opening.refusal))
            else:
                # What differs from reader to reader comes after MAIL; before it, it is the line.
                early = closing is not None or awaited in (_RSET, _MAIL, None)
                said = f"at {'MAIL' if early or not awaited else awaited.value}: {why}"
                receipt = Receipt(Outcome.TEMPORARY, None, "4.4.2", said, about_the_line=early)
                settled.append(Settled(opening.outgoing, receipt, unsent=True))
        return settled

    # --- Replies --------------------------------------------------------------------------

    def _replied(self, reply: Reply, settled: list[Settled]) -> None:
        code = reply[0]
        if code == 421:
            self._shut(reply, settled)
            return
        if not self._expected:
            settled += self.lost("the relay answered what was not asked")
            return
        step = self._expected.popleft()
        if step is _FINAL:
            self._closed(reply, settled)
        elif step is _DATA:
            self._go_ahead(reply, settled)
        elif step is _VOID:
            self._refused(settled)
        elif step is _QUIT:
            self._finish()
        elif 200 <= code < 300:
            # 251: the relay forwards; 252: it cannot tell and takes it (RFC 5321 section 4.2.3).
            if step is _RCPT and self._opening:
                self._opening.has_recipient = True
            if self._script:
                self._say(*self._script.popleft())
        elif code < 400 or step is _RSET:
            self._expected.appendleft(step)
            settled += self.lost(f"the relay answered {step.value} with {code}")
        elif self._opening:
            if self._opening.refusal is None:
                self._opening.refusal = _refusal(reply, about_the_line=step is _MAIL)
            if not self.offer.pipelining:
                self._script.clear()
                self._refused(settled)

    def _go_ahead(self, reply: Reply, settled: list[Settled]) -> None:
        """The answer to DATA."""
        opening = self._opening
        assert opening is not None
        if reply[0] < 300:
            self._expected.appendleft(_DATA)
            settled += self.lost(f"the relay answered DATA with {reply[0]}")
        elif reply[0] >= 400:
            opening.refusal = opening.refusal or _refusal(reply)
            self._refused(settled)
        elif opening.refusal is None:
            self._begin(opening)
        elif opening.has_recipient:
            # The sender was refused and the recipient was not: a dot would mail an empty message.
            self._refused(settled)
            self._finish()
        else:
            self._say(_VOID, b".\r\n")

    def _begin(self, opening: _Message) -> None:
        """The relay waits for this message's content."""
        self._beginning = outgoing = opening.outgoing
        content = stuffed(outgoing.envelope)
        self._until_dot = len(content)
        self.proved = True
        self._out += (content, b".\r\n")
        self._expected.append(_FINAL)
        self._opening, self._closing = None, opening

    def _closed(self, reply: Reply, settled: list[Settled]) -> None:
        """The answer to the content."""
        closing = self._closing
        assert closing is not None
        early = self._until_dot >= 0
        if reply[0] < 400 and (early or reply[0] >= 300):
            # Neither yes nor no, or a yes before the end: nobody can tell what it has taken.
            self._until_dot = -1
            settled += self.lost(f"the relay answered the content with {reply[0]}")
            return
        self._closing = None
        self.carried += 1
        if reply[0] < 300:
            enhanced, text = read(reply)
            receipt = Receipt(Outcome.ACCEPTED, reply[0], enhanced, text)
        else:
            receipt = _refusal(reply)
        settled.append(Settled(closing.outgoing, receipt))
        if early:
            # Refused halfway. What is still to be written of it would be read as commands.
            settled += self.lost("the relay refused the message before its end")

    def _refused(self, settled: list[Settled]) -> None:
        """Settle the message that was refused before its content. The next group resets."""
        opening, self._opening = self._opening, None
        assert opening is not None and opening.refusal is not None
        self._reset = self.proved = True
        self.carried += 1
        settled.append(Settled(opening.outgoing, opening.refusal))

    def _shut(self, reply: Reply, settled: list[Settled]) -> None:
        """421: the relay closes the line (RFC 5321 section 3.8). What is behind it never began."""
        step, closing, opening = self.awaits, self._closing, self._opening
        self._finish()
        if closing:
            settled.append(Settled(closing.outgoing, _refusal(reply)))
        if opening and opening.refusal:
            settled.append(Settled(opening.outgoing, opening.refusal))
        elif opening:
            about = closing is not None or step in (_MAIL, _RSET)
            receipt = _refusal(reply, about_the_line=about)
            settled.append(Settled(opening.outgoing, receipt, unsent=True))

    # --- Keeping count --------------------------------------------------------------------

    def _say(self, step: Step, command: bytes) -> None:
        self._expected.append(step)
        self._out.append(command)

    def _finish(self) -> None:
        self.over = True
        self._opening = self._closing = self._beginning = None
        self._expected.clear()
        self._script.clear()
        self._out.clear()


def _refusal(reply: Reply, *, about_the_line: bool = False) -> Receipt:
    enhanced, text = read(reply)
    outcome = classify(reply[0], enhanced)
    # One reader's letters outside ASCII say nothing about the others (RFC 6531 section 3.5).
    about_the_line = about_the_line and enhanced != "5.6.7"
    if about_the_line and outcome is Outcome.PERMANENT:
        # A sender that is refused says nothing about the reader.
        outcome = Outcome.OURS
    return Receipt(outcome, reply[0], enhanced, text, about_the_line)
