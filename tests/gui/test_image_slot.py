"""Images come into a slot as people bring them: dropped, pasted, chosen, sampled, from a seed."""

import numpy as np
import pytest
from hand import drop
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog

from ddim_studio.gui.image_source import bundled_samples, from_file, from_seed
from ddim_studio.gui.widgets.image_slot import ImageSlot

PICTURE = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28, 1)


@pytest.fixture
def slot(qtbot):
    made = ImageSlot("A")
    qtbot.addWidget(made)
    made.resize(220, 240)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "boot.png"
    Image.fromarray(PICTURE[:, :, 0]).save(path)
    return path


def filled(slot, path):
    slot.take(from_file(path))
    slot.accept(slot.wanted(), PICTURE, "28×28 grey, to 28×28 grey")


def pasted(image):
    QApplication.clipboard().setImage(image)


class DropFrom(QDropEvent):
    """A drop whose source is known, as in a real drag between widgets."""

    def __init__(self, source, data):
        super().__init__(
            QPointF(20, 20),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        self._from = source

    def source(self):
        return self._from


def test_a_dropped_file_is_wanted_and_only_accepted_by_the_owner(slot, png, qtbot):
    with qtbot.waitSignal(slot.changed):
        drop(slot, png)
    assert slot.wanted().content == png
    assert slot.source() is None
    slot.accept(slot.wanted(), PICTURE, "as it is")
    assert slot.source().label == "boot.png"
    assert slot.wanted() is None
    np.testing.assert_array_equal(slot.pixels(), PICTURE)
    assert slot.note() == "as it is"


def test_a_folder_is_left_to_the_window(slot, tmp_path):
    drop(slot, tmp_path)
    assert slot.wanted() is None


def test_what_is_refused_leaves_what_was_there(slot, png):
    filled(slot, png)
    slot.take(from_file(png.with_name("bad.png")))
    slot.refuse("bad.png is empty: choose another one.")
    assert slot.error() == "bad.png is empty: choose another one."
    assert slot.source().label == "boot.png"
    np.testing.assert_array_equal(slot.pixels(), PICTURE)
    filled(slot, png)
    assert slot.error() == ""


def test_a_picture_is_pasted_with_its_opacity(slot, qtbot):
    image = QImage(3, 2, QImage.Format.Format_RGBA8888)
    image.fill(Qt.GlobalColor.transparent)
    image.setPixelColor(2, 1, Qt.GlobalColor.red)
    pasted(image)
    slot.setFocus()
    with qtbot.waitSignal(slot.changed):
        QTest.keyClick(slot, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    pixels = slot.wanted().content
    assert pixels.shape == (2, 3, 4)
    assert pixels[1, 2].tolist() == [255, 0, 0, 255]
    assert pixels[0, 0, 3] == 0


def test_an_empty_clipboard_is_said_so(slot):
    QApplication.clipboard().clear()
    QTest.keyClick(slot, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert slot.error() == "There is no image on the clipboard."


def test_a_copied_file_is_pasted_as_a_file(slot, png):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(png))])
    QApplication.clipboard().setMimeData(data)
    QTest.keyClick(slot, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert slot.wanted().content == png


def test_a_click_opens_the_dialog(slot, png, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (str(png), ""))
    QTest.mouseClick(slot, Qt.MouseButton.LeftButton)
    assert slot.wanted().content == png


def test_a_dialog_that_is_cancelled_changes_nothing(slot, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: ("", ""))
    with qtbot.assertNotEmitted(slot.changed):
        QTest.mouseClick(slot, Qt.MouseButton.LeftButton)


def test_another_slot_gives_its_original_not_the_picture_it_shows(slot, png, qtbot):
    other = ImageSlot("B")
    qtbot.addWidget(other)
    filled(other, png)
    other.show_instead(255 - PICTURE, "difference")
    data = QMimeData()
    data.setImageData(QImage(28, 28, QImage.Format.Format_RGB888))
    slot.dropEvent(DropFrom(other, data))  # Qt knows the source of real drags only
    assert slot.wanted().content == png


@pytest.mark.parametrize(
    ("typed", "seed"), [("7", 7), ("0x10", 16), (" 18446744073709551615 ", 2**64 - 1)]
)
def test_a_seed_is_typed(slot, monkeypatch, typed, seed):
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: (typed, True))
    slot.menu.ask_seed()
    assert slot.wanted().seed == seed


@pytest.mark.parametrize("typed", ["", "-1", "18446744073709551616", "boot"])
def test_what_is_no_seed_is_said_so(slot, monkeypatch, typed):
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: (typed, True))
    slot.menu.ask_seed()
    assert slot.wanted() is None
    assert slot.error() == "A seed is a whole number from 0 to 2⁶⁴ − 1."


def test_every_class_of_the_samples_is_in_the_menu(slot):
    slot.menu.samples.aboutToShow.emit()
    names = {action.text() for action in slot.menu.samples.actions()}
    assert {"t shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt"} <= names
    assert {"sneaker", "bag", "ankle boot"} <= names
    assert len(names) == len(bundled_samples()) == 20
    slot.menu.samples.actions()[0].trigger()
    assert slot.wanted().content == bundled_samples()[0]


def test_delete_empties_the_slot(slot, png, qtbot):
    filled(slot, png)
    with qtbot.waitSignal(slot.changed):
        QTest.keyClick(slot, Qt.Key.Key_Delete)
    assert slot.source() is None
    assert slot.pixels() is None


def test_the_picture_is_shown_in_whole_pixels_and_copied_so(slot, png):
    filled(slot, png)
    slot.copy()
    image = QApplication.clipboard().image()
    scale = image.width() // 28
    assert scale >= 3
    assert image.width() == image.height() == 28 * scale
    corner = {image.pixelColor(x, y).red() for x in range(scale) for y in range(scale)}
    assert corner == {0}
    assert image.pixelColor(scale * 5, scale * 9).red() == PICTURE[9, 5, 0]


def test_a_seed_has_no_picture_until_it_is_decoded(slot):
    slot.take(from_seed(3))
    slot.accept(slot.wanted(), None, "x_T is drawn from the seed")
    assert slot.source().seed == 3
    slot.copy()  # nothing to copy, and nothing breaks
    slot.grab()
    slot.show_instead(PICTURE, "decoded from its seed")
    slot.copy()
    assert not QApplication.clipboard().image().isNull()
