"""The Train page while it trains: how late the window's event loop is, and Sample beside it.

    python benchmarks/train_page.py --data IMAGES [--seconds 30] [--size 16]

The real window, the real child process at low priority, the bundled model; offscreen by default.
Every 5 ms a timer asks to be called; how much later it is called is how long the window would not
have answered. Meanwhile the smoothing and the timeline are moved, and then the Sample page runs.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication

from ddim_studio.gui.app import create_window
from ddim_studio.gui.main_window import MainWindow
from ddim_studio.gui.pages.train import TrainPage
from eventloop import pause, wait
from stalls import Lateness, describe, one_run


def begin(page: TrainPage, data: Path, size: int) -> None:
    """Choose images and start a run that does not end by itself."""
    page.take_path(data)
    wait(lambda: page.view.sheet is not None and not page.panel.data.stop.isVisible())
    panel = page.panel
    panel.network.size_spin.setValue(size)
    panel.length.unit.setCurrentText("minutes")
    panel.length.amount.setValue(600)
    panel.more.controls["batch_size"].setValue(16)
    panel.start.click()


def use(page: TrainPage, seconds: float) -> None:
    """What a person may do meanwhile."""
    begun, turn = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        page.view.plot.smoothing.setValue(turn % 12)
        page.view.plot.log.setChecked(turn % 10 >= 5)
        page.view.timeline.set_position(turn)
        turn += 1
        pause(250)


def ready() -> MainWindow:
    """The window on the Train page, everything built."""
    window = create_window()
    window.show()
    window.show_page(window.train)
    pause(200)
    wait(lambda: not window.controller.monitor.is_busy())
    pause(2000)
    return window


def main() -> None:
    """Survey, train, sample beside it, stop; print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--size", type=int, default=16)
    options = parser.parse_args()
    application = QApplication([])
    window = ready()
    page, lateness = window.train, Lateness()
    begin(page, options.data, options.size)
    describe("looking at the images", lateness.take())
    wait(lambda: page.state.begun and page.record is not None and page.record.step > 0)
    describe("starting the process", lateness.take())
    use(page, options.seconds)
    describe(f"training, {page.record.step if page.record else 0} steps", lateness.take())
    window.show_page(window.sample)
    window.sample.panel.steps.setValue(20)
    pause(500)
    lateness.take()
    first, whole = one_run(window)
    describe(f"sampling beside it, first frame {first:.2f} s, all {whole:.1f} s", lateness.take())
    begun = time.perf_counter()
    page.ask_to_stop()
    wait(lambda: not page.desk.is_training())
    print(f"stopped and kept after {time.perf_counter() - begun:.1f} s")
    describe("stopping", lateness.take())
    window.close()
    application.quit()


if __name__ == "__main__":
    main()
