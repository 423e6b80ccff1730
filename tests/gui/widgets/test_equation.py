"""The step's equation fits its room, wears the plots' colours, and says the numbers aloud."""

import numpy as np
import pytest
from PySide6.QtGui import QColor

from ddim_studio.gui import theme
from ddim_studio.gui.typeset import letters, root, row, sub
from ddim_studio.gui.widgets.equation import StepEquation


@pytest.fixture
def equation(qtbot, qapp):
    theme.apply_theme(qapp, "light")
    made = StepEquation()
    qtbot.addWidget(made)
    made.resize(700, 84)
    made.show()
    return made


def ink(widget):
    """Columns and rows of the widget's picture with something on them."""
    image = widget.grab().toImage().convertToFormat(widget.grab().toImage().Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    marked = rows != rows[0, 0]
    return np.flatnonzero(marked.any(axis=0)), np.flatnonzero(marked.any(axis=1)), rows


@pytest.mark.parametrize("width", [1000, 700, 420])
def test_nothing_is_cut_off(equation, width):
    equation.resize(width, 84)
    equation.set_numbers(640, 620, 0.8012, 0.5873, 0.0412)
    columns, rows, _ = ink(equation)
    assert columns[0] >= 2
    assert columns[-1] <= width - 3
    assert rows[0] >= 1
    assert rows[-1] <= 82


def test_the_terms_have_the_colours_of_the_plots(equation):
    equation.set_numbers(640, 620, 0.8, 0.5, 0.1)
    _, _, pixels = ink(equation)
    for color in theme.current_colors().series[:3]:
        assert (pixels == QColor(color).rgb()).sum() > 20


def test_the_numbers_are_in_the_accessible_description(equation):
    equation.set_numbers(640, 620, 0.8012, 0.5873, 0.0412)
    words = equation.accessibleDescription()
    for part in ("640", "620", "0.8012", "0.5873", "0.0412"):
        assert part in words
    equation.set_numbers(None, 0, 0, 0, 0)
    assert "N(0, I)" in equation.accessibleDescription()


def test_the_first_frame_is_another_picture(equation):
    equation.set_numbers(None, 0, 0, 0, 0)
    start = equation.grab().toImage()
    equation.set_numbers(20, -1, 1.0, 0.0, 0.0)
    assert equation.grab().toImage() != start


@pytest.mark.usefixtures("qapp")
def test_boxes_add_up():
    x, t = letters("x", 18), letters("t", 12)
    assert row(x, t, x).width == pytest.approx(2 * x.width + t.width)
    indexed = sub(x, t)
    assert indexed.descent > x.descent
    assert indexed.width == pytest.approx(x.width + t.width)
    assert root(indexed).ascent > indexed.ascent
