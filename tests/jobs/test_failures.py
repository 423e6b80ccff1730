"""What a user reads when something goes wrong, from exceptions as they really come."""

import errno

import numpy as np
import pytest
import torch

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.imaging.errors import ImageError
from ddim_studio.jobs.failures import REPORT, explain
from ddim_studio.models.errors import ModelError

MEMORY = "There is not enough memory for this run."


class OddImageError(ImageError):
    """A special case of an error of our own."""


def caught(cause):
    try:
        cause()
    except Exception as error:  # noqa: BLE001 (any error is what is wanted)
        return error
    raise AssertionError("nothing went wrong")


def raising(error):
    def cause():
        raise error

    return cause


@pytest.mark.parametrize(
    ("error", "message", "advice"),
    [
        (SettingsError("eta", "eta must be a number."), "eta must be a number.", ""),
        (ModelError("No such model.", "Try another."), "No such model.", "Try another."),
        (ImageError("This is no picture."), "This is no picture.", ""),
        (OddImageError("This is an odd picture."), "This is an odd picture.", ""),
        (
            OSError(errno.ENOSPC, "No space left on device", "/a/b.png"),
            "The disk is full: could not write /a/b.png.",
            "Free some space.",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "The disk is full: could not write the file.",
            "Free some space.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/root/x"),
            "Not allowed to use /root/x.",
            "Choose another place.",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "gone.png"),
            "Could not use gone.png: No such file or directory.",
            "Check the path and the disk.",
        ),
        (OSError(), "Could not use the file: unknown reason.", "Check the path and the disk."),
        (
            ZeroDivisionError("by nought"),
            "Something unexpected went wrong (ZeroDivisionError).",
            REPORT,
        ),
        (RuntimeError("shapes"), "Something unexpected went wrong (RuntimeError).", REPORT),
    ],
)
def test_the_table_of_failures(error, message, advice):
    failure = explain(error)
    assert (failure.message, failure.advice) == (message, advice)


@pytest.mark.parametrize(
    "cause",
    [
        lambda: np.empty(10**17),
        lambda: torch.empty(10**15),
        raising(MemoryError()),
        raising(OSError(errno.ENOMEM, "Cannot allocate memory")),
        raising(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")),
        raising(RuntimeError("CUDA error: out of memory")),
        raising(RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)")),
        raising(RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9")),
    ],
)
def test_memory_that_ran_out(cause):
    failure = explain(caught(cause))
    assert failure.message == MEMORY
    assert "fewer images" in failure.advice


def test_details_hold_the_place_the_error_and_its_cause():
    def cause():
        try:
            {}["the root of it"]
        except KeyError as error:
            raise ModelError("No such model.") from error

    details = explain(caught(cause)).details
    for part in ("the root of it", "No such model.", "test_failures.py", "in cause"):
        assert part in details
