"""``restore`` with pictures and masks of any size, and its table against the clean picture."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pictures import noisy, read, write
from PIL import Image

import ddim_studio as ds

HOLE = np.zeros((8, 8), bool)
HOLE[2:5, 3:] = True
NAMES = {"inpaint": "mean fill", "superres": "bicubic", "colorize": "grey", "denoise": "as it is"}


def mask(path, hole=HOLE, scale=1):
    hole = hole.repeat(scale, 0).repeat(scale, 1)
    Image.fromarray((hole * 255).astype(np.uint8)).save(path)


def psnr(shown, clean):
    """Of pictures on pixels from 0 to 1."""
    return -10 * math.log10(np.mean((shown - clean) ** 2))


def pixels(x):
    """Images in [−1, 1] on pixels from 0 to 1, (…, H, W, C)."""
    return np.moveaxis((np.asarray(x, np.float64).clip(-1, 1) + 1) / 2, -3, -1)


def ssim(shown, clean):
    """By the definition, with the library that the program uses."""
    from torchmetrics.functional.image import structural_similarity_index_measure

    pair = [torch.from_numpy(np.moveaxis(x, -1, 0))[None] for x in (shown, clean)]
    return float(structural_similarity_index_measure(*pair, data_range=1.0))


def simple(task, clean, noise):
    """What is done without a model to a clean picture (H, W, C) from 0 to 1."""
    if task == "colorize":
        return clean.mean(-1, keepdims=True).repeat(3, -1)
    if task == "denoise":
        return (clean + noise / 2).clip(0, 1)
    if task == "inpaint":
        filled = clean.copy()
        filled[HOLE] = clean[~HOLE].mean(0)
        return filled
    small = clean.reshape(4, 2, 4, 2, -1).mean((1, 3))
    planes = torch.from_numpy(np.moveaxis(small, -1, 0))[None]
    large = torch.nn.functional.interpolate(planes, (8, 8), mode="bicubic", align_corners=False)
    return np.moveaxis(large[0].clamp(0, 1).numpy(), 0, -1)


@pytest.mark.parametrize("task", NAMES)
def test_the_table_of_a_degraded_picture_says_how_near_the_images_come(restore, tmp_path, task):
    clean = write(tmp_path / "p.png", noisy(4, 8, 3)) / 255
    mask(tmp_path / "m.png")
    more = {"inpaint": "--mask m.png", "superres": "--scale 2", "denoise": "--sigma 0.3"}
    line = f"p.png --task {task} {more.get(task, '')} --degrade --noise-seed 5 --steps 3 --count 2"
    answer = restore(f"{line} --seed 6 --out a.npz", 3)
    with np.load("a.npz", allow_pickle=False) as archive:
        images, measurement = archive["x0"], archive["measurement"]
    noise = np.moveaxis(measurement, 0, -1) - (2 * clean - 1) if task == "denoise" else 0
    if task == "denoise":  # of its size, and drawn from the seed that was given
        assert np.std(noise) == pytest.approx(0.3, rel=0.2)
        x0 = torch.from_numpy(2 * clean - 1).permute(2, 0, 1)[None]
        given = ds.measure(ds.Denoise(), x0, 0.3, [5])
        np.testing.assert_allclose(measurement, given[0], atol=1e-6)
    shown = {f"seed {n}": pixels(x) for n, x in zip((6, 7), images, strict=True)}
    shown[NAMES[task]] = simple(task, clean, noise)
    head, *rows = answer.out[1:]
    assert head.split() == ["image", "PSNR", "dB", "SSIM", "max", "|A", "x", "-", "y|"]
    assert len(rows) == 3
    for row, (name, picture) in zip(rows, shown.items(), strict=True):
        assert row.startswith(name)
        found = row[len(name) :].split()
        assert float(found[0]) == pytest.approx(psnr(picture, clean), abs=0.051)
        assert float(found[1]) == pytest.approx(ssim(picture, clean), abs=1e-4)
        if name == NAMES[task]:
            assert found[2] == "-"
        elif task != "denoise":
            assert float(found[2]) < 1e-9


def test_a_mask_of_the_pictures_size_is_cut_and_resized_as_the_picture_is(restore, tmp_path):
    wide = noisy(1, 16).repeat(2, 1)[:, 3:27]  # 24×16: four columns go at each side
    write(tmp_path / "p.png", wide)
    hole = np.zeros((16, 24), bool)
    hole[4:10, 10:] = True
    Image.fromarray((hole * 255).astype(np.uint8)).save(tmp_path / "m.png")
    told = restore("p.png --task inpaint --mask m.png --steps 2 --out a.png").err
    assert told == ["p.png: 24×16 grey, centre crop, to 8×8 grey"]
    small = np.zeros((8, 8), bool)
    small[2:5, 3:] = True
    mask(tmp_path / "small.png", small)
    restore("p.png --task inpaint --mask small.png --steps 2 --out b.png --quiet")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), read(tmp_path / "b.png"))
    restore("p.png --task inpaint --mask small.png --steps 2 --out a.npz --quiet")
    with np.load("a.npz", allow_pickle=False) as archive:
        assert (archive["measurement"][0][small] == 0).all()
        np.testing.assert_allclose(archive["x0"][0, 0][~small], archive["measurement"][0][~small])
    shown = read(tmp_path / "a.png").astype(int)
    averaged = wide[:, 4:20, 0].reshape(8, 2, 8, 2).mean((1, 3))
    assert np.abs(shown - averaged)[~small].mean() < 15  # fitted by a better filter than this
    assert np.abs(shown - averaged)[small].mean() > 20


def test_a_pixel_that_is_partly_in_the_hole_belongs_to_it(restore, tmp_path):
    write(tmp_path / "p.png", noisy(1, 32))
    hole = np.zeros((32, 32), bool)
    hole[8:12, 8] = True  # a quarter of one pixel of the model
    Image.fromarray((hole * 255).astype(np.uint8)).save(tmp_path / "m.png")
    restore("p.png --task inpaint --mask m.png --steps 2 --quiet --out a.npz")
    with np.load("a.npz", allow_pickle=False) as archive:
        known = np.isclose(archive["x0"][0, 0], archive["measurement"][0])
    assert not known[2, 2]
    assert known.sum() >= 64 - 3  # and its neighbours at most


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P", "I;16"])
def test_masks_of_every_kind_mean_the_same(restore, tmp_path, mode):
    write(tmp_path / "p.png", noisy(1))
    grey = Image.fromarray((HOLE * 255).astype(np.uint8))
    if mode == "I;16":
        made = Image.fromarray((HOLE * 65535).astype(np.uint16))
    elif mode == "RGBA":  # transparent is black
        made = Image.fromarray(np.full((8, 8, 4), 255, np.uint8))
        made.putalpha(grey)
    else:
        made = grey.convert(mode)
    made.save(tmp_path / "other.png")
    mask(tmp_path / "m.png")
    restore("p.png --task inpaint --mask m.png --steps 2 --out a.png")
    restore("p.png --task inpaint --mask other.png --steps 2 --out b.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), read(tmp_path / "b.png"))


def test_without_the_clean_picture_only_the_agreement_is_told(restore, tmp_path):
    write(tmp_path / "p.png", noisy(1, 4))
    answer = restore("p.png --task superres --scale 2 --steps 2 --seed 9 --out a.png")
    assert answer.out[0] == "a.png"
    assert answer.out[1].split() == ["image", "max", "|A", "x", "-", "y|"]
    (row,) = answer.out[2:]
    assert row.startswith("seed 9")
    assert answer.err == []


def test_a_small_picture_is_fitted_to_the_size_that_the_scale_leaves(restore, tmp_path):
    write(tmp_path / "p.png", noisy(1, 12))
    answer = restore("p.png --task superres --scale 4 --steps 2 --out a.npz")
    assert answer.err == ["p.png: 12×12 grey, to 2×2 grey"]
    with np.load("a.npz", allow_pickle=False) as archive:
        blocks = archive["x0"][0, 0].reshape(2, 4, 2, 4).mean((1, 3))
        seen = archive["measurement"][0]
    assert (seen.reshape(2, 4, 2, 4).std((1, 3)) == 0).all()
    np.testing.assert_allclose(blocks, seen[::4, ::4], atol=1e-5)


def test_noise_of_a_resized_picture_is_told_to_be_another(restore, tmp_path):
    write(tmp_path / "p.png", noisy(1, 16))
    line = "p.png --task denoise --sigma 0.2 --steps 2 --out a.png"
    assert "changes its noise" in restore(line).err[-1]
    assert restore(f"{line} --degrade").err == ["p.png: 16×16 grey, to 8×8 grey"]
    assert restore(f"{line} --quiet").err == []


def test_a_clean_colour_picture_is_measured_by_a_grey_model_in_grey(restore, tmp_path):
    colour = write(tmp_path / "p.png", noisy(1, 8, 3))
    mask(tmp_path / "m.png")
    restore("p.png --task inpaint --mask m.png --steps 2 --quiet --out a.png")
    grey = np.asarray(Image.fromarray(colour).convert("L"))
    np.testing.assert_array_equal(read(tmp_path / "a.png")[~HOLE], grey[~HOLE])
