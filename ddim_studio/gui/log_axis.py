"""A logarithmic axis whose labels never overlap. Imports pyqtgraph: import it late."""

from __future__ import annotations

import math

import pyqtgraph

MOST_DECADES = 5


class LogAxis(pyqtgraph.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Ticks at whole decades, or at 1, 2 and 5 times them where the range is short."""

    def logTickValues(
        self,
        minVal: float,  # noqa: N803 (pyqtgraph's names)
        maxVal: float,  # noqa: N803
        size: float,  # noqa: ARG002
        stdTicks: object,  # noqa: ARG002, N803
    ) -> list[tuple[float, list[float]]]:
        """One level of ticks, as log10 of their values."""
        return [(1.0, log_ticks(minVal, maxVal))]


def log_ticks(low: float, high: float) -> list[float]:
    """Where to label a logarithmic axis from 10**low to 10**high, as log10 of the values."""
    span = high - low
    every = max(1, math.ceil(span / MOST_DECADES))
    mantissas = (1,) if span > 2 else (1, 3) if span > 1 else (1, 2, 5)
    decades = range(math.floor(low), math.ceil(high) + 1)
    ticks = [d + math.log10(m) for d in decades if d % every == 0 for m in mantissas]
    return [tick for tick in ticks if low <= tick <= high]
