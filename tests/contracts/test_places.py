"""Nothing that is handed in names the machine it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.running.processes import ROOT

pytestmark = pytest.mark.once

# Folders of one person or one machine; /home/ alone may stand in prose.
PRIVATE = re.compile(
    rb"(?<![\w./])(/root/|/home/[a-z][\w-]*/|/Users/[A-Za-z][\w-]*/|[A-Z]:\\\\Users\\\\)"
)


def handed_in() -> list[Path]:
    """What git knows or would take; everything outside the ignored folders where git is absent."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0 and listed.stdout:
        names = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        ignored = {".venv", "var", ".git", "__pycache__"}
        names = [path for path in ROOT.rglob("*") if not ignored & set(path.parts)]
    return [path for path in names if path.is_file()]


def test_no_file_names_a_folder_of_this_machine():
    here = {str(ROOT).encode() + b"/", str(Path.home()).encode() + b"/"} - {b"//"}
    guilty = []
    for path in handed_in():
        content = path.read_bytes()
        if path != Path(__file__) and (
            PRIVATE.search(content) or any(place in content for place in here)
        ):
            guilty.append(path.relative_to(ROOT).as_posix())
    assert guilty == []


def test_nothing_generated_is_handed_in():
    names = {path.relative_to(ROOT).as_posix() for path in handed_in()}
    generated = re.compile(r"\.pyc$|(^|/)(\.venv|var|__pycache__|node_modules)/|\.sqlite3$|\.env$")
    assert [name for name in sorted(names) if generated.search(name)] == []
