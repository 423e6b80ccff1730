import numpy as np
import pytest
from hand import find, run
from PySide6.QtWidgets import QDoubleSpinBox, QToolButton

from ddim_studio.gui import history
from ddim_studio.gui.history_menu import HistoryMenu
from ddim_studio.jobs.runs import SampleRun


def keep(count, seed=0, size=4, channels=1):
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (count, size, size, channels)).astype(np.uint8)
    list(history.keep_job(SampleRun(count=count, seed=seed), pixels))
    return pixels


@pytest.mark.parametrize("count", [1, 2, 5, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_kept_run_gives_back_its_settings_and_every_image(count, channels):
    pixels = keep(count, seed=7, channels=channels)
    (past,) = history.remembered()
    assert past.run == SampleRun(count=count, seed=7)
    images = history.images_of(past)
    assert len(images) == count
    for one, original in zip(images, pixels, strict=True):
        assert np.array_equal(one, original)


def test_the_newest_run_comes_first_and_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr(history, "MOST_KEPT", 3)
    for seed in range(5):
        keep(1, seed)
    assert [past.run.seed for past in history.remembered()] == [4, 3, 2]


def test_strange_files_are_passed_over():
    keep(1)
    (history.folder() / "123.png").write_bytes(b"no picture")
    (history.folder() / "99999999999999999999999999.png").write_bytes(b"")
    assert len(history.remembered()) == 1


def test_a_run_of_the_window_can_be_taken_again(window, finish):
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.3)
    run(window, finish)
    find(window, QDoubleSpinBox, "etaSpin").setValue(0.9)
    menu = find(window, QToolButton, "historyButton").menu()
    menu.aboutToShow.emit()
    menu.actions()[0].trigger()
    assert find(window, QDoubleSpinBox, "etaSpin").value() == pytest.approx(0.3)


def test_an_image_of_a_past_run_goes_to_a_slot(window, finish):
    run(window, finish)
    final = window.sample.stage.shown_pixels()
    menu = HistoryMenu("past", window, of_images=True)
    menu.fill()
    sent = []
    menu.image_chosen.connect(sent.append)
    images = menu.actions()[0].menu()
    images.aboutToShow.emit()
    images.actions()[2].trigger()
    assert np.array_equal(sent[0].content, final[2])
    assert sent[0].label == "history, seed 2"


def test_on_the_invert_page_a_run_with_noise_and_clipping_says_what_is_done_otherwise(window):
    window.navigation.pages.setCurrentRow(window.pages.index(window.invert))
    model = window.invert.panel.model.source()
    past = SampleRun(model=model, steps=7, eta=0.5, clip="clamp", spacing="trailing")
    window.navigation.history.run_chosen.emit(past)
    panel = window.invert.panel
    assert window.stack.currentWidget() is window.invert
    assert panel.settings().steps == 7
    assert panel.settings().spacing == "trailing"
    assert "η = 0.5 and clipping (clamp)" in panel.remark()
    assert "cannot be undone" in panel.remark()
