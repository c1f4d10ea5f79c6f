import pytest

from newsletter.sending import brakes, pace, stopping
from newsletter.transports import memory


@pytest.fixture(autouse=True)
def _fresh():
    """Nothing that a process remembers reaches the next test."""
    memory.outbox.clear()
    pace.forget()
    brakes.forget()
    stopping.go_on()
    yield
    stopping.go_on()
