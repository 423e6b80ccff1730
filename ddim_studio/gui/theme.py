"""The look of the application: Fusion, our palettes and stylesheet, icons and fonts.

Widgets read `current_colors` when they paint, and restyle themselves on ``PaletteChange``. Icons
given with `set_icon` follow the theme by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QByteArray, QEvent, QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAction,
    QFont,
    QFontDatabase,
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QImage,
    QPainter,
    QPixmap,
)
from PySide6.QtSvg import QSvgRenderer
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

from ddim_studio.gui.colors import DARK, LIGHT, RADIUS, SPACE, Colors, colors, palette
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
]

Mode = Literal["system", "light", "dark"]
IconRole = Literal["text", "muted", "accent_text", "accent_ink", "error", "warning"]
LabelRole = Literal["title", "heading", "muted", "small", "error", "mono"]

_ICON_PROPERTY = "ddimIcon"
_ICON_SIZES = (12, 16, 20, 24)


class _State:
    """What the whole process shares: the colours in force and the icons drawn in them."""

    now: Colors = LIGHT
    icons: dict[tuple[str, str, bool], QIcon] = {}  # noqa: RUF012 — process-wide on purpose


def current_colors() -> Colors:
    """The colours in force."""
    return _State.now


def is_dark() -> bool:
    """Whether the dark theme is in force."""
    return _State.now.dark


def apply_theme(app: QApplication, mode: Mode) -> None:
    """Put a theme in force at once, in every window.

    Args:
        app: The application.
        mode: "light", "dark", or "system" to follow the desktop; where it says nothing, light.
    """
    scheme = app.styleHints().colorScheme()
    dark = mode == "dark" or (mode == "system" and scheme == Qt.ColorScheme.Dark)
    _State.now = colors(dark)
    sheet = stylesheet(_State.now, app.font(), resources() / "icons" / "style")
    if app.styleSheet() == sheet:
        return  # setting it again would style every widget anew
    if not app.styleSheet():
        app.setStyle("Fusion")
    app.setPalette(palette(_State.now))
    app.setStyleSheet(sheet)
    _refresh_icons(app)


def is_restyle(event: QEvent) -> bool:
    """Whether a ``changeEvent`` says that colours or fonts may have changed."""
    return event.type() in (
        QEvent.Type.PaletteChange,
        QEvent.Type.FontChange,
        QEvent.Type.ApplicationFontChange,
    )


def icon(name: str, role: IconRole = "text") -> QIcon:
    """The icon of that name in the colours in force: plain, dimmed when disabled, accent when on.

    Args:
        name: File name in ``resources/icons`` without ``.svg``.
        role: Which of the theme's colours to draw the plain state in.

    Raises:
        FileNotFoundError: There is no such icon.
    """
    key = (name, role, is_dark())
    if key not in _State.icons:
        _State.icons[key] = _draw_states(name, role)
    return _State.icons[key]


def set_icon(target: QAbstractButton | QAction, name: str, role: IconRole = "text") -> None:
    """Give a button or an action an icon that follows the theme."""
    target.setProperty(_ICON_PROPERTY, f"{name}/{role}")
    target.setIcon(icon(name, role))


def draw_icon(painter: QPainter, name: str, rect: QRectF, color: str) -> None:
    """Paint an icon into ``rect`` in one colour."""
    _renderer(name, color).render(painter, rect)


def _refresh_icons(app: QApplication) -> None:
    widgets = app.allWidgets()
    targets: list[QObject] = [*widgets]
    for widget in widgets:
        targets += widget.findChildren(QAction, options=Qt.FindChildOption.FindDirectChildrenOnly)
    for target in targets:
        wanted = target.property(_ICON_PROPERTY)
        if wanted and isinstance(target, QAbstractButton | QAction):
            name, role = str(wanted).split("/")
            target.setIcon(icon(name, role))  # type: ignore[arg-type]  # our own property


def _renderer(name: str, color: str) -> QSvgRenderer:
    text = (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    return QSvgRenderer(QByteArray(text.replace("currentColor", color).encode()))


def _draw_states(name: str, role: IconRole) -> QIcon:
    now = current_colors()
    plain = str(getattr(now, role))
    checked = now.accent_ink if role in ("text", "muted") else plain
    made = QIcon()
    looks = (
        (plain, QIcon.Mode.Normal, QIcon.State.Off),
        (checked, QIcon.Mode.Normal, QIcon.State.On),
        (checked, QIcon.Mode.Selected, QIcon.State.Off),
        (now.disabled, QIcon.Mode.Disabled, QIcon.State.Off),
        (now.disabled, QIcon.Mode.Disabled, QIcon.State.On),
    )
    pixmaps = {color: _draw_sizes(_renderer(name, color)) for color in {look[0] for look in looks}}
    for color, mode, state in looks:
        for pixmap in pixmaps[color]:
            made.addPixmap(pixmap, mode, state)
    return made


def _draw_sizes(renderer: QSvgRenderer) -> list[QPixmap]:
    return [_render(renderer, size) for size in _device_sizes()]


def _device_sizes() -> Sequence[int]:
    """Icon sizes in device pixels for every screen, so that none is scaled when shown."""
    ratios = {1.0, 2.0} | {screen.devicePixelRatio() for screen in QGuiApplication.screens()}
    return sorted({round(size * ratio) for size in _ICON_SIZES for ratio in ratios})


def _render(renderer: QSvgRenderer, size: int) -> QPixmap:
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(QPointF(0, 0), QPointF(size, size)))
    painter.end()
    return QPixmap.fromImage(image)


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
