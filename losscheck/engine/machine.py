"""What the machine has, and how much of it each of several processes may take."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import attrs
import psutil

from losscheck.settings.settings import AUTO, Settings

GIGABYTE = 1e9
LEAST = 1.5 * GIGABYTE  # what a sound loss may need; no process gets less, and fewer run instead
_LIMITS = (  # of a container, where the machine itself shows more: the limit, what is taken
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


@attrs.frozen(kw_only=True)
class Limits:
    """What one process may take."""

    timeout: float  # seconds; 0 for as many as it likes
    memory: float  # bytes
    threads: int  # of TensorFlow, for one operation


def jobs(settings: Settings, losses: int) -> int:
    """How many losses are examined at the same time."""
    wanted = settings.jobs
    if wanted == AUTO:
        wanted = min(cores(), int(_free() // LEAST))
    return max(1, min(int(wanted), losses))


def limits(settings: Settings, jobs: int) -> Limits:
    """What each of so many processes may take."""
    memory = settings.memory * GIGABYTE or max(_free() / jobs, LEAST)
    return Limits(timeout=settings.timeout, memory=memory, threads=max(1, cores() // jobs))


def cores() -> int:
    """How many cores this process may use."""
    able = getattr(os, "sched_getaffinity", None)  # Linux alone tells
    return len(able(0)) if able is not None else os.cpu_count() or 1


def _free() -> float:
    """Bytes of memory that are free."""
    free = float(psutil.virtual_memory().available)
    for limit, taken in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # "max" is none
            free = min(free, int(Path(limit).read_text()) - int(Path(taken).read_text()))
    return free
