"""Hands ids to the work queue from the desk."""

import logging
from functools import partial
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def hand_over(task: "Task[Any, Any]", *ids: int) -> None:
    """Enqueue after the commit.

    It differs from the task's own `delay_on_commit` in one thing: a queue that cannot be reached
    is no error of the person who pressed the button. The row stands, and the next sweep takes
    it up.
    """
    transaction.on_commit(partial(_enqueue, task, ids))


def _enqueue(task: "Task[Any, Any]", ids: tuple[int, ...]) -> None:
    try:
        task.delay(*ids)
    except OperationalError:
        logger.exception("The work queue cannot be reached; %s waits for the sweep.", task.name)
