"""The stylesheet, written once and filled with the colours of a theme."""

from __future__ import annotations

from dataclasses import asdict
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QFont

    from ddim_studio.gui.colors import Colors

# Styling a spin box or a combo box takes its native arrows away: they are SVG files here, one of
# each per theme, since a stylesheet cannot recolour an image.
_TEXT = Template("""
QToolTip {
  color: $text; background-color: $raised; border: 1px solid $field_border; padding: 5px 7px;
}
QLabel[role="title"] { font-size: $title_size; font-weight: 600; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="small"] { color: $muted; font-size: $small_size; }
QLabel[role="error"] { color: $error; font-size: $small_size; }
QLabel[role="mono"] { font-family: "DejaVu Sans Mono", "Menlo", "Consolas", monospace; }
QLabel:disabled { color: $disabled; }
QFrame[role="card"] {
  background: $surface; border: 1px solid $border; border-radius: 8px;
}
QFrame[role="separator"] { background: $border; border: none; }
""")

_FIELDS = Template("""
QLineEdit, QAbstractSpinBox, QComboBox, QPlainTextEdit, QTextEdit {
  background: $surface; color: $text; border: 1px solid $field_border; border-radius: 6px;
  selection-background-color: $accent; selection-color: $accent_text;
}
QLineEdit, QAbstractSpinBox, QComboBox { padding: 4px 7px; min-height: 18px; }
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover { border-color: $muted; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
  border: 2px solid $accent;
}
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus { padding: 3px 6px; }
QLineEdit[invalid="true"], QAbstractSpinBox[invalid="true"], QComboBox[invalid="true"] {
  border-color: $error; background: $error_soft;
}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled, QPlainTextEdit:disabled {
  background: $window; color: $disabled; border-color: $border;
}
QAbstractSpinBox { max-height: 18px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {
  subcontrol-origin: border; width: 20px; border: none; background: transparent; margin: 2px;
}
QAbstractSpinBox::up-button { subcontrol-position: top right; margin-bottom: 0; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; margin-top: 0; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {
  background: $hover; border-radius: 4px;
}
QAbstractSpinBox::up-button:pressed, QAbstractSpinBox::down-button:pressed {
  background: $accent_soft;
}
QAbstractSpinBox::up-arrow { image: url("$images/up-$theme.svg"); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url("$images/down-$theme.svg"); width: 10px; height: 10px; }
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off {
  image: url("$images/up-$theme-off.svg");
}
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off {
  image: url("$images/down-$theme-off.svg");
}
QComboBox { padding-right: 2px; combobox-popup: 0; }
QComboBox::drop-down {
  subcontrol-origin: border; subcontrol-position: center right; width: 22px; border: none;
}
QComboBox::down-arrow { image: url("$images/down-$theme.svg"); width: 12px; height: 12px; }
QComboBox::down-arrow:disabled { image: url("$images/down-$theme-off.svg"); }
QComboBox QAbstractItemView {
  background: $raised; color: $text; border: 1px solid $field_border; padding: 4px; outline: 0;
  selection-background-color: $accent_soft; selection-color: $text;
}
QComboBox QAbstractItemView::item { min-height: 24px; padding: 0 6px; border-radius: 4px; }
QComboBox QAbstractItemView::item:selected { background: $accent_soft; color: $text; }
QCheckBox, QRadioButton { spacing: 8px; min-height: 20px; }
QCheckBox:disabled, QRadioButton:disabled { color: $disabled; }
QCheckBox::indicator, QRadioButton::indicator {
  width: 14px; height: 14px; border: 1px solid $field_border; background: $surface;
}
QCheckBox::indicator { border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover,
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked {
  background: $accent; border-color: $accent; image: url("$images/check.svg");
}
QCheckBox::indicator:indeterminate {
  background: $accent; border-color: $accent; image: url("$images/dash.svg");
}
QRadioButton::indicator:checked { border: 5px solid $accent; width: 6px; height: 6px; }
QCheckBox:focus, QRadioButton:focus { color: $accent_ink; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {
  background: $window; border-color: $border;
}
QCheckBox::indicator:checked:disabled { background: $disabled; border-color: $disabled; }
""")

