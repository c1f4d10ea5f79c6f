"""Why mail cannot leave at all. What a relay says to one message is a Receipt, not an exception."""


class TransportError(Exception):
    """The way out is closed for every message alike."""


class LineDown(TransportError):
    """No connection just now; waiting for one is never an error of the mail."""


class Misconfigured(TransportError):
    """Only a person can help: wrong password, no TLS, an address that no relay can have."""


class NotForHealthData(Misconfigured):
    """The transport is not recorded as allowed for health data (invariant 11)."""
