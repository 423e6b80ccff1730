"""Where the cells of a matrix stand: arithmetic that can be checked by hand."""

from dataclasses import replace

import pytest

from ddim_studio.gui.matrix_layout import MatrixLayout, enlargement, fit
from ddim_studio.jobs.matrix import Place


def layout(rows=4, columns=3, images=4, tile=(28, 28), pane=(600, 640), **change):
    lengths = {"label_width": 60, "label_height": 24, "caption": 18, "gap": 12, "narrowest": 70}
    return MatrixLayout(rows, columns, images, tile, pane, **(lengths | change))


def boxes(laid):
    return [
        laid.box(Place(row, column)) for row in range(laid.rows) for column in range(laid.columns)
    ]


@pytest.mark.parametrize("pane", [(600, 640), (350, 480), (900, 300), (1800, 1200)])
@pytest.mark.parametrize("images", [1, 3, 4, 8])
def test_a_fitted_matrix_is_inside_its_pane_or_at_the_smallest_scale(pane, images):
    laid = fit(layout(images=images, pane=pane))
    assert laid.scale >= 1
    assert laid.scale == int(laid.scale)
    if laid.room == (0, 0):
        assert all(box.left >= 0 and box.left + box.width <= pane[0] for box in boxes(laid))
        assert all(box.top >= 0 and box.top + box.height <= pane[1] for box in boxes(laid))
        larger = [
            replace(laid, scale=laid.scale + 1, across=across) for across in range(1, images + 1)
        ]
        assert all(any(other.room) for other in larger)
    else:
        assert laid.scale == 1


def test_cells_never_overlap_and_leave_the_gap():
    laid = fit(layout())
    for row in range(4):
        for column in range(3):
            box = laid.box(Place(row, column))
            if column:
                left = laid.box(Place(row, column - 1))
                assert box.left - (left.left + left.width) == 12
            if row:
                above = laid.box(Place(row - 1, column))
                assert box.top - (above.top + above.height) == 12


def test_large_pictures_are_shrunk_but_not_beyond_recognition():
    laid = fit(layout(tile=(256, 256), pane=(500, 400)))
    assert laid.scale * 256 == pytest.approx(48)
    assert laid.room[0] > 0 or laid.room[1] > 0


def test_a_point_belongs_to_the_cell_under_it_and_labels_to_none():
    laid = fit(layout())
    for row in range(4):
        for column in range(3):
            box = laid.box(Place(row, column))
            middle = box.left + box.width / 2, box.top + box.height / 2
            assert laid.hit(*middle) == Place(row, column)
            assert laid.hit(box.left + box.width + 3, middle[1]) is None
    first = laid.box(Place(0, 0))
    assert laid.hit(first.left - 5, first.top + 5) is None
    assert laid.hit(first.left + 5, first.top - 5) is None


def test_scrolled_cells_are_hit_where_they_are_and_hidden_ones_not_through_the_labels():
    laid = replace(fit(layout(pane=(200, 180))), scale=3.0).moved_to(0, 0)
    moved = laid.moved_to(100, 90)
    before, after = laid.box(Place(1, 1)), moved.box(Place(1, 1))
    assert (before.left - after.left, before.top - after.top) == (100, 90)
    assert moved.hit(30, 100) is None  # over the labels of the rows
    assert laid.moved_to(10**6, 10**6).scrolled == laid.room
    assert laid.moved_to(-5, -5).scrolled == (0, 0)


def test_a_cell_is_brought_into_sight_with_the_least_movement():
    laid = replace(fit(layout(pane=(300, 240))), scale=3.0)
    for place in (Place(3, 2), Place(0, 0), Place(2, 1)):
        laid = laid.showing(place)
        box = laid.box(place)
        if box.width <= 300 - 60 and box.height <= 240 - 24:
            assert box.left >= 60
            assert box.left + box.width <= 300
            assert box.top >= 24
            assert box.top + box.height <= 240
        assert laid.showing(place) == laid


def test_zooming_keeps_what_is_under_the_pointer():
    bare = layout(pane=(400, 400), gap=0, caption=0, narrowest=0)
    laid = replace(fit(bare), scale=4.0).moved_to(150, 200)
    place = laid.hit(220, 240)
    assert place is not None
    larger = laid.zoomed(8.0, 220, 240)
    assert larger.scale == 8
    after, before = larger.box(place), laid.box(place)
    assert (220 - after.left) / after.width == pytest.approx(
        (220 - before.left) / before.width, abs=0.01
    )
    assert (240 - after.top) / after.height == pytest.approx(
        (240 - before.top) / before.height, abs=0.01
    )


def test_smaller_pictures_are_enlarged_by_a_whole_number_that_fits():
    assert enlargement((28, 28), (64, 64)) == 2
    assert enlargement((64, 64), (64, 64)) == 1
    assert enlargement((16, 64), (64, 64)) == 1
