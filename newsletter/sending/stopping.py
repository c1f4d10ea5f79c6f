"""Is this worker being shut down?

On SIGTERM Celery tells only its master process. The flag lies in memory that the children share,
because they were forked from it; each reads it before every chunk.
"""

import mmap

# Made on import, which the master does before it forks.
_flag = mmap.mmap(-1, 1)


def stop() -> None:
    _flag[0] = 1


def go_on() -> None:
    _flag[0] = 0


def is_stopping() -> bool:
    return bool(_flag[0])
