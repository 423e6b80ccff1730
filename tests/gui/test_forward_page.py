"""The Forward page as a person uses it: real window, real worker thread, a small model."""

import math

import numpy as np
import pytest
from hand import click, find
from pictures import noisy
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
)

import ddim_studio as ds
from ddim_studio.diffusion.noise import seeded_noise
from ddim_studio.gui.image_source import from_seed
from ddim_studio.imaging.pixels import from_pixels, to_pixels

IMAGE = noisy(4)


def show(page, view):
    click(find(page, QToolButton, f"view_{view}"))


def test_it_is_the_fifth_page_and_every_control_explains_itself(window, forward_page):
    assert forward_page.objectName() == "forwardPage"
    assert [one.title for one in window.pages][4] == "Forward"
    for kind in (QComboBox, QSpinBox, QSlider, QPushButton, QCheckBox):
        for control in forward_page.findChildren(kind):
            assert control.toolTip(), control.objectName()
            named = control.accessibleName() or not control.isVisibleTo(forward_page)
            assert named or control.text(), control.objectName()


def test_without_an_image_it_says_so_in_place(forward_page):
    click(forward_page.panel.run_button)
    assert forward_page.panel.slot.error() == "An image is needed here."
    assert forward_page.panel.run_button.isEnabled()


def test_the_pictures_are_those_of_the_closed_form_and_the_chain(noised, tiny):
    record = noised.view.record
    assert record.times == [-1, 0, 200, 400, 599, 799, 999]
    slider = find(noised, QSlider, "forwardPage_timelineSlider")
    assert slider.maximum() == 6
    slider.setValue(3)
    x0 = from_pixels(IMAGE[None])
    closed = to_pixels(ds.noised(tiny, x0.double(), seeded_noise(tiny, [0]).double(), 400))
    chain = next(s.x for s in ds.forward_chain(tiny, x0, [0]) if s.t == 400)
    np.testing.assert_array_equal(noised.view.shown()[0], closed[0])
    np.testing.assert_array_equal(noised.view.shown()[1], to_pixels(chain)[0])
    assert not np.array_equal(closed, to_pixels(chain))
    assert noised.view.timeline.position() == 3
    assert noised.readout.table.text("t") == "400 of 1000"
    assert float(noised.readout.table.text("alpha")) == pytest.approx(
        tiny.schedule.alpha_bar(400), rel=1e-4
    )


