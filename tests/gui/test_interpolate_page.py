"""The Interpolate page as a person uses it; the worker is played by the test."""

import numpy as np
import pytest
from hand import click, drop, find
from inversion_pages import decode_everything
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton, QSlider, QSpinBox, QWidget

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.events import Failure, Notice


def level(page):
    """The grey of the large picture's corner."""
    image = page.view.result.shown_image()
    return image.pixelColor(0, 0).red()


def test_the_contracts_object_names_are_there_and_have_accessible_names(page):
    names = {
        "imageA": QWidget,
        "imageB": QWidget,
        "invertButton": QPushButton,
        "alphaSlider": QSlider,
        "resultView": QWidget,
        "stripView": QWidget,
        "modelCombo": QComboBox,
        "stepsSpin": QSpinBox,
        "spacingCombo": QComboBox,
        "cancelButton": QPushButton,
    }
    assert page.objectName() == "interpolatePage"
    for name, kind in names.items():
        assert find(page, kind, name).accessibleName(), name


def test_every_control_explains_itself(page):
    for kind in (QComboBox, QSpinBox, QSlider, QPushButton):
        for control in page.findChildren(kind):
            assert control.toolTip(), control.objectName()


def test_two_dropped_files_are_inverted_in_one_batch(filled, fakes):
    click(find(filled, QPushButton, "invertButton"))
    (order,) = filled.desk.orders
    assert [image.label for image in order.images] == ["ankle-boot.png", "pullover.png"]
    boot = np.asarray(Image.open(fakes.sample("ankle-boot")))
    np.testing.assert_array_equal(order.images[0].pixels[:, :, 0], boot)
    assert (order.run.steps, order.run.method, order.run.model) == (50, "exact", "toonheads-32")
    assert not filled.panel.run_button.isEnabled()
    assert filled.panel.cancel_button.isEnabled()


def test_without_an_image_the_empty_slot_says_so(page, fakes, qtbot):
    drop(page.view.cards[0].slot, fakes.sample("bag"))
    qtbot.waitUntil(lambda: not page.ends.is_busy())
    click(page.panel.run_button)
    assert page.desk.orders == []
    assert page.view.cards[0].slot.error() == ""
    assert page.view.cards[1].slot.error() == "An image is needed here."


