"""Sets of images that cannot be read, or lie about what they hold: one sentence each."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from pictures import noisy, write
from PIL import Image

from ddim_studio.imaging import unpacking
from ddim_studio.imaging.datasets import read_images
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.idx import read_idx

GREY = (1, 8, 8)
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8)


def idx(values=IMAGES, kind=8, claimed=None):
    shape = claimed or values.shape
    return struct.pack(f">4B{len(shape)}I", 0, 0, kind, len(shape), *shape) + values.tobytes()


def tarred(**sizes):
    """A tar archive of members of zeros; a size may be a lie told by the header."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, size in sizes.items():
            member = tarfile.TarInfo(f"{name}.png")
            member.size = size
            archive.addfile(member, io.BytesIO(bytes(size)))
    return stream.getvalue()


def zipped(content=b"x", name="a.png"):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def forged(size, typeflag=b"0", name="a.png"):
    """A tar header that claims a size, without the data."""
    member = tarfile.TarInfo(name)
    member.type = typeflag
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


TAR = tarred(a=3000, b=3000)

REFUSED = {
    "empty": (b"", "is empty"),
    "text": (b"hello, this is no archive\n" * 40, "not an archive"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(600), "not an archive"),
    "compressed text": (gzip.compress(b"hello" * 1000), "not an archive"),
    "zip cut short": (zipped()[:-30], "damaged"),
    "zip without members": (zipped(name="folder/"), "no pictures"),
    "zip of text": (zipped(name="a.txt"), "no pictures"),
    "zip of a broken picture": (zipped(), "No picture in .* can be used"),
    "tar cut short": (TAR[:5000], "damaged"),
    "tar with a broken header": (TAR[:3584] + b"x" * 512 + TAR[4096:], "damaged"),
    "tar that claims a giant": (forged(10**15), "damaged"),
    "tar that claims a negative size": (forged(0) + forged(-512) + bytes(2048), "damaged"),
    "tar with a giant name": (forged(10**12, tarfile.GNUTYPE_LONGNAME), "damaged"),
    "gzip cut short": (gzip.compress(TAR)[:-60], "damaged"),
    "IDX with a wrong checksum": (
        gzip.compress(idx())[:-8] + b"1234" + gzip.compress(idx())[-4:],
        "damaged",
    ),
    "gzip of a giant tar": (gzip.compress(forged(10**13)), "far more than its size"),
    "xz that is none": (b"\xfd7zXZ\x00" + bytes(100), "damaged"),
    "bzip2 that is none": (b"BZh9" + bytes(100), "damaged"),
    "IDX of labels": (idx(np.arange(9, dtype=np.uint8)), "labels, not images"),
    "IDX of floats": (idx(kind=0x0D), "other values than bytes"),
    "IDX of an unknown type": (idx(kind=0x77), "unknown type"),
    "IDX with a short header": (idx()[:9], "damaged"),
    "IDX cut short": (idx()[:-1], "less than it claims"),
    "IDX that claims billions": (idx(claimed=(2**32 - 1, 8, 8)), "less than it claims"),
    "IDX of giants": (idx(claimed=(2, 2**31, 2**31)), "claims to hold"),
    "IDX of nothing": (idx(claimed=(12, 0, 8)), "claims to hold"),
    "IDX without images": (idx(np.zeros((0, 8, 8), np.uint8)), "no pictures"),
    "IDX of no dimension": (b"\0\0\x08\0" + bytes(600), "not an IDX file"),
    "compressed IDX cut short": (gzip.compress(idx()[:-1]), "less than it claims"),
    "compressed IDX that claims billions": (
        gzip.compress(idx(claimed=(2**32 - 1, 8, 8))),
        "less than it claims",
    ),
    "compressed IDX that is damaged": (gzip.compress(idx())[:-300], "damaged|cut short"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_set_of_images_is_refused_in_one_sentence(tmp_path, name):
    data, reason = REFUSED[name]
    (tmp_path / "set").write_bytes(data)
    with pytest.raises(ImageError, match=reason) as caught:
        read_images(tmp_path / "set", GREY)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_missing_file_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(ImageError, match="There is no file"):
        read_images(tmp_path / "none", GREY)
    with pytest.raises(ImageError, match="holds no pictures: choose a folder"):
        read_images(tmp_path, GREY)
    (tmp_path / "one.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"No picture in .* can be used"):
        read_images(tmp_path, GREY)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="is not a file"):
        read_images(tmp_path / "pipe.png", GREY)
    expected = write(tmp_path / "good.png", noisy(0))
    data = read_images(tmp_path, GREY)
    np.testing.assert_array_equal(data.pixels[0], expected)
    assert data.skipped[0].name == "pipe.png"


def test_an_idx_file_cut_short_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "set").write_bytes(idx()[:-1])
    with pytest.raises(ImageError, match="less than it claims"):
        read_images(tmp_path / "set", GREY, limit=1)


def test_a_zip_member_without_a_name_is_left_out(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(noisy(0)[:, :, 0]).save(stream, "PNG")
    data = zipped_pair(stream.getvalue(), stream.getvalue()).replace(b"b.png", b"\0.png")
    (tmp_path / "set").write_bytes(data)
    assert len(read_images(tmp_path / "set", GREY).pixels) == 1


def test_models_of_oblong_images_are_refused(tmp_path):
    write(tmp_path / "good.png", noisy(0))
    with pytest.raises(ImageError, match="choose another model"):
        read_images(tmp_path, (1, 8, 16))


# --- bombs --------------------------------------------------------------------------------------


def memory_of(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_zip_bomb_is_refused_by_what_it_declares(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "INFLATION_SLACK", 1_000_000)
    (tmp_path / "bomb.zip").write_bytes(zipped(bytes(20_000_000)))
    with pytest.raises(ImageError, match="far more than its size"):
        read_images(tmp_path / "bomb.zip", GREY)


def test_a_zip_that_lies_about_a_size_gives_no_more_than_it_says(tmp_path):
    data = bytearray(zipped(bytes(50_000_000)))
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 10)
    (tmp_path / "liar.zip").write_bytes(data)

    def read():
        with pytest.raises(ImageError, match="No picture"):
            read_images(tmp_path / "liar.zip", GREY)

    assert memory_of(read) < 20_000_000


def test_a_member_that_is_too_large_is_skipped(tmp_path, monkeypatch):
    from ddim_studio.imaging import collections_on_disk

    monkeypatch.setattr(collections_on_disk, "MAX_MEMBER_BYTES", 2000)
    stream = io.BytesIO()
    Image.fromarray(noisy(0)[:, :, 0]).save(stream, "PNG")
    for make in (zipped_pair, tarred_pair):
        (tmp_path / "set").write_bytes(make(stream.getvalue(), bytes(3000)))
        data = read_images(tmp_path / "set", GREY)
        assert len(data.pixels) == 1
        assert [name for name, _ in data.skipped] == ["b.png"]
        assert "the limit is" in data.skipped[0].reason


def zipped_pair(one, other):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", one)
        archive.writestr("b.png", other)
    return stream.getvalue()


def tarred_pair(one, other):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in (("a.png", one), ("b.png", other)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def test_a_compressed_tar_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "INFLATION_SLACK", 1_000_000)
    (tmp_path / "bomb").write_bytes(gzip.compress(tarred(a=60_000_000, b=100)))

    def read():
        with pytest.raises(ImageError, match="far more than its size"):
            read_images(tmp_path / "bomb", GREY)

    assert memory_of(read) < 20_000_000


def test_a_header_in_a_tar_archive_takes_no_endless_memory(tmp_path):
    """tarfile reads the texts of a pax header whole, whatever size it claims."""
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(forged(300_000_000, tarfile.XHDTYPE))]
    pieces += [packer.compress(bytes(1_000_000)) for _ in range(300)]
    (tmp_path / "bomb").write_bytes(b"".join(pieces) + packer.flush())

    def read():
        with pytest.raises(ImageError, match="damaged"):
            read_images(tmp_path / "bomb", GREY)

    assert memory_of(read) < 20_000_000


def test_nested_headers_in_a_tar_archive_are_refused(tmp_path):
    one = forged(1, tarfile.GNUTYPE_LONGNAME) + b"a" + bytes(511)
    (tmp_path / "set").write_bytes(one * 3000 + forged(0))
    with pytest.raises(ImageError, match="damaged"):
        read_images(tmp_path / "set", GREY)


def test_an_idx_file_that_claims_much_takes_no_memory(tmp_path):
    (tmp_path / "labels").write_bytes(gzip.compress(struct.pack(">4BI", 0, 0, 8, 1, 2**32 - 1)))

    def read():
        with pytest.raises(ImageError, match="less than it claims"):
            read_idx(tmp_path / "labels")

    assert memory_of(read) < 20_000_000
