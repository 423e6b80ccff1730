"""The Compare page as a person uses it: real window, real clicks, the real worker thread."""

import math

import numpy as np
import pytest
from comparing import (
    PLACES,
    REFERENCE,
    STEPS,
    choose,
    click_cell,
    sampled,
    squared_errors,
)
from hand import click, find
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QSlider, QToolButton

import ddim_studio as ds
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs.matrix import Place


def ds_tensor(images):
    import torch

    return torch.from_numpy(images)


def test_every_cell_is_filled_with_what_the_sampler_gives(compared, tiny):
    record = compared.view.record
    assert record.done() == PLACES
    for place in PLACES:
        np.testing.assert_allclose(
            record.cells[place].images,
            sampled(tiny, *place),
            rtol=1e-5,
            atol=1e-5,
            err_msg=str(place),
        )
        shown = compared.view.matrix.scene.pictures(place).astype(int)
        expected = to_pixels(ds_tensor(record.cells[place].images)).astype(int)
        np.testing.assert_array_equal(shown, expected)
        assert record.cells[place].seconds > 0
    assert compared.panel.run_button.isEnabled()


def test_all_cells_start_from_the_same_noise_and_the_page_says_so(compared, tiny):
    x_T = to_pixels(ds.seeded_noise(tiny, range(3)))
    for cell in compared.view.record.cells.values():
        np.testing.assert_array_equal(cell.shown(0, "x")[1], x_T)
    assert "starts from the same x_T" in compared.readout.sharing.said()


def test_the_metrics_are_those_of_float64_against_the_reference(compared, tiny, finish):
    record = compared.view.record
    assert record.reference == REFERENCE
    choose(compared.readout.metrics, "mse")
    reference = sampled(tiny, *REFERENCE)
    for place in PLACES:
        expected = squared_errors(sampled(tiny, *place), reference)
        np.testing.assert_allclose(record.scores[place].values["mse"], expected, atol=1e-6)
    click_cell(compared, Place(1, 0))
    mean = squared_errors(sampled(tiny, 1, 0), reference).mean()
    assert float(compared.readout.score_table.text("mse")) == pytest.approx(mean, abs=6e-4)
    psnr = -10 * math.log10(mean)
    assert float(compared.readout.score_table.text("psnr")) == pytest.approx(psnr, abs=0.06)
    words = compared.view.matrix.scene.look(Place(1, 0)).captions[0]
    assert words.startswith("MSE ")
    assert words.endswith(("ms", "s"))


def test_another_reference_is_chosen_by_click_or_key(compared, tiny, qtbot, finish):
    click_cell(compared, Place(1, 1))
    click(find(compared, QPushButton, "makeReferenceButton"))
    finish()
    record = compared.view.record
    assert record.reference == compared.view.matrix.scene.reference == Place(1, 1)
    expected = squared_errors(sampled(tiny, *REFERENCE), sampled(tiny, 1, 1))
    np.testing.assert_allclose(record.scores[REFERENCE].values["mse"], expected, atol=1e-6)
    assert not find(compared, QPushButton, "makeReferenceButton").isEnabled()
    click_cell(compared, Place(0, 0))
    QTest.keyClick(compared.view.matrix, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: record.reference == Place(0, 0))
    finish()
    assert record.scores[Place(0, 0)].mean("mse") == 0


def test_cancel_keeps_the_complete_cells_and_measures_them(compare_page, qtbot, finish):
    compare_page.panel.columns.set_text("steps", "2, 3, 900")
    click(compare_page.panel.run_button)
    done = [Place(0, 0), Place(1, 0), Place(0, 1), Place(1, 1)]
    slow = compare_page.view.record.cells[Place(0, 2)]
    qtbot.waitUntil(lambda: len(slow.frames) > 3, timeout=60_000)
    assert not compare_page.panel.run_button.isEnabled()
    click(compare_page.panel.cancel_button)
    finish()
    record = compare_page.view.record
    assert sorted(record.done()) == sorted(done)
    assert slow.state == "stopped"
    assert 3 < len(slow.frames) < 901
    assert record.cells[Place(1, 2)].state == "waiting"
    assert record.reference == Place(0, 1)  # the one suggested was not reached
    assert set(record.scores) == set(done)
    assert compare_page.panel.run_button.isEnabled()


def test_cells_are_measured_while_the_matrix_still_runs(compare_page, qtbot, finish):
    compare_page.panel.columns.set_text("steps", "2, 3, 900")
    click(compare_page.panel.run_button)
    record = compare_page.view.record
    quick = {Place(0, 0), Place(1, 0), Place(0, 1), Place(1, 1)}
    qtbot.waitUntil(lambda: set(record.done()) == quick, timeout=60_000)
    click_cell(compare_page, Place(0, 1))
    click(find(compare_page, QPushButton, "makeReferenceButton"))
    qtbot.waitUntil(lambda: set(record.scores) == quick, timeout=60_000)
    assert not compare_page.panel.run_button.isEnabled()  # it goes on meanwhile
    assert record.cells[Place(0, 2)].state == "running"
    click(compare_page.panel.cancel_button)
    finish()


