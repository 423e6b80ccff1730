"""The figure of benchmarks/restoration.py: heads measured, restored and clean, in crisp pixels."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

from ddim_studio.imaging.pixels import to_pixels

SCALE, GAP, BLOCK_GAP, MARGIN = 3, 4, 16, 10
LABELS = 200
"""Pixels for the names of rows."""
DPI = 100
BLOCK = 4
"""Rows of a task, after the first row of clean images."""
Line = tuple[str, torch.Tensor]


def draw_figure(halves: list[list[Line]], path: Path) -> None:
    """Write the halves side by side, each with names on its left.

    Args:
        halves: Of each the rows from above, name and images (N, 3, H, W).
        path: A PNG.
    """
    panels = [_panel([images for _, images in lines]) for lines in halves]
    height = max(len(panel) for panel in panels) + 2 * MARGIN
    width = sum(LABELS + panel.shape[1] + MARGIN for panel in panels)
    canvas = np.full((height, width, 3), 255, np.uint8)
    with mpl.rc_context({"font.size": 11, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        left = LABELS
        for panel, lines in zip(panels, halves, strict=True):
            canvas[MARGIN : MARGIN + len(panel), left : left + panel.shape[1]] = panel
            for row, (name, images) in enumerate(lines):
                middle = MARGIN + _top(row, images) + images.shape[2] * SCALE / 2
                figure.text((left - 10) / width, 1 - middle / height, name, ha="right", va="center")
            left += panel.shape[1] + MARGIN + LABELS
        figure.figimage(canvas, 0, 0, resize=False, zorder=-1)
        figure.savefig(path, dpi=DPI)


def _panel(rows: list[torch.Tensor]) -> np.ndarray:
    """Rows of images with gaps, enlarged without smoothing."""
    count, _, height, width = rows[0].shape
    size = (_top(len(rows) - 1, rows[0]) + height * SCALE, count * (width * SCALE + GAP) - GAP)
    panel = np.full((*size, 3), 255, np.uint8)
    for row, images in enumerate(rows):
        top = _top(row, images)
        for column, pixels in enumerate(to_pixels(images)):
            left = column * (width * SCALE + GAP)
            large = pixels.repeat(SCALE, 0).repeat(SCALE, 1)
            panel[top : top + height * SCALE, left : left + width * SCALE] = large
    return panel


def _top(row: int, images: torch.Tensor) -> int:
    """Where a row begins; tasks stand apart."""
    blocks = (row + BLOCK - 1) // BLOCK
    return row * (images.shape[2] * SCALE + GAP) + blocks * BLOCK_GAP
