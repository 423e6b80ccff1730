"""The process that converts a network: of the lowest priority, once at a time, ended with us."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ddim_studio.models.acceleration.store import LONGEST, busy_mark

if TYPE_CHECKING:
    from pathlib import Path

MODULE: Final = "ddim_studio.models.acceleration.conversion"


class Conversion:
    """A conversion under way in a process of its own.

    Args:
        source: What `load_model` takes.
        key: The key of the network.

    Raises:
        OSError: The process cannot be started, or another one converts the same network.
    """

    def __init__(self, source: str, key: str) -> None:
        self._mark = _claim(key)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, source, key],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # an interrupt at the keyboard is not meant for it
                creationflags=getattr(subprocess, "IDLE_PRIORITY_CLASS", 0),
            )
        except OSError:
            self._mark.unlink(missing_ok=True)
            raise
        _stand_back(self._process.pid)

    def wait(self, timeout: float) -> int | None:
        """The exit code, once it has ended; None after ``timeout`` seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
            self._mark.unlink(missing_ok=True)
        return self._process.returncode

    def stop(self) -> None:
        """End it now, whatever it does; the cache holds nothing of it."""
        if self._process.poll() is None:
            _step_forward(self._process.pid)
            self._process.kill()
            self._process.wait()
        self._mark.unlink(missing_ok=True)


def _claim(key: str) -> Path:
    """A file that says who converts; marks of long ago are those of the dead."""
    mark = busy_mark(key)
    mark.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        if time.time() - mark.stat().st_mtime > LONGEST:
            mark.unlink()
    with mark.open("x"):
        return mark


def _step_forward(process: int) -> None:
    """Undo `_stand_back`, where we may: dying takes time of the processor as well."""
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(process, os.SCHED_OTHER, os.sched_param(0))
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, process, 0)


def _stand_back(process: int) -> None:
    """Let a process run only where nobody else wants the processor."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, process, 19)
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))
