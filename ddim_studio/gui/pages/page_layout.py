"""How the pages are laid out: settings, pictures, numbers, and what is under them."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from ddim_studio.gui.theme import SPACE

READOUT_WIDTH = 276
_NARROWEST = 252


def with_readout(view: QWidget, readout: QWidget, foot: QWidget | None = None) -> QWidget:
    """Pictures with numbers at their right, and something as wide as both under them."""
    upper = QSplitter()
    upper.addWidget(view)
    upper.addWidget(readout)
    upper.setStretchFactor(0, 1)
    upper.setStretchFactor(1, 0)
    upper.setChildrenCollapsible(False)
    upper.setSizes([640, READOUT_WIDTH])
    readout.setMinimumWidth(_NARROWEST)
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(upper, 1)
    if foot is not None:
        row = QHBoxLayout()
        row.setContentsMargins(SPACE, 0, 2 * SPACE, SPACE)
        row.addWidget(foot)
        column.addLayout(row)
    return whole


def beside(page: QWidget, panel: QWidget, rest: QWidget) -> None:
    """Put a page's settings at its left, and the rest beside them."""
    row = QHBoxLayout(page)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    row.addWidget(panel)
    row.addWidget(rest, 1)
