"""The settings column explains its rows and shows errors where they are."""

import pytest
from PySide6.QtWidgets import QLabel, QSpinBox, QVBoxLayout, QWidget

from ddim_studio.gui.widgets.panels import Section


@pytest.fixture
def section(qtbot):
    root = QWidget()
    made = Section("Process")
    QVBoxLayout(root).addWidget(made)
    qtbot.addWidget(root)
    root.resize(300, 400)
    root.show()
    made.root = root
    return made


def test_a_row_is_labelled_and_explained(section):
    spin = QSpinBox()
    label = section.add_row("Steps S", spin, "How many steps")
    assert label.buddy() is spin
    assert label.toolTip() == spin.toolTip() == "How many steps"
    assert spin.accessibleName() == "Steps S"


def test_an_error_is_shown_under_its_row_and_removed_again(section, qtbot):
    first, second = QSpinBox(), QSpinBox()
    section.add_row("A", first)
    section.add_row("B", second)
    section.set_error(first, "Too large.")
    shown = [label for label in section.findChildren(QLabel) if label.text() == "Too large."]
    assert len(shown) == 1
    assert shown[0].isVisible()
    qtbot.waitUntil(
        lambda: first.geometry().bottom() < shown[0].geometry().top() < second.geometry().top()
    )
    assert first.property("invalid") is True
    assert not second.property("invalid")
    section.set_error(first, "")
    assert not shown[0].isVisible()
    assert first.property("invalid") is False


def test_a_row_hides_with_its_label_and_error(section):
    spin = QSpinBox()
    label = section.add_row("A", spin)
    section.set_error(spin, "Bad.")
    section.set_row_visible(spin, False)
    assert not spin.isVisible()
    assert not label.isVisible()
    assert not any(x.isVisible() for x in section.findChildren(QLabel) if x.text() == "Bad.")
    section.set_row_visible(spin, True)
    assert spin.isVisible()


def test_a_strange_widget_has_no_row(section):
    with pytest.raises(KeyError):
        section.set_error(QSpinBox(), "x")
