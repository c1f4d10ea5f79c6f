"""Files that hold what templates gave when somebody last looked at it.

REWRITE_GOLDEN=1 writes them anew; look at the difference, and at the mail, before you commit it.
"""

import os
from pathlib import Path


class Golden:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str, content: str) -> None:
        path = self._folder / name
        if os.environ.get("REWRITE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        assert path.exists(), f"No golden file {name}: run once with REWRITE_GOLDEN=1."
        assert content == path.read_text(encoding="utf-8"), (
            f"{name} renders differently. If it is meant: REWRITE_GOLDEN=1, then look at it."
        )
