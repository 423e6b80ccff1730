"""The process that trains: the command ``train``, at low priority, beside whatever else is done.

It holds the end of a pipe as its standard input and stops when that closes: because its model is
enough, because the window closes, or because the window was killed. Whichever it is, it writes a
checkpoint and its model first, so no run is lost and no process is left behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ddim_studio.jobs.events import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

NICENESS: Final = 10
TOLD: Final = "ddim-studio train: "
"""How the sentences begin with which the command fails."""
STOPPED: Final = frozenset({128 + signal.SIGINT, 128 + signal.SIGTERM, -signal.SIGTERM})
MOST_TEXT: Final = 1 << 16
GO_ON: Final = "Go on continues it from its last checkpoint."
if sys.platform == "win32":
    _FLAGS = subprocess.BELOW_NORMAL_PRIORITY_CLASS | subprocess.CREATE_NO_WINDOW
else:
    _FLAGS = 0


class TrainingChild:
    """A process that trains.

    Args:
        arguments: Of the command ``train``.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        # A file, not a pipe: nobody has to read it for the process to go on.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        command = [sys.executable, "-m", "ddim_studio", "train", "--stop-with-input", *arguments]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONWARNINGS": "ignore"},
                creationflags=_FLAGS,
                # Ctrl-C in the window's terminal is the window's to take; it closes the pipe then.
                start_new_session=True,
            )
        except OSError:
            self._said.close()
            raise
        _lower_priority(self._process.pid)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the process goes on."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, its checkpoint and model written; returns at once."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; whether it came in time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def code(self) -> int:
        """Its exit code, 0 as long as it has none; negative where a signal ended it."""
        return self._process.returncode or 0

    def failure(self) -> Failure | None:
        """Why it ended, None where it finished, or stopped because it was to."""
        code = self.code()
        if code == 0 or code in STOPPED:
            return None
        said = self._text()
        return failure_of(code, said)

    def close(self) -> None:
        """Stop it, and follow it no longer; it ends by itself."""
        self.stop()
        self._said.close()

    def _text(self) -> str:
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - MOST_TEXT))
        return self._said.read().decode("utf-8", "replace")


def failure_of(code: int, said: str) -> Failure:
    """What an exit code and the standard error of a process that trained amount to."""
    sentences = [line for line in said.splitlines() if line.startswith(TOLD)]
    if sentences and code in (1, 2):
        return Failure(sentences[-1].removeprefix(TOLD), "", said)
    if code < 0:
        return Failure(f"Something ended the training from outside (signal {-code}).", GO_ON, said)
    return Failure(f"The training ended unexpectedly (exit code {code}).", GO_ON, said)


def _lower_priority(number: int) -> None:
    """Let every other process go first; threads that the process starts later follow it."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, number, NICENESS)