def test_a_bad_file_leaves_the_old_image_and_says_why(filled, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_text("not a picture")
    slot = filled.view.cards[0].slot
    before = slot.pixels()
    drop(slot, bad)
    filled.ends.intake.collect()
    assert "bad.png is not an image" in slot.error()
    assert slot.source().label == "ankle-boot.png"
    np.testing.assert_array_equal(slot.pixels(), before)


def test_the_states_on_the_way_are_shown_with_their_times(filled, fakes):
    click(filled.panel.run_button)
    steps = list(fakes.encode_steps(filled.desk.orders[0]))
    filled.desk.send(*steps[:2])
    np.testing.assert_array_equal(filled.view.result._pixels, steps[1].x)
    assert filled.view.result._captions == ["A at t = 400", "B at t = 400"]


def test_each_end_shows_its_reconstruction_difference_and_error(filled, fakes):
    click(filled.panel.run_button)
    filled.desk.invert(missed=((1, 1), (2, 1)))
    first, second = filled.view.cards[:2]
    assert first.numbers.said() == "MSE 1.7e-11 · 108 dB"
    assert "calls a step" in first.warning.said()
    assert (second.warning.said(), second.warning.tone()) == ("2 steps unconverged", "warning")
    first.set_view("diff")
    assert "white is 3.1e-05" in first.slot._note.full_text()
    table = filled.readout.end_table
    assert [table.text("B", column) for column in (0, 1, 4)] == ["3e-11", "105", "2"]
    assert table.tone("B", 4) == "warning"


def test_the_picture_follows_the_slider(inverted, qtbot):
    slider = find(inverted, QSlider, "alphaSlider")
    assert slider.isEnabled()
    decode_everything(inverted, qtbot)  # the picture in the middle, and the strip
    slider.setValue(300)
    qtbot.waitUntil(lambda: inverted.desk.live and inverted.desk.live[-1].alphas == (0.3,))
    inverted.desk.decode(final=False)
    assert level(inverted) == 50
    assert inverted.view.alpha.is_coarse()
    inverted.desk.decode()
    assert level(inverted) == 30
    assert not inverted.view.alpha.is_coarse()
    assert inverted.readout.path_table.text("weights").startswith("0.")


def test_the_arrow_keys_move_alpha_and_the_ends_are_the_reconstructions(inverted, fakes):
    slider = find(inverted, QSlider, "alphaSlider")
    slider.setFocus()
    before = slider.value()
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() == before + 10
    QTest.keyClick(slider, Qt.Key.Key_Home)
    _, result = inverted.inverted
    np.testing.assert_array_equal(inverted.view.result._pixels[0], result.reconstructions[0])
    QTest.keyClick(slider, Qt.Key.Key_End)
    np.testing.assert_array_equal(inverted.view.result._pixels[0], result.reconstructions[1])


def test_the_strip_fills_and_a_click_on_a_frame_sets_alpha(inverted, qtbot):
    find(inverted, QSpinBox, "framesSpin").setValue(5)
    decode_everything(inverted, qtbot)
    pixels = inverted.view.strip._pixels
    assert [int(frame[0, 0, 0]) for frame in pixels[1:4]] == [25, 50, 75]
    left, top, width, height = inverted.view.strip._grid.rect(3)
    place = inverted.view.strip.rect().topLeft()
    place.setX(left + width // 2)
    place.setY(top + height // 2)
    QTest.mouseClick(inverted.view.strip, Qt.MouseButton.LeftButton, pos=place)
    assert inverted.view.alpha.tick() == 750
    assert level(inverted) == 75


def test_linear_instead_of_slerp_is_decoded_anew(inverted, qtbot):
    decode_everything(inverted, qtbot)
    inverted.view.alpha.set_tick(300)
    qtbot.waitUntil(lambda: inverted.desk.live[-1].alphas == (0.3,))
    inverted.desk.decode()
    inverted.path.setCurrentIndex(inverted.path.findData("lerp"))
    qtbot.waitUntil(lambda: inverted.desk.live[-1].path == "lerp")
    assert inverted.desk.live[-1].alphas == (0.3,)


def test_another_image_makes_the_result_void(inverted, fakes, qtbot):
    drop(inverted.view.cards[0].slot, fakes.sample("bag"))
    qtbot.waitUntil(lambda: not inverted.ends.is_busy())
    assert inverted.inverted is None
    assert not find(inverted, QSlider, "alphaSlider").isEnabled()
    assert inverted.view.cards[1].numbers.said() == ""


def test_the_model_may_change_in_between(inverted, fakes, qtbot):
    import dataclasses

    colour = dataclasses.replace(fakes.INFO, image_shape=(3, 32, 32))
    inverted.show_model(colour, "cpu")
    assert inverted.inverted is not None  # the result stays until a new one is asked for
    assert inverted.view.cards[0].slot.pixels().shape == (28, 28, 1)
    click(inverted.panel.run_button)
    qtbot.waitUntil(lambda: len(inverted.desk.orders) == 2)
    assert inverted.inverted is None
    assert {image.pixels.shape for image in inverted.desk.orders[-1].images} == {(32, 32, 3)}


def test_cancel_and_failure_leave_the_images(filled, fakes):
    click(filled.panel.run_button)
    filled.desk.send(*list(fakes.encode_steps(filled.desk.orders[0]))[:1])
    click(filled.panel.cancel_button)
    assert filled.desk.cancelled == 1
    filled.desk.finish("cancelled")
    assert filled.panel.run_button.isEnabled()
    assert filled.view.result._pixels is None
    click(filled.panel.run_button)
    assert len(filled.desk.orders) == 2
    failure = Failure("The disk is full.")
    filled.desk.finish("failed", failure)
    assert filled.desk.failures == [failure]
    assert filled.view.cards[0].slot.source() is not None


def test_notices_of_the_job_are_said(filled):
    click(filled.panel.run_button)
    filled.desk.send(Notice("2 steps did not converge."))
    assert filled.desk.notices == ["2 steps did not converge."]


def test_a_wrong_list_is_marked_in_place(filled):
    panel = filled.panel
    panel.spacing.setCurrentIndex(panel.spacing.findData("own list"))
    panel.timesteps.setText("5, 3")
    click(panel.run_button)
    assert filled.desk.orders == []
    section, field = panel.fields["timesteps"]
    assert "strictly increasing" in section.error(field)
    with pytest.raises(SettingsError):
        panel.settings()
    panel.timesteps.setText("0, 10, 999")
    click(panel.run_button)
    assert filled.desk.orders[0].run.timesteps == (0, 10, 999)
