"""One classifier for SMTP replies, bounce reports (DSN) and ESP webhooks.

Policy follows the enhanced code (RFC 3463, RFC 5248) where there is one, else the reply code's
first digit (RFC 5321 section 4.2): never the text, which every provider words differently.
"""

from newsletter.transports.values import Outcome

# The relay wants a login or did not take ours (RFC 4954 section 6, RFC 5321 section 4.2.3), or
# does not know our commands or what we ask with them: no reader's mailbox has anything to do with
# it.
_OUR_CODES = frozenset({500, 502, 503, 504, 530, 534, 535, 538, 555})
# A command's arguments, ORCPT's for one. By the reply code too: in the reports of others the same
# status stands for a domain that is not there.
_OUR_ARGUMENTS = (501, "5.5.4")
# Bad sender's address or domain (X.1.7, X.1.8), and X.3.4: larger than the relay takes.
_OUR_STATUS = frozenset({"5.1.7", "5.1.8", "5.3.4"})


# No such mailbox, no such domain, not an address, a domain without mail, a mailbox shut down: the
# only failures for which an address is suppressed at once.
HARD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.10", "5.2.1"})

# Too many recipients: some say 552 where 452 is meant (RFC 5321 section 4.5.3.1.10).
_LATER = "5.5.3"


def classify(code: int, enhanced: str = "") -> Outcome:
    """Return what a reply means. `code` 0 stands for "none given" (a DSN has only `enhanced`).

    5.7.x is OURS: authentication or reputation, never the reader's doing, so nobody is
    suppressed for it. 421 and every 4yz are TEMPORARY.
    """
    family = enhanced.partition(".")[0]
    if code == 0 and family in {"2", "4", "5"}:
        code = int(family) * 100 + 50
    if 400 <= code < 500 or (enhanced == _LATER and 500 <= code < 600):
        return Outcome.TEMPORARY
    if 500 <= code < 600:
        if enhanced.startswith("5.7.") or enhanced in _OUR_STATUS:
            return Outcome.OURS
        if (code, enhanced) == _OUR_ARGUMENTS:
            return Outcome.OURS
        # 5.1.1 "no such mailbox" sometimes comes with an odd code; the enhanced one decides.
        if code in _OUR_CODES and not enhanced.startswith(("5.1.", "5.2.")):
            return Outcome.OURS
        return Outcome.PERMANENT
    if 200 <= code < 300:
        return Outcome.ACCEPTED
    return Outcome.UNKNOWN
