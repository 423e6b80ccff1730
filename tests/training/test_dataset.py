import gzip
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_runs import NETWORK, write_images

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.imaging.errors import ImageError
from ddim_studio.training import dataset
from ddim_studio.training.batches import Batches
from ddim_studio.training.dataset import read_training_images, split_of
from ddim_studio.training.draws import TRAINING, Draws
from ddim_studio.training.settings import TrainSettings


def settings(data, **changes):
    return TrainSettings(data=str(data), **{**NETWORK, **changes})


def pixels_of(folder):
    return np.stack([np.array(Image.open(path)) for path in sorted(folder.glob("*.png"))])


def test_grey_and_colour_are_told_apart_by_the_pixels(tmp_path):
    grey = write_images(tmp_path / "grey")
    colour = write_images(tmp_path / "colour", channels=3)
    as_rgb = tmp_path / "as-rgb"
    as_rgb.mkdir()
    for path in grey.iterdir():
        Image.open(path).convert("RGB").save(as_rgb / path.name)
    for folder, shape in ((grey, (1, 8, 8)), (as_rgb, (1, 8, 8)), (colour, (3, 8, 8))):
        assert read_training_images(settings(folder), tmp_path).image_shape == shape
    chosen = read_training_images(settings(grey, colours="rgb"), tmp_path)
    assert chosen.image_shape == (3, 8, 8)


def test_a_folder_an_archive_and_an_idx_file_give_the_same_images(tmp_path):
    folder = write_images(tmp_path / "data")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    values = pixels_of(folder)
    with gzip.open(tmp_path / "idx.gz", "wb") as file:
        file.write(b"\0\0\x08\x03" + np.array(values.shape, ">u4").tobytes() + values.tobytes())
    found = [
        read_training_images(settings(tmp_path / name), tmp_path)
        for name in ("data", "data.zip", "idx.gz")
    ]
    for images in found:
        assert np.array_equal(images.pixels[..., 0], values)
        assert images.checksum == found[0].checksum


def test_too_many_for_the_memory_go_to_a_file_that_nobody_sees(tmp_path, monkeypatch):
    data = write_images(tmp_path / "data")
    in_memory = read_training_images(settings(data), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(dataset, "MEMORY_BUDGET", 5 * 64)
    on_disk = read_training_images(settings(data), tmp_path / "run")
    assert isinstance(on_disk.pixels.base, np.memmap)
    assert np.array_equal(on_disk.pixels, in_memory.pixels)
    assert on_disk.checksum == in_memory.checksum
    assert list((tmp_path / "run").iterdir()) == []


def test_bad_images_are_listed_and_the_others_used(tmp_path):
    data = write_images(tmp_path / "data", count=5)
    (data / "002.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (data / "notes.txt").write_text("no picture")
    images = read_training_images(settings(data), tmp_path)
    assert len(images.pixels) == 4
    assert sorted(item.name for item in images.skipped) == ["002.png", "notes.txt"]


@pytest.mark.parametrize("names", [[], ["a.png"]])
def test_a_folder_without_an_image_is_a_sentence(tmp_path, names):
    (tmp_path / "data").mkdir()
    for name in names:
        (tmp_path / "data" / name).write_bytes(b"nothing")
    with pytest.raises(ImageError, match=r"[Nn]o picture"):
        read_training_images(settings(tmp_path / "data"), tmp_path)


def test_a_twentieth_is_held_out_and_never_all(tmp_path):
    images = read_training_images(settings(write_images(tmp_path / "d", count=45)), tmp_path)
    parts = split_of(settings("d"), images)
    assert (len(parts.training), len(parts.held_out)) == (43, 2)
    assert not set(parts.training) & set(parts.held_out)
    assert len(split_of(settings("d", held_out=0), images).training) == 45
    with pytest.raises(SettingsError, match="less than the number of images, 45"):
        split_of(settings("d", held_out=45), images)


def batches(pixels, device="cpu", **options):
    rows = np.arange(1, len(pixels))
    draws = Draws(0, TRAINING, len(rows), (1, 8, 8), batch_size=6, timesteps=1000)
    return draws, Batches(pixels, rows, draws, slice(1, 5), torch.device(device), **options)


def test_a_batch_holds_the_images_of_its_draw_mirrored_where_it_says(tmp_path):
    pixels = pixels_of(write_images(tmp_path / "data"))[..., None]
    draws, source = batches(pixels, flip=True)
    drawn, batch = draws.draw(3, slice(1, 5)), source.at(3)
    assert 0 < drawn.flips.sum() < 4
    for row, flip, x0 in zip(drawn.rows, drawn.flips, batch.x0, strict=True):
        expected = pixels[1:][row, :, :, 0] / 127.5 - 1
        expected = expected[:, ::-1] if flip else expected
        assert np.abs(x0[0].numpy() - expected).max() < 1e-6
    assert np.array_equal(batch.t, drawn.t)
    assert np.array_equal(batch.epsilon, drawn.epsilon)
    _, plain = batches(pixels, flip=False)
    assert not torch.equal(plain.at(3).x0, batch.x0)


def test_batches_made_in_a_thread_are_the_same(tmp_path, monkeypatch):
    """A device that computes by itself is played by one that takes nothing."""
    pixels = pixels_of(write_images(tmp_path / "data"))[..., None]
    _, source = batches(pixels, flip=True)
    _, ahead = batches(pixels, "meta", flip=True)
    monkeypatch.setattr(ahead, "_placed", lambda tensor: tensor)
    coming, plain = ahead.since(7), source.since(7)
    for _ in range(4):
        for left, right in zip(next(coming), next(plain), strict=True):
            assert torch.equal(left, right)
    coming.close()
