"""Fixtures that every folder of tests shares.

valkey            a client of the real Valkey server of this session, empty at each test's start
smtp_catcher      a real SMTP server (tests/running/smtp.py): remembers bytes, refuses, drops
start_worker      starts real Celery worker processes on the test database (transactional)
worker_environment  the environment those processes get
browser, page     the system's chromium; `page` at 1280 × 800, `phone` at 375 × 667
live_stack        everything `make run` runs, in its own processes on a fresh, seeded database
"""

import contextlib
import gc
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from django.conf import settings
from django.core.cache import caches
from django.db import connection, connections
from django.test import TransactionTestCase

from project.local import valkey as embedded_valkey
from signup import handing_over, offered
from signup.guard import counters
from tests.running import browser as browsers
from tests.running import processes
from tests.running.database import Migrated, made
from tests.running.postgres import url_of
from tests.running.processes import Running
from tests.running.smtp import SmtpCatcher
from tests.running.stack import LiveStack, copy_migrated_database, live

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django import DjangoDbBlocker


# --- Skips --------------------------------------------------------------------------------------

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where skipping is forbidden (.ci/run), a skipped test is a failed run."""
    if _skipped and os.environ.get("WELLREAD_FORBID_SKIPS") == "1":
        print(f"\nWELLREAD_FORBID_SKIPS=1, but skipped: {', '.join(_skipped)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is about one database alone is no gap on the other: left out, not skipped.

    Nor is it where a test asks no database at all (pytest-django lets it reach none): the pass on
    SQLite has it.
    """
    postgres = connection.vendor == "postgresql"
    other = "sqlite" if postgres else "postgres"
    left_out = {
        item
        for item in items
        if item.get_closest_marker(other)
        or (postgres and not item.get_closest_marker("postgres") and not _asks_a_database(item))
    }
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _asks_a_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    asking = {"db", "transactional_db", "live_server", "django_db_setup"}
    return item.get_closest_marker("django_db") is not None or not asking.isdisjoint(fixtures)


def pytest_collection_finish() -> None:
    _keep_what_is_here()


def _keep_what_is_here() -> None:
    """Collect garbage from now on, without ever walking through all that stays for good."""
    gc.freeze()
    gc.enable()


# --- The database -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file, so that worker processes see it too; it need not survive a power cut."""
    # Migrations make every model anew a hundred times, and a third of that would go into garbage.
    gc.collect()
    gc.disable()
    database = connections["default"].settings_dict
    if connection.vendor == "sqlite":
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
        options = database["OPTIONS"]
        options["init_command"] = options["init_command"].replace("=FULL", "=OFF")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: "DjangoDbBlocker",
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Migrated once for all workers; tests that commit end by going back to it, guards and all."""
    # The folder above is shared by the workers of this run alone.
    workers = "PYTEST_XDIST_WORKER" in os.environ
    shared = tmp_path_factory.getbasetemp().parent if workers else None
    migrated, stack = Migrated(), contextlib.ExitStack()
    with django_db_blocker.unblock():
        stack.enter_context(made(shared))
        migrated.note()
    gc.collect()
    _keep_what_is_here()
    patch = stack.enter_context(pytest.MonkeyPatch.context())
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: migrated.restore())
    yield
    with django_db_blocker.unblock():
        stack.close()


# --- The environment ----------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _environment_is_left_as_found() -> Iterator[None]:
    """What a test left in `os.environ` would reach the processes that later tests start.

    `environment.adopt()` writes there, as it should.
    """
    found = dict(os.environ)
    yield
    for name in os.environ.keys() - found.keys():
        del os.environ[name]
    os.environ.update(found)


# --- Static files -------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _static_files_by_their_plain_names() -> None:
    """Nobody ran collectstatic for the tests, so there is no manifest of hashed names."""
    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES["staticfiles"]["BACKEND"] = plain


# --- Valkey -------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    if os.environ.get("TEST_REDIS_URL"):
        yield
        return
    folder = Path(os.environ["VAR_DIR"]) / "valkey"
    log = tmp_path_factory.mktemp("valkey") / "log"
    command = embedded_valkey.command(embedded_valkey.find_binary(), folder, keep=False)
    server = processes.start("valkey", command, log=log, env=os.environ)
    assert embedded_valkey.wait_until_ready(folder), server.output
    yield
    server.stop()


@pytest.fixture(scope="session")
def _valkey_client(_valkey_server: None) -> Iterator["redis.Redis[bytes]"]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _empty_valkey(_valkey_client: "redis.Redis[bytes]") -> None:
    """No limit, lock or task of one test reaches the next, nor what a process remembers."""
    # A thread of this process sends a moment later, so it may outlive the test that asked for it.
    handing_over.forget()
    _valkey_client.flushall()
    counters.Pause.until = 0.0
    caches["renditions"].clear()


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test changes the catalogue and looks at once; what a second's memory does has its own."""
    monkeypatch.setattr(offered, "SECONDS", 0.0)
    offered.forget()


