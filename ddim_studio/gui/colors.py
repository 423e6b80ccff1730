"""The colours of the light and the dark theme, and the palettes made of them. No widgets here."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPalette

SPACE = 8
RADIUS = 6


@dataclass(frozen=True)
class Colors:
    """One theme's colours as ``#rrggbb``.

    Attributes:
        dark: Whether this is the dark theme.
        window: Behind everything.
        surface: Cards, plots and fields.
        raised: Menus, tooltips and pop-ups.
        hover: Under the pointer.
        border: Separators and outlines of cards.
        field_border: Outlines of fields and buttons.
        text: Words and numbers.
        muted: Secondary words, still readable.
        disabled: Words and marks of what cannot be used.
        accent: The one accent: primary buttons, focus, selection.
        accent_hover: The accent under the pointer.
        accent_soft: A quiet tint of it: selected rows, checked buttons.
        accent_text: On the accent.
        accent_ink: The accent as the colour of words on ``window`` and ``surface``.
        error: Words and marks of errors.
        error_soft: Behind them.
        warning: Words and marks of warnings.
        warning_soft: Behind them.
        good: Words and marks of success.
        canvas: Around pictures.
        series: Four colours for plots that people with colour-blindness tell apart.
    """

    dark: bool
    window: str
    surface: str
    raised: str
    hover: str
    border: str
    field_border: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    accent_soft: str
    accent_text: str
    accent_ink: str
    error: str
    error_soft: str
    warning: str
    warning_soft: str
    good: str
    canvas: str
    series: tuple[str, str, str, str]


LIGHT = Colors(
    dark=False,
    window="#f4f5f8",
    surface="#ffffff",
    raised="#ffffff",
    hover="#e9ebf1",
    border="#dde0e8",
    field_border="#b9bfcc",
    text="#1c2029",
    muted="#5d6678",
    disabled="#a3aab8",
    accent="#4f4bd6",
    accent_hover="#423ec2",
    accent_soft="#e5e4fb",
    accent_text="#ffffff",
    accent_ink="#4541c4",
    error="#b42a20",
    error_soft="#fdeceb",
    warning="#8a5200",
    warning_soft="#fdf3df",
    good="#17724a",
    canvas="#e4e6ec",
    series=("#1f6fc4", "#bf5200", "#00755a", "#a33a86"),
)

DARK = Colors(
    dark=True,
    window="#16181d",
    surface="#1d2027",
    raised="#262a33",
    hover="#2a2e38",
    border="#30353f",
    field_border="#4a5160",
    text="#e7e9ef",
    muted="#9ea6b5",
    disabled="#5e6573",
    accent="#6a66dd",
    accent_hover="#7b77e8",
    accent_soft="#2e2e52",
    accent_text="#ffffff",
    accent_ink="#a7a4ff",
    error="#ff8f85",
    error_soft="#3a2224",
    warning="#f2b84b",
    warning_soft="#352b1b",
    good="#5cc795",
    canvas="#0f1115",
    series=("#6cb4f5", "#f0954a", "#35c9a0", "#e48cc8"),
)


def colors(dark: bool) -> Colors:
    """The colours of the dark or the light theme."""
    return DARK if dark else LIGHT


def palette(chosen: Colors) -> QPalette:
    """The palette that Fusion paints with, so that unstyled widgets match the styled ones."""
    made = QPalette()
    role = QPalette.ColorRole
    everywhere = {
        role.Window: chosen.window,
        role.WindowText: chosen.text,
        role.Base: chosen.surface,
        role.AlternateBase: chosen.window,
        role.Text: chosen.text,
        role.PlaceholderText: chosen.muted,
        role.Button: chosen.surface,
        role.ButtonText: chosen.text,
        role.BrightText: chosen.error,
        role.ToolTipBase: chosen.raised,
        role.ToolTipText: chosen.text,
        role.Highlight: chosen.accent,
        role.HighlightedText: chosen.accent_text,
        role.Link: chosen.accent_ink,
        role.LinkVisited: chosen.accent_ink,
        role.Accent: chosen.accent,
        role.Light: chosen.raised,
        role.Midlight: chosen.hover,
        role.Mid: chosen.border,
        role.Dark: chosen.field_border,
        role.Shadow: chosen.canvas,
    }
    for which, value in everywhere.items():
        made.setColor(which, QColor(value))
    for which in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(chosen.disabled))
    made.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(chosen.border))
    made.setColor(QPalette.ColorGroup.Disabled, role.HighlightedText, QColor(chosen.disabled))
    return made


class _InForce:
    """What the whole process shares: the colours in force."""

    now: Colors = LIGHT


def current_colors() -> Colors:
    """The colours in force."""
    return _InForce.now


def put_in_force(chosen: Colors) -> None:
    """Have `current_colors` give these; `ddim_studio.gui.theme.apply_theme` is what shows them."""
    _InForce.now = chosen
