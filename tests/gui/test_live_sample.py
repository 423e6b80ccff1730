"""The live preview: coarse first, then whole; the newest settings win; Run is as it was."""

import dataclasses

import numpy as np
import pytest
from hand import click, find, run
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QSlider, QSpinBox, QTabBar

import ddim_studio as ds
from ddim_studio.gui.live_sample import LiveSample
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs.events import Ended, Frame, Started, StepNumbers
from ddim_studio.jobs.live_events import LiveRun, PartBegins
from ddim_studio.jobs.runs import SampleRun

ONE = SampleRun(steps=2, count=1)


def setting(eta):
    return dataclasses.replace(ONE, eta=eta)


def part(settings, final):
    numbers = StepNumbers(None, 9, 0.5, 0.5, 0.0, 0.0, (1.0,))
    pixels = np.zeros((1, 2, 2, 1), np.uint8)
    begun = Started((9, 0), (1, 2, 2), (0,), "cpu", (0.5,))
    frames = [Frame(index, {"x": pixels}, numbers) for index in range(3)]
    return [PartBegins(settings, final), begun, *frames]


class Desk:
    """Plays the worker."""

    def __init__(self, live):
        self.live, self.orders, self.shown, self.dropped = live, [], [], []
        live.wanted.connect(self.orders.append)
        live.unwanted.connect(lambda: self.dropped.append(True))
        live.shown.connect(lambda record, final: self.shown.append((record.run.eta, final)))


@pytest.fixture
def desk(qtbot):
    return Desk(LiveSample())


def test_a_coarse_answer_comes_first_and_the_whole_one_replaces_it(desk):
    desk.live.ask(setting(0.1))
    assert desk.orders == [LiveRun(setting(0.1))]
    desk.live.receive(part(setting(0.1), final=False))
    assert desk.shown == [(0.1, False)]
    desk.live.receive([*part(setting(0.1), final=True), Ended("finished")])
    assert desk.shown == [(0.1, False), (0.1, True)]
    desk.live.ask(setting(0.1))
    assert len(desk.orders) == 1  # it is on show


def test_while_an_answer_is_awaited_only_the_newest_settings_are_remembered(desk):
    for eta in (0.1, 0.2, 0.3, 0.4):
        desk.live.ask(setting(eta))
    assert [order.run.eta for order in desk.orders] == [0.1]
    desk.live.receive(part(setting(0.1), final=False))
    assert [order.run.eta for order in desk.orders] == [0.1, 0.4]


def test_nothing_is_shown_of_settings_that_newer_ones_have_replaced(desk):
    desk.live.ask(setting(0.1))
    desk.live.receive(part(setting(0.1), final=False))
    desk.live.ask(setting(0.2))
    desk.live.receive([*part(setting(0.1), final=True), Ended("cancelled")])
    assert desk.shown == [(0.1, False)]
    desk.live.receive(part(setting(0.2), final=False))
    assert desk.shown == [(0.1, False), (0.2, False)]


def test_after_a_stop_nothing_comes_and_the_order_is_dropped(desk):
    desk.live.ask(setting(0.1))
    desk.live.stop()
    assert desk.dropped == [True]
    desk.live.receive([*part(setting(0.1), final=False), Ended("cancelled")])
    assert desk.shown == []
    desk.live.ask(setting(0.1))
    assert len(desk.orders) == 2


def test_a_failure_does_not_keep_later_settings_waiting(desk):
    desk.live.ask(setting(0.1))
    desk.live.ask(setting(0.2))
    desk.live.receive([Ended("failed")])
    assert [order.run.eta for order in desk.orders] == [0.1, 0.2]


# --- in the window ---------------------------------------------------------------------------


@pytest.fixture
def previews(window, finish):
    """What the window's live preview has shown so far, after a run of four images."""
    run(window, finish)
    shown = []
    window.sample.live.shown.connect(lambda record, final: shown.append((record, final)))
    return shown


def whole(tiny, seed, **settings):
    *_, last = ds.sample(
        tiny, ds.seeded_noise(tiny, [seed]), ds.SampleSettings(seed=seed, **settings)
    )
    return to_pixels(last.x)


def test_a_change_of_eta_shows_one_image_coarsely_and_then_whole(window, finish, tiny, previews):
    page = window.sample
    page.stage.frames.set_selected(2)
    find(window, QCheckBox, "liveCheck").click()
    finish()
    previews.clear()
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.5)
    finish()
    assert [(r.run.eta, r.run.steps, final) for r, final in previews] == [
        (0.5, 4, False),
        (0.5, 6, True),
    ]
    coarse, final = (record for record, _ in previews)
    assert coarse.run.timesteps[-1] == final.started.timesteps[0]
    assert page.stage.record is final
    assert np.array_equal(page.stage.shown_pixels(), whole(tiny, 2, steps=6, eta=0.5))
    assert "S = 6" in page.stage.remark.said()
    assert find(window, QSlider, "timelineSlider").value() == 6


def test_the_coarse_picture_says_that_it_is_coarse(window, finish, previews):
    said = []
    window.sample.live.shown.connect(lambda *_: said.append(window.sample.stage.remark.said()))
    find(window, QCheckBox, "liveCheck").click()
    finish()
    assert "coarse, 4 steps" in said[0]
    assert "coarse" not in said[-1]


def test_the_preview_stays_at_the_part_of_the_way_that_is_looked_at(window, finish, previews):
    find(window, QCheckBox, "liveCheck").click()
    finish()
    slider = find(window, QSlider, "timelineSlider")
    slider.setValue(3)
    find(window, QSpinBox, "stepsSpin").setValue(12)
    finish()
    assert (slider.maximum(), slider.value()) == (12, 6)


def test_switched_off_the_run_is_back(window, finish, previews):
    page = window.sample
    before = page.stage.record
    box = find(window, QCheckBox, "liveCheck")
    box.click()
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.3)
    finish()
    assert page.stage.record is not before
    box.click()
    assert page.stage.record is before
    assert page.stage.remark.said() == ""
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.4)
    assert not window.controller.monitor.is_busy()


def test_run_computes_all_images_and_no_preview_disturbs_it(window, finish, previews):
    page = window.sample
    find(window, QCheckBox, "liveCheck").click()
    finish()
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.3)
    click(page.panel.run_button)
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.9)
    finish()
    assert page.stage.record.run.eta == 0.3
    assert len(page.stage.shown_pixels()) == 4
    assert page.stage.remark.said() == ""


def test_a_preview_can_be_branched_from(window, finish, tiny, previews):
    page = window.sample
    find(window, QCheckBox, "liveCheck").click()
    finish()
    find(window, QSlider, "timelineSlider").setValue(3)
    page.panel.live.click()
    assert page.stage.record.run.count == 4
    page.panel.live.click()
    finish()
    find(window, QSlider, "timelineSlider").setValue(3)
    click(page.branch_button)
    finish()
    assert find(window, QTabBar, "branchTabs").count() == 2
    assert page.stage.record.order.parent.count == 1
    assert np.array_equal(page.stage.shown_pixels(), whole(tiny, 0, steps=6))


def test_a_wrong_field_asks_for_nothing_and_marks_nothing(window, finish, previews):
    page = window.sample
    find(window, QCheckBox, "liveCheck").click()
    finish()
    count = len(previews)
    page.panel.seed._line.setText("x")
    finish()
    assert len(previews) == count
    page.panel.seed._line.setText("8")
    finish()
    assert previews[-1][0].run.seed == 8
