"""The Compare page during a matrix of 5×4 cells of 8 images: stalls, cancel, memory, lost cells.

    python benchmarks/compare_page.py [--steps 5,10,15,20] [--images 8]

The real window and worker thread on the bundled model; offscreen by default. Every 5 ms a timer
asks to be called; how much later it is called is how long the window would not have answered.
While the matrix runs the selection, the view, the metric and the reference are changed.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter

from PySide6.QtWidgets import QApplication

from ddim_studio.gui.app import create_window
from ddim_studio.gui.main_window import MainWindow
from ddim_studio.gui.pages.compare import ComparePage
from ddim_studio.jobs.matrix import Place
from eventloop import pause, wait
from stalls import Lateness, describe

ETAS = "0, 0.2, 0.5, 1, hat"


def memory_mb() -> float:
    """The most memory that the process has taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def frames_so_far(page: ComparePage) -> int:
    """Frames that have arrived; each but the first of a cell is a network call."""
    record = page.view.record
    return 0 if record is None else sum(len(cell.frames) for cell in record.cells.values())


def use(page: ComparePage, turn: int) -> None:
    """What a person may do meanwhile."""
    view = page.view
    view.matrix.set_selected(Place(turn % 5, turn % 4))
    if turn % 5 == 0:
        view.bar.set_view(("cell", "pair", "matrix")[turn // 5 % 3])
    if turn % 7 == 0:
        page.readout.set_metric(("mse", "psnr", "ssim")[turn // 7 % 3])
    done = view.record.done() if view.record is not None else []
    if done and turn % 11 == 0:
        page.make_reference(done[turn // 11 % len(done)])


def run_to_the_end(window: MainWindow, page: ComparePage) -> float:
    """Run the matrix while using the page; seconds."""
    begun = time.perf_counter()
    page.panel.run_button.click()
    turn = 0
    while window.controller.monitor.is_busy():
        use(page, turn)
        turn += 1
        pause(250)
    return time.perf_counter() - begun


def cancel_in_the_middle(window: MainWindow, page: ComparePage, cells: int) -> int:
    """Run again, cancel after some cells; network calls that were still made."""
    page.panel.run_button.click()
    wait(lambda: page.view.record is not None and len(page.view.record.done()) >= cells, every_ms=1)
    page.panel.cancel_button.click()
    window.controller.monitor.drain()
    before = frames_so_far(page)
    wait(page.panel.run_button.isEnabled, every_ms=1)
    return frames_so_far(page) - before


def tell_of_cells(page: ComparePage) -> None:
    """Print whether all cells are there, and what their frames take."""
    record = page.view.record
    if record is None:
        raise SystemExit("The matrix was not run.")
    held = sum(cell.frames.nbytes for cell in record.cells.values()) / 1024**2
    states = Counter(cell.state for cell in record.cells.values())
    print(f"cells: {dict(states)}, measured: {len(record.scores)}, frames: {held:.1f} MB")


def opened() -> MainWindow:
    """The window on the Compare page, with its model ready."""
    window = create_window()
    window.show()
    window.navigation.pages.setCurrentRow(window.pages.index(window.compare))
    pause(200)
    wait(lambda: not window.controller.monitor.is_busy())
    pause(500)
    return window


def main() -> None:
    """Start the window, run, cancel, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", default="5,10,15,20", help="S of the four columns")
    parser.add_argument("--images", type=int, default=8)
    options = parser.parse_args()
    application = QApplication([])
    window = opened()
    page, lateness = window.compare, Lateness()
    page.panel.rows.set_text("eta", ETAS)
    page.panel.columns.set_text("steps", options.steps)
    page.panel.count.setValue(options.images)
    print(page.panel.cost.said())
    for number in (1, 2):
        before = memory_mb()
        took = run_to_the_end(window, page)
        describe(f"run {number}, {took:.0f} s", lateness.take())
        tell_of_cells(page)
        print(f"memory at the peak: {before:.0f} → {memory_mb():.0f} MB")
    calls = cancel_in_the_middle(window, page, cells=7)
    wait(lambda: not window.controller.monitor.is_busy())
    describe("cancelled run", lateness.take())
    print(f"cancel: {calls} more frames after the click")
    tell_of_cells(page)
    window.close()
    application.quit()


if __name__ == "__main__":
    main()
