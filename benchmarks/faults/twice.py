"""The Celery application, with every task handed over twice: `celery -A benchmarks.faults.twice`.

A broker may deliver a message twice, and two processes may then work at the same thing at the same
time. Here it always does.
"""

import logging
from typing import Any

from celery.signals import after_task_publish

from project.celery import app

__all__ = ["SAYS", "app"]

log = logging.getLogger(__name__)
# By which the scenario counts them in the logs.
SAYS = "handed over again"

_AGAIN = "faults-again"


@after_task_publish.connect
def _once_more(
    sender: str, headers: dict[str, Any], body: Any, routing_key: str, **_: object
) -> None:
    if headers.get(_AGAIN):
        return
    args, kwargs, _embed = body
    log.warning("%s: %s", SAYS, sender)
    app.send_task(sender, args, kwargs, queue=routing_key, headers={_AGAIN: True})
