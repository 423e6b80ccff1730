"""A run of training in a process of its own, followed to its end. Torch-free."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ddim_studio.jobs.training_child import TrainingChild
from ddim_studio.jobs.training_events import ChildEnded, Looked
from ddim_studio.jobs.training_reader import RunReader
from ddim_studio.training.legs import OPTIONS
from ddim_studio.training.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from ddim_studio.jobs.runner import Job
    from ddim_studio.training.settings import TrainSettings

LOOK_SECONDS = 0.2
END_SECONDS = 8.0
"""How long a window that closes waits for the end of the process."""
_SWITCHES = ("flip", "compile")


@dataclass(frozen=True)
class TrainOrder:
    """Train a model, or go on.

    Attributes:
        settings: Of the run.
        folder: Of the model.
        resume: Whether a run that is there goes on.
    """

    settings: TrainSettings
    folder: Path
    resume: bool = False


@dataclass(frozen=True)
class TrainControl:
    """What is wanted of a run; any thread may set it.

    Attributes:
        stop: Whether it is to end, with a checkpoint and its model.
        pause: Whether it is to wait.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    pause: threading.Event = field(default_factory=threading.Event)


def arguments(order: TrainOrder) -> list[str]:
    """The options of the command ``train`` that do what an order says."""
    options = [f"--out={order.folder}"]
    if order.resume:
        options.append("--resume")
    for name, value in order.settings.to_dict().items():
        flag = OPTIONS.get(name, f"--{name.replace('_', '-')}")
        if name in _SWITCHES:
            options += [flag] if value else []
        elif value is not None and name not in ("kind", "version"):
            options.append(f"{flag}={_written(name, value)}")
    return options


def _written(name: str, value: Any) -> str:  # noqa: ANN401 (of any setting)
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or ("none" if name == "attention" else "")
    return str(value)


def train_beside_job(order: TrainOrder, control: TrainControl) -> Job:
    """Train in a process of its own, and tell of everything that its folder shows.

    Cancelled, it stops the process as `TrainControl.stop` does, and waits for its end for some
    seconds.

    Yields:
        What `RunReader.news` yields, `Looked` a few times a second, and `ChildEnded`.

    Raises:
        OSError: The process cannot be started.
    """
    folder, reader = RunFolder(order.folder), RunReader(order.folder)
    child = TrainingChild(arguments(order))
    try:
        running = True
        while running:
            running = child.is_running()
            yield from reader.news()
            if control.stop.is_set():
                child.stop()
            _hold(folder, paused=control.pause.is_set() and not control.stop.is_set())
            yield Looked()
            if running:
                child.wait(LOOK_SECONDS)
        yield ChildEnded(child.code(), child.failure())
    finally:
        child.stop()
        child.wait(END_SECONDS)
        _hold(folder, paused=False)
        child.close()


def _hold(folder: RunFolder, *, paused: bool) -> None:
    """Make or remove the file that lets a run wait; a folder that is not there yet has none."""
    if folder.pause.exists() == paused:
        return
    try:
        folder.pause.touch() if paused else folder.pause.unlink()
    except OSError:
        return
