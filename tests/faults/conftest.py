"""Real workers, a real broker, a real relay, and the ways in which they die."""

from collections.abc import Callable, Iterator

import pytest

from newsletter.sending.models import Mailing
from tests.faults.line import READERS, Line
from tests.running.processes import Running
from tests.running.smtp import SmtpCatcher


@pytest.fixture
def line(
    transactional_db: None,
    smtp_catcher: SmtpCatcher,
    start_worker: Callable[..., Running],
) -> Iterator[Line]:
    """The sending line: planned mailings, the feeder's and the reaper's ticks, workers."""
    yield Line(smtp_catcher, start_worker)


@pytest.fixture
def mailing(line: Line) -> Mailing:
    return line.plan(readers=READERS)
