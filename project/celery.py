"""The Celery application. Queues are pools: prompt, control and bulk never wait for each other."""

import gc
import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]
from celery.signals import beat_init, before_task_publish, setup_logging, worker_process_init

from project import leash
from project.probe import BEAT

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# Tasks carry ids as JSON, so a worker that runs as root opens no door that pickle would.
warnings.filterwarnings("ignore", category=SecurityWarning)

# Objects made and not freed by themselves before they are looked through for garbage. Python's 700
# come together with every other chunk, and what a chunk leaves is no garbage until it is recorded.
GARBAGE_AFTER = 10_000

app = Celery("wellread")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["signup", "newsletter"])


@setup_logging.connect
def _keep_djangos_logging(**_: object) -> None:
    """LOGGING in the settings counts for workers too: it masks what must not be logged."""


@worker_process_init.connect
def _end_with_the_worker(**_: object) -> None:
    """A worker that is killed takes its pool along, so that nobody works on without a master."""
    leash.die_with_parent()


@worker_process_init.connect
def _clear_the_way(**_: object) -> None:
    """Look for garbage among what tasks leave, not in the whole application: some hundred thousand
    objects that never go, each look a tenth of a second in which no line is driven.

    What came from the master is not collected first: that would copy all its memory here.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


@beat_init.connect
def _show_that_the_clock_ticks(**_: object) -> None:
    """For the container's health check; a clock that stands still is not seen otherwise."""

    def touch(**_: object) -> None:
        BEAT.touch()

    before_task_publish.connect(touch, weak=False)
