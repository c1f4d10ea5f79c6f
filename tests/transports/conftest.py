from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.transports.esp import transport as esp_transport
from tests.transports import esp_apis
from tests.transports.esp_apis import EspApis


@pytest.fixture
def apis(settings: Any) -> Iterator[EspApis]:
    """The APIs of four ESPs, on this machine, and settings that lead there."""
    started, stop = esp_apis.start()
    settings.ANYMAIL = started.settings()
    esp_transport._quiet_until.clear()
    yield started
    stop()
    esp_transport._quiet_until.clear()
