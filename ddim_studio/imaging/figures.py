"""Figures that are fit for a paper: matrices of pictures with labels, as PNG, SVG or PDF."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.figure_layout import (
    DPI,
    LABEL,
    LEADING,
    PICTURE_GAP,
    SMALL,
    TEXT_GAP,
    TITLE,
    Shape,
    Texts,
    laid_out,
    scaled,
)
from ddim_studio.imaging.pixels import to_image
from ddim_studio.imaging.png import write_png
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.storage import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ddim_studio.imaging.figure_layout import Layout

    Pixels = NDArray[np.uint8]

FIGURE_SUFFIXES: Final = (".png", ".svg", ".pdf")
FONT: Final = "DejaVu Sans"
INK, FAINT, BLANK = "#000000", "#666666", "#ececec"
SPARE: Final = 1.04
"""Viewers of SVG and PDF set type a little wider than it measures here."""
STYLE: Final[dict[str, Any]] = {
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "ddim-studio",
    "text.usetex": False,
    "image.resample": False,
    "savefig.bbox": None,
    "savefig.pad_inches": 0.0,
}
"""Text stays text; nothing depends on the user's own settings of matplotlib."""
_LOCK = threading.Lock()
"""Settings of matplotlib belong to the process, so one figure at a time is drawn under them."""


def matrix_figure(
    path: str | PathLike[str],
    cells: Mapping[tuple[int, int], Pixels],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    captions: Mapping[tuple[int, int], Sequence[str]],
    *,
    title: str = "",
    note: str = "",
    settings_json: str | None = None,
) -> None:
    """Write a labelled matrix, each cell of which shows one or several pictures.

    Pictures are enlarged by whole numbers without smoothing; only those too large for the page are
    reduced. The figure is at most 7 inches wide and 9 high, at 300 pixels an inch, unless its
    cells would become too small to see; its type measures from 7 to 9 points.

    Args:
        path: The file, replaced if it exists; its suffix, one of `FIGURE_SUFFIXES`, is the format.
        cells: By row and column, from 0, pictures of shape (N, H, W, C), C = 1 or 3. Cells that
            are not here are marked as missing.
        row_labels: What stands beside each row.
        column_labels: What stands above each column.
        captions: By row and column, what stands below a cell: parts that may share a line.
        title: A line above everything.
        note: Small print below everything.
        settings_json: The settings that the pictures were made with, stored in the file: in PNG
            as in other PNGs from here, in SVG as its description, in PDF as its subject.

    Raises:
        ImageError: The suffix is none of those.
        OSError: The file cannot be written; what was there before is kept.
        ValueError: There is no row or no column.
    """
    import matplotlib

    file = Path(path)
    kind = file.suffix.lower()
    if kind not in FIGURE_SUFFIXES:
        raise ImageError(f"{file.name} is not the name of a figure: end it in .png, .svg or .pdf.")
    if not row_labels or not column_labels:
        raise ValueError("A matrix needs rows and columns.")
    texts = Texts(row_labels, column_labels, list(captions.values()), title, note)
    with _LOCK, matplotlib.rc_context(STYLE):
        shapes = [Shape(*pixels.shape[:3]) for pixels in cells.values()]
        layout = laid_out(shapes, texts, _ruler())
        figure = _drawn(layout, cells, captions)
        if kind == ".png":
            write_png(file, _rendered(figure), settings_json, DPI)
            return
        about = "Description" if kind == ".svg" else "Subject"
        dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[kind]
        with atomic_path(file) as temporary:
            figure.savefig(
                temporary,
                format=kind[1:],
                dpi=DPI,
                metadata={**dates, **({about: settings_json} if settings_json else {})},
            )


