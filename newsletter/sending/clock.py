"""Two clocks. Leases are written by the database's, which all workers share; how much of its own
lease a worker has used up it reads from its machine's, which nobody sets."""

import time
from datetime import timedelta
from functools import partial

from django.db import connection
from django.db.models import Expression
from django.db.models.functions import Now


def database_now() -> Expression:
    return Now()


def database_in(seconds: float) -> Expression:
    """Return the database's time `seconds` from now, as an expression for an UPDATE."""
    return Now() + timedelta(seconds=seconds)


def sql_now() -> str:
    """The same, for a statement that is written out."""
    if connection.vendor == "postgresql":
        return "STATEMENT_TIMESTAMP()"
    return "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')"


def sql_in() -> str:
    """With one parameter: seconds."""
    if connection.vendor == "postgresql":
        return "STATEMENT_TIMESTAMP() + make_interval(secs => %s)"
    return "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '+' || %s || ' seconds')"


# A clock that goes on while a machine sleeps, where there is one: a suspended worker must not
# wake up and believe that no time has passed.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


# Returns seconds on this machine's steady clock; only differences mean anything. Read several times
# for each message, hence no function of Python's around it.
steady = partial(time.clock_gettime, _CLOCK)