_BUTTONS = Template("""
QPushButton {
  background: $surface; color: $text; border: 1px solid $field_border; border-radius: 6px;
  padding: 5px 13px; min-height: 18px;
}
QPushButton:hover { background: $hover; border-color: $muted; }
QPushButton:pressed, QPushButton:checked {
  background: $accent_soft; border-color: $accent; color: $accent_ink;
}
QPushButton:focus { border: 2px solid $accent; padding: 4px 12px; }
QPushButton:disabled { background: $window; color: $disabled; border-color: $border; }
QPushButton[primary="true"] {
  background: $accent; color: $accent_text; border-color: $accent; font-weight: 600;
}
QPushButton[primary="true"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[primary="true"]:pressed { background: $accent_hover; color: $accent_text; }
QPushButton[primary="true"]:focus { border: 2px solid $accent_focus; }
QPushButton[primary="true"]:disabled {
  background: $border; color: $disabled; border-color: $border;
}
QPushButton[flat="true"] {
  background: transparent; border-color: transparent; padding: 3px 8px;
}
QPushButton[flat="true"]:hover { background: $hover; }
QPushButton[flat="true"]:focus { border: 2px solid $accent; padding: 2px 7px; }
QToolButton {
  background: transparent; color: $text; border: 1px solid transparent; border-radius: 6px;
  padding: 1px;
}
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $accent_soft; }
QToolButton:checked { background: $accent_soft; color: $accent_ink; }
QToolButton:focus { border: 2px solid $accent; padding: 0; }
QToolButton:disabled { color: $disabled; }
QToolButton[popupMode="1"] { padding-right: 16px; }
QToolButton[popupMode="1"]:focus { padding-right: 15px; }
QToolButton::menu-button { border: none; width: 14px; border-radius: 4px; }
QToolButton::menu-button:hover { background: $accent_soft; }
QToolButton::menu-arrow { image: url("$images/down-$theme.svg"); width: 10px; height: 10px; }
QToolButton::menu-indicator { image: none; }
QToolButton[round="true"] {
  background: $accent; border: none; border-radius: 16px; padding: 0;
  min-width: 32px; max-width: 32px; min-height: 32px; max-height: 32px;
}
QToolButton[round="true"]:hover { background: $accent_hover; }
QToolButton[round="true"]:focus {
  border: 2px solid $accent_focus; min-width: 28px; max-width: 28px; min-height: 28px;
  max-height: 28px;
}
QToolButton[round="true"]:disabled { background: $border; }
QToolButton[stepper="true"] { border: none; border-radius: 4px; padding: 0; }
QToolButton[boxed="true"] {
  background: $surface; border: 1px solid $field_border; padding: 0;
  min-width: 26px; max-width: 26px; min-height: 26px; max-height: 26px;
}
QToolButton[boxed="true"]:hover { background: $hover; border-color: $muted; }
QToolButton[boxed="true"]:checked { background: $accent_soft; border-color: $accent; }
QToolButton[boxed="true"]:focus {
  border: 2px solid $accent;
  min-width: 24px; max-width: 24px; min-height: 24px; max-height: 24px;
}
QToolButton[boxed="true"]:disabled { background: $window; border-color: $border; }
QToolButton[segment="true"] { font-weight: 600; padding: 4px; }
QToolButton[segment="true"]:focus { padding: 3px; }
""")

_RANGES = Template("""
QSlider { min-height: 22px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $track; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal {
  width: 12px; height: 12px; margin: -6px 0; border-radius: 8px;
  background: $knob; border: 2px solid $accent;
}
QSlider::handle:horizontal:hover { background: $accent_soft; }
QSlider::handle:horizontal:focus { background: $accent; border-color: $accent_focus; }
QSlider::sub-page:horizontal:disabled { background: $disabled; }
QSlider::handle:disabled { background: $window; border-color: $disabled; }
QProgressBar {
  background: $track; border: none; border-radius: 3px; min-height: 6px; max-height: 6px;
  text-align: center;
}
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $field_border; border-radius: 3px; margin: 3px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }
""")

