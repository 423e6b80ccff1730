"""``sample``: what it writes, that it can be repeated, and how it fails."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from interrupting import interrupt
from PIL import Image

import ddim_studio as ds
from ddim_studio.cli.main import main
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.png import read_settings
from ddim_studio.imaging.sheets import contact_sheet


def pixels_of(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def final(model, seeds, **settings) -> torch.Tensor:
    wanted = ds.SampleSettings(**settings)
    *_, last = ds.sample(model, ds.seeded_noise(model, seeds), wanted, seeds=list(seeds))
    return last.x


def test_a_sheet_shows_what_the_sampler_gives(sample, tiny):
    answer = sample("--steps 4 --eta 0.5 --seed 7 --count 5 --clip clamp --out a.png")
    assert answer == (0, ["a.png"], [])
    expected = to_pixels(final(tiny, range(7, 12), steps=4, eta=0.5, clip="clamp", seed=7))
    np.testing.assert_array_equal(pixels_of("a.png"), contact_sheet(expected)[:, :, 0])


def test_one_image_has_the_models_own_size_and_no_border(sample, tiny):
    sample("--steps 3 --seed 2 --count 1 --out a.png")
    expected = to_pixels(final(tiny, [2], steps=3, seed=2))[0, :, :, 0]
    np.testing.assert_array_equal(pixels_of("a.png"), expected)


def test_the_first_bundled_model_is_the_default(run):
    assert run("sample --steps 10 --count 2 --seed 3 --device cpu --out a.png").code == 0
    heads = final(ds.load_model("toonheads-32", "cpu"), [3, 4], steps=10, seed=3)
    expected = contact_sheet(to_pixels(heads))
    np.testing.assert_array_equal(pixels_of("a.png"), expected)
    assert json.loads(read_settings("a.png"))["model"] == "toonheads-32"


def test_the_settings_of_a_picture_repeat_it(sample, run, tiny_pipeline):
    line = "--steps 6 --eta hat --spacing trailing --clip rederive --seed 18446744073709551614"
    sample(f"{line} --count 4 --out a.png")
    stored = json.loads(read_settings("a.png"))
    assert stored["model"] == str(tiny_pipeline)
    assert run("sample --settings a.png --out b.png").code == 0
    np.testing.assert_array_equal(pixels_of("b.png"), pixels_of("a.png"))
    assert json.loads(read_settings("b.png")) == stored

    Path("a.json").write_text(json.dumps(stored), encoding="utf-8")
    assert run("sample --settings a.json --out c.png").code == 0
    np.testing.assert_array_equal(pixels_of("c.png"), pixels_of("a.png"))


def test_options_beside_the_settings_override_them(sample, run, tiny):
    sample("--timesteps 10,500,900 --eta 1 --count 2 --out a.png")
    assert json.loads(read_settings("a.png"))["timesteps"] == [10, 500, 900]
    assert run("sample --settings a.png --eta 0 --seed 5 --out b.png").code == 0
    stored = json.loads(read_settings("b.png"))
    assert (stored["timesteps"], stored["eta"], stored["seed"]) == ([10, 500, 900], 0.0, 5)
    expected = final(tiny, [5, 6], timesteps=(10, 500, 900), seed=5)
    np.testing.assert_array_equal(pixels_of("b.png"), contact_sheet(to_pixels(expected))[:, :, 0])

    assert run("sample --settings a.png --steps 7 --out c.png").code == 0
    stored = json.loads(read_settings("c.png"))
    assert (stored["timesteps"], stored["steps"]) == (None, 7)


def test_the_model_is_stored_so_that_another_folder_finds_it(run, tiny_pipeline, monkeypatch):
    monkeypatch.chdir(tiny_pipeline.parent)
    out = str(Path(os.environ["DDIM_STUDIO_HOME"]) / "a.png")
    assert main(["sample", "--model", tiny_pipeline.name, "--steps", "2", "--out", out]) == 0
    assert json.loads(read_settings(out))["model"] == str(tiny_pipeline.resolve())


@pytest.mark.parametrize("out", ["pictures", "some/new/pictures/", "with.dot/"])
def test_a_folder_gets_one_picture_a_seed_that_repeats_alone(sample, run, tmp_path, out, names):
    answer = sample(f"--steps 5 --eta 1 --seed 18446744073709551614 --count 3 --out {out}")
    assert answer.out == [out.rstrip("/")]
    pictures = ["seed-0.png", "seed-18446744073709551614.png", "seed-18446744073709551615.png"]
    assert names(out) == pictures
    for name in pictures:
        picture = str(Path(out) / name)
        stored = json.loads(read_settings(picture))
        assert (stored["seed"], stored["count"]) == (int(name[5:-4]), 1)
        assert run(["sample", "--settings", picture, "--out", "again.png"]).code == 0
        np.testing.assert_array_equal(pixels_of("again.png"), pixels_of(picture))


def test_an_existing_folder_is_taken_as_one_even_with_a_suffix(sample, tmp_path, names):
    (tmp_path / "a.png").mkdir()
    sample("--steps 1 --count 1 --out a.png --quiet")
    assert names("a.png") == ["seed-0.png"]


def test_images_do_not_depend_on_the_batch_size(sample, names):
    for size in (1, 2, 3, 64):
        sample(f"--steps 5 --eta 1 --count 7 --batch-size {size} --out {size}.npz")
        sample(f"--steps 5 --eta 1 --count 7 --batch-size {size} --out {size}/")
    whole = np.load("64.npz")["x0"]
    assert float(np.abs(whole).max()) > 0.1
    for size in (1, 2, 3):
        np.testing.assert_allclose(np.load(f"{size}.npz")["x0"], whole, rtol=1e-5, atol=2e-5)
        for name in names("64"):
            one, other = pixels_of(f"{size}/{name}"), pixels_of(f"64/{name}")
            assert int(np.abs(one.astype(int) - other).max()) <= 1


def test_a_trajectory_is_every_step_of_the_sampler_exactly(sample, tiny):
    line = "--steps 6 --eta 0.7 --spacing quadratic --seed 11 --count 5 --batch-size 2"
    sample(f"{line} --trajectory --out a.npz")
    settings = ds.SampleSettings(steps=6, eta=0.7, spacing="quadratic", seed=11)
    with np.load("a.npz", allow_pickle=False) as archive:
        stored = dict(archive)
    assert stored.keys() == {"timesteps", "x", "x0", "epsilon", "seeds", "settings"}
    assert {stored[name].dtype for name in ("x", "x0", "epsilon")} == {np.dtype(np.float32)}
    assert stored["x"].shape == (7, 5, 1, 8, 8)
    assert stored["x0"].shape == stored["epsilon"].shape == (6, 5, 1, 8, 8)
    assert stored["seeds"].dtype == np.uint64
    assert stored["seeds"].tolist() == [11, 12, 13, 14, 15]
    assert (
        ds.SampleSettings(
            **{
                name: json.loads(str(stored["settings"]))[name]
                for name in ("steps", "eta", "spacing", "seed")
            }
        )
        == settings
    )
    for first in (0, 2, 4):
        seeds = list(range(11 + first, min(13 + first, 16)))
        images = slice(first, first + len(seeds))
        x_T = ds.seeded_noise(tiny, seeds)
        np.testing.assert_array_equal(stored["x"][0, images], x_T)
        steps = list(ds.sample(tiny, x_T, settings, seeds=seeds))
        assert stored["timesteps"].tolist() == [step.t for step in steps]
        for k, step in enumerate(steps):
            np.testing.assert_array_equal(stored["x"][k + 1, images], step.x)
            np.testing.assert_array_equal(stored["x0"][k, images], step.x0)
            np.testing.assert_array_equal(stored["epsilon"][k, images], step.epsilon)


def test_an_archive_without_trajectory_holds_the_final_images(sample, tiny):
    sample("--timesteps 0,300,600 --seed 4 --count 3 --out a.npz")
    with np.load("a.npz", allow_pickle=False) as archive:
        assert set(archive) == {"x0", "seeds", "timesteps", "settings"}
        expected = final(tiny, [4, 5, 6], timesteps=(0, 300, 600), seed=4)
        np.testing.assert_array_equal(archive["x0"], expected)
        assert archive["timesteps"].tolist() == [600, 300, 0]
        assert json.loads(str(archive["settings"]))["timesteps"] == [0, 300, 600]


def test_a_failure_is_one_line_and_leaves_nothing(run, tmp_path, names):
    (tmp_path / "file").write_text("")
    for line, named in [
        ("--model missing --out a.png", "missing"),
        (f"--model {tmp_path} --out a.png", "config.json"),
        ("--settings missing.png --out a.png", "missing.png"),
        ("--settings file --out a.png", "file"),
        ("--out file/a.png", "file"),
        ("--out file/deeper/a.npz", "file"),
        ("--out file/", "file"),
        ("--out file", "file"),
    ]:
        answer = run(f"sample {line}")
        assert (answer.code, answer.out, len(answer.err)) == (1, [], 1), line
        assert answer.err[0].startswith("ddim-studio sample: ")
        assert named in answer.err[0]
        assert names() == ["file"]


def test_settings_of_another_kind_are_refused_by_name(run, tmp_path):
    for text, told in [
        ('{"kind": "invert"}', "invert"),
        ('{"steps": 0}', "steps"),
        ('{"colour": 1}', "colour"),
        ('{"eta": 1' + 400 * "0" + "}", "eta"),
        ("[1]", "JSON object"),
        ("not json", "JSON object"),
    ]:
        (tmp_path / "s.json").write_text(text)
        answer = run("sample --settings s.json --out a.png")
        assert (answer.code, len(answer.err)) == (1, 1)
        assert "s.json" in answer.err[0]
        assert told in answer.err[0]


def test_an_unavailable_device_fails_with_those_that_are(run):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    answer = run("sample --device cuda --out a.png")
    assert (answer.code, len(answer.err)) == (1, 1)
    assert "available: " in answer.err[0]
    assert "cpu" in answer.err[0]


def test_damaged_weights_fail_before_anything_is_written(run, tiny_pipeline, tmp_path, names):
    import shutil

    folder = shutil.copytree(tiny_pipeline, tmp_path / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    answer = run("sample --model model --out new/a.png")
    assert (answer.code, len(answer.err)) == (1, 1)
    assert names() == ["model"]


def test_debug_shows_the_traceback_before_the_line(run):
    answer = run("sample --model missing --out a.png --debug")
    assert answer.code == 1
    assert answer.err[0].startswith("Traceback")
    assert answer.err[-1] == run("sample --model missing --out a.png").err[0]


def test_notices_are_lines_unless_quiet(sample):
    noticed = sample("--timesteps 3,5 --steps 9 --count 1 --out a.png").err
    assert len(noticed) == 2
    assert "--steps and --spacing are not used" in noticed[0]
    assert "t = 5" in noticed[1]
    assert sample("--timesteps 3,5 --steps 9 --count 1 --out a.png --quiet").err == []
    thinned = sample("--steps 250 --count 1 --out a.gif").err
    assert thinned == ["The animation shows 200 of 251 frames, evenly chosen."]


@pytest.mark.parametrize("disguised", [False, True])
def test_an_interrupt_ends_with_130_and_nothing_left(
    run, monkeypatch, tiny_pipeline, names, disguised
):
    from ddim_studio.jobs.outputs import TrajectorySink

    original = TrajectorySink.step

    def step(self, step, first_image):
        original(self, step, first_image)
        if first_image == 2:
            interrupt(disguised)

    monkeypatch.setattr(TrajectorySink, "step", step)
    before = signal.getsignal(signal.SIGINT)
    line = f"sample --model {tiny_pipeline} --steps 2 --count 4 --batch-size 2"
    answer = run(f"{line} --trajectory --out new/a.npz")
    assert (answer.code, answer.out) == (130, [])
    assert answer.err == ["ddim-studio sample: interrupted."]
    assert names() == []
    assert signal.getsignal(signal.SIGINT) is before
