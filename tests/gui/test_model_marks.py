"""Another model is chosen: pages keep what they hold, and say what no longer fits."""

import json
import shutil

import numpy as np
import pytest
from hand import click, drop, find, run
from PySide6.QtWidgets import QPushButton, QSlider, QSpinBox, QWidget

from ddim_studio.gui.image_source import from_file
from ddim_studio.gui.model_mark import ModelMark, size_note
from ddim_studio.storage import resources


def picture(name):
    return resources() / "samples" / "fashion" / f"{name}.png"


@pytest.fixture
def invert(window, finish, qtbot):
    """Inverts bundled samples on the Invert page, and returns the page."""

    def do(*names):
        page = window.invert
        window.navigation.pages.setCurrentRow(window.pages.index(page))
        page.add([from_file(picture(name)) for name in names])
        page.panel.steps.setValue(3)
        qtbot.waitUntil(lambda: not page.images.is_busy(), timeout=20_000)
        click(page.panel.run_button)
        finish()
        return page

    return do


@pytest.fixture
def other(tiny_pipeline, tmp_path):
    """A model for images of 16×16, otherwise as the small one."""
    folder = shutil.copytree(tiny_pipeline, tmp_path / "larger")
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"sample_size": 16}))
    return str(folder)


def test_a_sampled_run_stays_and_is_marked_until_its_model_is_back(
    window, finish, other, tiny_pipeline
):
    page = window.sample
    run(window, finish)
    assert not page.mark.isVisible()
    shown = page.stage.shown_pixels()
    page.panel.model.set_source(other)
    finish()
    assert page.mark.isVisible()
    assert page.mark.text() == "Made with tiny; the page is set to larger now."
    assert np.array_equal(page.stage.shown_pixels(), shown)
    find(page, QSlider, "timelineSlider").setValue(2)
    assert page.stage.shown_pixels().shape == shown.shape
    click(find(page, QPushButton, "modelBackButton"))
    finish()
    assert page.panel.model.source() == str(tiny_pipeline)
    assert not page.mark.isVisible()
    page.panel.model.set_source(other)
    finish()
    run(window, finish)
    assert not page.mark.isVisible()
    assert page.stage.shown_pixels().shape[1:] == (16, 16, 1)


def test_a_model_chosen_in_the_middle_of_a_run_lets_it_end(window, finish, qtbot, other):
    page = window.sample
    page.panel.steps.setValue(60)
    click(page.panel.run_button)
    qtbot.waitUntil(lambda: page.stage.record is not None and page.stage.record.numbers != [])
    page.panel.model.set_source(other)
    finish()
    assert len(page.stage.record.numbers) == 61
    assert page.mark.isVisible()
    assert "16×16" in page.panel.model.about.text()


def test_an_inversion_stays_with_its_images_until_a_new_one_is_asked_for(
    invert, finish, qtbot, other
):
    page = invert("bag", "coat")
    order, result = page.inverted
    page.panel.model.set_source(other)
    finish()
    assert page.inverted == (order, result)
    assert "Made with tiny" in page.mark.text()
    assert "takes images of 16×16 grey, not of 8×8 grey" in page.mark.text()
    assert "when you press Invert." in page.mark.text()
    assert [image.pixels.shape for image in page.images.inputs()] == [(8, 8, 1)] * 2
    click(page.watch_button)  # what is on show can still be watched, by its own model
    finish()
    assert page.watching.stage.shown_pixels().shape == (1, 8, 8, 1)
    assert "16×16" in page.panel.model.about.text()
    click(page.watching.back)
    click(page.panel.run_button)
    qtbot.waitUntil(lambda: page.inverted is not None and page.inverted[1] is not result)
    finish()
    assert page.inverted[1].originals.shape == (2, 16, 16, 1)
    assert not page.mark.isVisible()


def test_another_image_makes_room_for_the_model_chosen(invert, finish, qtbot, other):
    page = invert("bag")
    page.panel.model.set_source(other)
    finish()
    page.add([from_file(picture("coat"))])
    qtbot.waitUntil(lambda: not page.images.is_busy(), timeout=20_000)
    assert [image.pixels.shape for image in page.images.inputs()] == [(16, 16, 1)] * 2
    assert not page.mark.isVisible()


