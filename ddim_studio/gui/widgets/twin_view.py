"""Two views of pictures that select, zoom and move as one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ddim_studio.gui.widgets.frame_view import FrameView

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF

    from ddim_studio.gui.tiles import TileGrid


class TwinView(FrameView):
    """A `FrameView` that another one of the same pictures' size follows in everything."""

    _twin: TwinView | None = None

    def join(self, twin: TwinView) -> None:
        """Have both follow each other from now on."""
        self._twin = twin
        self.tile_selected.connect(twin.set_selected)
        self.single_changed.connect(twin.set_single)
        if twin.twin() is None:
            twin.join(self)

    def twin(self) -> TwinView | None:
        """The view that follows this one."""
        return self._twin

    def reset_zoom(self) -> None:
        """Fit the pictures of both into their panes again."""
        super().reset_zoom()
        if self._twin is not None and self._twin.is_zoomed():
            self._twin.reset_zoom()

    def is_zoomed(self) -> bool:
        """Whether the pictures are larger than they need to be to be seen whole."""
        return self._zoomed

    def follow(self, grid: TileGrid, *, zoomed: bool) -> None:
        """Show the same part of the pictures at the same scale, if they are of the same size."""
        own = self._grid
        if own is None or _shape(own) != _shape(grid):
            return
        panes = {"pane_width": own.pane_width, "pane_height": own.pane_height}
        self._grid, self._zoomed = replace(grid, **panes).moved(0, 0), zoomed
        self.update()

    def _zoom(self, direction: int, position: QPointF) -> None:
        super()._zoom(direction, position)
        self._lead()

    def _pan(self, moved: QPointF) -> None:
        super()._pan(moved)
        self._lead()

    def _lead(self) -> None:
        if self._twin is not None and self._grid is not None:
            self._twin.follow(self._grid, zoomed=self._zoomed)


def _shape(grid: TileGrid) -> tuple[int, int, int]:
    return grid.count, grid.tile_width, grid.tile_height
