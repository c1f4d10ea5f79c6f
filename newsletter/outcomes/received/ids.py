"""Whether the relay left the mail's form and ids as they were (RFC 5322, standards A1, A14)."""

import re
from collections.abc import Collection, Iterator

from newsletter.outcomes.domain_records import Finding, Level
from newsletter.outcomes.received.mail import Mail
from newsletter.wire.headers import MAX_LINE

# RFC 5322 section 3.6, RFC 2045 section 3, RFC 2919, RFC 2369 section 3.
_ONCE = (
    *("From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Date", "Subject", "Message-ID"),
    *("In-Reply-To", "References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    *("List-Id", "List-Help", "List-Post", "Precedence"),
)
_NEEDED = ("Date", "Message-ID", "Subject", "To")
_MESSAGE_ID = re.compile(r"<[^\s<>@]+@([^\s<>@]+)>")
_FEEDBACK_ID = re.compile(r"[^:\s]*:[^:\s]*:[^:\s]*:[A-Za-z0-9_.-]{5,15}")


def look_at(mail: Mail, ours: Collection[str]) -> Iterator[Finding]:
    """Yield what was added, lost or changed. `ours` are the domains that our mail comes from."""
    faults = [*_fields(mail), *_lines(mail), *_ids(mail, ours), *_bulk(mail)]
    yield from faults
    if not faults:
        yield Finding(Level.GOOD, "Form", "Each field once, no line too long, our own ids.")


def _fields(mail: Mail) -> Iterator[Finding]:
    for name in _ONCE:
        if (number := len(mail.all(name))) > 1:
            yield Finding(
                Level.BAD,
                name,
                f"It stands there {number} times. Providers refuse such mail: switch off what adds "
                "it behind us.",
            )
    for name in _NEEDED:
        if not mail.all(name):
            yield Finding(Level.BAD, name, "There is none. Something behind us took it out.")


def _lines(mail: Mail) -> Iterator[Finding]:
    long = {
        one.name
        for one in mail.fields
        if any(len(line) > MAX_LINE for line in one.octets.split(b"\r\n"))
    }
    if any(len(line) > MAX_LINE for line in mail.body.split(b"\r\n")):
        long.add("the body")
    if long:
        yield Finding(
            Level.BAD,
            "Lines",
            f"Longer than {MAX_LINE} octets in {', '.join(sorted(long))}: servers break or refuse "
            "them. Ours are short, so something behind us wrote it anew.",
        )


def _ids(mail: Mail, ours: Collection[str]) -> Iterator[Finding]:
    ids = mail.all("Message-ID")
    match = _MESSAGE_ID.fullmatch(ids[0].value) if ids else None
    if ids and (match is None or match[1].lower() not in ours):
        yield Finding(
            Level.WARNING,
            "Message-ID",
            "It is not ours any more. What a provider reports then counts for the reader and not "
            "for the mailing, and a copy sent twice is not known for one. Have the relay keep it.",
        )
    feedback = mail.all("Feedback-ID")
    if not feedback:
        yield Finding(
            Level.WARNING,
            "Feedback-ID",
            "There is none, so Gmail tells nothing of complaints. Have the relay keep it.",
        )
    elif len(feedback) > 1:
        yield Finding(
            Level.WARNING,
            "Feedback-ID",
            f"There are {len(feedback)}; Gmail counts by one that is signed. Switch off your "
            "provider's own.",
        )
    elif not _FEEDBACK_ID.fullmatch(feedback[0].value):
        yield Finding(
            Level.WARNING,
            "Feedback-ID",
            "It is not of the form a:b:c:SenderId with a SenderId of 5 to 15 characters, so Gmail "
            "leaves it out. Have the relay keep ours.",
        )


def _bulk(mail: Mail) -> Iterator[Finding]:
    found = mail.first("Precedence")
    if found is None or found.value.lower() != "bulk":
        yield Finding(
            Level.WARNING,
            "Precedence",
            "It is not bulk, so that holiday answers come back. Have the relay keep ours.",
        )
