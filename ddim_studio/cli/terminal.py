"""What the command line says, where, and with which exit code it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ddim_studio.jobs.failures import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from ddim_studio.jobs.events import Failure

PROGRAM = "ddim-studio"
FINISHED, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
SIGNAL_CODE = 128
"""A process ended by a signal exits with this plus the signal's number, as shells have it."""


class UsageError(Exception):
    """A wrong argument. The message names it and what is allowed, in one line."""


class FailureError(Exception):
    """What failed, explained already."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class _Terminated(BaseException):
    """The process was asked to end by a signal other than that of Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def say(text: str) -> None:
    """Write a line of results to the standard output."""
    sys.stdout.write(text + "\n")


def tell(text: str) -> None:
    """Write a line about what goes on to the standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def guarded(name: str, action: Callable[[], int], *, debug: bool = False) -> int:
    """Do something, and turn whatever ends it into one line and an exit code.

    Args:
        name: The command that speaks, such as "ddim-studio sample".
        action: Returns its own exit code.
        debug: Whether the traceback of a failure is shown too.

    Returns:
        0 finished, 1 failed, 2 wrong usage, 130 interrupted, 128 + n ended by signal n.
    """
    with suppress(AttributeError, ValueError):  # a standard output that is not a terminal's
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        with _signals_raise():
            code = action()
            sys.stdout.flush()
            return code
    except UsageError as error:
        tell(f"{name}: {_one_line(str(error))}")
        return USAGE
    except KeyboardInterrupt:
        tell(f"{name}: interrupted.")
        return INTERRUPTED
    except _Terminated as stop:
        return SIGNAL_CODE + stop.number
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _drop_output()
        return FAILED
    except Exception as error:  # noqa: BLE001 (the one place where errors of commands end)
        _tell_failure(name, error, debug=debug)
        return FAILED


def _tell_failure(name: str, error: Exception, *, debug: bool) -> None:
    failure = error.failure if isinstance(error, FailureError) else explain(error)
    if debug:
        tell(failure.details.rstrip())
    tell(f"{name}: {_one_line(f'{failure.message} {failure.advice}')}")


def _one_line(text: str) -> str:
    return " ".join(text.splitlines()).strip()


def _drop_output() -> None:
    """Let the interpreter flush its standard output into nothing when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Let the signals that end a process raise, so that temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending = [number for number in signal.Signals if number.name in {"SIGTERM", "SIGHUP"}]
    before = {
        number: signal.signal(number, _terminate)
        for number in ending
        if signal.getsignal(number) is signal.SIG_DFL  # nohup ignores SIGHUP, and should
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _terminate(number: int, _frame: FrameType | None) -> None:
    raise _Terminated(number)
