"""PNG files with settings inside: written as the PNG specification says, read back or refused."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ddim_studio.imaging import png
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.png import KEYWORD, chunk, read_settings, write_png

SETTINGS = '{"kind": "sample", "eta": "hat", "note": "σ̂ — 扩散"}'


def picture(channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_pixels_and_settings_come_back(tmp_path, channels, mode):
    path = tmp_path / "new" / "σ.png"
    write_png(path, picture(channels), SETTINGS)
    with Image.open(path) as image:
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image).reshape(5, 7, channels), picture(channels))
        assert image.text[KEYWORD] == SETTINGS  # another reader finds them too
    assert read_settings(path) == SETTINGS


def test_the_chunk_is_uncompressed_utf8_itxt(tmp_path):
    write_png(tmp_path / "a.png", picture(1), SETTINGS)
    data = (tmp_path / "a.png").read_bytes()
    assert b"iTXtddim_studio\0\0\0\0\0" + SETTINGS.encode() in data


def test_files_are_replaced_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "a.png"
    write_png(path, picture(1), "1")
    write_png(path, picture(3), "2")
    assert read_settings(path) == "2"
    with pytest.raises(ValueError, match="picture"):
        write_png(path, np.zeros((2, 2, 2), np.uint8), "3")
    assert read_settings(path) == "2"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_text_compressed_or_moved_by_other_programs_is_found(tmp_path):
    path = tmp_path / "a.png"
    text = PngInfo()
    text.add_itxt("other", "nothing")
    text.add_itxt(KEYWORD, SETTINGS, lang="en", tkey="x", zip=True)
    Image.new("L", (3, 3)).save(path, pnginfo=text)
    assert read_settings(path) == SETTINGS

    Image.new("L", (3, 3)).save(path)
    end = chunk(b"IEND", b"")
    late = chunk(b"iTXt", KEYWORD.encode() + b"\0" * 5 + SETTINGS.encode())
    path.write_bytes(path.read_bytes().removesuffix(end) + late + end)
    assert read_settings(path) == SETTINGS


def test_settings_of_a_picture_too_large_to_decode_are_read(tmp_path):
    path = tmp_path / "huge.png"
    write_png(path, picture(1), SETTINGS)
    data = bytearray(path.read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    path.write_bytes(data)
    assert read_settings(path) == SETTINGS


def test_json_files_are_read_as_they_are(tmp_path):
    path = tmp_path / "a.JSON"
    path.write_bytes(b"\xef\xbb\xbf" + SETTINGS.encode())  # with the mark of Windows' editors
    assert read_settings(path) == SETTINGS


def with_chunk(body: bytes) -> bytes:
    return png.SIGNATURE + chunk(b"iTXt", KEYWORD.encode() + body) + chunk(b"IEND", b"")


GOOD = with_chunk(b"\0\0\0\0\0" + SETTINGS.encode())
BOMB = b"\0\1\0\0\0" + zlib.compress(b" " * 50_000_000)
REFUSED = {
    "empty.png": (b"", "not a PNG"),
    "jpeg.png": (b"\xff\xd8\xff\xe0" * 9, "not a PNG"),
    "bare.png": (png.SIGNATURE, "carries no settings"),
    "other.png": (png.SIGNATURE + chunk(b"IEND", b""), "carries no settings"),
    "cut.png": (GOOD[:-40], "damaged"),
    "cut_early.png": (GOOD[:18], "carries no settings"),
    "checksum.png": (GOOD.replace(b"sample", b"simple"), "damaged"),
    "fields.png": (with_chunk(b"\0\0\0"), "damaged"),
    "zlib.png": (with_chunk(b"\0\1\0\0\0nonsense"), "damaged"),
    "bomb.png": (with_chunk(BOMB), "over 1 MB"),
    "long.png": (with_chunk(b"\0\0\0\0\0" + b"x" * 1_000_001), "over 1 MB"),
    "longer.png": (with_chunk(b"\0\0\0\0\0" + b"x" * 3_000_000), "over 1 MB"),
    "latin.png": (with_chunk(b"\0\0\0\0\0\xe9\xe8"), "UTF-8"),
    "short_key.png": (png.SIGNATURE + chunk(b"iTXt", b"ddim_studio"), "no settings"),
    "long.json": (b"1" * 1_000_001, "over 1 MB"),
    "latin.json": (b'"\xe9"', "UTF-8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_files_are_refused_in_one_sentence(tmp_path, name):
    data, reason = REFUSED[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError, match=reason) as caught:
        read_settings(tmp_path / name)
    assert re.fullmatch(r"[^\n]+: [^\n]+\.", str(caught.value))
    assert name in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(ImageError, match="no file"):
        read_settings(tmp_path / "none.png")
    with pytest.raises(ImageError, match="folder"):
        read_settings(tmp_path)


def test_exactly_the_limit_is_accepted(tmp_path):
    write_png(tmp_path / "a.png", picture(1), "x" * 1_000_000)
    assert len(read_settings(tmp_path / "a.png")) == 1_000_000
