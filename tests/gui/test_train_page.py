"""The Train page as a person uses it, with a real process that trains a tiny model."""

import os
import signal

import pytest
from hand import click, drop, find
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton, QSlider, QWidget
from tiny_runs import write_images

from ddim_studio.jobs import training_child
from ddim_studio.training.log import read_log

LOOKED_AT = "24 images in this folder, 8×8, grey."
MOST = 100_000


@pytest.fixture
def children(monkeypatch):
    """The processes that were started, at the priority of the tests."""
    started, begin = [], training_child.TrainingChild.__init__

    def note(self, *arguments):
        begin(self, *arguments)
        started.append(self)

    monkeypatch.setattr(training_child, "NICENESS", 0)
    monkeypatch.setattr(training_child.TrainingChild, "__init__", note)
    return started


@pytest.fixture
def page(window, children, finish):
    finish()
    window.show_page(window.train)
    return window.train


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "pictures")


@pytest.fixture
def chosen(page, data, qtbot):
    """With images dropped and a tiny network set."""
    drop(page, data)
    found = page.panel.data.found
    qtbot.waitUntil(lambda: found.said() == LOOKED_AT, timeout=MOST)
    panel, more = page.panel, page.panel.more.controls
    panel.network.network.setCurrentText("own widths")
    panel.network.own.setText("8, 16")
    panel.length.unit.setCurrentText("steps")
    panel.length.amount.setValue(100_000)
    more["batch_size"].setValue(8)
    more["precision"].setCurrentText("float32")
    more["device"].setCurrentText("cpu")
    more["threads"].setValue(1)
    return page


def wait(qtbot, condition):
    qtbot.waitUntil(condition, timeout=MOST)


def test_the_page_and_its_controls_have_names(window, page):
    names = {
        "trainPage": QWidget, "dataEdit": QLineEdit, "startButton": QPushButton,
        "pauseButton": QPushButton, "stopButton": QPushButton, "useTrainedButton": QPushButton,
        "openRunButton": QPushButton, "smoothingSlider": QSlider, "nameEdit": QLineEdit,
        "runList": QWidget, "trainFrameView": QWidget, "trainProgress": QWidget,
    }  # fmt: skip
    for name, kind in names.items():
        assert find(window, kind, name).accessibleName(), name
    assert window.pages.index(page) == len(window.pages) - 2


def test_images_are_shown_and_bad_ones_named_before_anything_runs(chosen, data, qtbot):
    assert chosen.view.sheet.shape == (24, 8, 8, 3)
    assert chosen.panel.network.size_spin.value() == 8
    assert chosen.panel.length.name.text() == "pictures"
    (data / "bad.png").write_bytes(b"x")
    drop(chosen, data)
    wait(qtbot, lambda: "bad.png" in chosen.panel.data.left_out.said())


def test_bad_fields_are_marked_in_place_and_nothing_starts(page, data, children, qtbot, tmp_path):
    panel = page.panel
    click(panel.start)
    assert "Choose the images" in panel.data.error(panel.data.edit)
    (tmp_path / "empty").mkdir()
    drop(page, tmp_path / "empty")
    wait(qtbot, lambda: "holds no pictures" in panel.data.error(panel.data.edit))
    drop(page, data)
    wait(qtbot, lambda: page.view.sheet is not None)
    panel.network.network.setCurrentText("own widths")
    panel.network.own.setText("8, 9")
    click(panel.start)
    assert "Widths must be" in panel.network.error(panel.network.own)
    assert children == []


@pytest.mark.timeout(900)
def test_a_run_grows_pauses_is_killed_goes_on_stops_and_is_used(
    window, chosen, children, qtbot, finish
):
    page, panel = chosen, chosen.panel
    click(panel.start)
    assert not panel.start.isEnabled()
    page.ask_to_start()  # by the shortcut, say
    assert "One run trains at a time" in window.error_bar.message()
    wait(qtbot, lambda: page.record.step >= 5)
    assert len(page.view.plot.plot()._series["loss"][0]) >= 5
    click(panel.pause)
    wait(qtbot, lambda: page.state.paused)
    held = page.record.step
    assert page.readout.state.full_text() == "Paused"
    click(panel.pause)
    wait(qtbot, lambda: page.record.step > held)
    os.kill(children[0].pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    wait(qtbot, lambda: not page.desk.is_training())
    assert "ended the training from outside" in window.error_bar.message()
    assert "Go on" in page.readout.problem.said()
    click(panel.start)
    wait(qtbot, lambda: page.state.begun and page.record.step > held + 2)
    click(panel.stop)
    wait(qtbot, lambda: not page.desk.is_training())
    assert page.readout.state.full_text().startswith("Stopped at step")
    assert len(children) == 2
    steps = [values["step"] for values in read_log(page.record.folder / "training" / "log.jsonl")
             if values["event"] == "step"]  # fmt: skip
    assert steps == list(range(1, page.record.step + 1))
    click(page.readout.use)
    finish()
    assert window.sample.model().source() == str(page.record.folder)
    window.show_page(window.sample)
    click(window.sample.panel.run_button)
    finish()
    assert window.sample.stage.shown_pixels().shape[1:] == (8, 8, 1)


@pytest.mark.timeout(900)
def test_a_window_that_closes_stops_the_run_and_the_next_one_offers_it(
    window, chosen, children, qtbot, monkeypatch
):
    page = chosen
    click(page.panel.start)
    wait(qtbot, lambda: page.record.step >= 2)
    folder = page.record.folder
    window.close()
    wait(qtbot, lambda: not children[0].is_running())
    assert (folder / "unet" / "diffusion_pytorch_model.safetensors").is_file()
    from ddim_studio.gui.app import create_window

    after = create_window()
    try:
        after.show()
        wait(qtbot, lambda: after.train.record is not None and after.train.record.kept)
        wait(qtbot, lambda: after.train.panel.start.text() == "Go on")
        assert after.train.readout.state.full_text().startswith("Stopped at step")
        other = folder.parent
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(other))
        click(after.train.readout.open)
        assert "There is no run of training" in after.error_bar.message()
    finally:
        after.close()
        after.deleteLater()
