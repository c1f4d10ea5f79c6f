"""BOUNCE_MAILBOX, read over IMAP (RFC 3501, RFC 8314): what is done with is deleted.

What is written down is written down once however often it is read, so no lock is needed, and a
mail is let go of only after that. Whoever dies in between, or reads at the same time, does no harm.
What is for people, if for anybody, gets a flag and stays where it is.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from newsletter.outcomes.bounces import trouble
from newsletter.outcomes.bounces.imap import Connection, Fetched, MailboxTrouble
from newsletter.outcomes.bounces.take import Fate, take

log = logging.getLogger(__name__)

IMAPS_PORT = 993
# One run's share, in mails and in seconds; the next goes on.
AT_ONCE = 500
SECONDS = 40.0


class BadMailbox(ValueError):
    """BOUNCE_MAILBOX cannot be meant; the message says how it is written, without the password."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    host: str
    port: int
    user: str
    folder: str
    password: str = field(repr=False)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Raises BadMailbox."""
        try:
            parts = urlsplit(url)
            port = parts.port or IMAPS_PORT
        except ValueError:
            raise BadMailbox("it cannot be read") from None
        if parts.scheme != "imaps":
            # There is no falling back to plain text: a password and readers' addresses go over it.
            raise BadMailbox("only imaps:// is encrypted from the first octet")
        if not (parts.hostname and parts.username and parts.password):
            raise BadMailbox("host, user or password is missing")
        if parts.query or parts.fragment:
            raise BadMailbox("it ends with the folder; # and ? in a password are written %23, %3F")
        folder = unquote(parts.path.removeprefix("/")) or "INBOX"
        user, password = unquote(parts.username), unquote(parts.password)
        if not folder.isascii() or not (folder + user + password).isprintable():
            raise BadMailbox("the folder's name is not plain ASCII, or something has line breaks")
        return cls(parts.hostname, port, user, folder, password)

    @property
    def where(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"


def read_mailbox(
    url: str, *, at_once: int = AT_ONCE, clock: Callable[[], float] = time.monotonic
) -> bool:
    """Take what lies in the mailbox. Returns True when there is more than one run's share.

    What goes wrong with the mailbox does not raise: staff are told by an alarm (`trouble`). Raises
    BadMailbox, which check outcomes.E002 finds before, and django.db.DatabaseError: then the mail
    at hand and those behind it stay where they are.
    """
    mailbox = Mailbox.from_url(url)
    until = clock() + SECONDS
    fates: Counter[Fate] = Counter()
    more = False
    trouble.begin(mailbox.where)
    try:
        with Connection(mailbox.host, mailbox.port) as line:
            line.log_in(mailbox.user, mailbox.password, mailbox.folder)
            for uid in line.waiting():
                if sum(fates.values()) >= at_once or clock() >= until:
                    more = True
                    break
                mail = line.fetch(uid)
                if mail is not None:
                    fates[_take(line, uid, mail)] += 1
            line.expunge()
    except MailboxTrouble as error:
        trouble.note(mailbox.where, str(error))
        log.warning("The bounce mailbox %s: %s", mailbox.where, error)
        return False
    finally:
        if fates:
            log.info("Bounce mailbox: %s", ", ".join(f"{n} {fate}" for fate, n in fates.items()))
    trouble.over(mailbox.where, named=any(fate is not Fate.NAMELESS for fate in fates))
    if fates[Fate.NAMELESS]:
        trouble.nameless(mailbox.where)
    return more


def _take(line: Connection, uid: str, mail: Fetched) -> Fate:
    fate = take(mail.content, at=mail.at)
    if fate.is_done:
        line.delete(uid)
    else:
        line.flag(uid)
    return fate
