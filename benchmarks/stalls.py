"""Lateness of the window's event loop during a run, and the wait for the first denoised frame.

    python benchmarks/stalls.py [--model NAME] [--steps 50] [--count 16] [--runs 3]

A timer asks to be called every 5 ms; how much later it is called is how long the window would not
have answered. The real window, the real worker thread, the bundled model; offscreen by default.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from ddim_studio.gui.app import create_window
from ddim_studio.gui.main_window import MainWindow
from engine_home import engine_home
from eventloop import pause, wait

TICK_MS = 5


class Lateness:
    """Collects how late a 5 ms timer is."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(1000 * (now - self._last) - TICK_MS)
        self._last = now

    def take(self) -> list[float]:
        """What was collected since the last time, sorted, in milliseconds."""
        taken, self.late = sorted(self.late), []
        return taken


def one_run(window: MainWindow) -> tuple[float, float]:
    """Seconds from Run to the first denoised frame on show, and to the end."""
    panel, timeline = window.sample.panel, window.sample.stage.timeline
    begun = time.perf_counter()
    panel.run_button.click()
    wait(lambda: timeline.position() >= 1)
    first = time.perf_counter() - begun
    wait(lambda: not window.controller.monitor.is_busy())
    return first, time.perf_counter() - begun


def describe(name: str, late: list[float]) -> None:
    """Print the upper end of a distribution."""
    at = {p: late[min(len(late) - 1, int(p * len(late)))] for p in (0.5, 0.99, 0.999)}
    print(
        f"{name}: late by median {at[0.5]:.1f}, p99 {at[0.99]:.1f}, p99.9 {at[0.999]:.1f}, "
        f"max {late[-1]:.1f} ms ({len(late)} ticks)"
    )


def main() -> None:
    """Start the window, run a few times, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    engine_home(options.model)
    application = QApplication([])
    window = create_window()
    window.sample.panel.model.set_source(options.model)
    window.show()
    lateness = Lateness()
    pause(200)  # the window asks for its model once it is up
    wait(lambda: not window.controller.monitor.is_busy())
    pause(500)
    describe("starting up (imports, model)", lateness.take())
    window.sample.panel.steps.setValue(options.steps)
    window.sample.panel.count.setValue(options.count)
    for number in range(options.runs):
        window.sample.panel.seed.set_value(1000 * number + 1000)  # nothing is read from memory
        first, whole = one_run(window)
        print(
            f"run {number + 1}: first denoised frame after {first:.2f} s, all after {whole:.1f} s"
        )
        describe(f"run {number + 1}", lateness.take())
    window.close()
    application.quit()


if __name__ == "__main__":
    main()
