"""docs/settings.md lists exactly the settings that the environment may carry."""

import ast
import re

import pytest

from tests.running.processes import ROOT

pytestmark = pytest.mark.once

DOCUMENT = ROOT / "docs" / "settings.md"
READERS = {"text", "words", "flag", "whole", "number", "word", "secret", "zone", "origin",
           "database", "broker", "starting_with", "given"}  # fmt: skip
# Read by the servers and by `make`, outside of settings.py.
ELSEWHERE = [
    ROOT / "project" / "web.py",
    ROOT / "project" / "probe.py",
    *sorted((ROOT / "project" / "local").rglob("*.py")),
    ROOT / "newsletter" / "management" / "demo" / "staff.py",
    *sorted((ROOT / "tests" / "running").glob("*.py")),
    ROOT / "tests" / "environment.py",
]
# The system's own, not settings of ours.
NOT_OURS = {"PATH", "HOME", "LANG", "TZ", "MAKELEVEL", "PIP_RETRIES", "PIP_DEFAULT_TIMEOUT",
            "PIP_TIMEOUT", "DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE"}  # fmt: skip


def in_settings() -> set[str]:
    found = set()
    for node in ast.walk(ast.parse((ROOT / "project" / "settings.py").read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "env"
        ):
            assert node.func.attr in READERS, f"unknown reader env.{node.func.attr}"
            assert isinstance(node.args[0], ast.Constant)
            name = str(node.args[0].value)
            found.add(f"{name}*" if node.func.attr == "starting_with" else name)
    return found


def elsewhere() -> set[str]:
    text = "\n".join(path.read_text() for path in ELSEWHERE)
    patterns = (
        r'environ(?:\.get\(|\[)"([A-Z_]+)"',
        r'"([A-Z_]+)" (?:not )?in os\.environ',
        r'"([A-Z_]+)" not in _given\(\)',
    )
    return {name for pattern in patterns for name in re.findall(pattern, text)} - NOT_OURS


def documented() -> set[str]:
    """The names in the first column of the document's tables."""
    return {
        name
        for row in re.findall(r"^\| (.+?) \|", DOCUMENT.read_text(), re.MULTILINE)
        for name in re.findall(r"`([A-Z][A-Z_]+\*?)`", row)
    }


def test_every_setting_is_documented_and_no_other_is():
    read = in_settings() | elsewhere()
    assert read - documented() == set(), "read, but not in docs/settings.md"
    assert documented() - read == set(), "in docs/settings.md, but nobody reads it"


def test_nothing_reads_the_environment_behind_the_settings_back():
    """Stations take settings; only project/ and the tests look at the environment."""
    allowed = {ROOT / "newsletter" / "management" / "demo" / "staff.py"}
    guilty = [
        path.relative_to(ROOT).as_posix()
        for folder in ("newsletter", "signup")
        for path in (ROOT / folder).rglob("*.py")
        if path not in allowed and re.search(r"os\.(environ|getenv)", path.read_text())
    ]
    assert guilty == []


def test_every_check_of_the_project_is_documented():
    ids = set(re.findall(r'"(wellread\.[EW]\d+)"', (ROOT / "project" / "checks.py").read_text()))
    assert ids <= set(re.findall(r"wellread\.[EW]\d+", DOCUMENT.read_text()))


def test_nothing_secret_has_a_default():
    text = (ROOT / "project" / "settings.py").read_text()
    for name in ("SECRET_KEY", "TOKEN_KEYS", "LEDGER_KEYS", "SUPPRESSION_KEYS", "FACTOR_KEYS"):
        assert f'env.secret("{name}")' in text
    assert '"METRICS_TOKEN", default=""' in text
