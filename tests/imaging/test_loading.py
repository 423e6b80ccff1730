"""Images from anywhere: safe to open, and fitted with the right pixels."""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.loading import open_image
from ddim_studio.imaging.png import SIGNATURE, chunk

RNG = np.random.default_rng(0)
RAMP = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
COLOUR = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of two kilobytes that claims a size of its own."""
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return SIGNATURE + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


# --- what is refused, each in one sentence -----------------------------------------------------

GOOD_PNG = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), "PNG")
GOOD_JPEG = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), "JPEG")
GOOD_GIF = encoded(Image.fromarray(RAMP), "GIF")
GOOD_TIFF = encoded(Image.fromarray(COLOUR), "TIFF")
GOOD_WEBP = encoded(Image.fromarray(COLOUR), "WEBP", lossless=True)

BITMAP_OF_99_BITS = (
    b"BM" + struct.pack("<3I", 0, 0, 54) + struct.pack("<I2i2H6I", 40, 5, 5, 1, 99, *[0] * 6)
)

REFUSED = {
    "empty": (b"", "is empty"),
    "text": (b"not an image at all\n" * 20, "not an image"),
    "zeros": (bytes(4096), "not an image"),
    "signature only": (SIGNATURE, "not an image"),
    "truncated PNG": (GOOD_PNG[: len(GOOD_PNG) // 2], "damaged"),
    "truncated JPEG": (GOOD_JPEG[: len(GOOD_JPEG) // 2], "damaged"),
    "truncated GIF": (GOOD_GIF[:-20], "damaged"),
    "truncated TIFF": (GOOD_TIFF[:150], "damaged|not an image"),
    "truncated WebP": (GOOD_WEBP[:40], "damaged|not an image"),
    "wrong checksum": (GOOD_PNG[:60] + b"\xff\x00\xff" + GOOD_PNG[63:], "damaged"),
    "garbled scan lines": (
        SIGNATURE
        + chunk(b"IHDR", struct.pack(">2I5B", 8, 8, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", b"nonsense")
        + chunk(b"IEND", b""),
        "damaged",
    ),
    "no width": (png_header(0, 5), "no pixels|not an image"),
    "no pixels at all": (png_header(0, 0), "no pixels|not an image"),
    "just over 64 megapixels": (png_header(8_001, 8_000), "8001×8000 pixels and the limit is 64"),
    "bomb that Pillow warns of": (png_header(10_000, 10_000), "64 megapixels"),
    "bomb that Pillow refuses": (png_header(30_000, 30_000), "64 megapixels"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not an image"),
    "archive": (b"PK\x03\x04" + bytes(60), "not an image"),
    "bitmap of unknown depth": (BITMAP_OF_99_BITS, "damaged|not an image"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused_in_one_sentence(tmp_path, name):
    data, reason = REFUSED[name]
    path = tmp_path / "bad picture.png"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=reason) as caught:
        open_image(path)
    message = str(caught.value)
    assert message.startswith("bad picture.png ")
    assert message.endswith(".")
    assert "\n" not in message
    with pytest.raises(ImageError, match="The image"):
        open_image(data)


@pytest.mark.filterwarnings("default")
def test_no_warning_of_pillow_reaches_the_user(recwarn):
    with pytest.raises(ImageError, match=r"10000×10000|too many"):
        open_image(png_header(10_000, 10_000))
    assert not recwarn.list


def test_missing_files_folders_and_devices_are_refused(tmp_path):
    with pytest.raises(ImageError, match="no file"):
        open_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="folder"):
        open_image(str(tmp_path))
    with pytest.raises(ImageError, match="cannot be read"):
        open_image(tmp_path / ("x" * 300))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="not a file"):
        open_image(tmp_path / "pipe.png")


# --- how files are read ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "PPM", "WEBP", "JPEG2000", "ICO"])
def test_lossless_formats_give_their_pixels_from_path_and_bytes(tmp_path, kind):
    source = Image.fromarray(COLOUR if kind not in ("GIF",) else np.stack([RAMP] * 3, -1))
    options = {"WEBP": {"lossless": True}, "ICO": {"sizes": [(8, 8)]}}.get(kind, {})
    data = encoded(source, kind, **options)
    (tmp_path / "picture.xyz").write_bytes(data)  # the content counts, not the suffix
    for given in (data, tmp_path / "picture.xyz", str(tmp_path / "picture.xyz")):
        np.testing.assert_array_equal(np.asarray(open_image(given).convert("RGB")), source)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_rotation_noted_by_the_camera_is_applied(orientation):
    upright = np.zeros((6, 4, 3), np.uint8)
    upright[0, :3] = 250  # an L, so that no rotation or reflection looks like another
    upright[:2, 0] = 250
    # What a camera held so would store: the inverse of what EXIF 2.3 tells the reader to do.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("PNG", "TIFF"):
        opened = open_image(encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif))
        np.testing.assert_array_equal(np.asarray(opened), upright)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.fromarray(np.full((4, 4), level, np.uint8)) for level in (10, 90, 200)]
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert set(open_image(data).convert("L").tobytes()) == {10}


def test_the_image_does_not_need_its_file_any_more(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.fromarray(RAMP), "PNG"))
    image = open_image(path)
    path.unlink()
    np.testing.assert_array_equal(np.asarray(image), RAMP)
