"""The look of the application: Fusion, our palettes and stylesheet, icons and fonts.

Widgets read `current_colors` when they paint, and restyle themselves on ``PaletteChange``. Icons
given with `set_icon` follow the theme by themselves.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QFont, QFontDatabase, QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from ddim_studio.gui.colors import (
    DARK,
    LIGHT,
    RADIUS,
    SPACE,
    Colors,
    colors,
    current_colors,
    palette,
    put_in_force,
)
from ddim_studio.gui.icons import IconRole, draw_icon, icon
from ddim_studio.gui.style import stylesheet
from ddim_studio.storage import resources

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "DARK",
    "LIGHT",
    "RADIUS",
    "SPACE",
    "Colors",
    "apply_theme",
    "colors",
    "current_colors",
    "draw_icon",
    "icon",
    "is_dark",
    "is_restyle",
    "label",
    "load_fonts",
    "make_primary",
    "restyle",
    "set_icon",
    "settle",
    "sized_font",
    "tool_button",
    "wear",
]

Mode = Literal["system", "light", "dark"]
LabelRole = Literal["title", "heading", "muted", "small", "error", "mono"]


def is_dark() -> bool:
    """Whether the dark theme is in force."""
    return current_colors().dark


def apply_theme(app: QApplication, mode: Mode, parts: Sequence[QWidget] | None = None) -> None:
    """Put a theme in force at once.

    Args:
        app: The application.
        mode: "light", "dark", or "system" to follow the desktop; where it says nothing, light.
        parts: What to style now, with all in it and whatever opens from there; the rest is left to
            `wear`. With None the whole application: Qt then styles a part anew whenever it is put
            into another, so building a page takes four times as long.
    """
    scheme = app.styleHints().colorScheme()
    dark = mode == "dark" or (mode == "system" and scheme == Qt.ColorScheme.Dark)
    put_in_force(colors(dark))
    if app.style().name() != "fusion" and not app.styleSheet():
        app.setStyle("Fusion")
    if app.palette() != palette(current_colors()):
        app.setPalette(palette(current_colors()))
    for part in [app] if parts is None else parts:
        wear(part)


def wear(part: QWidget | QApplication) -> bool:
    """Style a part of the window as the theme in force says; whether it was styled otherwise."""
    sheet = _sheet(is_dark(), QApplication.font().toString())
    if part.styleSheet() == sheet:
        return False  # setting it again would style every widget anew
    # Given another stylesheet, Qt styles every widget once for each of its ancestors; given none
    # and then one, only once.
    part.setStyleSheet("")
    part.setStyleSheet(sheet)
    return True


@cache
def _sheet(_dark: bool, _font: str) -> str:
    return stylesheet(current_colors(), QApplication.font(), resources() / "icons" / "style")


def is_restyle(event: QEvent) -> bool:
    """Whether a ``changeEvent`` says that colours or fonts may have changed."""
    return event.type() in (
        QEvent.Type.PaletteChange,
        QEvent.Type.FontChange,
        QEvent.Type.ApplicationFontChange,
    )


def set_icon(target: QAbstractButton | QAction, name: str, role: IconRole = "text") -> None:
    """Give a button or an action an icon that follows the theme."""
    target.setIcon(icon(name, role))


def load_fonts(app: QApplication) -> None:
    """See to it that there are letters: where the system has none, use the bundled DejaVu Sans."""
    if QFontDatabase.families() and QFontMetrics(app.font()).inFontUcs4(ord("a")):
        return
    for file in sorted((resources() / "fonts").glob("*.ttf")):
        QFontDatabase.addApplicationFont(str(file))
    app.setFont(QFont("DejaVu Sans", 9))


def sized_font(base: QFont, factor: float, *, bold: bool = False) -> QFont:
    """``base`` scaled by ``factor``, semi-bold if ``bold``."""
    font = QFont(base)
    if base.pointSizeF() > 0:
        font.setPointSizeF(base.pointSizeF() * factor)
    else:
        font.setPixelSize(max(1, round(base.pixelSize() * factor)))
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    return font


def label(text: str, role: LabelRole) -> QLabel:
    """A label in one of the theme's text styles."""
    made = QLabel(text)
    made.setProperty("role", role)
    return made


def make_primary(button: QPushButton) -> QPushButton:
    """Fill a button with the accent: the one thing to do on a page."""
    button.setProperty("primary", True)
    restyle(button)
    return button


def settle(root: QWidget) -> None:
    """Do what a stylesheet cannot, for a widget and all in it; call it once they are built.

    Qt ignores the padding at the left of a spin box, and keeps the row heights that a list had
    before its stylesheet applied.
    """
    for spin in [root, *root.findChildren(QAbstractSpinBox)]:
        line = spin.findChild(QLineEdit) if isinstance(spin, QAbstractSpinBox) else None
        if line is not None:
            line.setTextMargins(SPACE - 2, 0, 0, 0)
    for view in root.findChildren(QAbstractItemView):
        view.ensurePolished()
        view.doItemsLayout()


def tool_button(name: str, tooltip: str, *, size: int = 20, boxed: bool = False) -> QToolButton:
    """A button that is an icon.

    Args:
        name: The icon.
        tooltip: What it does, with its shortcut in brackets at the end; also its accessible name.
        size: Of the icon, in pixels.
        boxed: Outlined like a field, to stand beside one.
    """
    button = QToolButton()
    if boxed:
        button.setProperty("boxed", True)
    button.setIconSize(QSize(size, size))
    set_icon(button, name)
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip.split(" (", maxsplit=1)[0])
    return button


def restyle(widget: QWidget) -> None:
    """Have the stylesheet look at a widget again after one of its properties changed."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()
