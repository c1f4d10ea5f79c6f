"""The Celery application. Queues are pools: prompt, control and bulk never wait for each other."""

import gc
import logging
import os
import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]
from celery.signals import (
    beat_init,
    before_task_publish,
    setup_logging,
    worker_init,
    worker_process_init,
)

from project import leash
from project.probe import BEAT

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# Tasks carry ids as JSON, so a worker that runs as root opens no door that pickle would.
warnings.filterwarnings("ignore", category=SecurityWarning)

# How far behind everybody else those stand who send in bulk (see nice(1)).
BULK_NICENESS = 5

log = logging.getLogger(__name__)
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


@worker_init.connect
def _let_others_go_first(sender: Any, **_: object) -> None:
    """Who sends in bulk, the master and by it each process of its pool, does not interrupt others.

    On a full machine pages, confirmations and the database come first. And whoever sends is then
    woken for several answers of a relay nearby at a time, instead of once for each.
    """
    if set(sender.app.amqp.queues.consume_from) != {"bulk"}:
        return
    try:
        if os.getpriority(os.PRIO_PROCESS, 0) < BULK_NICENESS:
            os.setpriority(os.PRIO_PROCESS, 0, BULK_NICENESS)
        if hasattr(os, "SCHED_BATCH"):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except OSError as error:
        log.info("Bulk mail is sent at everybody's priority: %s", error)


@beat_init.connect
def _show_that_the_clock_ticks(**_: object) -> None:
    """For the container's health check; a clock that stands still is not seen otherwise."""

    def touch(**_: object) -> None:
        BEAT.touch()

    before_task_publish.connect(touch, weak=False)
