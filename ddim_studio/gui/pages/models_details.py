"""The right column of the Models page: what a model is, what it needs, where it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from ddim_studio.gui import words
from ddim_studio.gui.cards import carded
from ddim_studio.gui.facts import Facts
from ddim_studio.gui.model_choice import DEVICE_TIP
from ddim_studio.gui.remark import Remark
from ddim_studio.gui.theme import SPACE
from ddim_studio.gui.widgets.panels import Section
from ddim_studio.gui.widgets.plots import LinePlot
from ddim_studio.jobs.runs import DEVICE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.jobs.events import ModelOpened
    from ddim_studio.jobs.model_events import CardRead, MemoryMeasured
    from ddim_studio.models.info import ModelInfo

_ROWS = {
    "images": ("Images", "Width and height of the images that the network draws."),
    "classes": ("Classes", "How many classes it draws; a run chooses one."),
    "parameters": ("Parameters", "How many numbers were learned, and their size on the disk."),
    "schedule": ("Schedule", "How β, the noise added by a step of the forward process, grows."),
    "timesteps": ("Timesteps", "T, the steps of the forward process that it was trained with."),
    "prediction": ("Prediction", "What the network predicts, from which x̂₀ and ε follow."),
    "precision": ("Precision", "What runs the network, and the type of the numbers it uses."),
    "memory": ("Memory", "What the model takes of its device's memory."),
    "family": ("Family", "Which kind of checkpoint it is."),
    "licence": ("Licence", "As its card says."),
    "used": ("Used on", "The pages that are set to this model."),
    "source": ("Source", "Where it comes from."),
}
_PLOT_HEIGHT = 168
_BYTES = 4
_COUNTED = 16
_ESTIMATE = (
    "Memory is that of the weights alone, at 4 bytes each. What a network call takes beside them "
    "is measured when the model is opened."
)


class ModelDetails(QScrollArea):
    """Facts, memory, device and schedule.

    Signals:
        device_chosen: Where the model is to run from now on.
    """

    device_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._info: ModelInfo | None = None
        self._engines: dict[str, str] = {}
        self.facts = Facts(_ROWS, cut=("source",))
        self.measured = Remark()
        self.measured.setObjectName("memoryRemark")
        self.notes = Remark()
        self.notes.setObjectName("modelNotes")
        self.plot = LinePlot(
            "Schedule ᾱ", "", "ᾱ_t, the share of the image's variance left at timestep t."
        )
        self.plot.setFixedHeight(_PLOT_HEIGHT)
        self.device = QComboBox()
        self.device.setObjectName("modelDeviceCombo")
        self.device.addItems(DEVICE_NAMES)
        self.device.currentTextChanged.connect(self.device_chosen)
        place = Section()
        place.add_row("Device", self.device, DEVICE_TIP)
        place.add_widget(self.measured)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(SPACE, 0, 2 * SPACE, 0)
        column.setSpacing(SPACE + 4)
        column.addWidget(carded(self.facts, self.notes))
        column.addWidget(place)
        column.addWidget(carded(self.plot))
        column.addStretch(1)
        self.setWidget(inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_nothing(self) -> None:
        """No model is known."""
        self._info = None
        self.facts.clear()
        self.measured.say("")
        self.notes.say("")
        self.plot.clear()

    def show_card(self, card: CardRead, memory: MemoryMeasured | None) -> None:
        """Show what a model is."""
        self._info = card.info
        for key, text in _facts(card.info).items():
            self.facts.set_text(key, text)
        self.facts.set_text("precision", self._engine(card.info))
        self.notes.say("\n".join(card.info.notes), "warning")
        self.show_memory(memory)
        self.plot.clear()
        self.plot.set_x([float(t) for t in range(len(card.alpha_bars))], "t")
        self.plot.set_series("ᾱ", card.alpha_bars)

    def show_memory(self, memory: MemoryMeasured | None) -> None:
        """Say what the model takes: estimated from its weights, or as measured."""
        if self._info is None:
            return
        if memory is None:
            least = words.size(_BYTES * self._info.parameters)
            self.facts.set_text("memory", f"{least} and more")
            self.measured.say(_ESTIMATE)
            return
        weights, call = words.size(memory.weights), words.size(memory.call)
        many = words.size(memory.weights + _COUNTED * memory.call)
        cuda = memory.device.startswith("cuda")
        what = "what torch allocated in" if cuda else "the tensors alive at a time during"
        self.facts.set_text("memory", f"{weights} + {call} an image")
        self.measured.say(
            f"Memory is that of the weights, and of {what} a network call, as measured on "
            f"{memory.device}. {_COUNTED} images at a time take about {many}."
        )

    def show_engine(self, found: ModelOpened) -> None:
        """Keep what runs the network of an opened model, and say it if the model is on show."""
        self._engines[found.info.source] = found.engine
        if self._info is not None:
            self.facts.set_text("precision", self._engine(self._info))

    def _engine(self, info: ModelInfo) -> str:
        """What runs a network, such as "OpenVINO, float32", as far as it is known."""
        return self._engines.get(info.source) or "float32"

    def show_uses(self, titles: Sequence[str], pages: Sequence[str]) -> None:
        """Say which of the pages are set to the model."""
        everywhere = bool(pages) and list(titles) == list(pages)
        self.facts.set_text("used", "every page" if everywhere else ", ".join(titles))

    def show_device(self, device: str) -> None:
        """Show where the model runs; this is no choice of the user."""
        with QSignalBlocker(self.device):
            self.device.setCurrentText(device)

    def slow_parts(self) -> list[Callable[[], None]]:
        """The plot."""
        return [self.plot.prepare]


def _facts(info: ModelInfo) -> dict[str, str]:
    channels, height, width = info.image_shape
    colour = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
    return {
        "images": f"{width}×{height} pixels, {colour}",
        "classes": f"{info.classes}, from 0 to {info.classes - 1}" if info.classes else "",
        "parameters": f"{info.parameters / 1e6:.1f} million, {words.size(info.nbytes)}",
        "schedule": info.schedule,
        "timesteps": f"T = {info.timesteps}",
        "prediction": info.prediction,
        "family": info.family,
        "licence": info.licence,
        "source": "bundled" if info.source == info.name else info.source,
    }
