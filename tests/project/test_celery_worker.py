"""What a worker process does before its first task."""

import os
import subprocess
import sys

import pytest

from project.celery import BULK_NICENESS
from tests.running.processes import ROOT

pytestmark = pytest.mark.once


def test_a_worker_process_looks_for_garbage_only_in_what_its_tasks_leave():
    said = subprocess.run(
        [
            sys.executable, "-c",
            "import gc\n"
            "from celery.signals import worker_process_init\n"
            "from project import celery\n"
            "before = gc.get_freeze_count()\n"
            "worker_process_init.send(None)\n"
            "print(before, gc.get_freeze_count() > 10_000, gc.get_threshold()[0])\n",
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    assert said.split() == ["0", "True", "10000"]


@pytest.mark.parametrize(("queues", "behind"), [(["bulk"], True), (["bulk", "prompt"], False)])
def test_who_sends_in_bulk_and_nothing_else_lets_others_go_first(queues: list[str], behind: bool):
    said = subprocess.run(
        [
            sys.executable, "-c",
            "import os\n"
            "from celery.apps.worker import Worker\n"
            "from project.celery import app\n"
            f"Worker(app=app, queues={queues!r}, concurrency=1)\n"
            "policy = os.sched_getscheduler(0) if hasattr(os, 'SCHED_BATCH') else None\n"
            "print(os.getpriority(os.PRIO_PROCESS, 0), policy)\n",
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip

    niceness, policy = said.split()
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert int(niceness) == (max(BULK_NICENESS, ours) if behind else ours)
    if hasattr(os, "SCHED_BATCH"):
        assert int(policy) == (os.SCHED_BATCH if behind else os.sched_getscheduler(0))
