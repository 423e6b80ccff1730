"""Two views of pictures that follow each other."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from ddim_studio.gui.widgets.twin_view import TwinView


@pytest.fixture
def twins(qtbot):
    made = TwinView(), TwinView()
    made[0].join(made[1])
    for view in made:
        qtbot.addWidget(view)
        view.resize(240, 200)
        view.show()
        view.set_pixels(np.zeros((4, 8, 8, 1), np.uint8))
    return made


def part(view):
    return view._grid.scale, view._grid.left, view._grid.top


@pytest.mark.parametrize("leader", [0, 1])
def test_they_zoom_move_select_and_enlarge_together(twins, leader):
    first, second = twins[leader], twins[1 - leader]
    for _ in range(4):
        first._zoom(1, QPointF(30, 30))
    first._pan(QPointF(-25, -13))
    assert part(first) == part(second)
    assert second.is_zoomed()
    first.reset_zoom()
    assert not second.is_zoomed()
    first.set_selected(2)
    assert second.selected() == 2
    QTest.keyClick(first, Qt.Key.Key_Return)
    assert second.is_single()


def test_pictures_of_another_size_keep_their_own_zoom(twins):
    first, second = twins
    second.set_pixels(np.zeros((4, 16, 16, 1), np.uint8))
    before = part(second)
    first._zoom(1, QPointF(30, 30))
    assert part(second) == before