def test_a_path_stays_walkable_with_the_model_that_made_it(window, finish, qtbot, other):
    page = window.interpolate
    window.navigation.pages.setCurrentRow(window.pages.index(page))
    for card, name in zip(page.view.cards, ("bag", "coat"), strict=False):
        drop(card.slot, picture(name))
    page.panel.steps.setValue(3)
    qtbot.waitUntil(lambda: not page.ends.is_busy(), timeout=20_000)
    click(page.panel.run_button)
    finish()
    qtbot.waitUntil(lambda: not window.controller.monitor.is_busy(), timeout=20_000)
    page.panel.model.set_source(other)
    finish()
    assert page.inverted is not None
    assert "fitted anew when you press Invert." in page.mark.text()
    slider = find(page, QSlider, "alphaSlider")
    slider.setValue(333)
    qtbot.waitUntil(lambda: page.live.final(333) is not None, timeout=20_000)
    finish()
    assert page.live.final(333).shape[-3:] == (8, 8, 1)
    click(page.panel.run_button)
    qtbot.waitUntil(
        lambda: page.inverted is not None and page.inverted[0].run.model == other, timeout=20_000
    )
    finish()
    assert page.inverted[1].originals.shape == (2, 16, 16, 1)
    assert not page.mark.isVisible()


def test_a_model_of_the_same_size_is_marked_without_a_word_about_sizes(
    invert, finish, tiny_pipeline, tmp_path
):
    page = invert("bag")
    page.panel.model.set_source(str(shutil.copytree(tiny_pipeline, tmp_path / "same")))
    finish()
    assert page.mark.text() == "Made with tiny; the page is set to same now."


def test_opening_a_model_can_be_cancelled_and_the_page_says_so(
    window, finish, qtbot, other, monkeypatch
):
    monkeypatch.setattr("ddim_studio.jobs.models.PART_BYTES", 1)  # so that it takes a while
    page = window.sample
    page.panel.model.set_source(other)
    qtbot.waitUntil(
        lambda: window.job_bar.findChild(QWidget, "jobTitle").full_text() == "Opening larger"
    )
    numbers = window.job_bar.findChild(QWidget, "jobNumbers")
    qtbot.waitUntil(lambda: "kB" in numbers.text(), timeout=20_000)
    window.job_bar.cancel_requested.emit()
    finish()
    assert "Opening was cancelled" in page.panel.model.error(page.panel.model.combo)
    monkeypatch.undo()
    run(window, finish)
    assert page.stage.shown_pixels().shape[1:] == (16, 16, 1)
    assert page.panel.model.error(page.panel.model.combo) == ""


def test_the_newest_choice_wins_and_no_page_waits_for_ever(window, finish, other, tiny_pipeline):
    page = window.sample
    for source in (other, str(tiny_pipeline), "fashion-28", other):
        page.panel.model.set_source(source)
    finish()
    assert "16×16" in page.panel.model.about.text()
    window.invert.panel.model.set_source("fashion-28")
    window.sample.panel.model.set_source(str(tiny_pipeline))
    finish()
    assert "28×28" in window.invert.panel.model.about.text()
    assert "8×8" in window.sample.panel.model.about.text()


def test_size_notes_only_where_sizes_differ():
    assert size_note((1, 8, 8), (1, 8, 8), "Invert") == ""
    assert "32×32 colour, not of 28×28 grey" in size_note((1, 28, 28), (3, 32, 32), "Invert")


def test_a_mark_without_anything_made_is_hidden(qtbot):
    made = ModelMark()
    qtbot.addWidget(made)
    made.show_for(None, "a")
    assert made.isHidden()
    made.show_for("b", "a")
    assert not made.isHidden()
    made.show_for("a", "a")
    assert made.isHidden()
    assert made.text() == ""


def test_a_class_is_chosen_where_the_model_has_classes(window, finish, classes_model):
    page = window.sample
    spin = find(page, QSpinBox, "classSpin")
    assert spin.isHidden()
    page.panel.model.set_source(classes_model)
    finish()
    assert not spin.isHidden()
    assert spin.maximum() == 4
    spin.setValue(3)
    assert page.panel.settings().class_label == 3
    seen = []
    page.run_requested.connect(seen.append)
    run(window, finish)
    assert seen[0].class_label == 3
    third = page.stage.shown_pixels()
    spin.setValue(1)
    run(window, finish)
    assert not np.array_equal(page.stage.shown_pixels(), third)
    remembered = page.memory()
    page.panel.model.set_source("fashion-28")
    finish()
    assert spin.isHidden()
    assert page.panel.settings().class_label is None
    page.recall(remembered)
    assert page.panel.settings().class_label == 1  # before the model is open, too
    finish()
    assert page.panel.settings().class_label == 1
    for inversion in (window.invert, window.interpolate):
        inversion.panel.adopt(page.panel.settings())
        finish()
        assert inversion.panel.settings().class_label == 1


@pytest.fixture
def classes_model(tiny_pipeline, tmp_path):
    """A small random model that draws five classes."""
    import torch
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

    torch.manual_seed(1)
    config = json.loads((tiny_pipeline / "unet" / "config.json").read_text())
    network = UNet2DModel(**UNet2DModel.extract_init_dict(config)[0] | {"num_class_embeds": 5})
    torch.nn.init.normal_(network.class_embedding.weight, std=5.0)
    DDIMPipeline(network, DDIMScheduler(clip_sample=False)).save_pretrained(tmp_path / "classes")
    return str(tmp_path / "classes")
