from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.rendering import pictures
from tests.rendering.golden import Golden


@pytest.fixture(autouse=True)
def known_address_and_drawings(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden files hold no address of this machine and hang on no drawing of the demo."""
    settings.BASE_URL = "https://news.example.org"
    monkeypatch.setattr(
        pictures, "drawing", lambda path: f"{settings.BASE_URL}/pictures/{path.rpartition('/')[2]}"
    )


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    return Golden(Path(__file__).parent / "golden")
