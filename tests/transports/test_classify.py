"""One classifier for replies, bounce reports and webhooks."""

import pytest

from newsletter.transports.classify import classify
from newsletter.transports.values import Outcome


@pytest.mark.parametrize(
    ("code", "enhanced", "outcome"),
    [
        (250, "2.0.0", Outcome.ACCEPTED),
        (251, "", Outcome.ACCEPTED),
        (421, "", Outcome.TEMPORARY),
        (421, "4.7.0", Outcome.TEMPORARY),
        (450, "4.2.1", Outcome.TEMPORARY),
        (451, "4.7.1", Outcome.TEMPORARY),
        (452, "4.3.1", Outcome.TEMPORARY),
        (499, "", Outcome.TEMPORARY),
        (550, "5.1.1", Outcome.PERMANENT),
        (550, "", Outcome.PERMANENT),
        (550, "5.5.0", Outcome.PERMANENT),  # Outlook.com's "mailbox unavailable"
        (501, "5.1.3", Outcome.PERMANENT),
        (503, "5.1.1", Outcome.PERMANENT),
        (552, "5.2.2", Outcome.PERMANENT),
        (552, "5.5.3", Outcome.TEMPORARY),  # too many recipients: 452 is meant
        (0, "5.5.3", Outcome.TEMPORARY),
        (599, "", Outcome.PERMANENT),
        (550, "5.7.1", Outcome.OURS),
        (550, "5.7.26", Outcome.OURS),
        (550, "5.7.515", Outcome.OURS),
        (530, "5.7.0", Outcome.OURS),
        (530, "", Outcome.OURS),
        (535, "5.7.8", Outcome.OURS),
        (503, "5.5.1", Outcome.OURS),
        (502, "", Outcome.OURS),
        # It offered DSN or SMTPUTF8 and does not know what we then ask with RCPT.
        (555, "5.5.4", Outcome.OURS),
        (501, "5.5.4", Outcome.OURS),
        (555, "5.1.3", Outcome.PERMANENT),
        (0, "5.5.4", Outcome.PERMANENT),
        (553, "5.1.8", Outcome.OURS),
        (552, "5.3.4", Outcome.OURS),
        # A bounce report has no reply code.
        (0, "5.1.1", Outcome.PERMANENT),
        (0, "4.4.1", Outcome.TEMPORARY),
        (0, "5.7.1", Outcome.OURS),
        (0, "2.1.5", Outcome.ACCEPTED),
        (0, "", Outcome.UNKNOWN),
        (354, "", Outcome.UNKNOWN),
    ],
)
def test_a_reply_is_judged_by_its_codes(code: int, enhanced: str, outcome: Outcome):
    assert classify(code, enhanced) is outcome
