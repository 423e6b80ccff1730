"""From an exception to what a user reads: what happened, what to do, and details to copy."""

from __future__ import annotations

import errno
import traceback

from ddim_studio.jobs.events import Failure

OWN_ERRORS = {"SettingsError", "ModelError", "ImageError", "InterpolationError"}
REPORT = "Copy the details and report them: this is a fault of the program."


def explain(error: BaseException) -> Failure:
    """The failure that an exception stands for.

    Errors that the program raises on purpose carry their own sentence (and ``advice``); those of
    memory and disk get one; anything else is called what it is, a fault of the program.
    """
    details = "".join(traceback.format_exception(error))
    advice = getattr(error, "advice", "")
    name = type(error).__name__
    if OWN_ERRORS & {kind.__name__ for kind in type(error).__mro__}:
        return Failure(str(error), advice, details)
    if is_out_of_memory(error):
        return Failure(
            "There is not enough memory for this run.",
            "Take fewer images at a time, or another device.",
            details,
        )
    if isinstance(error, OSError):
        return _file_failure(error, details)
    return Failure(f"Something unexpected went wrong ({name}).", REPORT, details)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether there was not enough memory, of the computer or of the device."""
    known = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return known or _is_allocation(error)


def _is_allocation(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    signs = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)


def _file_failure(error: OSError, details: str) -> Failure:
    where = f" {error.filename}" if error.filename else " the file"
    if error.errno == errno.ENOSPC:
        return Failure(f"The disk is full: could not write{where}.", "Free some space.", details)
    if isinstance(error, PermissionError):
        return Failure(f"Not allowed to use{where}.", "Choose another place.", details)
    reason = error.strerror or "unknown reason"
    return Failure(f"Could not use{where}: {reason}.", "Check the path and the disk.", details)
