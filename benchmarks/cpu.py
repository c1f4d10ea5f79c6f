"""CPU seconds and memory of other processes, from /proc. Linux only."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
# What a process is called in /proc/<pid>/cmdline, and what that is here.
_KINDS = {b"gunicorn": "web", b"postgres": "postgres", b"valkey": "valkey", b"redis": "valkey"}


@dataclass(frozen=True, slots=True)
class Stat:
    pid: int
    parent: int
    # Its own, and that of its children which have ended.
    seconds: float


def family_seconds(root: int) -> float:
    """CPU used so far by `root` and everything under it, the dead included."""
    return sum(stat.seconds for stat in _family(root))


def seconds_by_kind() -> dict[str, float]:
    """CPU used so far by this benchmark's own living children, by what they are."""
    found: dict[str, float] = defaultdict(float)
    for stat in _family(os.getpid()):
        try:
            command = Path(f"/proc/{stat.pid}/cmdline").read_bytes()
        except OSError:
            continue
        kind = next((kind for name, kind in _KINDS.items() if name in command), None)
        if kind is not None and stat.pid != os.getpid():
            found[kind] += stat.seconds
    return found


def peak_rss_mib(root: int) -> float:
    """The largest peak of resident memory that any living process of the family had."""
    return max((_peak(stat.pid) for stat in _family(root)), default=0.0)


def _family(root: int) -> Iterable[Stat]:
    everything = list(_stats())
    wanted = {root}
    while True:
        more = {stat.pid for stat in everything if stat.parent in wanted} - wanted
        if not more:
            return [stat for stat in everything if stat.pid in wanted]
        wanted |= more


def _stats() -> Iterable[Stat]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # proc(5): ppid is the 4th field, utime, stime, cutime and cstime the 14th to the 17th.
        ticks = sum(map(int, fields[11:15]))
        yield Stat(int(folder.name), int(fields[1]), ticks / _TICK)


def _peak(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) / 1024
