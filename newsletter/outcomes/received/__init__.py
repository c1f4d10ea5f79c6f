"""A mail of ours as it came to somebody's mailbox: what the relay made of it, and of our promises.

The DNS tells what we said about ourselves (outcomes.domain_records); only a mail that arrived tells
what left. Read by `manage.py check_received`; nothing of the mail is kept.
"""

from newsletter.outcomes.received.look import look_at
from newsletter.outcomes.received.mail import Mail, Unfit, read

__all__ = ["Mail", "Unfit", "look_at", "read"]
