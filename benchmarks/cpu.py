"""Who used the processor: CPU time of this benchmark's own children, by what they are.

From /proc, so on Linux only; elsewhere the figures are left out.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
# What a process is called in /proc/<pid>/cmdline, and what that is here.
_KINDS = {b"gunicorn": "web", b"postgres": "postgres", b"valkey": "valkey", b"redis": "valkey"}


def spent() -> Counter[str]:
    """Return the CPU seconds, user and system, that each kind of child has used so far."""
    found: Counter[str] = Counter()
    for pid in _family(os.getpid()):
        try:
            command = (_PROC / str(pid) / "cmdline").read_bytes()
            # Its own, and that of its children that have ended: a database closes connections.
            ticks = sum(map(int, _stat(pid)[11:15]))
        except (OSError, ValueError):
            continue  # it has ended meanwhile
        kind = next((kind for name, kind in _KINDS.items() if name in command), None)
        if kind is not None:
            found[kind] += ticks / _TICKS
    return found


def _family(root: int) -> Iterator[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for entry in _PROC.glob("[0-9]*"):
        try:
            children[int(_stat(int(entry.name))[1])].append(int(entry.name))
        except (OSError, ValueError):
            continue
    waiting = list(children[root])
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children[pid]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat behind the command's name (proc(5)): state, ppid, …"""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
