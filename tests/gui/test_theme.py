"""The colours can be read and told apart, and what is coloured follows the theme."""

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication, QListWidget, QSpinBox, QToolButton, QVBoxLayout, QWidget

from ddim_studio.gui import theme
from ddim_studio.storage import resources

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)
VISIONS = [np.eye(3), DEUTERANOPIA, PROTANOPIA]
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(color):
    value = np.array(QColor(color).getRgbF()[:3])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    lighter, darker = sorted((XYZ[1] @ linear(one), XYZ[1] @ linear(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def lab(rgb):
    ratio = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(axis=1)
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.fixture
def app(qapp):
    yield qapp
    theme.apply_theme(qapp, "light")


@pytest.mark.parametrize("chosen", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
class TestColors:
    @pytest.mark.parametrize("ink", ["text", "muted", "accent_ink", "error", "warning", "good"])
    @pytest.mark.parametrize("paper", ["window", "surface"])
    def test_words_reach_the_contrast_of_wcag_aa(self, chosen, ink, paper):
        assert contrast(getattr(chosen, ink), getattr(chosen, paper)) >= 4.5

    def test_words_on_tints_reach_it_too(self, chosen):
        for ink, paper in (
            ("accent_text", "accent"),
            ("text", "error_soft"),
            ("error", "error_soft"),
            ("text", "warning_soft"),
            ("accent_ink", "accent_soft"),
            ("muted", "canvas"),
        ):
            assert contrast(getattr(chosen, ink), getattr(chosen, paper)) >= 4.5, (ink, paper)

    def test_series_are_readable_as_words_too(self, chosen):
        assert all(contrast(color, chosen.window) >= 4.0 for color in chosen.series)

    @pytest.mark.parametrize(
        "vision", [np.eye(3), DEUTERANOPIA, PROTANOPIA], ids=["full", "d", "p"]
    )
    def test_series_differ_for_the_colour_blind(self, chosen, vision):
        seen = [lab(vision @ linear(color)) for color in chosen.series]
        distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]
        assert min(distances) > 10


def test_a_theme_reaches_palette_and_widgets(app, qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    for mode, chosen in (("dark", theme.DARK), ("light", theme.LIGHT)):
        theme.apply_theme(app, mode)
        assert theme.current_colors() is chosen
        assert theme.is_dark() == chosen.dark
        assert widget.palette().window().color() == QColor(chosen.window)


def test_icons_take_the_colour_of_their_state(app):
    theme.apply_theme(app, "dark")
    made = theme.icon("single")
    for mode, state, color in (
        (QIcon.Mode.Normal, QIcon.State.Off, theme.DARK.text),
        (QIcon.Mode.Normal, QIcon.State.On, theme.DARK.accent_ink),
        (QIcon.Mode.Disabled, QIcon.State.Off, theme.DARK.disabled),
    ):
        image = made.pixmap(QSize(24, 24), 1.0, mode, state).toImage()
        strongest = max(
            (image.pixelColor(x, y) for x in range(24) for y in range(24)), key=QColor.alpha
        )
        expected = QColor(color)
        assert abs(strongest.red() - expected.red()) <= 2
        assert abs(strongest.blue() - expected.blue()) <= 2


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_icons_have_a_pixmap_of_their_own_for_each_pixel_ratio(ratio):
    pixmap = theme.icon("grid").pixmap(QSize(20, 20), ratio)
    assert pixmap.width() == 20 * ratio
    assert pixmap.deviceIndependentSize().width() == 20


def test_icons_of_buttons_and_actions_follow_the_theme(app, qtbot):
    button = QToolButton()
    qtbot.addWidget(button)
    action = button.addAction("x")
    theme.apply_theme(app, "light")
    theme.set_icon(button, "play")
    theme.set_icon(action, "save")
    theme.apply_theme(app, "dark")
    assert button.icon().cacheKey() == theme.icon("play").cacheKey()

    def brightest(icon):
        image = icon.pixmap(QSize(24, 24), 1.0).toImage()
        return max(
            image.pixelColor(x, y).lightness()
            for x in range(24)
            for y in range(24)
            if image.pixelColor(x, y).alpha() > 200
        )

    assert brightest(button.icon()) > 200
    child_action = QWidget.actions(button)[0]
    assert child_action is action


@pytest.mark.usefixtures("app")
def test_every_icon_file_is_recolourable_and_renders():
    files = [file for file in (resources() / "icons").glob("*.svg") if file.stem != "app"]
    assert len(files) >= 35
    for file in files:
        image = theme.icon(file.stem).pixmap(QSize(24, 24), 1.0).toImage()
        alphas = [image.pixelColor(x, y).alpha() for x in range(24) for y in range(24)]
        assert sum(alpha > 100 for alpha in alphas) >= 15, file.name


@pytest.mark.usefixtures("app")
def test_an_unknown_icon_is_an_error():
    with pytest.raises(FileNotFoundError):
        theme.icon("no-such-icon")


def test_the_stylesheet_names_only_images_that_exist(app):
    for mode in ("light", "dark"):
        theme.apply_theme(app, mode)
        parts = QApplication.instance().styleSheet().split('url("')[1:]
        assert len(parts) >= 8
        for part in parts:
            assert (resources() / "icons" / "style" / part.split('"')[0]).is_file()


def test_settle_mends_list_rows_and_spin_padding(app, qtbot):
    theme.apply_theme(app, "light")
    root = QWidget()
    qtbot.addWidget(root)
    rows, spin = QListWidget(), QSpinBox()
    rows.addItems(["a", "b", "c"])
    column = QVBoxLayout(root)
    column.addWidget(rows)
    column.addWidget(spin)
    root.show()
    theme.settle(root)
    tops = [rows.visualItemRect(rows.item(i)).top() for i in range(3)]
    assert tops[1] - tops[0] == rows.sizeHintForRow(0)
    assert spin.lineEdit().textMargins().left() > 0
