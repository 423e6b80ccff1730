"""What is remembered of models: which were used last, and where each of them runs."""

import json

import pytest
from PySide6.QtWidgets import QFileDialog

from ddim_studio.gui.model_choice import ModelChoice
from ddim_studio.gui.model_shelf import ModelShelf
from ddim_studio.gui.state import MAX_RECENT_MODELS, Memory
from ddim_studio.models.catalog import bundled_models
from ddim_studio.storage import user_folder


@pytest.fixture
def shelf(qapp):
    return ModelShelf(Memory())


def again():
    """The shelf after a restart."""
    return ModelShelf(Memory())


def test_the_newest_model_comes_first_and_the_oldest_leave(shelf):
    told = []
    shelf.recent_changed.connect(lambda: told.append(shelf.recent()))
    for number in range(MAX_RECENT_MODELS + 3):
        shelf.remember(f"m{number}")
    shelf.remember("m5")
    shelf.remember("m5")
    newest = [f"m{number}" for number in range(MAX_RECENT_MODELS + 2, 2, -1)]
    assert shelf.recent() == ["m5", *(name for name in newest if name != "m5")]
    assert len(told) == MAX_RECENT_MODELS + 4
    shelf.forget("m5")
    assert "m5" not in shelf.recent()


def test_devices_belong_to_models_and_survive(shelf):
    told = []
    shelf.device_changed.connect(lambda *what: told.append(what))
    assert shelf.device_of("a") == "auto"
    shelf.set_device("a", "auto")
    shelf.set_device("a", "cpu")
    shelf.set_device("b", "cuda")
    assert told == [("a", "cpu"), ("b", "cuda")]
    shelf._memory.save()
    assert (again().device_of("a"), again().device_of("b")) == ("cpu", "cuda")
    shelf.set_device("a", "auto")
    shelf._memory.save()
    assert again().device_of("a") == "auto"


@pytest.mark.parametrize("devices", [5, ["a"], {"a": "tpu", "b": "cpu"}, None, "cpu"])
def test_a_damaged_memory_means_auto(devices):
    path = user_folder("config") / "window.json"
    path.write_text(json.dumps({"model_devices": devices}))
    assert again().device_of("a") == "auto"
    assert again().device_of("b") == ("cpu" if isinstance(devices, dict) else "auto")


@pytest.fixture
def choice(qtbot, shelf):
    made = ModelChoice()
    qtbot.addWidget(made)
    made.follow(shelf)
    return made


def pick(choice, text):
    index = choice.combo.findText(text)
    assert index >= 0, text
    choice.combo.setCurrentIndex(index)
    choice.combo.activated.emit(index)


def test_what_was_opened_elsewhere_can_be_chosen_here(choice, shelf):
    chosen = []
    choice.chosen.connect(lambda *what: chosen.append(what))
    shelf.set_device("/models/second", "cpu")
    shelf.remember("/models/first")
    shelf.remember("/models/second")
    assert choice.sources() == [*bundled_models(), "/models/second", "/models/first"]
    assert choice.source() == next(iter(bundled_models()))
    assert chosen == []
    pick(choice, "second")
    assert chosen == [("/models/second", "cpu")]
    shelf.forget("/models/second")
    assert choice.source() == "/models/second"  # what is chosen stays


def test_the_same_model_chosen_again_is_not_announced(choice):
    chosen = []
    choice.chosen.connect(lambda *what: chosen.append(what))
    choice.set_source(choice.source())
    assert chosen == []


@pytest.mark.parametrize("given", [True, False])
def test_files_and_folders_are_asked_for(choice, monkeypatch, tmp_path, given):
    file = tmp_path / "a.ckpt"
    file.touch()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file) if given else "", ""))
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path) if given else ""
    )
    before = choice.source()
    for command, path in (("Open a file…", file), ("Open a folder…", tmp_path)):
        pick(choice, command)
        assert choice.source() == (str(path.resolve()) if given else before)
        assert choice.combo.currentData() == choice.source()


def test_all_models_asks_for_the_page_and_changes_nothing(choice):
    asked = []
    choice.browse_requested.connect(lambda: asked.append(choice.combo.currentText()))
    pick(choice, "All models…")
    assert asked == [choice.source()]


def test_two_choices_of_one_model_run_at_one_place(qtbot, choice, shelf):
    other = ModelChoice()
    qtbot.addWidget(other)
    other.follow(shelf)
    choice.device.setCurrentText("cpu")
    assert other.device.currentText() == "cpu"
    other.set_source("elsewhere")
    assert other.device.currentText() == "auto"
    choice.device.setCurrentText("auto")
    other.device.setCurrentText("cpu")
    assert choice.device.currentText() == "auto"
