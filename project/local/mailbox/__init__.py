"""The local mailbox at /mailbox/: what the embedded installation sent, to be looked at."""
