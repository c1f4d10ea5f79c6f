"""One guard for every way in: against machines that sign up strangers, never against people.

Nothing here refuses a person for being fast, old-fashioned or without JavaScript. What looks
like a machine has to press the button once more, to do a sum, or to wait.

The limits stand in Redis. When it is down they are open: a reader's sign-up is worth more than a
perfect fence, and the fence that matters, one confirmation per address and day, is counted from
rows (signup.subscribe).
"""

from signup.guard.form_token import FormToken, Place, form_token, read_form_token
from signup.guard.network import network_of
from signup.guard.verdict import Verdict, judge

__all__ = [
    "FormToken",
    "Place",
    "Verdict",
    "form_token",
    "judge",
    "network_of",
    "read_form_token",
]
