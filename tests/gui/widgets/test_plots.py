"""Plots draw what they are given, wait with pyqtgraph, and answer clicks with x."""

import math
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from ddim_studio.gui import theme
from ddim_studio.gui.widgets.plots import LinePlot


@pytest.fixture
def plot(qtbot):
    made = LinePlot("Norm", "‖x‖", "the norm")
    qtbot.addWidget(made)
    made.resize(300, 160)
    made.show()
    qtbot.waitExposed(made)
    return made


def drawn(plot, name):
    return plot._curves[name].getData()


def test_pyqtgraph_is_imported_at_the_first_line_only():
    script = (
        "import sys; from PySide6.QtWidgets import QApplication; app = QApplication([]);"
        "from ddim_studio.gui.widgets.plots import LinePlot; p = LinePlot('a', 'b', 'c');"
        "p.set_x([0, 1], 'x'); p.set_cursor(1.0); p.clear();"
        "assert 'pyqtgraph' not in sys.modules;"
        "p.set_series('y', [1, 2]); assert 'pyqtgraph' in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_a_growing_line_uses_the_first_of_x(plot):
    plot.set_x([10, 20, 30, 40], "t")
    for n in range(1, 5):
        plot.set_series("y", [float(v * v) for v in range(n)])
    x, y = drawn(plot, "y")
    assert list(x) == [10, 20, 30, 40]
    assert list(y) == [0, 1, 4, 9]
    with pytest.raises(ValueError, match="5 values for 4"):
        plot.set_series("y", [0.0] * 5)


def test_gaps_and_empty_lines_warn_of_nothing(plot):
    plot.set_x(range(4), "t")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot.set_series("gap", [1.0, math.nan, 3.0, 4.0])
        plot.set_series("none", [math.nan] * 4)
        plot.set_series("empty", [])
        plot.grab()
    assert math.isnan(drawn(plot, "gap")[1][1])


def test_logarithms_leave_gaps_for_what_has_none(qtbot):
    plot = LinePlot("Change", "", "", log_y=True)
    qtbot.addWidget(plot)
    plot.show()
    plot.set_x(range(4), "t")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot.set_series("y", [0.0, -1.0, 10.0, 1000.0])
        plot.grab()
    _, y = drawn(plot, "y")
    assert np.isnan(y[:2]).all()
    np.testing.assert_allclose(y[2:], [1, 3])


def test_a_click_tells_x(plot, qtbot):
    plot.set_x(range(51), "t")
    plot.set_series("y", list(range(51)))
    plot.grab()
    view = plot._plot.getViewWidget()
    box = plot._plot.getViewBox()
    point = view.mapFromScene(box.mapViewToScene(QPointF(20.0, 25.0)))
    with qtbot.waitSignal(plot.clicked) as told:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert told.args[0] == pytest.approx(20, abs=0.5)


def test_the_cursor_stands_at_its_x_and_does_not_widen_the_range(plot):
    plot.set_x(range(11), "t")
    plot.set_series("y", [1.0] * 11)
    plot.set_cursor(4.0)
    assert plot._cursor.value() == 4.0
    assert plot._cursor.isVisible()
    plot.set_cursor(500.0)
    plot.grab()
    assert plot._plot.getViewBox().viewRange()[0][1] < 20
    plot.set_cursor(None)
    assert not plot._cursor.isVisible()


def test_clear_removes_lines_and_legend(plot):
    plot.set_x(range(3), "t")
    plot.set_series("a", [1, 2, 3])
    plot.set_series("b", [1, 2, 3], dashed=True)
    assert "a" in plot._legend.text()
    plot.clear()
    assert plot._curves == {}
    assert plot._legend.text() == ""
    plot.set_series("c", [1, 2, 3])
    assert list(drawn(plot, "c")[1]) == [1, 2, 3]


def test_it_follows_the_theme(plot, qapp, qtbot):
    plot.set_x(range(3), "t")
    plot.set_series("a", [1, 2, 3])
    try:
        for mode, chosen in (("dark", theme.DARK), ("light", theme.LIGHT)):
            theme.apply_theme(qapp, mode)
            paper = QColor(chosen.surface)
            qtbot.waitUntil(lambda c=paper: plot.grab().toImage().pixelColor(150, 60) == c)
            assert plot._curves["a"].opts["pen"].color() == QColor(chosen.series[0])
    finally:
        theme.apply_theme(qapp, "light")


def test_a_thousand_points_are_set_within_a_few_milliseconds(plot):
    plot.set_x(range(1001), "t")
    y = np.random.default_rng(0).normal(size=1001)
    plot.set_series("y", y)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        plot.set_series("y", y)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005
    assert not plot._curves["y"].opts["antialias"]


def test_a_line_that_grows_fast_is_drawn_now_and_then_and_whole_in_the_end(plot, qtbot):
    plot.set_x(range(50), "t")
    lengths = set()
    for n in range(1, 51):
        plot.set_series("y", list(range(n)))
        plot.set_cursor(n)
        QApplication.processEvents()
        lengths.add(len(drawn(plot, "y")[1]))
    assert 1 in lengths  # the first at once
    qtbot.waitUntil(lambda: len(drawn(plot, "y")[1]) == 50, timeout=5000)
    assert plot._cursor.value() == 50


def test_what_waits_is_drawn_when_the_run_is_over(plot):
    plot.set_x(range(3), "t")
    plot.set_series("y", [1.0])
    QApplication.processEvents()
    plot.set_series("y", [1.0, 2.0])
    plot.catch_up()
    assert len(drawn(plot, "y")[1]) == 2
