"""The Sample page under strain: cancelling, closing, branching, a small memory budget."""

import random

import numpy as np
from hand import click, find, run
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QPushButton,
    QSlider,
    QTabBar,
    QToolButton,
    QWidget,
)


def test_thinning_keeps_the_budget_and_says_so(window, finish, monkeypatch):
    from ddim_studio.gui import run_record

    monkeypatch.setattr(run_record.RunRecord.__init__, "__defaults__", (20_000,))
    window.sample.panel.steps.setValue(60)
    run(window, finish)
    record = window.sample.stage.record
    assert record.frames.nbytes <= 20_000
    assert record.frames.stride > 1
    assert (
        f"every {record.frames.stride}"
        in window.sample.stage.timeline.findChild(QWidget, "timelineNote").text()
    )
    slider = find(window, QSlider, "timelineSlider")
    assert slider.maximum() == 60
    for frame in range(61):
        slider.setValue(frame)
        assert window.sample.stage.shown_pixels() is not None


def test_branches_leave_the_run_at_a_frame_and_stand_side_by_side(window, finish):
    run(window, finish)
    page, slider = window.sample, find(window, QSlider, "timelineSlider")
    first = page.stage.shown_pixels()
    page.stage.frames.set_selected(1)
    slider.setValue(2)
    at_two = page.stage.shown_pixels()
    find(window, QDoubleSpinBox, "etaSpin").setValue(1.0)
    click(find(window, QToolButton, "branchButton"))
    finish()
    tabs = find(window, QTabBar, "branchTabs")
    assert tabs.count() == 2
    assert tabs.currentIndex() == 1
    branch = page.stage.shown_pixels()
    assert not np.array_equal(branch, first)
    slider.setValue(2)
    assert np.array_equal(page.stage.shown_pixels(), at_two)
    slider.setValue(6)
    click(find(window, QPushButton, "sideBySideButton"))
    both = page.stage.shown_pixels()
    assert np.array_equal(both, np.stack([first[1], branch[1]]))
    click(find(window, QPushButton, "sideBySideButton"))
    tabs.setCurrentIndex(0)
    assert np.array_equal(page.stage.shown_pixels(), first)
    run(window, finish)
    assert tabs.count() == 1


def test_branching_from_the_last_frame_is_refused_in_a_sentence(window, finish):
    run(window, finish)
    click(find(window, QToolButton, "branchButton"))
    assert "before its last" in window.error_bar.message()
    assert not window.controller.monitor.is_busy()


def test_200_starts_and_cancels_at_random_moments(window, qtbot, finish):
    window.sample.panel.steps.setValue(200)
    chance = random.Random(0)
    for _ in range(200):
        click(find(window, QPushButton, "runButton"))
        QTest.qWait(chance.randrange(0, 25))
        click(find(window, QPushButton, "cancelButton"))
        if chance.random() < 0.5:
            finish()
        else:
            qtbot.waitUntil(window.sample.panel.run_button.isEnabled, timeout=30_000)
    finish()
    window.sample.panel.steps.setValue(6)
    run(window, finish)
    assert find(window, QSlider, "timelineSlider").maximum() == 6


def test_closing_in_the_middle_of_a_run(window, qtbot):
    window.sample.panel.steps.setValue(1000)
    click(find(window, QPushButton, "runButton"))
    qtbot.waitUntil(lambda: window.sample.stage.timeline.position() > 2, timeout=30_000)
    assert window.close()  # the fixture checks that no thread is left


def test_light_and_dark_change_at_a_click_and_are_remembered(window):
    from ddim_studio.gui.state import Memory
    from ddim_studio.gui.theme import is_dark

    before = is_dark()
    click(find(window, QToolButton, "themeButton"))
    assert is_dark() != before
    window.close()
    assert Memory().text("theme") == ("light" if before else "dark")
    assert Memory().get("Sample")["steps"] == 6
