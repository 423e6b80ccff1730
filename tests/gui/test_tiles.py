"""The grid's arithmetic: whole scales, nothing overlaps, and what is under a point stays there."""

import itertools

import pytest

from ddim_studio.gui.tiles import fitted, next_scale


@pytest.mark.parametrize("count", [1, 2, 5, 16, 63, 64])
@pytest.mark.parametrize("pane", [(300, 200), (1000, 700), (701, 1203)])
def test_a_fitted_grid_is_whole_centred_and_inside(count, pane):
    grid = fitted(count, (8, 8), pane, gap=4, caption=10, margin=3)
    assert grid.scale == int(grid.scale) >= 1
    boxes = [grid.rect(tile) for tile in range(count)]
    for left, top, width, height in boxes:
        assert (width, height) == (8 * grid.scale, 8 * grid.scale)
        assert left >= 3
        assert top >= 3
        assert left + width <= pane[0] - 3
        assert top + height + 10 <= pane[1] - 3
    for a, b in itertools.combinations(boxes, 2):
        apart = a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0]
        assert apart or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
    assert abs(2 * grid.left + grid.size[0] - pane[0]) <= 1


@pytest.mark.parametrize("count", [1, 3, 7, 12])
def test_no_number_of_columns_allows_a_larger_scale(count):
    pane, gap, side = (517, 389), 4, 9
    best = fitted(count, (side, side), pane, gap=gap).scale
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        across = (pane[0] - gap * (columns - 1)) // (columns * side)
        down = (pane[1] - gap * (rows - 1)) // (rows * side)
        assert min(across, down) <= best


def test_large_pictures_are_shrunk_to_fit():
    grid = fitted(4, (1024, 512), (400, 300), gap=4)
    assert 0 < grid.scale < 1
    assert grid.size[0] <= 401
    assert grid.size[1] <= 301


def test_hit_is_the_inverse_of_rect():
    grid = fitted(7, (5, 4), (400, 300), gap=6, caption=9)
    for tile in range(7):
        left, top, _, _ = grid.rect(tile)
        for x, y in itertools.product(range(5), range(4)):
            middle = left + (x + 0.5) * grid.scale, top + (y + 0.5) * grid.scale
            assert grid.hit(*middle) == (tile, x, y)
    left, top, width, height = grid.rect(0)
    assert grid.hit(left + width + 1, top) is None
    assert grid.hit(left, top + height + 1) is None
    assert grid.hit(left - 1, top) is None


def test_zoom_keeps_the_pixel_under_the_pointer():
    grid = fitted(16, (28, 28), (400, 400), gap=4)
    point = (137.0, 262.0)
    before = grid.hit(*point)
    assert before is not None
    for _ in range(4):
        grid = grid.zoomed(next_scale(grid.scale, 1), *point)
        assert grid.scale == int(grid.scale)
        after = grid.hit(*point)
        assert after is not None
        assert after[0] == before[0]
        assert abs(after[1] - before[1]) <= 1
        assert abs(after[2] - before[2]) <= 1


def test_panning_never_leaves_the_pane_empty():
    grid = fitted(4, (10, 10), (100, 100)).zoomed(20, 50, 50)
    far = grid.moved(10_000, -10_000)
    assert far.left == 0
    assert far.top == 100 - far.size[1]


def test_zoom_steps_always_change_the_scale_and_stay_whole():
    scale, seen = 1.0, []
    while scale < 60:
        seen.append(scale)
        scale = next_scale(scale, 1)
        assert scale == int(scale) > seen[-1]
    while scale > 1:
        smaller = next_scale(scale, -1)
        assert smaller == int(smaller) < scale
        scale = smaller
    assert next_scale(0.9, 1) == 1.0