@pytest.fixture
def valkey(_valkey_client: "redis.Redis[bytes]") -> "redis.Redis[bytes]":
    return _valkey_client


# --- Mail ---------------------------------------------------------------------------------------


@pytest.fixture
def smtp_catcher() -> Iterator[SmtpCatcher]:
    with SmtpCatcher() as catcher:
        yield catcher


# --- Processes ----------------------------------------------------------------------------------


@pytest.fixture
def worker_environment(transactional_db: None) -> dict[str, str]:
    """The environment of a process that shares the test database and Valkey with the test.

    Set EMAIL_URL (to `smtp_catcher.url`) before starting a worker that sends.
    """
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "LOG_LEVEL": "INFO",
        # Django's system checks, which ask a worker's start for as much as everything else does.
        "CELERY_SKIP_CHECKS": "1",
    }


@pytest.fixture
def start_worker(
    worker_environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., Running]]:
    """Return a function that starts a Celery worker: `start_worker("bulk", env={…})`.

    What it returns can be killed (`.kill()`), frozen (`.freeze()`, `.thaw()`), stopped
    (`.stop()`) and read (`.output`). All are ended with the test.
    """
    workers: list[Running] = []

    def start(
        queues: str = "prompt,control,bulk",
        *,
        concurrency: int = 1,
        env: dict[str, str] | None = None,
    ) -> Running:
        name = f"worker{len(workers) + 1}"
        worker = processes.start_worker(
            queues,
            name=name,
            log=tmp_path / f"{name}.log",
            env={**worker_environment, **(env or {})},
            concurrency=concurrency,
        )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.alive:
            worker.thaw()
            worker.kill()


def database_url() -> str:
    """The URL of the test database that this process is connected to."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return url_of(database, database["NAME"])


# --- The whole --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def migrated_folder(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Path]:
    """Return a function that makes a VAR_DIR with a migrated database (empty: PostgreSQL)."""
    template = tmp_path_factory.mktemp("migrated")
    copy_migrated_database(template)

    def make() -> Path:
        folder = tmp_path_factory.mktemp("stack")
        shutil.copytree(template, folder, dirs_exist_ok=True)
        return folder

    return make


@pytest.fixture(scope="session")
def live_stack(migrated_folder: Callable[[], Path]) -> Iterator[LiveStack]:
    """The demo as `make run` starts it. Shared by the session: use addresses of your own."""
    with live(migrated_folder()) as stack:
        yield stack


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    assert threading.current_thread() is threading.main_thread()
    with browsers.chromium() as found:
        yield found


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        yield context.new_page()


@pytest.fixture
def phone(browser: "Browser") -> Iterator["Page"]:
    with browser.new_context(
        viewport={"width": 375, "height": 667}, has_touch=True, is_mobile=True
    ) as context:
        yield context.new_page()
