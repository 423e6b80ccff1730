"""The Restore page as a person uses it, in the real window with the real worker and tiny models."""

import numpy as np
import pytest
from colour_model import SIDE
from hand import click, find
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from restore_pages import choose, paint

import ddim_studio as ds
from ddim_studio.gui.image_source import from_file, from_seed
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs.restore_order import RestoreRun

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_paint_undo_run_and_every_answer_agrees_with_what_is_known(filled, picture, finish):
    page, clean = filled, picture[1]
    assert page.view.is_painting()
    page.view.editor.diameter.setValue(1)
    paint(page, (2, 3), (5, 3))
    paint(page, (0, 0), (1, 0))
    QTest.keyClick(page, Qt.Key.Key_Z, CONTROL)
    assert page.view.editor.drawn().sum() == 4
    QTest.keyClick(page, Qt.Key.Key_Z, CONTROL | SHIFT)
    QTest.keyClick(page, Qt.Key.Key_Z, CONTROL)
    click(page.panel.run_button)
    finish()
    record = page.view.record
    hole = np.zeros((SIDE, SIDE), bool)
    hole[3, 2:6] = True
    answers = record.restored.pixels[..., 0]
    assert (answers[:, ~hole] == clean[~hole]).all()
    first, second = record.shown(1, "x")[:, hole]
    assert not np.array_equal(first, second)
    assert max(record.restored.final_max) <= 1e-5
    assert page.view.bar.view() == "result"
    assert page.view.captions() == ["measured", "mean fill", "clean", "seed 0", "seed 1"]
    np.testing.assert_array_equal(page.view.shown()[2][..., 0], clean)
    assert (page.view.shown()[0][hole] == 128).all()


def test_the_answers_are_those_of_the_library(restored, picture, tiny):
    import torch

    from ddim_studio.diffusion.measurements import Inpaint
    from ddim_studio.diffusion.restoration import measure, restore

    run, hole = restored.view.record.run, restored.view.record.order.mask
    clean = torch.from_numpy(picture[1] / 127.5 - 1)[None, None]
    measurement = Inpaint(~torch.from_numpy(hole))
    *_, last = restore(tiny, measure(measurement, clean), measurement, run, seeds=(0, 1))
    expected = to_pixels(last.x).astype(int)
    shown = restored.view.record.restored.pixels.astype(int)
    assert np.abs(shown - expected).max() <= 1


def test_the_numbers_beside_are_those_of_the_pictures(restored, picture):
    clean = picture[1] / 255
    record, table = restored.view.record, restored.readout.quality
    for place, seed in enumerate(record.seeds):
        error = np.mean((record.restored.pixels[place, ..., 0] / 255 - clean) ** 2)
        assert float(table.text(str(seed), 0)) == pytest.approx(-10 * np.log10(error), abs=0.1)
    assert "10⁻⁵" in restored.readout.verdict.said()
    assert float(table.text("baseline", 0)) == pytest.approx(
        record.measured.baseline_quality.psnr, abs=0.01
    )


def test_the_timeline_shows_the_way_and_the_readout_follows(restored):
    view, readout = restored.view, restored.readout
    assert view.timeline._total == 6
    view.timeline.set_following(following=False)
    view.timeline.set_position(2)
    assert view.bar.view() == "guess"
    agreement = view.record.agreement(2)
    assert readout.step.text("step") == f"{agreement.t} → {agreement.s}"
    view.bar.set_view("measured")
    seen, hole = view.shown(), view.record.order.mask
    view.bar.set_view("guess")
    assert (seen[:, ~hole] == view.shown()[:, ~hole]).all()
    assert (seen[:, hole] == 128).all()
    view.bar.set_view("x")
    view.timeline.set_position(0)
    assert view.timeline._caption.full_text().startswith("x_T")
    readout.residual.clicked.emit(3.2)
    assert view.timeline.position() == 3


def test_other_seeds_with_one_click_restore_the_same_measurement(restored, finish):
    before = restored.view.record
    click(find(restored, QPushButton, restored.other_button.objectName()))
    finish()
    after = restored.view.record
    assert after is not before
    assert after.seeds != before.seeds
    assert after.seeds[1] == after.seeds[0] + 1
    np.testing.assert_array_equal(after.measured.measurement, before.measured.measurement)
    assert not np.array_equal(after.shown(0, "x"), before.shown(0, "x"))


def test_a_cancelled_run_keeps_its_frames(filled, finish, qtbot):
    filled.view.editor.take_preset("left")
    filled.panel.steps.setValue(400)
    click(filled.panel.run_button)
    qtbot.waitUntil(
        lambda: filled.view.record is not None and len(filled.view.record.numbers) > 3,
        timeout=60_000,
    )
    assert not filled.panel.run_button.isEnabled()
    click(filled.panel.cancel_button)
    finish()
    record = filled.view.record
    assert 3 < len(record.numbers) < 401
    assert record.restored is None
    assert filled.panel.run_button.isEnabled()
    assert filled.view.trajectory()
    filled.view.bar.set_view("result")
    assert len(filled.view.shown()) == 5


