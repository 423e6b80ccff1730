"""Precise or fast on the Sample page: chosen, measured, remembered, or refused with the reason."""

import re

import numpy as np
import pytest
from hand import click, find, run
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton
from two_speeds import OFF, give_engines

import ddim_studio as ds
from ddim_studio.imaging.pixels import to_pixels

NOT_HERE = "This processor does not."


@pytest.fixture
def engines(monkeypatch):
    """Engines that can do both, from before the window opens its model."""
    give_engines(monkeypatch)


@pytest.fixture
def no_fast(monkeypatch):
    give_engines(monkeypatch, without=NOT_HERE)


def choose_fast(window):
    """As with the keyboard."""
    combo = find(window, QComboBox, "precisionCombo")
    combo.setFocus()
    QTest.keyClick(combo, Qt.Key.Key_Down)
    return combo


def test_fast_is_measured_when_it_is_chosen_and_runs_from_then_on(engines, window, finish, tiny):
    choice = window.sample.panel.precision
    assert choice.value() == "precise"
    assert choice.remark.said() == ""
    run(window, finish)
    precise = window.sample.stage.shown_pixels().copy()
    combo = choose_fast(window)
    finish()
    assert combo.currentText() == "fast"
    words = choice.remark.said()
    found = re.fullmatch(
        r"[\d.]+ times as fast here; pixels differ by ([\d.]+) of 255 on average, "
        r"by (\d+) at most\.",
        words,
    )
    assert found, words
    assert 0 < float(found[1]) <= int(found[2]) <= 255 * OFF * 40
    run(window, finish)
    assert not np.array_equal(window.sample.stage.shown_pixels(), precise)
    x_T = ds.seeded_noise(tiny, range(4))
    *_, last = ds.sample(tiny, x_T, ds.SampleSettings(steps=6))
    assert np.abs(precise.astype(int) - to_pixels(last.x)).max() <= 1
    assert window.sample.memory()["precision"] == "fast"


def test_what_runs_the_network_stands_on_the_models_page(engines, window, finish, qtbot):
    run(window, finish)
    window.show_page(window.models)
    source = window.sample.panel.model.source()
    window.models.open_source(source)
    facts = window.models.card.details.facts
    qtbot.waitUntil(lambda: facts.text("precision") == "OpenVINO, float32", timeout=20_000)


def test_where_there_is_no_fast_the_choice_is_off_and_says_why(no_fast, window, finish):
    run(window, finish)
    combo = choose_fast(window)
    assert combo.currentText() == "precise"
    assert NOT_HERE in combo.toolTip()


def test_a_setting_from_elsewhere_is_told_that_it_runs_precise(no_fast, window, finish):
    run(window, finish)
    choice = window.sample.panel.precision
    choice.set_value("fast")
    assert (choice.remark.said(), choice.remark.tone()) == (NOT_HERE, "warning")
    click(find(window, QPushButton, "runButton"))
    finish()
    assert window.error_bar.message() == NOT_HERE
