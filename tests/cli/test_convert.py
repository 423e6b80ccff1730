"""``models convert``, checkpoint files as models, and ``--class``."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from diffusers import UNet2DModel
from PIL import Image

import ddim_studio as ds
from ddim_studio.models.loading import describe


def test_a_model_is_converted_and_its_place_said(run, tiny_pipeline, tmp_path):
    answer = run(["models", "convert", str(tiny_pipeline), "clean"])
    assert (answer.code, answer.out, answer.err) == (0, [str(tmp_path / "clean")], [])
    a, b = (ds.load_model(path, device="cpu") for path in (tiny_pipeline, tmp_path / "clean"))
    x = ds.seeded_noise(a, seeds=[0])
    assert torch.equal(a.raw(x, 5), b.raw(x, 5))


def test_a_place_that_is_taken_needs_force(run, tiny_pipeline, tmp_path, names):
    (tmp_path / "taken").mkdir()
    answer = run(["models", "convert", str(tiny_pipeline), "taken"])
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert "already" in answer.err[0]
    assert "--force" in answer.err[0]
    assert names("taken") == []
    assert run(["models", "convert", str(tiny_pipeline), "taken", "--force"]).code == 0
    assert "model_index.json" in names("taken")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("", "SOURCE is missing"),
        ("fashion-28", "DEST is missing"),
        ("a b c", "unexpected argument"),
    ],
)
def test_wrong_usage(run, arguments, says):
    answer = run(f"models convert {arguments}")
    assert (answer.code, len(answer.err)) == (2, 1)
    assert says in answer.err[0]


def test_what_cannot_be_opened_is_said_in_one_line(run, names, tmp_path):
    (tmp_path / "no.pt").write_text("no model")
    answer = run("models convert no.pt out")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert "no.pt" in answer.err[0]
    assert names() == ["no.pt"]


@pytest.fixture
def classes(tiny_pipeline, tmp_path):
    """The folder of a model with five classes, and what it draws from seed 0 in two steps."""
    torch.manual_seed(4)
    config = dict(UNet2DModel.load_config(tiny_pipeline / "unet")) | {"num_class_embeds": 5}
    UNet2DModel.from_config(config).save_pretrained(tmp_path / "classes")
    model = ds.load_model(tmp_path / "classes", device="cpu")

    def drawn(label):
        settings = ds.SampleSettings(steps=2, class_label=label)
        *_, last = ds.sample(model, ds.seeded_noise(model, [0]), settings)
        return last.x.numpy()

    return drawn


SAMPLE = "sample --model classes --device cpu --steps 2 --count 1 --out run.npz --trajectory"


def test_the_class_that_was_asked_for_is_drawn(run, classes):
    answer = run(f"{SAMPLE} --class 3")
    assert (answer.code, answer.err) == (0, [])
    with np.load("run.npz") as archive:
        np.testing.assert_array_equal(archive["x"][-1], classes(3))
        assert json.loads(str(archive["settings"]))["class_label"] == 3


def test_without_a_class_the_first_is_drawn_and_said(run, classes):
    answer = run(SAMPLE)
    assert answer.code == 0
    assert any("none was chosen: class 0 is taken" in line for line in answer.err)
    with np.load("run.npz") as archive:
        np.testing.assert_array_equal(archive["x"][-1], classes(0))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--class 5", "--class must be a whole number from 0 to 4, not 5"),
        ("--class -1", "--class must be a whole number"),
        ("--class dog", "--class must be a whole number"),
        ("--class", "--class needs a value"),
    ],
)
def test_classes_that_there_are_not(run, classes, names, arguments, says):
    answer = run(f"{SAMPLE} {arguments}")
    assert (answer.code, len(answer.err)) == (2, 1)
    assert says in answer.err[0]
    assert "run.npz" not in names()


def test_a_model_without_classes_refuses_one(run, tiny_pipeline):
    answer = run(["sample", "--model", str(tiny_pipeline), "--class", "0", "--out", "a.png"])
    assert (answer.code, len(answer.err)) == (2, 1)
    assert "--class must be left out: this model has no classes" in answer.err[0]


def test_inverting_and_interpolating_with_a_class(run, classes, tmp_path):
    Image.new("L", (8, 8), 90).save("a.png")
    common = "--model classes --device cpu --steps 3 --class 2"
    assert run(f"invert a.png {common} --out i.npz").code == 0
    model = ds.load_model(tmp_path / "classes", device="cpu")
    image = torch.full((1, 1, 8, 8), 90 / 127.5 - 1)
    settings = ds.InvertSettings(steps=3, class_label=2)
    with np.load("i.npz") as archive:
        x_T = torch.from_numpy(archive["x_T"])
        torch.testing.assert_close(x_T, ds.invert(model, image, settings).x_T, rtol=0, atol=1e-4)
    assert run(f"interpolate seed:0 seed:1 {common} --frames 2 --out f.npz").code == 0
    with np.load("f.npz") as archive:
        x_T = ds.seeded_noise(model, [0])
        *_, last = ds.sample(model, x_T, settings.decoding())
        torch.testing.assert_close(torch.from_numpy(archive["frames"][:1]), last.x)


def test_info_tells_the_classes(run, classes):
    answer = run("models info classes")
    assert any(line.split() == ["Classes", "5,", "from", "0", "to", "4"] for line in answer.out)
    assert json.loads("\n".join(run("models info classes --json").out))["classes"] == 5
    assert describe("classes").classes == 5
