"""``restore``: what it writes is what the library restores, and agrees with the picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from pictures import noisy, read, tensor, write
from PIL import Image, ImageSequence

import ddim_studio as ds
from ddim_studio.diffusion.restore_settings import walk
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.imaging.png import read_settings
from ddim_studio.jobs.restore_order import RestoreRun

HOLE = np.zeros((8, 8), bool)
HOLE[2:5, 3:] = True
SIGMA = 0.2


def mask(path, hole=HOLE):
    Image.fromarray((hole * 255).astype(np.uint8)).save(path)


def stored(path):
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def means(x, k):
    """The means of blocks of k×k, by loops."""
    height, width = x.shape[-2] // k, x.shape[-1] // k
    found = np.empty((*x.shape[:-2], height, width))
    for row in range(height):
        for column in range(width):
            block = x[..., row * k : row * k + k, column * k : column * k + k]
            found[..., row, column] = block.mean((-2, -1))
    return found


def luma(x):
    return 0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2]


KEEP = torch.from_numpy(~HOLE)
CASES = {
    "holes": ("inpaint", 1, 8, {}, ds.Inpaint(KEEP), lambda x: x[..., ~HOLE]),
    "holes in colour": ("inpaint", 3, 8, {}, ds.Inpaint(KEEP), lambda x: x[..., ~HOLE]),
    "repaint": (
        "inpaint",
        1,
        8,
        {"method": "repaint", "travel_length": 2, "travel_repeats": 3, "eta": 1.0},
        ds.Inpaint(KEEP),
        lambda x: x[..., ~HOLE],
    ),
    "x2": ("superres", 1, 4, {"scale": 2}, ds.SuperResolve(2), lambda x: means(x, 2)),
    "x4 in colour": ("superres", 3, 2, {"scale": 4}, ds.SuperResolve(4), lambda x: means(x, 4)),
    "colours": ("colorize", 3, 8, {}, ds.Colourise(), lambda x: x.mean(1)),
    "luma": ("colorize", 3, 8, {"grey": "luma"}, ds.Colourise((0.299, 0.587, 0.114)), luma),
    "noise": ("denoise", 1, 8, {"sigma": SIGMA}, ds.Denoise(), None),
    "travel": (
        "superres",
        1,
        4,
        {"scale": 2, "travel_length": 1, "travel_repeats": 2, "eta": 0.3},
        ds.SuperResolve(2),
        lambda x: means(x, 2),
    ),
}


def line_of(name):
    """The options of a case."""
    task, _, _, settings, _, _ = CASES[name]
    words = [f"--{field.replace('_', '-')} {value}" for field, value in settings.items()]
    return " ".join(["p.png --task", task, *words, "--mask m.png" * (task == "inpaint")])


@pytest.mark.parametrize("name", CASES)
def test_an_archive_holds_what_the_api_gives_and_agrees_with_the_picture(
    restore, pipelines, tmp_path, name
):
    task, channels, side, settings, measurement, seen = CASES[name]
    picture = tensor(write(tmp_path / "p.png", noisy(1, side, channels))).double()
    mask(tmp_path / "m.png")
    answer = restore(f"{line_of(name)} --steps 5 --seed 7 --count 2 --out a.npz", channels)
    y = picture if task == "superres" else measurement.A(picture)
    model = ds.load_model(str(pipelines[channels]), device="cpu")
    wanted = ds.RestoreSettings(task=task, steps=5, **settings)
    *_, last = ds.restore(model, y, measurement, wanted, seeds=[7, 8])
    found = stored("a.npz")
    assert found.keys() == {"x0", "seeds", "timesteps", "measurement", "settings"}
    np.testing.assert_allclose(found["x0"], last.x, atol=2e-5)
    assert found["seeds"].tolist() == [7, 8]
    moves = walk(wanted, tau_of(wanted, 1000))
    assert found["timesteps"].tolist() == [t for t, _ in moves]
    np.testing.assert_allclose(found["measurement"], measurement.pinv(y)[0], atol=1e-6)
    run = RestoreRun.from_json(str(found["settings"]))
    assert {field: getattr(run, field) for field in settings} == settings
    assert (run.task, run.steps, run.seed, run.count, run.degrade) == (task, 5, 7, 2, False)
    assert answer.out[0] == "a.npz"
    off = (measurement.A(torch.from_numpy(found["x0"]).double()) - y).abs().amax((1, 2, 3))
    told = [line.rsplit(None, 1) for line in answer.out[2:]]
    assert [words[0].strip() for words in told] == ["seed 7", "seed 8"]
    if seen is None:  # noise is not kept
        assert [float(words[1]) for words in told] == pytest.approx(off.tolist(), rel=0.1)
        return
    known = picture.numpy() if task == "superres" else seen(picture.numpy())
    agreeing = seen(found["x0"].astype(np.float64))
    np.testing.assert_allclose(agreeing, known.repeat(2, 0), atol=1e-5)
    assert max(float(words[1]) for words in told) < 1e-9


def test_one_image_has_the_models_size_and_no_border(restore, tmp_path):
    write(tmp_path / "p.png", noisy(1, 4))
    restore("p.png --task superres --scale 2 --steps 3 --seed 5 --out a.npz")
    restore("p.png --task superres --scale 2 --steps 3 --seed 5 --out a.png")
    expected = (stored("a.npz")["x0"][0, 0].clip(-1, 1) + 1) * 127.5
    assert read(tmp_path / "a.png").shape == (8, 8)
    assert np.abs(read(tmp_path / "a.png") - expected).max() < 0.51


def test_a_sheet_and_a_folder_hold_the_same_images(restore, tmp_path, names):
    write(tmp_path / "p.png", noisy(1, 8, 3))
    line = "p.png --task colorize --steps 3 --seed 3 --count 3"
    restore(f"{line} --out sheet.png", 3)
    answer = restore(f"{line} --out new/folder/", 3)
    assert answer.out[0].startswith("new")
    assert names("new/folder") == ["seed-3.png", "seed-4.png", "seed-5.png"]
    sheet = read(tmp_path / "sheet.png")
    assert sheet.shape == (18, 18, 3)
    places = {3: (0, 0), 4: (0, 10), 5: (10, 0)}
    for seed, (top, left) in places.items():
        alone = read(tmp_path / f"new/folder/seed-{seed}.png")
        np.testing.assert_array_equal(alone, sheet[top : top + 8, left : left + 8])
        settings = json.loads(read_settings(tmp_path / f"new/folder/seed-{seed}.png"))
        assert (settings["kind"], settings["seed"], settings["count"]) == ("restore", seed, 1)
    assert (sheet[10:, 10:] == 255).all()


@pytest.mark.parametrize(
    "line",
    [
        "--task inpaint --mask m.png --method repaint --travel-length 2 --travel-repeats 3",
        "--task inpaint --mask m.png --degrade --eta 0.4 --clip clamp",
        "--task denoise --sigma 0.3 --degrade --noise-seed 8 --timesteps 3,40,500",
        "--task superres --scale 4 --degrade --spacing quadratic",
    ],
)
def test_the_settings_of_a_picture_give_it_again(restore, tmp_path, line):
    write(tmp_path / "p.png", noisy(2))
    mask(tmp_path / "m.png")
    steps = "" if "--timesteps" in line else "--steps 4"
    restore(f"p.png {line} {steps} --seed 4 --count 2 --out d/")
    again = " --mask m.png" * ("--mask" in line)
    restore(f"p.png --settings d/seed-5.png{again} --out again.png")
    np.testing.assert_array_equal(read(tmp_path / "again.png"), read(tmp_path / "d/seed-5.png"))
    restore(f"p.png --settings d/seed-5.png{again} --seed 4 --out other.png")
    np.testing.assert_array_equal(read(tmp_path / "other.png"), read(tmp_path / "d/seed-4.png"))
    assert not np.array_equal(read(tmp_path / "other.png"), read(tmp_path / "again.png"))


def test_each_method_brings_its_own_defaults(restore, tmp_path):
    write(tmp_path / "p.png", noisy(1))
    mask(tmp_path / "m.png")
    line = "p.png --task inpaint --mask m.png --steps 2"
    restore(f"{line} --out a.png")
    restore(f"{line} --method repaint --out b.png")
    restore("p.png --settings a.png --method repaint --mask m.png --out c.png")
    kept = [RestoreRun.from_json(read_settings(tmp_path / f"{name}.png")) for name in "abc"]
    assert [(run.eta, run.travel_repeats) for run in kept] == [(0.85, 1), (1.0, 10), (1.0, 10)]


def test_an_animation_shows_the_whole_way_and_ends_with_the_images(restore, tmp_path):
    write(tmp_path / "p.png", noisy(1, 4))
    line = "p.png --task superres --scale 2 --steps 4 --travel-length 2 --travel-repeats 2"
    restore(f"{line} --count 2 --out a.gif")
    restore(f"{line} --count 2 --out a.npz --trajectory")
    with Image.open(tmp_path / "a.gif") as image:
        frames = [
            np.asarray(frame.convert("L")).astype(int) for frame in ImageSequence.Iterator(image)
        ]
    x = stored("a.npz")["x"]
    assert len(frames) == len(x) == 7
    scale = len(frames[0]) // 8
    for frame, state in ((frames[0], x[0]), (frames[-1], x[-1])):
        shown = (state[0, 0].clip(-1, 1) + 1) * 127.5
        assert np.abs(frame[: 8 * scale : scale, : 8 * scale : scale] - shown).max() < 1.1


def test_a_trajectory_holds_every_step_and_the_guess_before_it_was_corrected(restore, tmp_path):
    picture = tensor(write(tmp_path / "p.png", noisy(1))).numpy()[0, 0]
    mask(tmp_path / "m.png")
    line = "p.png --task inpaint --mask m.png --steps 4 --travel-length 2 --travel-repeats 2"
    restore(f"{line} --count 3 --seed 2 --out a.npz --trajectory")
    found = stored("a.npz")
    assert found["timesteps"].tolist() == [750, 500, 250, 500, 250, 0]
    names = ("x", "x0", "epsilon", "guess")
    assert {found[name].dtype for name in names} == {np.dtype(np.float32)}
    assert [found[name].shape for name in names] == [(7, 3, 1, 8, 8), *[(6, 3, 1, 8, 8)] * 3]
    np.testing.assert_allclose(found["x"][0], ds.seeded_noise((1, 8, 8), [2, 3, 4]), atol=1e-6)
    expected = np.where(HOLE, found["guess"], picture)
    np.testing.assert_allclose(found["x0"], expected, atol=1e-6)
    np.testing.assert_allclose(found["x"][-1], found["x0"][-1], atol=1e-6)
    assert np.abs(found["guess"] - found["x0"]).max() > 0.1