def test_the_same_draw_makes_both_pictures_one_and_shows_the_numbers(noised):
    find(noised, QSlider, "forwardPage_timelineSlider").setValue(4)
    one, other = noised.view.shown()
    assert not np.array_equal(one, other)
    check = find(noised, QCheckBox, "sameDrawCheck")
    QTest.mouseClick(check, Qt.MouseButton.LeftButton, pos=QPoint(8, check.height() // 2))
    one, other = noised.view.shown()
    np.testing.assert_array_equal(one, other)
    numbers = noised.view.record.numbers[4]
    assert numbers.merge_error < 1e-12
    assert "largest difference" in noised.view.proof.said()
    words = noised.view.equation.accessibleDescription()
    c_1, c_2, whole, first, second, merged = numbers.merge
    for coefficient, value in ((c_1, first), (c_2, second), (whole, merged)):
        assert f"{coefficient:.4f} · {value:+.3f}" in words
    show(noised, "network")
    assert not check.isVisible()


@pytest.mark.parametrize("view", ["network", "posterior", "kernels"])
def test_the_image_itself_has_no_such_pictures_and_says_why(noised, view):
    show(noised, view)
    assert noised.view.shown() is not None
    QTest.keyClick(noised, Qt.Key.Key_Home)
    assert noised.view.timeline.position() == 0
    assert noised.view.shown() is None
    QTest.keyClick(noised, Qt.Key.Key_Right)
    assert len(noised.view.shown()) == len(noised.view.captions())


def test_the_strip_shows_one_step_denoising_and_leads_there(noised, tiny):
    view = noised.view
    assert len(view.record.strip) == 6
    x_t = ds.noised(tiny, from_pixels(IMAGE[None]).double(), seeded_noise(tiny, [0]).double(), 599)
    guess = to_pixels(tiny.predict(x_t, 599).x0)[0].astype(int)
    assert np.abs(view.record.strip[3].astype(int) - guess).max() <= 1
    place = next(
        QPointF(x, y).toPoint()
        for x in range(0, view.strip.width(), 3)
        for y in range(0, view.strip.height(), 3)
        if view.strip._hit(QPointF(x, y))[0] == 3
    )
    QTest.mouseClick(view.strip, Qt.MouseButton.LeftButton, pos=place)
    assert view.record.times[view.timeline.position()] == 599
    show(noised, "strip")
    assert view.captions()[3] == "t = 599"
    assert view.frames.selected() == 3


def test_a_click_into_a_plot_goes_to_the_timestep_nearest(noised):
    noised.readout.alpha.clicked.emit(560.0)
    assert noised.view.record.times[noised.view.timeline.position()] == 599


def test_readings_and_equations_follow_the_timestep(noised):
    show(noised, "kernels")
    find(noised, QSlider, "forwardPage_timelineSlider").setValue(3)
    said = noised.readout.reading(noised.readout.family)
    assert "From t = 400 to s = 200" in said
    assert "η = 0.5" in noised.view.captions()[2]
    assert "t 400 → 200" in noised.view.equation.accessibleDescription()
    show(noised, "posterior")
    kernel = ds.posterior(ds.load_model(noised.panel.model.source(), device="cpu"), 400)
    words = noised.view.equation.accessibleDescription()
    for value in (kernel.of_x0, kernel.of_xt, kernel.sigma):
        assert f"{value:.4g}" in words
    assert "linear schedule" in noised.readout.reading(noised.readout.alpha)
    assert "theorem 1" in noised.readout.why.said()


def test_a_seed_is_decoded_first(forward_page, finish, tiny, qtbot):
    forward_page.give(from_seed(5))
    qtbot.waitUntil(lambda: forward_page.panel.slot.source() is not None)
    click(forward_page.panel.run_button)
    finish()
    for step in ds.sample(tiny, seeded_noise(tiny, [5]), ds.SampleSettings(steps=50)):
        x0 = step.x
    np.testing.assert_array_equal(forward_page.view.record.started.image, to_pixels(x0)[0])


def test_another_seed_gives_other_noise_and_eta_another_kernel(noised, finish):
    before = noised.view.record
    noised.panel.seed.set_value(9)
    noised.panel.eta.setValue(0.0)
    click(noised.panel.run_button)
    finish()
    record = noised.view.record
    assert not np.array_equal(record.picture(3, "closed"), before.picture(3, "closed"))
    np.testing.assert_array_equal(record.picture(3, "between"), record.picture(3, "ddim"))


def test_a_picture_is_sent_to_another_page(window, noised, qtbot):
    noised.view.frames.menu_requested.emit(QPoint(10, 10), 1)
    menu = find(noised, QMenu, "forwardSendMenu")
    next(a for a in menu.actions() if a.objectName() == "sendTo_invert").trigger()
    assert window.stack.currentWidget() is window.invert
    qtbot.waitUntil(lambda: not window.invert.images.is_busy())
    sent = window.invert.images.inputs()[0]
    assert sent.label == "xₜ, chain, t = 999"
    np.testing.assert_array_equal(sent.pixels, noised.view.shown()[1])


def test_another_page_sends_an_image_here(window, noised, qtbot):
    window.show_page(window.sample)
    source = noised.panel.slot.source()
    noised.panel.slot.clear()
    window.sample.sent.emit("forward", source)
    assert window.stack.currentWidget() is noised
    qtbot.waitUntil(lambda: noised.panel.slot.pixels() is not None)
    np.testing.assert_array_equal(noised.panel.slot.pixels(), IMAGE)


def test_the_fields_are_remembered(forward_page):
    forward_page.panel.points.setValue(33)
    forward_page.panel.eta.setValue(0.25)
    forward_page.panel.data.setText("/some/where")
    forward_page.panel.draws.setValue(7)
    kept = forward_page.memory()
    forward_page.panel.points.setValue(4)
    forward_page.panel.data.setText("")
    forward_page.recall(kept)
    assert forward_page.panel.points.value() == 33
    assert math.isclose(forward_page.panel.eta.value(), 0.25)
    assert (forward_page.panel.data.text(), forward_page.panel.draws.value()) == ("/some/where", 7)


def test_a_wrong_seed_is_marked_and_nothing_runs(imaged):
    line = imaged.panel.seed.findChild(QLineEdit)
    line.setText("many")
    click(imaged.panel.run_button)
    section, widget = imaged.panel.fields["seed"]
    assert "whole number" in section.error(widget)
    assert imaged.view.record is None


def test_playing_the_timeline_walks_to_noise(noised, qtbot):
    find(noised, QSlider, "forwardPage_timelineSlider").setValue(0)
    QTest.keyClick(noised, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: noised.view.timeline.position() == 6, timeout=10_000)


def test_a_cancelled_noising_keeps_its_frames(imaged, finish, qtbot):
    imaged.panel.points.setValue(200)
    click(imaged.panel.run_button)
    qtbot.waitUntil(
        lambda: imaged.view.record is not None and len(imaged.view.record.times) > 1,
        timeout=30_000,
    )
    click(imaged.panel.cancel_button)
    finish()
    there = len(imaged.view.record.times)
    assert 1 < there <= 201
    assert find(imaged, QSlider, "forwardPage_timelineSlider").maximum() == there - 1
