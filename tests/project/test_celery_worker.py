"""What a worker process does before its first task."""

import subprocess
import sys

import pytest

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
