"""The power goes, in the middle of whatever is being done."""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.db import connection

# No transaction of the run's own ends or begins differently because of the crash.
_FRAME = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


class Crash(BaseException):
    """The power is gone: nobody catches this."""


def power_cut() -> None:
    raise Crash


@contextlib.contextmanager
def cut_at(number: int) -> Iterator[None]:
    """Let the n-th statement from here on never be made. One crash, not one for each."""
    made = 0

    def counted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal made
        if not sql.startswith(_FRAME):
            made += 1
            if made == number:
                raise Crash
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counted):
        yield
