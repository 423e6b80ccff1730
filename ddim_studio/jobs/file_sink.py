"""What all sinks that write files have in common: a place that exists, and nothing left behind."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ddim_studio.jobs.sample import Sink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from torch import Tensor

    from ddim_studio.diffusion.sampling import Step
    from ddim_studio.jobs.runs import SampleRun


@dataclass(frozen=True)
class Plan:
    """What a sink must know of a run before it begins.

    Attributes:
        run: What is asked for.
        timesteps: τ, descending.
        image_shape: (C, H, W).
    """

    run: SampleRun
    timesteps: tuple[int, ...]
    image_shape: tuple[int, int, int]


class FileSink(Sink):
    """A sink whose folder is made when it opens, and unmade when it fails.

    Subclasses say in `_open` what they enter, and in `_complete` what is left to do at a good end.

    Args:
        path: The file or folder that is written.
        folder: The folder that must exist for that.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(made(self._folder))
            self._open(stack)
            stack.push(self._end)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def paths(self) -> Sequence[Path]:
        """The file or folder."""
        return (self.path,)

    def _open(self, stack: ExitStack) -> None:
        """Enter the writers on ``stack``."""

    def _complete(self) -> None:
        """Write what is still to be written."""

    def _end(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._complete()


class Tee(Sink):
    """Several sinks that take the same run; when one fails, none leaves anything behind."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for sink in self._sinks:
                stack.enter_context(sink)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def start(self, x_T: Tensor, first_image: int) -> None:  # noqa: N803 (the paper's name)
        """A batch begins, for each sink."""
        for sink in self._sinks:
            sink.start(x_T, first_image)

    def step(self, step: Step, first_image: int) -> None:
        """The batch took a step, for each sink."""
        for sink in self._sinks:
            sink.step(step, first_image)

    def paths(self) -> Sequence[Path]:
        """The paths of all sinks."""
        return [path for sink in self._sinks for path in sink.paths()]


def check_place(folder: Path) -> None:
    """Try whether files can be written in a folder, making it for the trial if it is missing.

    Raises:
        OSError: They cannot; it names the folder.
    """
    made: list[Path] = []
    try:
        _make(folder, made)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder.absolute())) from error
    finally:
        _unmake(made)


@contextmanager
def made(folder: Path) -> Iterator[None]:
    """A folder that exists; on failure those made for it are removed if they are empty."""
    made: list[Path] = []
    try:
        _make(folder, made)
        yield
    except BaseException:
        _unmake(made)
        raise


def _make(folder: Path, made: list[Path]) -> None:
    """Make a folder and its missing parents, and list those that were made."""
    missing = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    for path in reversed(missing):
        with suppress(FileExistsError):  # another process of this run was faster
            path.mkdir()
            made.append(path)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def _unmake(made: Sequence[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):  # not empty: it is in use by now
            path.rmdir()
