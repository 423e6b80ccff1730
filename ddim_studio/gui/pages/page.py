"""What every page has in common: how it asks for jobs, and how it hears of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.jobs.events import Ended, Event
    from ddim_studio.jobs.runner import Job


@dataclass(frozen=True)
class OpenModel:
    """A wish to have a model ready."""

    source: str
    device: str


@dataclass(frozen=True)
class FileWork:
    """A wish to write a file beside whatever runs: a title, and what makes the job."""

    title: str
    start: Callable[[], Job]


class Page(QWidget):
    """A page of the window.

    Signals:
        run_requested: Settings of a run; the controller makes the job of them.
        cancel_requested: Stop this page's run.
        model_requested: An `OpenModel`.
        file_requested: A `FileWork`.
        live_requested: An order of a live control; the newest one replaces those before it.
        problem: A `Failure` to show in the error bar.
        said: A sentence to show in the error bar as a notice.
    """

    title: ClassVar[str] = ""
    icon_name: ClassVar[str] = ""

    run_requested = Signal(object)
    cancel_requested = Signal()
    model_requested = Signal(object)
    file_requested = Signal(object)
    live_requested = Signal(object)
    problem = Signal(object)
    said = Signal(str)

    def begin(self) -> None:
        """A run of this page was accepted."""

    def receive(self, events: Sequence[Event]) -> None:
        """Events of this page's run have arrived, in order."""

    def end(self, ended: Ended) -> None:
        """This page's run is over."""

    def receive_live(self, events: Sequence[Event]) -> None:
        """Events of this page's live orders have arrived, in order, `Ended` included."""
