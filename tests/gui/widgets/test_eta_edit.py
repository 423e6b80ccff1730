"""η by spin box or slider, and σ̂ in its place."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox, QSlider, QToolButton

from ddim_studio.gui.widgets.eta_edit import EtaEdit


@pytest.fixture
def edit(qtbot):
    made = EtaEdit()
    qtbot.addWidget(made)
    made.show()
    return made


def parts(edit):
    return (
        edit.findChild(QDoubleSpinBox, "etaSpin"),
        edit.findChild(QSlider, "etaSlider"),
        edit.findChild(QToolButton, "etaHat"),
    )


def test_the_slider_and_the_spin_box_move_each_other(edit):
    spin, slider, _ = parts(edit)
    told = []
    edit.value_changed.connect(told.append)
    slider.setValue(40)
    assert spin.value() == pytest.approx(0.4)
    spin.setValue(0.75)
    assert slider.value() == 75
    assert told == [0.4, 0.75]


def test_the_coarser_slider_does_not_round_the_spin_box(edit):
    told = []
    edit.value_changed.connect(told.append)
    edit.set_value(0.333)
    assert edit.value() == 0.333
    assert told == [0.333]


def test_sigma_hat_disables_the_number_and_gives_it_back(edit, qtbot):
    spin, slider, hat = parts(edit)
    edit.set_value(0.2)
    told = []
    edit.value_changed.connect(told.append)
    qtbot.mouseClick(hat, Qt.MouseButton.LeftButton)
    assert edit.value() == "hat"
    assert not spin.isEnabled()
    assert not slider.isEnabled()
    qtbot.mouseClick(hat, Qt.MouseButton.LeftButton)
    assert edit.value() == 0.2
    assert told == ["hat", 0.2]


def test_a_number_ends_sigma_hat_with_one_signal(edit):
    edit.set_value("hat")
    told = []
    edit.value_changed.connect(told.append)
    edit.set_value(1.0)
    assert told == [1.0]
    assert parts(edit)[0].isEnabled()


def test_the_range_is_zero_to_one(edit):
    edit.set_value(7.0)
    assert edit.value() == 1.0
    edit.set_value(-1.0)
    assert edit.value() == 0.0


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.00"), (0.5, "0.50"), (0.125, "0.125")])
def test_decimals_only_where_needed(edit, value, text):
    edit.set_value(value)
    spin = parts(edit)[0]
    assert spin.text() == text.replace(".", spin.locale().decimalPoint())
