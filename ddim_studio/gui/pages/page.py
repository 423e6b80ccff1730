"""What every page has in common: how it asks for jobs, and how it hears of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.diffusion.settings import Precision
    from ddim_studio.gui.model_choice import ModelChoice
    from ddim_studio.jobs.events import Ended, Event, ModelOpened
    from ddim_studio.jobs.model_events import FastMeasured
    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.info import ModelInfo


@dataclass(frozen=True)
class OpenModel:
    """A wish to have a model ready."""

    source: str
    device: str
    precision: Precision = "precise"


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
        live_cancelled: The last order of a live control is not wanted any more.
        side_requested: An order that needs no network, to be done beside whatever runs; the newest
            one replaces those before it. `receive_live` hears of it.
        problem: A `Failure` to show in the error bar.
        said: A sentence to show in the error bar as a notice.
        sent: A place ("invert", "A" or "B") and the `ImageSource` to bring there.
        settings_sent: A `SampleRun` to take on the Sample page.
        use_requested: The source of a model, and the title of the page that is to use it, or "".
    """

    title: ClassVar[str] = ""
    icon_name: ClassVar[str] = ""

    run_requested = Signal(object)
    cancel_requested = Signal()
    model_requested = Signal(object)
    file_requested = Signal(object)
    live_requested = Signal(object)
    live_cancelled = Signal()
    side_requested = Signal(object)
    problem = Signal(object)
    said = Signal(str)
    sent = Signal(str, object)
    settings_sent = Signal(object)
    use_requested = Signal(str, str)

    def begin(self) -> None:
        """A run of this page was accepted."""

    def receive(self, events: Sequence[Event]) -> None:
        """Events of this page's run have arrived, in order."""

    def end(self, ended: Ended) -> None:
        """This page's run is over."""

    def receive_live(self, events: Sequence[Event]) -> None:
        """Events of this page's live or side orders have arrived, in order, `Ended` included."""

    def model(self) -> ModelChoice | None:
        """Where this page's model is chosen, if it has one."""
        return None

    def show_model(self, info: ModelInfo, device: str) -> None:
        """The model that this page has chosen is open."""

    def show_engine(self, found: ModelOpened | FastMeasured) -> None:
        """What runs the network of the chosen model, or how exact its fast one is."""

    def precision(self) -> Precision:
        """How exact the network is to compute here."""
        return "precise"

    def ask_for_model(self) -> None:
        """Have the chosen model opened ahead of its first run."""
        choice = self.model()
        if choice is not None:
            wish = OpenModel(choice.source(), choice.device.currentText(), self.precision())
            self.model_requested.emit(wish)

    def slow_parts(self) -> list[Callable[[], None]]:
        """What builds the parts that need the plots' library; called one by one once it is."""
        return []

    def close_down(self) -> None:
        """The window is closing: ask for nothing more."""

    def memory(self) -> dict[str, Any] | None:
        """Settings to remember until the next start, or None."""
        return None

    def recall(self, values: dict[str, Any]) -> None:
        """Take settings from the last start; raises `SettingsError` if they are damaged."""
