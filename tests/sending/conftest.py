import pytest

from newsletter.sending import brakes, pace, stopping, warm_up
from newsletter.transports import memory


@pytest.fixture(autouse=True)
def _fresh():
    """Nothing that a process remembers reaches the next test."""
    memory.outbox.clear()
    pace.forget()
    brakes.forget()
    warm_up.forget()
    stopping.go_on()
    yield
    stopping.go_on()
