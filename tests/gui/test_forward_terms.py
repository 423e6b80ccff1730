"""The equations of the Forward page fit, and their numbers satisfy what they say."""

import math

import numpy as np
import pytest

from ddim_studio.diffusion.schedule import linear
from ddim_studio.gui import theme
from ddim_studio.gui.forward_terms import (
    TOOLTIP,
    closed_form,
    kernel_draw,
    merging,
    one_step_denoising,
    posterior_draw,
    spoken,
)
from ddim_studio.gui.typeset import fraction, letters, tilde
from ddim_studio.gui.widgets.equation import TermEquation
from ddim_studio.jobs.forward_events import ForwardNumbers

SCHEDULE = linear()
T, S = 304, 261
NOW, BEFORE, GOAL = (SCHEDULE.alpha_bar(t) for t in (T, T - 1, S))
NUMBERS = ForwardNumbers(1, 1, 1, 1, (0.7806, 0.0785, 0.7846, -0.651, 0.617, -0.586), 0, 0, 0)


@pytest.fixture
def equation(qtbot, qapp):
    theme.apply_theme(qapp, "light")
    made = TermEquation("Equation", TOOLTIP)
    qtbot.addWidget(made)
    made.show()
    return made


def forms():
    return [
        closed_form(T, NOW),
        merging(T, NUMBERS),
        one_step_denoising(NOW),
        posterior_draw(T, NOW, BEFORE),
        kernel_draw(T, S, NOW, GOAL, 0.5),
    ]


@pytest.mark.parametrize("width", [620, 330])
@pytest.mark.parametrize("form", range(5))
def test_nothing_is_cut_off(equation, qapp, form, width):
    columns = forms()[form]
    equation.resize(width, 84)
    equation.set_columns(columns, spoken(columns))
    image = equation.grab().toImage()
    image = image.convertToFormat(image.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    marked = rows != rows[0, 0]
    across, down = np.flatnonzero(marked.any(axis=0)), np.flatnonzero(marked.any(axis=1))
    assert across[0] >= 1
    assert across[-1] <= width - 2
    assert down[0] >= 1
    assert down[-1] <= 82


def number(columns, row):
    return float(columns[row].number)


def test_the_numbers_are_those_of_the_process():
    assert number(forms()[0], 1) ** 2 + number(forms()[0], 2) ** 2 == pytest.approx(1, abs=2e-4)
    guess = forms()[2]
    noise = number(guess, 2) / number(guess, 1)
    assert noise == pytest.approx(math.sqrt(1 - NOW), abs=1e-3)
    # Mean and variance of one step back, from x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε.
    of_x0, of_xt, spread = (number(forms()[3], row) for row in (1, 2, 3))
    assert of_x0 + of_xt * math.sqrt(NOW) == pytest.approx(math.sqrt(BEFORE), abs=1e-4)
    assert of_xt**2 * (1 - NOW) + spread**2 == pytest.approx(1 - BEFORE, abs=2e-4)
    image, direction, sigma = (number(forms()[4], row) for row in (1, 2, 3))
    assert image**2 + direction**2 + sigma**2 == pytest.approx(1, abs=3e-4)


def test_without_terminal_signal_the_inverse_is_infinite():
    assert [column.number for column in one_step_denoising(0.0)] == ["", "∞", "∞"]


def test_the_numbers_are_said_aloud(equation):
    equation.set_columns(merging(T, NUMBERS), spoken(merging(T, NUMBERS)))
    assert "0.7806 · -0.651 (of the steps before)" in equation.accessibleDescription()
    assert [column.sign for column in one_step_denoising(NOW)][-1] == "−"
    assert spoken([]) == ""


@pytest.mark.usefixtures("qapp")
def test_a_fraction_is_as_wide_as_its_wider_part_and_higher_than_both():
    wide, narrow = letters("αα", 14), letters("α", 14)
    whole = fraction(wide, narrow)
    assert whole.width == fraction(narrow, wide).width > wide.width
    assert whole.ascent + whole.descent > wide.ascent + narrow.ascent
    assert tilde(narrow).ascent > narrow.ascent
