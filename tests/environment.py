"""What the tests' process needs before Django reads its settings. Loaded by `-p` in pyproject."""

import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path

from project.local import valkey

_FOLDER = Path(tempfile.mkdtemp(prefix="wellread-tests-"))
_TESTS = {
    "SECRET_KEY": "only-for-tests-" + "0" * 40,
    "TOKEN_KEYS": "1:" + "11" * 32,
    "LEDGER_KEYS": "1:" + "22" * 32,
    "SUPPRESSION_KEYS": "1:" + "33" * 32,
    "FACTOR_KEYS": "1:" + "44" * 32,
    "VAR_DIR": str(_FOLDER),
    "EMAIL_URL": "memory://",
    # Flushed after every test, so never the REDIS_URL of somebody's shell.
    "REDIS_URL": os.environ.get("TEST_REDIS_URL") or valkey.url(_FOLDER / "valkey"),
    # As `make run`: static files from where they lie, the mailbox' pages, plain http.
    "EMBEDDED": "true",
    "LOG_LEVEL": "WARNING",
    # Tests of the moment in which sending can be undone set it.
    "SENDING_UNDO_SECONDS": "0",
}
os.environ.update(_TESTS)
for name in ("DEBUG", "BASE_URL", "ALLOWED_HOSTS", "ESP", "DEFAULT_FROM_EMAIL"):
    os.environ.pop(name, None)
# Playwright keeps an event loop in the tests' thread; Django would then refuse the database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


# While everything is imported nothing of it can be let go, so looking for it is in vain. tests/
# conftest.py begins again.
gc.disable()

_OURS = os.getpid()


@atexit.register
def _leave_nothing_behind() -> None:
    if os.getpid() == _OURS:  # not in a forked child, whose end is not ours
        shutil.rmtree(_FOLDER, ignore_errors=True)
