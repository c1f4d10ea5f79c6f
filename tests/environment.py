"""What the tests' process needs before Django reads its settings. Loaded by `-p` in pyproject."""

import os
import tempfile

_TEST_KEYS = {
    "SECRET_KEY": "only-for-tests-" + "0" * 40,
    "TOKEN_KEYS": "1:" + "11" * 32,
    "LEDGER_KEYS": "1:" + "22" * 32,
    "SUPPRESSION_KEYS": "1:" + "33" * 32,
}
for name, value in _TEST_KEYS.items():
    os.environ.setdefault(name, value)
os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="wellread-tests-"))
