"""Sets of images: what is found in them, in which order, and with which pixels."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from pictures import noisy, write
from PIL import Image

from ddim_studio.imaging.datasets import ImageData, Picture, iterate_images, read_images
from ddim_studio.imaging.idx import read_idx
from ddim_studio.imaging.loading import fit_image

GREY, COLOUR = (1, 8, 8), (3, 8, 8)
NAMES = ["a.png", "b/1.png", "b/10.png", "b/2.png", "c.PNG"]


def encoded(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(stream, "PNG")
    return stream.getvalue()


PICTURES = {name: noisy(seed) for seed, name in enumerate(NAMES)}
EXPECTED = np.stack([PICTURES[name] for name in NAMES])
FILES = {name: encoded(pixels) for name, pixels in PICTURES.items()}
BACKWARDS = dict(reversed(FILES.items()))


def as_folder(path, files=FILES):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def as_zip(path, files=BACKWARDS):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def as_tar(path, files=BACKWARDS, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def idx(values):
    return struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8)

MAKERS = {
    "folder": lambda place: as_folder(place / "set"),
    "zip": lambda place: as_zip(place / "set"),
    "tar": lambda place: as_tar(place / "set"),
    "tar.gz": lambda place: as_tar(place / "set", mode="w:gz"),
    "tar.bz2": lambda place: as_tar(place / "set", mode="w:bz2"),
    "tar.xz": lambda place: as_tar(place / "set", mode="w:xz"),
}
PACKERS = {"plain": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


# --- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MAKERS)
def test_a_set_is_the_same_from_a_folder_and_from_every_archive(tmp_path, kind):
    """The archives are stored backwards, and no file has a name that tells its kind."""
    data = read_images(MAKERS[kind](tmp_path), GREY)
    np.testing.assert_array_equal(data.pixels, EXPECTED)
    assert data.skipped == ()
    assert data.source.startswith("set, ")
    assert data.source.endswith("5 of 5 pictures")


@pytest.mark.parametrize("packed", PACKERS)
def test_an_idx_file_is_read_plain_and_compressed(tmp_path, packed):
    (tmp_path / "images").write_bytes(PACKERS[packed](idx(IMAGES)))
    data = read_images(tmp_path / "images", GREY)
    np.testing.assert_array_equal(data.pixels[..., 0], IMAGES)
    assert data.source == "images, IDX file, 12 of 12 pictures"


def test_labels_are_read_by_read_idx(tmp_path):
    labels = np.arange(9, dtype=np.uint8)
    (tmp_path / "labels").write_bytes(gzip.compress(idx(labels)))
    np.testing.assert_array_equal(read_idx(tmp_path / "labels"), labels)


def test_colours_become_what_the_model_takes(tmp_path):
    colour = write(tmp_path / "one.png", noisy(0, channels=3))
    np.testing.assert_array_equal(read_images(tmp_path, COLOUR).pixels[0], colour)
    grey = fit_image(Image.fromarray(colour), 1, 8).pixels
    np.testing.assert_array_equal(read_images(tmp_path, GREY).pixels[0], grey)


def test_the_generator_gives_the_same_pictures_one_by_one(tmp_path):
    items = list(iterate_images(as_zip(tmp_path / "set"), GREY))
    assert [item.name for item in items] == NAMES
    np.testing.assert_array_equal(np.stack([item.pixels for item in items]), EXPECTED)


def test_the_generator_takes_a_tar_archive_as_it_is_stored(tmp_path):
    items = list(iterate_images(as_tar(tmp_path / "set", mode="w:gz"), GREY))
    assert [item.name for item in items] == NAMES[::-1]
    for item in items:
        np.testing.assert_array_equal(item.pixels, PICTURES[item.name])


# --- how images are fitted ----------------------------------------------------------------------


def test_larger_images_are_averaged(tmp_path):
    large = write(tmp_path / "large.png", noisy(1, 16, 3))
    small = read_images(tmp_path, COLOUR).pixels[0]
    exact = large.reshape(8, 2, 8, 2, 3).astype(float).mean((1, 3))
    assert np.abs(small - exact).max() <= 0.5


def test_larger_images_of_any_size_are_averaged(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 21).round().astype(np.uint8), (21, 1))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    rows = read_images(tmp_path, GREY).pixels[0, :, :, 0]
    centres = (np.arange(8) + 0.5) * 21 / 8 - 0.5
    assert np.abs(rows - centres * 255 / 20).max() < 255 / 20 / 2 + 1


def test_smaller_images_are_enlarged_as_everywhere(tmp_path):
    tiny = write(tmp_path / "tiny.png", noisy(1, 4, 3))
    expected = fit_image(Image.fromarray(tiny), 3, 8).pixels
    np.testing.assert_array_equal(read_images(tmp_path, COLOUR).pixels[0], expected)


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        ("crop", lambda wide: wide[:, 8:24].reshape(8, 2, 8, 2).mean((1, 3))),
        ("stretch", None),
        (
            "pad",
            lambda wide: np.vstack(
                [np.full((2, 8), 9), wide.reshape(4, 4, 8, 4).mean((1, 3)), np.full((2, 8), 9)]
            ),
        ),
    ],
)
def test_pictures_that_are_not_square_are_fitted_as_asked(tmp_path, fit, expected):
    wide = np.random.default_rng(0).integers(0, 256, (16, 32), np.uint8)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    pixels = read_images(tmp_path, GREY, fit=fit, background=(9, 9, 9)).pixels[0, :, :, 0]
    if expected is None:  # all of it, in all of the square
        assert abs(float(pixels.mean()) - float(wide.mean())) < 1
        assert abs(float(pixels[:, 0].mean()) - float(wide[:, :4].mean())) < 3
    else:
        assert np.abs(pixels - expected(wide.astype(float))).max() <= 0.5


# --- a limit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_a_limit_is_spread_evenly_over_the_names(tmp_path, kind):
    data = read_images(MAKERS[kind](tmp_path), GREY, limit=3)
    np.testing.assert_array_equal(data.pixels, EXPECTED[[0, 1, 3]])
    assert data.source.endswith("3 of 5 pictures")


def test_a_limit_passes_over_images_of_an_idx_file(tmp_path):
    (tmp_path / "images.gz").write_bytes(gzip.compress(idx(IMAGES)))
    pixels = read_images(tmp_path / "images.gz", GREY, limit=5).pixels[..., 0]
    np.testing.assert_array_equal(pixels, IMAGES[[0, 2, 4, 7, 9]])


def test_a_limit_above_the_number_takes_all_and_below_one_is_refused(tmp_path):
    folder = as_folder(tmp_path / "set")
    np.testing.assert_array_equal(read_images(folder, GREY, limit=99).pixels, EXPECTED)
    with pytest.raises(ValueError, match="At least one"):
        read_images(folder, GREY, limit=0)


# --- what is skipped ----------------------------------------------------------------------------

BAD = {
    "broken.png": FILES["a.png"][:-30],
    "empty.jpg": b"",
    "notes.txt": b"hello",
    "text.png": b"hello, this is not a picture",
}


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_bad_pictures_are_listed_and_the_others_read(tmp_path, kind):
    make = {"folder": as_folder, "zip": as_zip, "tar": as_tar}[kind]
    data = read_images(make(tmp_path / "set", FILES | BAD), GREY)
    np.testing.assert_array_equal(data.pixels, EXPECTED)
    assert [name for name, _ in data.skipped] == list(BAD)
    for (_, reason), expected in zip(
        data.skipped, ["damaged", "empty", "no picture", "not an image"], strict=True
    ):
        assert expected in reason
        assert "\n" not in reason
    assert data.source.endswith("5 of 8 pictures")


def test_hidden_files_are_left_out(tmp_path):
    hidden = {".DS_Store": b"x", "__MACOSX/a.png": b"x", ".git/a.png": FILES["a.png"]}
    for make in (as_folder, as_zip, as_tar):
        data = read_images(make(tmp_path / make.__name__, FILES | hidden), GREY)
        assert (len(data.pixels), data.skipped) == (5, ())


@pytest.mark.parametrize("name", ["/etc/a.png", "../a.png", "b/../../a.png", "C:\\a.png"])
def test_names_that_lead_out_of_the_archive_are_not_read(tmp_path, name):
    for make in (as_zip, as_tar):
        data = read_images(make(tmp_path / make.__name__, FILES | {name: FILES["a.png"]}), GREY)
        assert len(data.pixels) == 5
        assert "leads out" in data.skipped[0].reason
    assert sorted(path.name for path in tmp_path.iterdir()) == ["as_tar", "as_zip"]


def test_links_and_devices_in_a_tar_archive_are_not_read(tmp_path):
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        for name, kind in {"z.png": tarfile.SYMTYPE, "y.png": tarfile.LNKTYPE, "x": b"3"}.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "a.png"
            archive.addfile(member)
        member = tarfile.TarInfo("a.png")
        member.size = len(FILES["a.png"])
        archive.addfile(member, io.BytesIO(FILES["a.png"]))
    data = read_images(tmp_path / "set.tar", GREY)
    assert len(data.pixels) == 1
    assert [name for name, _ in data.skipped] == ["x", "y.png", "z.png"]
    assert all("link or a special file" in reason for _, reason in data.skipped)


def test_a_damaged_member_of_a_zip_archive_costs_only_itself(tmp_path):
    path = as_zip(tmp_path / "set.zip", {"a.png": FILES["a.png"], "c.png": FILES["c.PNG"]})
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    read = read_images(path, GREY)
    np.testing.assert_array_equal(read.pixels, EXPECTED[[4]])
    assert [name for name, _ in read.skipped] == ["a.png"]
    assert "damaged" in read.skipped[0].reason


def test_a_locked_member_of_a_zip_archive_is_named(tmp_path):
    path = as_zip(tmp_path / "set.zip", {"a.png": FILES["a.png"], "c.png": FILES["c.PNG"]})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "password" in read_images(path, GREY).skipped[0].reason


def test_names_are_made_fit_to_print(tmp_path):
    path = as_zip(tmp_path / "set.zip", {"a\n\x1b[2J.png": b"", **FILES})
    assert read_images(path, GREY).skipped[0].name == "a??[2J.png"


def test_a_long_and_narrow_picture_is_not_padded_to_a_giant(tmp_path):
    as_folder(tmp_path)
    Image.new("L", (20_000, 2)).save(tmp_path / "strip.png")
    data = read_images(tmp_path, GREY, fit="pad")
    assert len(data.pixels) == 5
    assert "long and narrow" in data.skipped[0].reason


def test_a_link_to_a_folder_is_not_followed(tmp_path):
    folder = as_folder(tmp_path / "set")
    (folder / "again").symlink_to(folder, target_is_directory=True)
    assert len(read_images(folder, GREY).pixels) == 5


def test_the_generator_says_what_is_skipped(tmp_path):
    items = list(iterate_images(as_folder(tmp_path, FILES | BAD), GREY))
    assert sum(isinstance(item, Picture) for item in items) == 5
    assert sorted(item.name for item in items if not isinstance(item, Picture)) == list(BAD)


def test_pixels_can_be_written_to(tmp_path):
    data = read_images(as_folder(tmp_path), GREY)
    assert isinstance(data, ImageData)
    data.pixels[0] = 0
    assert data.pixels[0].max() == 0
