"""The house itself under test: its files, its words, its documents."""

import ast
import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = [
    path
    for folder in ("signup", "newsletter", "project")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]
TESTS = [path for path in sorted((ROOT / "tests").rglob("*.py"))]
DOCS = "\n".join(path.read_text() for path in sorted((ROOT / "docs").rglob("*.md")))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_outgrows_a_reader() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in CODE + TESTS}
    assert len(lengths) > 500
    assert not {name: lines for name, lines in lengths.items() if lines > 400}, "split by meaning"


def test_nothing_is_called_utils_or_services() -> None:
    names = {"utils", "helpers", "common", "services", "misc"}
    assert not [relative(path) for path in CODE if {path.stem, path.parent.name} & names]


def test_every_module_of_signup_stands_on_one_side_of_the_edge() -> None:
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter")
    layers = contract["importlinter:contract:line"]["layers"]
    listed = set(re.findall(r"signup\.\w+", layers))
    here = {
        f"signup.{path.stem}"
        for path in (ROOT / "signup").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and path.stem not in {"__init__", "apps", "migrations", "__pycache__"}
    }
    assert listed == here


def test_stations_never_enqueue() -> None:
    edge = {"tasks.py", "handing_over.py", "views.py", "management", "desk", "views"}
    enqueues = re.compile(r"\.(delay|delay_on_commit|apply_async|send_task)\(")
    offenders = [
        relative(path)
        for path in CODE
        if enqueues.search(path.read_text())
        and not edge & set(path.relative_to(ROOT).parts)
        and path.parts[-2] != "project"
    ]
    assert not offenders


def test_no_business_step_hides_in_a_signal() -> None:
    """Only set-up after migrating, anymail's reports and Celery's own life are heard."""
    heard = {
        name
        for path in CODE
        for name in re.findall(
            r"@receiver\(\[?(\w+)|^\s*@?(?:signals\.)?(\w+)\.connect\b", path.read_text(), re.M
        )
    }
    names = {first or second for first, second in heard} - {"connection", "smtp", "psycopg"}
    allowed = {"post_migrate", "tracking", "before_task_publish", "heartbeat_sent", "setup_logging"}
    assert {name for name in names if not re.match(r"worker_|beat_", name)} <= allowed


def test_public_functions_say_what_they_do() -> None:
    silent = [
        f"{relative(path)}: module"
        for path in CODE
        if path.stem not in {"__init__", "apps"}
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


@pytest.mark.parametrize(
    "command",
    sorted(
        path.stem
        for folder in ("newsletter", "signup")
        for path in (ROOT / folder / "management/commands").glob("*.py")
        if path.stem != "__init__"
    ),
)
def test_every_command_is_documented(command: str) -> None:
    assert f"`{command}" in DOCS


def test_every_check_id_is_documented() -> None:
    ids = {
        found
        for path in CODE
        for found in re.findall(r"\"(\w+\.[EW]\d{3})\"", path.read_text())
        # Django's own, which are silenced or asked for.
        if not found.startswith("security.")
    }
    assert ids
    assert not sorted(name for name in ids if name not in DOCS)


def test_every_task_is_documented() -> None:
    names = set()
    for path in (ROOT / "newsletter/tasks.py", ROOT / "signup/tasks.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and "shared_task" in ast.dump(node):
                names.add(node.name)
    assert names
    assert not sorted(name for name in names if f"{name}`" not in DOCS)


def _promises() -> dict[int, list[str]]:
    """Return invariant number → the tests that docs/invariants.md names for it."""
    text = (ROOT / "docs/invariants.md").read_text()
    sections = re.split(r"^## (\d+)\b", text, flags=re.MULTILINE)[1:]
    return {
        int(number): re.findall(r"`(tests/[\w/]+\.py::\w+)`", body)
        for number, body in zip(sections[::2], sections[1::2], strict=True)
    }


@pytest.mark.parametrize("number", range(1, 18))
def test_every_invariant_is_held_by_a_test_that_exists(number: int) -> None:
    tests = _promises().get(number, [])
    assert tests, f"docs/invariants.md names no test for invariant {number}"
    for name in tests:
        path, _, function = name.partition("::")
        assert f"def {function}(" in (ROOT / path).read_text(), name
