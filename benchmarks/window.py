"""A run shown live in the window over the same run without one, turn by turn in one process.

    python benchmarks/window.py [--steps 50] [--counts 1 16] [--rounds 7]

Without a window means: the same job with its frames and numbers, in a worker thread of the same
kind, and its events thrown away. Seeds change from run to run, so that nothing is read from memory.
The time is that of the job, from its first event to its last; medians of each turn's ratio.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from PySide6.QtWidgets import QApplication

from ddim_studio.gui.app import create_window
from ddim_studio.gui.main_window import MainWindow
from ddim_studio.jobs.events import Ended
from ddim_studio.jobs.kinds import KINDS
from ddim_studio.jobs.runner import Job, Runner
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.jobs.workbench import Workbench
from engine_home import engine_home
from eventloop import pause, wait

SAMPLING = KINDS[SampleRun].start
TOOK: list[float] = []


def timed(run: SampleRun, bench: Workbench) -> Job:
    """The job of a run, which notes how long its events took to come."""
    job = SAMPLING(run, bench)
    yield next(job)  # the model is open
    begun = time.perf_counter()
    yield from job
    TOOK.append(time.perf_counter() - begun)


def in_window(window: MainWindow, seed: int) -> None:
    """Press Run on the Sample page, and wait for the end."""
    window.sample.panel.seed.set_value(seed)
    window.sample.panel.run_button.click()
    wait(lambda: not window.controller.monitor.is_busy())


def headless(runner: Runner, window: MainWindow, seed: int) -> None:
    """The same run in another worker thread, while this one only empties the mailbox."""
    run = dataclasses.replace(window.sample.panel.settings(), seed=seed)
    runner.submit("headless", partial(timed, run, window.controller.bench))
    while not isinstance(runner.mailbox.get()[1], Ended):
        pass


def turns(ways: list[Callable[[int], None]], rounds: int) -> list[list[float]]:
    """Seconds of each way in each round but the first, which warms up."""
    found: list[list[float]] = [[] for _ in ways]
    for number in range(rounds + 1):
        for way, seconds in zip(ways, found, strict=True):
            TOOK.clear()
            way(1000 * number)
            if number:
                seconds.extend(TOOK)
    return found


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    engine_home(options.model)
    application = QApplication([])
    KINDS[SampleRun] = dataclasses.replace(KINDS[SampleRun], start=timed)
    window = create_window()
    window.show()
    window.sample.panel.model.set_source(options.model)
    pause(200)
    wait(lambda: not window.controller.monitor.is_busy())
    window.sample.panel.steps.setValue(options.steps)
    runner = Runner("headless")
    for count in options.counts:
        window.sample.panel.count.setValue(count)
        shown = partial(in_window, window)
        alone = lambda seed: headless(runner, window, seed + 500)  # noqa: E731
        with_window, without = turns([shown, alone], options.rounds)
        ratios = [a / b for a, b in zip(with_window, without, strict=True)]
        print(
            f"{count} image(s), S = {options.steps}: {statistics.median(with_window):.3f} s in the "
            f"window, {statistics.median(without):.3f} s without: ratio "
            f"{statistics.median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f})",
            flush=True,
        )
    runner.close()
    window.close()
    application.quit()


if __name__ == "__main__":
    main()
