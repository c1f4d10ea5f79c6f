"""Who keeps the books while the mail goes out.

On PostgreSQL that is a second thread with a connection of its own: the next chunk is checked and
the last one recorded while this one is on the wire. Jobs are done one after the other, in the order
in which they were given. On SQLite, which has one writer, and inside somebody's transaction, which
another connection could not see, each job is done at once.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from django.db import connection, connections

P = ParamSpec("P")
T = TypeVar("T")


class _AtOnce(Executor):
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


@contextmanager
def clerk() -> Iterator[Executor]:
    """Yield who does the jobs. All are done when the block ends."""
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield _AtOnce()
        return
    with ThreadPoolExecutor(1, thread_name_prefix="clerk") as executor:
        try:
            yield executor
        finally:
            executor.submit(connections.close_all)


Job = Future[Any]