def test_an_empty_or_a_full_mask_is_said_where_it_is_painted(filled, finish):
    filled.view.bar.set_view("result")
    click(filled.panel.run_button)
    assert filled.view.is_painting()
    assert filled.view.editor.error().startswith("Paint what is to be filled")
    filled.view.editor.invert()
    assert filled.view.editor.error() == ""
    click(filled.panel.run_button)
    assert "no pixel to go by" in filled.view.editor.error()
    assert filled.view.record is None


def test_without_an_image_the_slot_says_so(page):
    click(page.panel.run_button)
    assert page.panel.slot.error() == "An image is needed here."


def test_a_grey_model_is_told_that_there_is_nothing_to_colourise(filled, finish):
    panel = filled.panel
    choose(panel.task, "colorize")
    section, combo = panel.fields["task"]
    assert section.error(combo).startswith("There is nothing to colourise")
    click(panel.run_button)
    assert filled.view.record is None
    assert section.error(combo).startswith("There is nothing to colourise")
    choose(panel.task, "superres")
    assert section.error(combo) == ""


def test_a_colour_model_colourises(window, filled, colour_pipeline, finish):
    filled.panel.model.set_source(str(colour_pipeline))
    finish()
    choose(filled.panel.task, "colorize")
    assert not filled.view.is_painting()
    click(filled.panel.run_button)
    finish()
    record = filled.view.record
    measured = record.measured.measurement.astype(int)
    assert (measured == measured[..., :1]).all()
    assert max(record.restored.final_max) <= 1e-5
    assert record.restored.pixels.shape == (2, SIDE, SIDE, 3)


def test_every_factor_that_divides_is_offered_and_another_is_refused_in_place(filled, finish):
    panel = filled.panel
    choose(panel.task, "superres")
    assert [panel.scale.itemData(i) for i in range(panel.scale.count())] == [2, 4, 8]
    panel.set_settings(RestoreRun(model=panel.model.source(), task="superres", scale=3, steps=5))
    section, combo = panel.fields["scale"]
    assert "3 does not" in section.error(combo)
    click(panel.run_button)
    assert filled.view.record is None
    assert "3 does not" in section.error(combo)
    choose(panel.scale, 4)
    assert section.error(combo) == ""
    click(panel.run_button)
    finish()
    assert filled.view.record.measured.small.shape == (2, 2, 1)


def test_a_measurement_itself_is_fitted_to_what_is_measured(page, picture, finish, qtbot):
    choose(page.panel.task, "superres")
    choose(page.panel.scale, 2)
    choose(page.panel.given, False)
    page.give(from_file(picture[0]))
    qtbot.waitUntil(lambda: page.image.pixels() is not None, timeout=20_000)
    assert page.image.pixels().shape == (4, 4, 1)
    click(page.panel.run_button)
    finish()
    record = page.view.record
    assert record.measured.clean is None
    assert page.view.captions() == ["measured", "bicubic", "seed 0", "seed 1"]
    np.testing.assert_array_equal(record.measured.small, page.image.pixels())
    assert "not known" in page.readout.verdict.said()


def test_noise_is_asked_for_where_the_task_needs_it(filled, finish):
    panel = filled.panel
    sigma = panel.fields["sigma"][1]
    assert sigma.value() == 0
    choose(panel.task, "denoise")
    assert sigma.value() > 0
    assert filled.readout.equation.form() == "ddnm+"
    sigma.setValue(0)
    click(panel.run_button)
    assert "above 0" in panel.fields["sigma"][0].error(sigma)
    choose(panel.task, "inpaint")
    assert sigma.value() == 0


def test_the_method_brings_its_own_defaults_and_its_price(filled, finish):
    panel = filled.panel
    choose(panel.method, "repaint")
    assert panel.eta.value() == 1
    assert panel.repeats.value() == 10
    assert filled.readout.equation.form() == "repaint"
    panel.steps.setValue(6)
    panel.length.setValue(2)
    panel.repeats.setValue(3)
    filled.view.editor.take_preset("centre")
    said = panel.price.said()
    click(panel.run_button)
    finish()
    calls = filled.view.record.restored.network_calls
    assert said == f"{calls} network calls a seed instead of 6."
    assert any(step.travelled for step in filled.view.record.agreements)
    choose(panel.method, "ddnm")
    assert panel.eta.value() == 0.85


def test_a_seed_stands_for_the_sample_that_the_model_draws_of_it(page, finish, qtbot, tiny):
    page.give(from_seed(5))
    qtbot.waitUntil(lambda: page.image.pixels() is not None, timeout=60_000)
    finish()
    assert page.image.label() == "sample of seed 5"
    noise = ds.seeded_noise(tiny, seeds=[5])
    *_, last = ds.sample(tiny, noise, ds.SampleSettings(steps=50))
    assert np.abs(page.image.pixels().astype(int) - to_pixels(last.x)[0].astype(int)).max() <= 1
