"""Wellread's settings, and how its processes start."""

import gc

# Objects made and not freed by themselves before they are looked through for garbage. Python's 700
# come together every moment while a process starts, of which nothing can be let go, in every
# request and with every chunk.
GARBAGE_AFTER = 10_000
gc.set_threshold(GARBAGE_AFTER)

from project.celery import app as celery_app  # noqa: E402 - all that comes counts already

__all__ = ["celery_app"]