def test_a_double_click_opens_a_trajectory_to_scrub(compared, tiny):
    click_cell(compared, Place(0, 1), double=True)
    assert compared.view.mode() == "cell"
    slider = next(s for s in compared.findChildren(QSlider) if "timelineSlider" in s.objectName())
    assert slider.maximum() == STEPS[1]
    settings = ds.SampleSettings(steps=STEPS[1])
    x_T = ds.seeded_noise(tiny, range(3))
    states = [x_T, *(step.x for step in ds.sample(tiny, x_T, settings))]
    for index, state in enumerate(states):
        slider.setValue(index)
        shown = compared.view.cell_pixels().astype(int)
        assert np.abs(shown - to_pixels(state).astype(int)).max() <= 1
    assert "clean image" in compared.view.cell.heading.full_text()


def test_two_cells_move_together_in_time(compared):
    view = compared.view
    click_cell(compared, Place(0, 0))
    click_cell(compared, Place(1, 2), Qt.KeyboardModifier.ControlModifier)
    assert (view.place(), view.second()) == (Place(0, 0), Place(1, 2))
    click(find(compared, QToolButton, "view_pair"))
    coarse, fine = (view.record.cells[place] for place in (Place(0, 0), Place(1, 2)))
    assert view.timeline.position() == 5  # the finer of the two is what the timeline counts
    for index, t in enumerate(fine.times):
        view.timeline.set_following(following=False)
        view.timeline.set_position(index)
        nearest = min(coarse.times, key=lambda other: abs(other - t))
        shown = [pane.frames._pixels for pane in view.pair.panes]
        np.testing.assert_array_equal(shown[0], coarse.shown(coarse.times.index(nearest), "x")[1])
        np.testing.assert_array_equal(shown[1], fine.shown(index, "x")[1])
    view.pair.panes[0].frames.set_selected(2)
    assert view.pair.panes[1].frames.selected() == 2


def test_without_a_second_cell_the_reference_stands_beside(compared):
    click_cell(compared, Place(1, 0))
    click(find(compared, QToolButton, "view_pair"))
    assert compared.view.second() == REFERENCE
    click(find(compared, QToolButton, "view_matrix"))
    click_cell(compared, REFERENCE)
    click(find(compared, QToolButton, "view_pair"))
    assert compared.view.second() is None
    assert compared.view.pair.panes[1].frames._pixels is None


def test_flicker_shows_both_in_turn_and_stops_when_out_of_sight(compared, qtbot):
    click_cell(compared, Place(1, 0))
    click(find(compared, QToolButton, "view_pair"))
    pane = compared.view.pair.panes[0]
    seen = set()

    def both_seen():
        seen.add(pane.heading.full_text())
        return len(seen) == 2

    click(compared.view.flicker)
    assert not compared.view.pair.panes[1].isVisible()
    qtbot.waitUntil(both_seen, timeout=10_000)
    assert {text.partition(" ·")[0] for text in seen} == {"η = 1, S = 2", "η = 0, S = 5"}
    click(find(compared, QToolButton, "view_matrix"))
    assert not compared.view.pair.is_flickering()
    assert not compared.view.flicker.isChecked()


def test_the_matrix_goes_back_in_time_as_a_whole(compared, tiny):
    view = compared.view
    view.timeline.set_following(following=False)
    view.timeline.set_position(0)
    x_T = to_pixels(ds.seeded_noise(tiny, range(3)))
    for place in PLACES:
        np.testing.assert_array_equal(view.matrix.scene.pictures(place), x_T)
    view.timeline.set_position(2)
    t = view.record.cells[REFERENCE].times[2]
    for place in PLACES:
        times = view.record.cells[place].times
        at = min(times, key=lambda other: abs(other - t))
        assert view.matrix.scene.look(place).captions == (f"t = {at}",)


def test_another_view_stays_at_the_same_time(compared):
    view = compared.view
    click_cell(compared, Place(1, 0))
    view.timeline.set_following(following=False)
    view.timeline.set_position(4)  # of the five steps of the finest cell
    t = view.record.cells[REFERENCE].times[4]
    view.bar.set_view("cell")
    times = view.record.cells[Place(1, 0)].times
    nearest = min(range(3), key=lambda index: abs(times[index] - t))
    assert 0 < nearest < 2
    assert view.timeline.position() == nearest


def test_arrows_move_the_selection_in_the_matrix_and_the_frame_elsewhere(compared):
    matrix, timeline = compared.view.matrix, compared.view.timeline
    click_cell(compared, Place(0, 0))
    QTest.keyClick(matrix, Qt.Key.Key_Right)
    QTest.keyClick(matrix, Qt.Key.Key_Down)
    QTest.keyClick(matrix, Qt.Key.Key_Down)
    assert compared.view.place() == Place(1, 1)
    QTest.keyClick(matrix, Qt.Key.Key_Return)
    assert compared.view.mode() == "cell"
    QTest.keyClick(compared.view.cell.frames, Qt.Key.Key_Left)
    assert timeline.position() == STEPS[1] - 1
    QTest.keyClick(compared.view.cell.frames, Qt.Key.Key_Home)
    assert timeline.position() == 0


def test_the_prediction_instead_of_the_state(compared, tiny):
    click_cell(compared, Place(0, 1), double=True)
    click(compared.view.prediction)
    compared.view.timeline.set_following(following=False)
    compared.view.timeline.set_position(1)
    first = next(iter(ds.sample(tiny, ds.seeded_noise(tiny, range(3)), ds.SampleSettings(steps=3))))
    shown = compared.view.cell_pixels().astype(int)
    assert np.abs(shown - to_pixels(first.x0).astype(int)).max() <= 1
    compared.view.timeline.set_position(0)
    assert compared.view.cell_pixels() is None
