"""A whole mailing through PgBouncer that pools by transaction (docs/settings.md)."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from tests.faults.line import (
    Line,
    assert_nobody_lost,
    assert_twice_only_as_resent_unknown,
    copies_by_reader,
)
from tests.running import pgbouncer
from tests.running.processes import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.postgres]


@pytest.fixture
def between(transactional_db: None) -> Iterator[pgbouncer.PgBouncer]:
    database = connection.settings_dict
    if not database["HOST"].startswith("/"):
        pytest.skip("The tests' PostgreSQL is not one that they started.")
    try:
        with pgbouncer.running(host=database["HOST"], user=database["USER"]) as found:
            yield found
    except pgbouncer.NoPgBouncer as error:
        pytest.skip(str(error))


def worker_through(line: Line, between: pgbouncer.PgBouncer, **env: str) -> None:
    line.worker("bulk", DATABASE_URL=between.url(str(connection.settings_dict["NAME"])), **env)


def test_a_mailing_goes_out_through_pgbouncer_once_for_each(line: Line, mailing, between):
    with line.beats():
        worker_through(line, between)
        worker_through(line, between)
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert set(copies_by_reader(line.relay).values()) == {1}


def test_a_pgbouncer_that_dies_and_comes_back_loses_nobody(line: Line, mailing, between):
    line.relay.delay = 0.002
    with line.beats():
        worker_through(line, between, SENDING_LINE_PAUSE_SECONDS="1")
        line.wait_for_sent(300)
        between.kill()
        wait_until(lambda: not answers(between), seconds=30, about="PgBouncer's end")
        between.start()
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert_twice_only_as_resent_unknown(line.relay, mailing)


def answers(between: pgbouncer.PgBouncer) -> bool:
    try:
        psycopg.connect(between.url(), connect_timeout=30).close()
    except psycopg.OperationalError:
        return False
    return True
