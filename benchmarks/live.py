"""From the move of a control to the picture that answers it: coarse first, then whole.

    python benchmarks/live.py [--model NAME] [--moves 20] [--steps 50]

The real window and worker, offscreen by default, idle between two moves. On the Sample page η and
the seed are changed in turn, with Live preview on; on the Interpolate page α, between two samples.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from PySide6.QtWidgets import QApplication, QSlider

from ddim_studio.gui.app import create_window
from ddim_studio.gui.image_source import bundled_samples, from_file
from ddim_studio.gui.main_window import MainWindow
from engine_home import engine_home
from eventloop import pause, wait


def settle(window: MainWindow) -> None:
    """Let everything end."""
    pause(50)
    wait(lambda: not window.controller.monitor.is_busy())
    pause(100)


def answers(
    window: MainWindow, move: Callable[[int], None], shown: list[float], moves: int
) -> tuple[list[float], list[float]]:
    """Milliseconds to the first and to the last picture of each move."""
    first, last = [], []
    for number in range(moves + 1):
        shown.clear()
        begun = time.perf_counter()
        move(number)
        settle(window)
        if number and shown:  # the first one warms up
            first.append(1000 * (shown[0] - begun))
            last.append(1000 * (shown[-1] - begun))
    return first, last


def describe(name: str, times: tuple[list[float], list[float]]) -> None:
    """Print medians and the slowest."""
    first, last = times
    print(
        f"{name}: first picture after {statistics.median(first):.0f} ms (most {max(first):.0f}), "
        f"the whole after {statistics.median(last):.0f} ms ({len(first)} moves)",
        flush=True,
    )


def on_sample_page(window: MainWindow, moves: int) -> None:
    """η and the seed, one image."""
    page, shown = window.sample, []
    page.panel.count.setValue(1)
    page.live.shown.connect(lambda _record, _final: shown.append(time.perf_counter()))
    page.panel.live.setChecked(True)
    settle(window)
    etas = lambda number: page.panel.eta.set_value(0.02 + number / (moves + 2))  # noqa: E731
    describe("η", answers(window, etas, shown, moves))
    seeds = lambda number: page.panel.seed.set_value(1000 + number)  # noqa: E731
    describe("another seed", answers(window, seeds, shown, moves))
    page.panel.live.setChecked(False)


def on_interpolate_page(window: MainWindow, moves: int) -> None:
    """The α slider."""
    page, shown = window.interpolate, []
    window.show_page(page)
    for end, sample in enumerate(bundled_samples()[-2:]):
        page.give(end, from_file(sample))
    settle(window)
    page.panel.run_button.click()
    settle(window)
    slider = page.findChild(QSlider, "alphaSlider")
    result = page.view.result
    draw = result.set_pixels

    def noted(*arguments: object) -> None:
        draw(*arguments)
        shown.append(time.perf_counter())

    result.set_pixels = noted
    places = lambda number: slider.setValue(37 + 45 * number)  # noqa: E731
    describe("α", answers(window, places, shown, moves))


def main() -> None:
    """Print the times of each control."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    engine_home(options.model)
    application = QApplication([])
    window = create_window()
    for page in (window.sample, window.interpolate):
        page.panel.model.set_source(options.model)
        page.panel.steps.setValue(options.steps)
    window.show()
    pause(300)
    settle(window)
    on_sample_page(window, options.moves)
    on_interpolate_page(window, options.moves)
    window.close()
    application.quit()


if __name__ == "__main__":
    main()
