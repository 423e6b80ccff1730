"""Any unsigned 64-bit seed, typed, pasted, stepped or thrown."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QToolButton

from ddim_studio.diffusion.settings import MAX_SEED
from ddim_studio.gui.widgets.seed_edit import SeedEdit, parse_seed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("18446744073709551615", MAX_SEED),
        ("0xFFFFFFFFFFFFFFFF", MAX_SEED),
        ("0x1f", 31),
        (" 1 234_567\u00a0", 1_234_567),
        ("007", 7),
    ],
)
def test_numbers_are_read(text, value):
    assert parse_seed(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1.5", "1e3", "x", "0x", "18446744073709551616", "٣", "9" * 5000, "1,000"],
)
def test_anything_else_is_not(text):
    assert parse_seed(text) is None


@pytest.fixture
def edit(qtbot):
    made = SeedEdit()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def line(edit):
    return edit.findChild(QLineEdit, "seedSpin")


def test_typing_tells_python_ints_beyond_63_bits(edit, qtbot):
    told = []
    edit.value_changed.connect(told.append)
    line(edit).selectAll()
    qtbot.keyClicks(line(edit), str(MAX_SEED))
    assert edit.value() == MAX_SEED
    assert told[-1] == MAX_SEED
    assert told[0] == 1


def test_bad_text_marks_the_field_keeps_the_value_and_says_the_range(edit, qtbot):
    edit.set_value(5)
    told = []
    edit.value_changed.connect(told.append)
    line(edit).selectAll()
    qtbot.keyClicks(line(edit), "abc")
    assert edit.error()
    assert str(MAX_SEED) in line(edit).toolTip()
    assert line(edit).property("invalid") is True
    assert edit.value() == 5
    assert told == []
    line(edit).selectAll()
    qtbot.keyClicks(line(edit), "6")
    assert edit.error() == ""
    assert line(edit).property("invalid") is False
    assert told == [6]


def test_hexadecimal_is_written_plainly_once_done(edit, qtbot):
    line(edit).selectAll()
    qtbot.keyClicks(line(edit), "0x10")
    qtbot.keyClick(line(edit), Qt.Key.Key_Return)
    assert line(edit).text() == "16"


def test_arrow_keys_step_and_stop_at_both_ends(edit, qtbot):
    qtbot.keyClick(line(edit), Qt.Key.Key_Down)
    assert edit.value() == 0
    qtbot.keyClick(line(edit), Qt.Key.Key_Up)
    assert edit.value() == 1
    edit.set_value(MAX_SEED - 1)
    for _ in range(3):
        qtbot.keyClick(line(edit), Qt.Key.Key_Up)
    assert edit.value() == MAX_SEED


def test_the_small_buttons_step(edit, qtbot):
    for name, expected in (("Next seed", 1), ("Next seed", 2), ("Previous seed", 1)):
        button = next(b for b in edit.findChildren(QToolButton) if b.accessibleName() == name)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert edit.value() == expected


def test_dice_draw_new_seeds(edit, qtbot):
    dice = edit.findChild(QToolButton, "seedDice")
    seen = set()
    for _ in range(5):
        qtbot.mouseClick(dice, Qt.MouseButton.LeftButton)
        seen.add(edit.value())
    assert len(seen) == 5
    assert all(0 <= seed < 2**32 for seed in seen)


def test_the_lock_toggles_and_tells(edit, qtbot):
    assert edit.is_locked()
    with qtbot.waitSignal(edit.lock_changed) as told:
        qtbot.mouseClick(edit.findChild(QToolButton, "seedLock"), Qt.MouseButton.LeftButton)
    assert told.args == [False]
    assert not edit.is_locked()


@pytest.mark.parametrize("bad", [-1, MAX_SEED + 1])
def test_a_seed_out_of_range_is_refused(edit, bad):
    with pytest.raises(ValueError, match="whole number"):
        edit.set_value(bad)
