"""Lock files fit pyproject.toml, carry hashes, and name no index."""

import re
import tomllib
from dataclasses import dataclass, field

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.running.processes import ROOT

pytestmark = pytest.mark.once

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {
    "requirements.txt": [],
    "requirements-local.txt": ["local"],
    "requirements-test.txt": ["local", "test"],
}


@dataclass
class Pin:
    name: str
    version: Version
    hashes: int = 0
    via: list[str] = field(default_factory=list)


def pins(lock: str) -> dict[str, Pin]:
    found: dict[str, Pin] = {}
    current: Pin | None = None
    for line in (ROOT / lock).read_text().splitlines():
        if match := re.match(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", line):
            current = Pin(canonicalize_name(match[1]), Version(match[2]))
            found[current.name] = current
        elif current and "--hash=sha256:" in line:
            current.hashes += 1
        elif current and line.strip().startswith("#"):
            current.via.append(line.strip("# ").removeprefix("via").strip())
    return found


def wanted(extras: list[str]) -> dict[str, Requirement]:
    """What pyproject asks for, with what its extras ask for by way of other extras."""
    found = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
    for extra in extras:
        found += map(Requirement, PROJECT["project"]["optional-dependencies"][extra])
    others = [extra for each in found if each.name == "wellread" for extra in each.extras]
    return {
        **(wanted(others) if others else {}),
        **{canonicalize_name(each.name): each for each in found if each.name != "wellread"},
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_what_pyproject_asks_for(lock):
    locked = pins(lock)
    for name, requirement in wanted(LOCKS[lock]).items():
        assert name in locked, f"{name} is not in {lock}: run make lock"
        assert requirement.specifier.contains(locked[name].version), f"{name}: run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_is_locked_that_pyproject_no_longer_asks_for(lock):
    direct = {pin.name for pin in pins(lock).values() if "wellread (pyproject.toml)" in pin.via}
    assert direct <= wanted(LOCKS[lock]).keys()


def test_the_valkey_lock_holds_its_group():
    (line,) = PROJECT["dependency-groups"]["valkey"]
    requirement = Requirement(line)
    pin = pins("requirements-valkey.txt")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pin.version)


@pytest.mark.parametrize("lock", [*LOCKS, "requirements-valkey.txt"])
def test_every_pin_has_hashes(lock):
    assert pins(lock)
    assert [pin.name for pin in pins(lock).values() if not pin.hashes] == []


@pytest.mark.parametrize("lock", [*LOCKS, "requirements-valkey.txt"])
def test_no_index_and_no_address_is_named(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--(extra-)?index-url|--find-links)", text, re.MULTILINE)


def test_the_lock_files_agree_on_every_version():
    base = pins("requirements.txt")
    for lock in [*LOCKS, "requirements-valkey.txt"]:
        for name, pin in pins(lock).items():
            if name in base:
                assert pin.version == base[name].version, f"{name} in {lock}: run make lock"


def test_there_is_no_other_lock_file():
    for name in ("uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock"):
        assert not (ROOT / name).exists()