def _ruler() -> Callable[[str, float], float]:
    """Measures a line of text, in pixels, given its size in points."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    renderer = FigureCanvasAgg(Figure(figsize=(1, 1), dpi=DPI)).get_renderer()

    def width(text: str, size: float) -> float:
        font = FontProperties(family=FONT, size=size)
        measured: float = renderer.get_text_width_height_descent(text, font, False)[0]
        return measured * SPARE

    return width


def _drawn(
    layout: Layout,
    cells: Mapping[tuple[int, int], Pixels],
    captions: Mapping[tuple[int, int], Sequence[str]],
) -> Figure:
    """The figure, whose axes count pixels from the top left."""
    from matplotlib.figure import Figure

    width, height = layout.size
    # A hair more than whole pixels, so that rounding down gives them.
    figure = Figure(figsize=((width + 1e-6) / DPI, (height + 1e-6) / DPI), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    axes.set_axis_off()
    for row, top in enumerate(layout.tops):
        for column, left in enumerate(layout.lefts):
            place = row, column
            _draw_cell(axes, layout, (left, top), cells.get(place))
            caption = ("\n" if layout.stacked else " · ").join(captions.get(place, ()))
            middle, below = left + layout.box[0] / 2, top + layout.box[1] + TEXT_GAP
            _write(axes, (middle, below), caption, SMALL, align=("center", "top"))
    _draw_labels(axes, layout)
    return figure


def _draw_labels(axes: Axes, layout: Layout) -> None:
    """Draw what stands around the cells."""
    width, height = layout.size
    box_width, box_height = layout.box
    for text, top in zip(layout.texts.rows, layout.tops, strict=True):
        _write(
            axes, (layout.label_edge, top + box_height / 2), text, LABEL, align=("right", "center")
        )
    for text, left in zip(layout.texts.columns, layout.lefts, strict=True):
        above = layout.tops[0] - TEXT_GAP
        _write(axes, (left + box_width / 2, above), text, LABEL, align=("center", "bottom"))
    _write(axes, (width / 2, TEXT_GAP), layout.texts.title, TITLE, align=("center", "top"))
    foot = (TEXT_GAP, height - TEXT_GAP)
    _write(axes, foot, layout.texts.note, SMALL, align=("left", "bottom"), color=FAINT)


def _write(
    axes: Axes,
    where: tuple[float, float],
    text: str,
    size: float,
    *,
    align: tuple[str, str],
    color: str = INK,
) -> None:
    """Write lines of text, aligned ``where`` horizontally and vertically as told."""
    if text:
        axes.text(
            *where,
            text,
            fontfamily=FONT,
            fontsize=size,
            horizontalalignment=align[0],
            verticalalignment=align[1],
            multialignment=align[0],
            linespacing=LEADING,
            color=color,
            parse_math=False,
        )


def _draw_cell(axes: Axes, layout: Layout, corner: tuple[int, int], pixels: Pixels | None) -> None:
    """Draw the pictures of a cell in the middle of its box, or mark it as missing."""
    left, top = corner
    width, height = layout.box
    if pixels is None:
        from matplotlib.patches import Rectangle

        axes.add_patch(Rectangle(corner, width, height, facecolor=BLANK, edgecolor="none"))
        middle = (left + width / 2, top + height / 2)
        _write(axes, middle, "–", LABEL, align=("center", "center"), color=FAINT)
        return
    scale = layout.scale(Shape(*pixels.shape[:3]))
    sheet = contact_sheet(_scaled(pixels, scale), columns=layout.across, gap=PICTURE_GAP)
    left += (width - sheet.shape[1]) // 2
    top += (height - sheet.shape[0]) // 2
    axes.imshow(
        sheet.repeat(3, axis=2) if sheet.shape[2] == 1 else sheet,
        extent=(left, left + sheet.shape[1], top + sheet.shape[0], top),
        interpolation="none",  # so no two pictures are merged in SVG and PDF either
        aspect="auto",
    )


def _scaled(pixels: Pixels, scale: float) -> Pixels:
    """Pictures enlarged by a whole number, or reduced by any."""
    if scale >= 1:
        return pixels.repeat(int(scale), axis=1).repeat(int(scale), axis=2)
    count, height, width, channels = pixels.shape
    size = scaled(width, scale), scaled(height, scale)
    small = [np.asarray(to_image(p).resize(size, Image.Resampling.LANCZOS)) for p in pixels]
    return np.stack(small).reshape(count, size[1], size[0], channels)


def _rendered(figure: Figure) -> Pixels:
    """The figure as pixels, (H, W, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()
