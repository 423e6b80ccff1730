"""Fitting images of any kind to a model: the right pixels, and a note that tells the truth."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.loading import fit_image, open_image

RNG = np.random.default_rng(0)
RAMP = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
COLOUR = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def fitted(image: Image.Image, channels: int = 1, size: int = 8, **options: object) -> np.ndarray:
    result = fit_image(image, channels, size, **options)
    assert result.pixels.shape == (size, size, channels)
    assert result.pixels.dtype == np.uint8
    return result.pixels[:, :, 0] if channels == 1 else result.pixels


def test_images_of_the_right_size_keep_their_pixels():
    np.testing.assert_array_equal(fitted(Image.fromarray(RAMP)), RAMP)
    np.testing.assert_array_equal(fitted(Image.fromarray(COLOUR), channels=3), COLOUR)
    grey = fitted(Image.fromarray(RAMP), channels=3)
    np.testing.assert_array_equal(grey, np.stack([RAMP] * 3, -1))


def test_colours_become_grey_by_luma():
    expected = COLOUR.astype(float) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(fitted(Image.fromarray(COLOUR)), expected, atol=0.51)


@pytest.mark.parametrize("big_endian", [False, True])
def test_sixteen_bits_are_scaled_not_clipped(big_endian):
    deep = np.linspace(0, 65535, 64).round().astype(np.uint16).reshape(8, 8)
    expected = np.rint(deep / 257.0)
    if big_endian:
        image = Image.frombytes("I;16B", (8, 8), deep.astype(">u2").tobytes())
        np.testing.assert_array_equal(fitted(image), expected)
        return
    image = Image.fromarray(deep)
    assert image.mode == "I;16"
    for data in (encoded(image, "PNG"), encoded(image, "TIFF")):
        np.testing.assert_array_equal(fitted(open_image(data)), expected)


def test_a_dark_sixteen_bit_image_stays_dark():
    dark = np.full((8, 8), 200, np.uint16)  # 200/65535 is level 0.8 of 255
    assert set(fitted(open_image(encoded(Image.fromarray(dark), "PNG"))).flat) == {1}
    pgm = b"P5 8 8 65535\n" + dark.astype(">u2").tobytes()
    assert set(fitted(open_image(pgm)).flat) == {1}


@pytest.mark.parametrize(
    ("values", "expected", "words"),
    [
        ([0, 100, 255, 7], [0, 100, 255, 7], "of 0 to 255"),
        ([0, 257, 65535, 2570], [0, 1, 255, 10], "of 0 to 65535"),
        ([-100, 0, 100, 50], [0, 128, 255, 191], "stretched from -100 to 100"),
        ([70_000, 70_000, 70_000, 70_000], [0, 0, 0, 0], "stretched from"),
    ],
)
def test_wide_integers(values, expected, words):
    image = Image.fromarray(np.array(values, np.int32).reshape(2, 2))
    result = fit_image(image, 1, 2)
    assert image.mode == "I"
    assert result.pixels.ravel().tolist() == expected
    assert words in result.note


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0, 0.2], [0, 128, 255, 51]),
        ([0.0, 100.4, 255.0, 1.0], [0, 100, 255, 1]),
        ([-1.0, 0.0, 1.0, 0.5], [0, 128, 255, 191]),
        ([np.nan, 0.5, np.inf, -np.inf], [0, 128, 255, 0]),
        ([np.nan] * 4, [0] * 4),
    ],
)
def test_floats(values, expected):
    image = Image.fromarray(np.array(values, np.float32).reshape(2, 2))
    assert fit_image(image, 1, 2).pixels.ravel().tolist() == expected


def test_black_and_white():
    image = Image.fromarray(RAMP > 100)
    assert image.mode == "1"
    np.testing.assert_array_equal(fitted(image), np.where(RAMP > 100, 255, 0))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "La", "RGBa"])
@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255)])
def test_transparency_shows_the_background(mode, background):
    source = Image.merge("RGBA", [Image.new("L", (3, 1), 100)] * 4)
    source.putalpha(Image.frombytes("L", (3, 1), bytes([0, 51, 255])))
    if mode == "PA":
        image = Image.frombytes("PA", (3, 1), bytes([0, 0, 0, 51, 0, 255]))
        image.putpalette([100, 100, 100])
    elif mode == "RGBa":
        image = source.convert("RGBa")
    else:
        image = source.convert("LA") if mode in ("LA", "La") else source
        image = image.convert("La") if mode == "La" else image
    assert image.mode == mode
    over = background[0]
    expected = [over, over * 0.8 + 100 * 0.2, 100]
    shown = fit_image(image, 3, 3, "pad", background).pixels[1]
    np.testing.assert_allclose(shown, np.transpose([expected] * 3), atol=2)


def test_a_transparent_colour_of_a_palette():
    image = Image.frombytes("P", (2, 2), bytes([0, 1, 2, 1]))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    for kind in ("PNG", "GIF"):
        result = fit_image(
            open_image(encoded(image, kind, transparency=1)), 3, 2, background=(1, 2, 3)
        )
        expected = [[[10, 20, 30], [1, 2, 3]], [[70, 80, 90], [1, 2, 3]]]
        assert result.pixels.tolist() == expected
        assert "on #010203" in result.note


def test_a_palette_with_levels_of_transparency():
    image = Image.frombytes("P", (2, 1), bytes([0, 1]))
    image.putpalette([200, 200, 200, 100, 100, 100])
    data = encoded(image, "PNG", transparency=bytes([51, 255]))
    assert fitted(open_image(data), size=2, fit="stretch")[0].tolist() == [40, 100]


@pytest.mark.parametrize(("mode", "key"), [("L", 9), ("RGB", (9, 9, 9))])
def test_a_transparent_colour_of_a_full_image(mode, key):
    image = Image.new(mode, (2, 2), key)
    image.putpixel((0, 0), 77 if mode == "L" else (77, 77, 77))
    data = encoded(image, "PNG", transparency=key)
    shown = fitted(open_image(data), size=2, background=(255, 255, 255))
    assert shown.tolist() == [[77, 255], [255, 255]]


def test_colour_spaces():
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    source = Image.fromarray(red)
    for image in (source.convert("CMYK"), source.convert("HSV"), source.convert("YCbCr")):
        np.testing.assert_allclose(fitted(image, channels=3, size=2), red, atol=2)
    # CIE L*a*b* of sRGB's red under D50 is about (54.3, 80.8, 69.9).
    lab = Image.frombytes("LAB", (2, 2), bytes([round(54.3 * 2.55), 81, 70]) * 4)
    np.testing.assert_allclose(fitted(lab, channels=3, size=2), red, atol=8)


def test_crop_takes_the_centre_and_pad_keeps_all():
    wide = np.zeros((4, 10), np.uint8)
    wide[:, 3:7] = RNG.integers(1, 256, (4, 4))
    image = Image.fromarray(wide)
    np.testing.assert_array_equal(fitted(image, size=4), wide[:, 3:7])
    np.testing.assert_array_equal(
        fitted(image.transpose(Image.Transpose.ROTATE_90), size=4), np.rot90(wide[:, 3:7])
    )
    padded = fitted(image, size=10, fit="pad", background=(255, 255, 255))
    np.testing.assert_array_equal(padded[3:7], wide)
    assert (padded[:3] == 255).all()
    assert (padded[7:] == 255).all()


def test_stretching_uses_the_whole_image():
    image = Image.fromarray(
        np.repeat(np.array([[0, 255]], np.uint8), [40, 40], axis=1).repeat(10, 0)
    )
    shown = fitted(image, size=8, fit="stretch")
    np.testing.assert_allclose(shown[:, :3], 0, atol=12)
    np.testing.assert_allclose(shown[:, 5:], 255, atol=12)


def test_reduction_averages_and_does_not_alias():
    stripes = np.tile(np.array([[0, 255]], np.uint8), (64, 32))
    np.testing.assert_allclose(fitted(Image.fromarray(stripes))[:, 1:-1], 127.5, atol=3)
    noise = RNG.integers(0, 256, (800, 800), dtype=np.uint8)
    assert fitted(Image.fromarray(noise)).std() < 3  # picking pixels would keep the 74 of noise


def test_enlargement_is_smooth():
    step = Image.fromarray(np.array([[0, 200], [0, 200]], np.uint8))
    row = fitted(step, size=16)[8].astype(int)
    assert (np.diff(row) >= 0).all()
    assert len(set(row.tolist())) > 5  # repeated pixels would give 2


def test_transparent_colours_do_not_bleed_when_reduced():
    image = Image.new("RGBA", (64, 64), (255, 255, 255, 0))  # invisible white
    image.paste((80, 80, 80, 255), (0, 0, 32, 64))
    assert fitted(image, size=8).max() <= 80 + 8  # Lanczos' own overshoot, no white


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_every_mode_fits_from_any_shape(mode, size, fit):
    level = {"1": 1, "F": 1.0, "I": 65535, "I;16": 65535, "CMYK": (0, 0, 0, 0)}.get(mode)
    if level is None:
        level = {"L": 255, "P": 1, "LA": (255, 255), "YCbCr": (255, 128, 128)}.get(mode, (255,) * 4)
    image = Image.new(mode, size, level)
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 255, 255])
    shown = fitted(image, channels=3, size=28, fit=fit, background=(255, 255, 255))
    assert shown.min() >= 254


def test_the_note_says_what_was_done():
    large = Image.new("RGBA", (5000, 3000), (255, 0, 0, 128))
    note = fit_image(large, 1, 28).note
    assert note == "5000×3000 RGBA, centre crop, on black, to 28×28 grey"
    assert fit_image(Image.fromarray(RAMP), 1, 8).note == "8×8 grey, to 8×8 grey"
    tall = Image.new("RGB", (10, 20))
    assert fit_image(tall, 3, 32, "stretch").note == "10×20 RGB, stretched, to 32×32 colour"
    note = fit_image(tall, 3, 32, "pad", (255, 255, 255)).note
    assert note == "10×20 RGB, padded, on white, to 32×32 colour"
    assert "on" not in fit_image(Image.new("RGBA", (4, 4), (1, 2, 3, 255)), 3, 4).note.split()


def test_wrong_arguments_are_refused():
    image = Image.fromarray(RAMP)
    for channels, size, fit in [(2, 8, "crop"), (1, 0, "crop"), (1, 8, "zoom")]:
        with pytest.raises(ValueError, match="Cannot fit"):
            fit_image(image, channels, size, fit)
    with pytest.raises(ImageError, match="no pixels"):
        fit_image(Image.new("L", (0, 5)), 1, 8)
