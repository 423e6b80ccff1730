"""Saving what the Forward page shows: pictures, the way to noise, curves and the bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ddim_studio.gui.file_dialogs import ANIMATIONS, PICTURES, ask_where
from ddim_studio.gui.forward_curves import (
    WEIGHT_ETAS,
    beta_curves,
    coefficient_curves,
    log_snr,
    weight_curves,
)
from ddim_studio.gui.pages.compare_saving import FIGURES, TABLES
from ddim_studio.gui.pages.file_menu import FileMenu
from ddim_studio.jobs.export import save_animation, save_picture
from ddim_studio.jobs.forward_files import (
    Panel,
    bound_panels,
    bound_rows,
    panel_rows,
    save_curves,
)
from ddim_studio.jobs.table_file import save_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QWidget

    from ddim_studio.gui.forward_record import ForwardRecord
    from ddim_studio.gui.pages.forward_view import ForwardView
    from ddim_studio.jobs.forward_events import BoundMeasured


class ForwardSaving(FileMenu):
    """The menu at the right of the page's bar.

    Args:
        view: What is shown.
        measured: The bound on show, or None.
        parent: Of the dialogs.
    """

    def __init__(
        self,
        view: ForwardView,
        measured: Callable[[], BoundMeasured | None],
        parent: QWidget,
    ) -> None:
        self._view, self._measured = view, measured
        view.bar.add_tool(
            "zoom-fit", "Fit", "Fit the pictures into the pane (F)", view.frames.reset_zoom
        )
        super().__init__(view.bar, "Save pictures, curves or the bound", parent)
        self._add("saveImage", "Selected picture…", self.save_image)
        self._add("savePictures", "Pictures on show…", self.save_pictures)
        self._add("saveTrajectory", "Way to noise as animation…", self.save_trajectory)
        self.menu.addSeparator()
        self._add("saveCurves", "Curves as figure…", self.save_curves)
        self._add("saveCurveTable", "Curves as table…", self.save_curve_table)
        self._add("saveBound", "Bound as figure…", self.save_bound)
        self._add("saveBoundTable", "Bound as table…", self.save_bound_table)

    def save_image(self) -> None:
        """Save the selected picture at the model's own size."""
        record, pixels = self._view.record, self._view.shown()
        if record is None or pixels is None:
            return
        if path := ask_where(self._parent, "Save the picture", "forward.png", PICTURES):
            chosen = pixels[min(self._view.frames.selected(), len(pixels) - 1)]
            text = record.order.run.to_json()
            self._write(path, lambda: save_picture(path, chosen, text))

    def save_pictures(self) -> None:
        """Save the pictures on show as one sheet."""
        record, pixels = self._view.record, self._view.shown()
        if record is None or pixels is None:
            return
        if path := ask_where(self._parent, "Save the pictures", "forward.png", PICTURES):
            text = record.order.run.to_json()
            self._write(path, lambda: save_picture(path, pixels, text))

    def save_trajectory(self) -> None:
        """Save the view on show at every kept timestep as an animation."""
        record, frames = self._view.record, self._view.trajectory()
        if record is None or not frames:
            return
        if path := ask_where(self._parent, "Save the way to noise", "forward.gif", ANIMATIONS):
            text = record.order.run.to_json()
            self._write(path, lambda: save_animation(path, frames, text))

    def save_curves(self) -> None:
        """Save the plots of the schedule and of the image as one figure."""
        panels = self._panels()
        if panels and (path := ask_where(self._parent, "Save curves", "curves.png", FIGURES)):
            self._write(path, lambda: save_curves(path, panels))

    def save_curve_table(self) -> None:
        """Save the same as a table."""
        panels = self._panels()
        if panels and (path := ask_where(self._parent, "Save curves", "curves.csv", TABLES)):
            self._write(path, lambda: save_rows(path, panel_rows(panels)))

    def save_bound(self) -> None:
        """Save the terms of the bound as a figure."""
        measured = self._measured()
        if measured is None:
            return
        if path := ask_where(self._parent, "Save the bound", "bound.png", FIGURES):
            note, panels = measured.source, bound_panels(measured.bound)
            self._write(path, lambda: save_curves(path, panels, note))

    def save_bound_table(self) -> None:
        """Save the terms of the bound as a table."""
        measured = self._measured()
        if measured is None:
            return
        if path := ask_where(self._parent, "Save the bound", "bound.csv", TABLES):
            self._write(path, lambda: save_rows(path, bound_rows(measured.bound)))

    def _panels(self) -> list[Panel]:
        record = self._view.record
        return [] if record is None or record.started is None else panels_of(record)

    def _shown_image(self) -> QImage:
        return self._view.frames.shown_image()

    def _refresh(self) -> None:
        some = self._view.shown() is not None
        known = self._view.record is not None and self._view.record.started is not None
        measured = self._measured() is not None
        possible = {
            "saveTrajectory": bool(self._view.trajectory()),
            "saveCurves": known,
            "saveCurveTable": known,
            "saveBound": measured,
            "saveBoundTable": measured,
        }
        for action in self.menu.actions():
            action.setEnabled(possible.get(action.objectName(), some))


def panels_of(record: ForwardRecord) -> list[Panel]:
    """The plots of a forward process, as the page shows them."""
    if record.started is None:
        return []
    schedules = {name: np.array(values) for name, values in record.started.schedules.items()}
    own = schedules["model"]
    times = np.arange(len(own), dtype=np.float64)
    logs = {
        name: np.array([log_snr(value) if value > 0 else np.nan for value in values])
        for name, values in schedules.items()
    }
    beta, posterior = beta_curves(own)
    of_x0, of_xt = coefficient_curves(own)
    weights = {f"η = {eta:g}": weight_curves(own, eta) for eta in WEIGHT_ETAS}
    numbers = [n for n in record.numbers if n is not None]
    shown = np.array(record.times[1 : len(numbers) + 1], np.float64)
    variances = {
        "chain": np.array([n.variance_chain for n in numbers]),
        "expected": np.array([n.variance_expected for n in numbers]),
        "scaled to 1": np.array([n.variance_scaled for n in numbers]),
    }
    errors = {
        "MSE of x̂₀": np.array([n.x0_error for n in numbers]),
        "(ε − ε_θ)²": np.array([n.epsilon_error for n in numbers]),
    }
    return [
        Panel("ᾱ", times, "t", schedules),
        Panel("log-SNR", times, "t", logs),
        Panel("β and β̃", times, "t", {"β": beta, "β̃": posterior}, log=True),
        Panel("Coefficients of μ̃", times, "t", {"of x₀": of_x0, "of xₜ": of_xt}),
        Panel("Weights γ of theorem 1", times, "t", weights, log=True),
        Panel("Variance kept", shown, "t", variances),
        Panel("One-step denoising", shown, "t", errors, log=True),
    ]
