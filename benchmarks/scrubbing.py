"""Milliseconds a frame while scrubbing, zooming and panning: 64 tiles × 1,000 frames.

    python benchmarks/scrubbing.py [--tiles 64] [--steps 1000] [--size 28] [--events 300]

The real window, offscreen by default, with a run of random pictures in it. An event is a move of
the timeline's slider, a notch of the wheel or a move of the mouse, as a hand makes them; its time
goes from there until the window is painted. 60 Hz leave 16.7 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["DDIM_STUDIO_HOME"] = tempfile.mkdtemp()

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSlider

from ddim_studio.gui.app import create_window
from ddim_studio.gui.main_window import MainWindow
from ddim_studio.gui.run_record import RunRecord
from ddim_studio.jobs.events import VIEWS, Frame, Started, StepNumbers
from ddim_studio.jobs.runs import SampleRun
from eventloop import pause, wait


def filled(tiles: int, steps: int, size: int, channels: int) -> RunRecord:
    """A complete run of random pictures and plausible numbers."""
    random = np.random.default_rng(0)
    record = RunRecord(SampleRun(steps=steps, count=tiles, eta=1.0), budget=4 << 30)
    alphas = tuple(float(a) for a in np.linspace(1, 0.001, 1000) ** 2)
    tau = tuple(int(t) for t in np.linspace(999, 0, steps))
    record.started = Started(tau, (channels, size, size), tuple(range(tiles)), "cpu", alphas)
    for index in range(steps + 1):
        shape = (tiles, size, size, channels)
        views = {view: random.integers(0, 256, shape, np.uint8) for view in VIEWS}
        spread = tuple(float(v) for v in random.random(tiles))
        t = tau[min(index, steps - 1)]
        numbers = StepNumbers(t, t - 1, alphas[t], alphas[t], 0.1, 0.5, spread, spread)
        record.add(Frame(index, views, numbers))
    return record


def timed(moves: Iterator[Callable[[], object]]) -> tuple[list[float], list[float]]:
    """Milliseconds from each move to the painted window, and of the processor; both sorted."""
    taken, worked = [], []
    for move in moves:
        begun, cpu = time.perf_counter(), time.process_time()
        move()
        QApplication.processEvents()
        taken.append(1000 * (time.perf_counter() - begun))
        worked.append(1000 * (time.process_time() - cpu))
    return sorted(taken), sorted(worked)


def describe(name: str, milliseconds: list[float]) -> None:
    """Print the middle and the upper end of a distribution."""
    late = milliseconds[min(len(milliseconds) - 1, int(0.99 * len(milliseconds)))]
    print(
        f"{name:26s} median {statistics.median(milliseconds):5.1f} ms, p99 {late:5.1f}, "
        f"max {milliseconds[-1]:5.1f} ({len(milliseconds)} events)"
    )


def scrubbing(window: MainWindow, events: int) -> Iterator[Callable[[], object]]:
    """The slider goes through the run."""
    slider = window.findChild(QSlider, "timelineSlider")
    last = slider.maximum()
    for event in range(1, events + 1):
        yield lambda position=event * last // events: slider.setValue(position)


def zooming(window: MainWindow, events: int) -> Iterator[Callable[[], object]]:
    """The wheel turns a dozen notches in, then out, again and again."""
    view = window.sample.stage.frames
    place = QPointF(view.width() / 3, view.height() / 3)
    for event in range(events):
        turn = QPoint(0, 120 if event // 12 % 2 == 0 else -120)
        wheel = QWheelEvent(
            place,
            view.mapToGlobal(place),
            QPoint(),
            turn,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        yield lambda wheel=wheel: QApplication.sendEvent(view, wheel)


def panning(window: MainWindow, events: int) -> Iterator[Callable[[], object]]:
    """The enlarged grid is dragged about."""
    view = window.sample.stage.frames
    middle = view.rect().center()
    for _ in range(6):
        QTest.keyClick(view, Qt.Key.Key_Plus)

    def mouse(kind: QEvent.Type, place: QPointF) -> Callable[[], object]:
        held = Qt.MouseButton.LeftButton
        event = QMouseEvent(
            kind, place, view.mapToGlobal(place), held, held, Qt.KeyboardModifier.NoModifier
        )
        return lambda: QApplication.sendEvent(view, event)

    mouse(QEvent.Type.MouseButtonPress, QPointF(middle))()
    for event in range(events):
        angle = event / 10
        shift = QPointF(90 * np.cos(angle), 90 * np.sin(angle))
        yield mouse(QEvent.Type.MouseMove, QPointF(middle) + shift)
    mouse(QEvent.Type.MouseButtonRelease, QPointF(middle))()
    view.reset_zoom()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--size", type=int, default=28)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--events", type=int, default=300)
    options = parser.parse_args()
    application = QApplication([])
    window = create_window()
    window.resize(1280, 800)
    window.show()
    pause(200)
    wait(lambda: not window.controller.monitor.is_busy() and not window.is_building())
    record = filled(options.tiles, options.steps, options.size, options.channels)
    stage = window.sample.stage
    begun = time.perf_counter()
    stage.show_record(record)
    application.processEvents()
    print(f"run put on show in {1000 * (time.perf_counter() - begun):.0f} ms")
    for name, moves in (("scrubbing", scrubbing), ("zooming", zooming), ("panning", panning)):
        timed(moves(window, 20))
        taken, worked = timed(moves(window, options.events))
        describe(name, taken)
        describe(f"{name}, processor time", worked)
    window.close()


if __name__ == "__main__":
    main()