_CONTAINERS = Template("""
QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget { background: transparent; }
QSplitter::handle { background: $border; }
QSplitter::handle:horizontal { width: 1px; margin: 0 4px; }
QSplitter::handle:vertical { height: 1px; margin: 4px 0; }
QSplitter::handle:hover { background: $accent; }
QGroupBox {
  border: 1px solid $border; border-radius: 8px; margin-top: 18px; padding: 10px 8px 8px 8px;
  background: $surface;
}
QGroupBox::title {
  subcontrol-origin: margin; subcontrol-position: top left; padding: 0 2px; color: $muted;
  font-weight: 600;
}
QListView, QTreeView, QTableView {
  background: $surface; border: 1px solid $border; border-radius: 6px; outline: 0;
  alternate-background-color: $window; gridline-color: $border;
  selection-background-color: $accent_soft; selection-color: $text;
}
QListView:focus, QTreeView:focus, QTableView:focus { border-color: $accent; }
QListView::item, QTreeView::item { padding: 5px 6px; border-radius: 4px; }
QListView::item:hover, QTreeView::item:hover { background: $hover; }
QListView::item:selected, QTreeView::item:selected { background: $accent_soft; color: $text; }
QHeaderView { background: $window; border: none; }
QHeaderView::section {
  background: $window; color: $muted; border: none; border-bottom: 1px solid $border;
  padding: 5px 7px; font-weight: 600;
}
QTableCornerButton::section { background: $window; border: none; }
QListView#pageList { background: transparent; border: none; padding: 0 4px; }
QListView#pageList::item {
  padding: 8px 2px; margin: 1px 0; border-radius: 6px; color: $text; border: none;
}
QListView#pageList::item:hover { background: $hover; }
QListView#pageList::item:selected { background: $accent_soft; color: $accent_ink; }
QTabWidget::pane { border: none; border-top: 1px solid $border; }
QTabBar { qproperty-drawBase: 0; }
QTabBar::tab {
  background: transparent; color: $muted; border: none; border-bottom: 2px solid transparent;
  padding: 6px 10px; margin-right: 4px; font-weight: 600;
}
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $accent_ink; border-bottom-color: $accent; }
QTabBar::tab:focus { color: $text; border-bottom-color: $accent_focus; }
QTabBar::tab:disabled { color: $disabled; }
QMenuBar { background: $window; color: $text; border-bottom: 1px solid $border; padding: 1px 4px; }
QMenuBar::item { padding: 4px 9px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $raised; color: $text; border: 1px solid $field_border; padding: 4px; }
QMenu::item { padding: 5px 26px 5px 10px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $border; margin: 4px 6px; }
QMenu::icon { padding-left: 8px; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 6px; border-radius: 4px; }
QMenu::indicator:non-exclusive:unchecked, QMenu::indicator:exclusive:unchecked {
  border: 1px solid $field_border;
}
QMenu::indicator:non-exclusive:checked, QMenu::indicator:exclusive:checked {
  background: $accent; border: 1px solid $accent; image: url("$images/check.svg");
}
QMenu::right-arrow { image: url("$images/right-$theme.svg"); width: 10px; height: 10px; }
QToolBar { background: $window; border: none; spacing: 4px; padding: 2px 6px; }
QToolBar::separator { width: 1px; background: $border; margin: 4px 4px; }
QStatusBar { background: $window; color: $muted; border-top: 1px solid $border; }
QStatusBar::item { border: none; }
QFrame#errorBar { background: $error_soft; border: 1px solid $error; border-radius: 6px; }
QFrame#errorBar[tone="notice"] { background: $warning_soft; border-color: $warning; }
QFrame#jobBar { background: $window; border: none; border-top: 1px solid $border; }
""")


def stylesheet(colors: Colors, font: QFont, images: Path) -> str:
    """The stylesheet of a theme.

    Args:
        colors: The theme's colours.
        font: The application's font; titles and small print are sized by it.
        images: Folder of the arrows and check marks.
    """
    in_points = font.pointSizeF() > 0
    size = font.pointSizeF() if in_points else float(font.pixelSize())
    unit = "pt" if in_points else "px"
    values = {
        **asdict(colors),
        "images": images.as_posix(),
        "theme": "dark" if colors.dark else "light",
        "title_size": f"{size * 1.25:.1f}{unit}" if in_points else f"{round(size * 1.25)}px",
        "small_size": f"{size * 0.9:.1f}{unit}" if in_points else f"{round(size * 0.9)}px",
        "track": colors.field_border if colors.dark else "#d3d7e0",
        "knob": colors.text if colors.dark else colors.surface,
        "accent_focus": colors.text,
    }
    sheets = (_TEXT, _FIELDS, _BUTTONS, _RANGES, _CONTAINERS)
    return "\n".join(sheet.substitute(values) for sheet in sheets)
