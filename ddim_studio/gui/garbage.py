"""Python's cycle collector, kept out of the worker threads.

It runs in whichever thread happens to allocate. In a worker it may come upon widgets that nothing
refers to any more, and destroy them there: Qt takes a lock and asks for Python's, while the window
holds Python's and asks for Qt's, and both wait for ever (seen, with PySide6 6.11). So while there
is a window the automatic collector is off, and the window's own thread collects now and then.
"""

from __future__ import annotations

import gc


class WindowCollector:
    """Collects garbage cycles in the thread that calls it, and nowhere else."""

    def __init__(self) -> None:
        self._was_enabled = gc.isenabled()
        gc.disable()

    def collect_if_due(self, *, at_leisure: bool = False) -> None:
        """Collect when the automatic collector would have.

        Args:
            at_leisure: Nothing runs; the old generation, which takes longest, may be collected too.
        """
        young, middle, old = gc.get_count()
        first, second, third = gc.get_threshold()
        if at_leisure and old > third:
            gc.collect()
        elif middle > second:
            gc.collect(1)
        elif young > first:
            gc.collect(0)

    @staticmethod
    def spare_libraries() -> None:
        """Leave all that is there by now out of every later collection, which stays short."""
        gc.freeze()

    def close(self) -> None:
        """Hand over to the automatic collector again."""
        if self._was_enabled:
            gc.enable()
