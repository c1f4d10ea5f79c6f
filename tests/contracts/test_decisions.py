"""Every decision stands in the index of decisions, under its own number and name."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

DECISIONS = Path(__file__).parents[2] / "docs" / "adr"


def test_the_index_names_each_decision_as_its_title_does():
    titles = {
        path.name: path.read_text().splitlines()[0].removeprefix("# ").split(" ", 1)
        for path in DECISIONS.glob("[0-9]*.md")
    }
    rows = re.findall(
        r"^\| \[(\d+)\]\((\S+)\) \| (.+) \|$", (DECISIONS / "README.md").read_text(), re.M
    )
    assert {name: [number, title] for number, name, title in rows} == titles


def test_a_decisions_number_is_its_files():
    for path in DECISIONS.glob("[0-9]*.md"):
        number = path.read_text().splitlines()[0].split()[1]
        assert path.name.startswith(f"{int(number):04}-"), path.name
