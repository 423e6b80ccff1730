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
FINISHED, FAILED, USAGE = 0, 1, 2
SIGNAL_CODE = 128
"""A process ended by signal n exits with this plus n, as shells have it: 130 for Ctrl-C."""


class UsageError(Exception):
    """A wrong argument. The message names it and what is allowed, in one line."""


class _Interruption(KeyboardInterrupt):
    """A signal wants the process to end.

    It has a type of its own because of Python: once a plain KeyboardInterrupt has passed through
    code that was made from a text, as that of a dataclass is while its module loads, the process
    dies of SIGINT at its end, whatever exit code it gives.
    """


class FailureError(Exception):
    """What failed, explained already."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


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
    received: list[int] = []
    try:
        with _signals_raise(received):
            code = action()
            sys.stdout.flush()
            return code
    except UsageError as error:
        tell(f"{name}: {_one_line(str(error))}")
        return USAGE
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _drop_output()
        return FAILED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (where all errors end)
        if received or isinstance(error, KeyboardInterrupt):
            return _stopped(name, received[0] if received else signal.SIGINT)
        _tell_failure(name, error, debug=debug)
        return FAILED


def _stopped(name: str, number: int) -> int:
    if number == signal.SIGINT:
        tell(f"{name}: interrupted.")
    return SIGNAL_CODE + number


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
def _signals_raise(received: list[int]) -> Iterator[None]:
    """Let the signals that end a process raise, so that temporary files are removed.

    They are listed in ``received`` as well: libraries in C that are interrupted while they load
    raise an error of their own instead.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise _Interruption

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = (signal.SIG_DFL, signal.default_int_handler)  # nohup ignores SIGHUP, and should
    before = {
        number: signal.signal(number, stop)
        for number in signal.Signals
        if number.name in {"SIGINT", "SIGTERM", "SIGHUP"} and signal.getsignal(number) in usual
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
