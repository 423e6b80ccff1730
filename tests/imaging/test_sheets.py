"""Contact sheets: who stands where, and that one picture stays itself."""

from __future__ import annotations

import numpy as np
import pytest

from ddim_studio.imaging.sheets import contact_sheet, display_scale

RNG = np.random.default_rng(0)


def pictures(count: int, height: int = 3, width: int = 4, channels: int = 1) -> np.ndarray:
    return RNG.integers(0, 200, (count, height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize(
    ("count", "rows", "columns"),
    [(1, 1, 1), (2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 2, 3), (16, 4, 4), (17, 4, 5), (64, 8, 8)],
)
def test_sheets_are_near_square(count, rows, columns):
    sheet = contact_sheet(pictures(count, 10, 10), gap=0)
    assert sheet.shape == (rows * 10, columns * 10, 1)


def test_every_picture_stands_in_its_place_and_all_else_is_background():
    given = pictures(5, channels=3)
    sheet = contact_sheet(given, columns=3, gap=2, background=255)
    assert sheet.shape == (2 * 3 + 2, 3 * 4 + 2 * 2, 3)
    covered = np.zeros(sheet.shape, bool)
    for index, (top, left) in enumerate([(0, 0), (0, 6), (0, 12), (5, 0), (5, 6)]):
        np.testing.assert_array_equal(sheet[top : top + 3, left : left + 4], given[index])
        covered[top : top + 3, left : left + 4] = True
    assert (sheet[~covered] == 255).all()
    assert (~covered).sum() == sheet.size - given.size


def test_one_picture_has_its_own_size_and_no_border():
    given = pictures(1, 28, 28)
    np.testing.assert_array_equal(contact_sheet(given), given[0])


def test_enlargement_repeats_pixels_and_leaves_the_gap():
    given = pictures(2, 2, 2)
    sheet = contact_sheet(given, gap=1, scale=3, background=9)
    assert sheet.shape == (6, 13, 1)
    np.testing.assert_array_equal(sheet[:, :6], np.kron(given[0], np.ones((3, 3, 1), np.uint8)))
    np.testing.assert_array_equal(sheet[:, 7:], np.kron(given[1], np.ones((3, 3, 1), np.uint8)))
    assert (sheet[:, 6] == 9).all()


def test_more_columns_than_pictures_leave_no_empty_places():
    assert contact_sheet(pictures(2), columns=10, gap=0).shape == (3, 8, 1)


@pytest.mark.parametrize("wrong", [{"columns": 0}, {"gap": -1}, {"scale": 0}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="at least"):
        contact_sheet(pictures(2), **wrong)


def test_no_pictures_are_refused():
    with pytest.raises(ValueError, match="pictures"):
        contact_sheet(pictures(0))


@pytest.mark.parametrize(
    ("height", "width", "scale"),
    [
        (28, 28, 4),
        (32, 32, 4),
        (64, 64, 2),
        (64, 128, 1),
        (128, 128, 1),
        (256, 256, 1),
        (1, 1, 128),
    ],
)
def test_small_pictures_are_shown_larger(height, width, scale):
    assert display_scale(height, width) == scale
