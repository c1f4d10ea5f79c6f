import functools
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from newsletter.transports.esp import EspTransport
from newsletter.transports.esp import transport as esp_transport
from newsletter.transports.esp.providers import PROVIDERS
from tests.transports import esp_apis
from tests.transports.esp_apis import ESPS, EspApis

BATCHING = [esp for esp in ESPS if PROVIDERS[esp].most > 1]


@pytest.fixture(scope="session", autouse=True)
def _amazon_is_read_once() -> Iterator[None]:
    """Each session of boto3 would read megabytes of Amazon's API descriptions for itself."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(botocore.session.create_loader)
        patch.setattr(botocore.session, "create_loader", once)
        yield


@pytest.fixture
def apis(settings: Any) -> Iterator[EspApis]:
    """The APIs of four ESPs, on this machine, and settings that lead there."""
    started, stop = esp_apis.start()
    settings.ANYMAIL = started.settings()
    esp_transport._quiet_until.clear()
    yield started
    stop()
    esp_transport._quiet_until.clear()


@pytest.fixture(params=ESPS)
def esp(request: pytest.FixtureRequest, apis: EspApis) -> Iterator[EspTransport]:
    yield from transport(request.param)


@pytest.fixture(params=BATCHING)
def batching(request: pytest.FixtureRequest, apis: EspApis) -> Iterator[EspTransport]:
    yield from transport(request.param)


def transport(name: str) -> Iterator[EspTransport]:
    # Brevo's account alone can say that nothing is measured; the others are told in each call.
    made = EspTransport(name, tracking_off="brevo")
    yield made
    made.close()
