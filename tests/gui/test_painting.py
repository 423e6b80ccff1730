"""QImages hold the very pixels, and go on holding them when the array changes."""

import numpy as np
import pytest

from ddim_studio.gui.painting import stretched, to_qimage


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (4, 4, 3), (1, 1)])
def test_every_pixel_arrives(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image = to_qimage(pixels)
    assert (image.height(), image.width()) == shape[:2]
    for y in range(shape[0]):
        for x in range(shape[1]):
            color = image.pixelColor(x, y)
            expected = np.broadcast_to(pixels[y, x], (3,))
            assert (color.red(), color.green(), color.blue()) == tuple(expected)


def test_the_image_owns_its_copy():
    pixels = np.full((3, 5, 3), 200, dtype=np.uint8)
    image = to_qimage(pixels)
    pixels[:] = 7
    del pixels
    assert image.pixelColor(4, 2).red() == 200


def test_strided_arrays_are_read_rightly():
    pixels = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    view = pixels[::-1, ::2]
    assert to_qimage(view).pixelColor(1, 0).green() == pixels[5, 2, 1]


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 2), np.float32), np.zeros((2, 2, 4), np.uint8), np.zeros((0, 2), np.uint8)]
)
def test_other_arrays_are_refused(bad):
    with pytest.raises(ValueError, match="Pixels must be"):
        to_qimage(bad)


def test_a_stretched_difference_says_what_white_stands_for():
    faint = np.array([[[0], [17], [51]]], np.uint8)
    shown, white = stretched(faint, 0.5)
    assert shown.ravel().tolist() == [0, 85, 255]
    assert white == pytest.approx(0.1)  # 51/255 of 0.5
    nothing, scale = stretched(np.zeros((2, 2, 1), np.uint8), 0.5)
    assert nothing.max() == 0
    assert scale == 0.5
