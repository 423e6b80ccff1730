"""``interpolate``: its frames lie between what A and B come back as, in every format."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from pictures import noisy, read, tensor, write
from PIL import Image

import ddim_studio as ds
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.png import read_settings
from ddim_studio.jobs.path_files import InterpolateRun
from ddim_studio.storage import resources

FASHION = resources() / "samples" / "fashion"


@pytest.fixture
def walk(run, tiny_pipeline, tmp_path):
    """Runs ``interpolate`` with the small random model, which must succeed."""
    write(tmp_path / "a.png", noisy(1))
    write(tmp_path / "b.png", noisy(2))

    def walk(arguments):
        rest = ["--model", str(tiny_pipeline), "--device", "cpu", *arguments.split()]
        answer = run(["interpolate", *rest])
        assert answer.code == 0, answer.err
        return answer

    return walk


def load(path):
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def norms(x):
    return np.sqrt(np.square(x.astype(np.float64)).sum((1, 2, 3)))


def test_an_archive_goes_from_the_reconstruction_of_a_to_that_of_b(walk, tiny):
    answer = walk("a.png b.png --steps 4 --max-calls 20 --frames 6 --out w.npz")
    stored = load("w.npz")
    assert stored.keys() == {"frames", "x_T", "alphas", "settings"}
    assert {stored[name].dtype for name in ("frames", "x_T", "alphas")} == {np.dtype(np.float32)}
    assert stored["frames"].shape == stored["x_T"].shape == (6, 1, 8, 8)
    np.testing.assert_allclose(stored["alphas"], [0, 0.2, 0.4, 0.6, 0.8, 1], rtol=1e-6)
    settings = ds.InvertSettings(steps=4, max_calls=20)
    expected = ds.invert(tiny, tensor(noisy(1), noisy(2)), settings)
    back = ds.reconstruct(tiny, expected.x_T, settings)
    np.testing.assert_allclose(stored["x_T"][[0, -1]], expected.x_T, atol=1e-5)
    np.testing.assert_allclose(stored["frames"][[0, -1]], back, atol=1e-4)
    decoded = ds.reconstruct(tiny, torch.from_numpy(stored["x_T"]), settings)
    np.testing.assert_allclose(stored["frames"], decoded, atol=1e-4)
    lengths = norms(stored["x_T"])
    low, high = sorted(lengths[[0, -1]])
    assert ((lengths >= low * (1 - 1e-6)) & (lengths <= high * (1 + 1e-6))).all()
    assert answer.out == ["w.npz"]
    assert "did not converge" in answer.err[0]
    errors = ((back.clamp(-1, 1) - tensor(noisy(1), noisy(2))) / 2).square().mean((1, 2, 3))
    assert answer.err[1] == f"Reconstruction error (MSE): A {errors[0]:.1e}, B {errors[1]:.1e}."


def test_real_pictures_are_the_ends_with_the_bundled_model(run):
    line = f"interpolate {FASHION / 'coat.png'} {FASHION / 'dress.png'} --steps 10 --frames 3"
    assert run(f"{line} --model fashion-28 --device cpu --out w.npz").code == 0
    frames = (load("w.npz")["frames"].clip(-1, 1) + 1) / 2
    for frame, name in ((frames[0], "coat"), (frames[-1], "dress")):
        assert np.mean((frame[0] - read(FASHION / f"{name}.png") / 255) ** 2) < 1e-6
    ends = frames[[0, -1], 0]
    assert np.square(frames[1, 0] - ends).mean((1, 2)).min() > 1e-3  # in the middle, neither


@pytest.mark.parametrize("path", ["slerp", "lerp"])
def test_seeds_keep_their_noise_and_the_path_is_that_of_the_formula(walk, tiny, path):
    walk(f"seed:5 seed:18446744073709551615 --path {path} --steps 3 --frames 5 --out w.npz")
    stored = load("w.npz")
    a, b = ds.seeded_noise(tiny, [5, 2**64 - 1]).double().numpy()
    np.testing.assert_array_equal(stored["x_T"][0], a.astype(np.float32))
    np.testing.assert_array_equal(stored["x_T"][-1], b.astype(np.float32))
    middle = (a + b) / 2
    if path == "slerp":  # the bisector, as long as the mean of both
        size = (np.linalg.norm(a) + np.linalg.norm(b)) / 2
        middle = a / np.linalg.norm(a) + b / np.linalg.norm(b)
        middle *= size / np.linalg.norm(middle)
    np.testing.assert_allclose(stored["x_T"][2], middle, atol=1e-6)


def test_a_picture_and_a_seed_are_decoded_with_one_tau(walk, tiny):
    answer = walk("a.png seed:3 --method target --timesteps 0,20,600 --frames 2 --out w.npz")
    stored = load("w.npz")
    settings = ds.InvertSettings(timesteps=(0, 20, 600), method="target")
    x_T = ds.invert(tiny, tensor(noisy(1)), settings).x_T
    np.testing.assert_allclose(stored["x_T"][:1], x_T, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(stored["x_T"][1:], ds.seeded_noise(tiny, [3]))
    decoded = ds.reconstruct(tiny, torch.from_numpy(stored["x_T"]), settings)
    np.testing.assert_allclose(stored["frames"], decoded, atol=1e-3)
    assert len(answer.err) == 1
    assert answer.err[0].startswith("Reconstruction error (MSE): A ")
    assert "B" not in answer.err[0]


def test_seeds_with_a_low_tau_are_remarked_on(walk):
    told = walk("seed:1 seed:2 --timesteps 0,5 --frames 2 --out w.npz").err
    assert len(told) == 1
    assert "t = 5" in told[0]
    assert walk("seed:1 seed:2 --timesteps 0,5 --frames 2 --out w.npz --quiet").err == []


def test_a_strip_shows_the_frames_in_a_row(walk, tiny_pipeline, tmp_path):
    line = "a.png seed:3 --steps 3 --max-calls 9 --frames 4"
    walk(f"{line} --out w.npz")
    walk(f"{line} --batch-size 3 --out w.png")
    strip = read("w.png").astype(int)
    assert strip.shape == (8, 4 * 8 + 3 * 2)
    expected = to_pixels(torch.from_numpy(load("w.npz")["frames"]))[..., 0]
    for i, frame in enumerate(expected):
        assert np.abs(strip[:, i * 10 : i * 10 + 8] - frame).max() <= 1
    run = InterpolateRun.from_json(read_settings("w.png"))
    assert run == InterpolateRun(
        model=str(tiny_pipeline),
        device="cpu",
        steps=3,
        max_calls=9,
        frames=4,
        a=str(tmp_path / "a.png"),
        b="seed:3",
    )


def frames_of(path):
    with Image.open(path) as image:
        shown = []
        for index in range(image.n_frames):
            image.seek(index)
            shown.append((np.asarray(image.convert("L"))[8::16, 8::16], image.info["duration"]))
        return [pixels.astype(int) for pixels, _ in shown], [time for _, time in shown]


@pytest.mark.parametrize("suffix", ["gif", "webp", "apng"])
def test_an_animation_plays_there_and_with_ping_pong_back(walk, suffix):
    line = "seed:1 seed:2 --steps 3 --frames 4"
    walk(f"{line} --out w.npz")
    expected = to_pixels(torch.from_numpy(load("w.npz")["frames"]))[..., 0]
    walk(f"{line} --fps 10 --out w.{suffix}")
    there, times = frames_of(f"w.{suffix}")
    walk(f"{line} --fps 5 --ping-pong --out p.{suffix}")
    both, beats = frames_of(f"p.{suffix}")
    for shown, order in ((there, [0, 1, 2, 3]), (both, [0, 1, 2, 3, 2, 1])):
        assert len(shown) == len(order)
        for pixels, index in zip(shown, order, strict=True):
            assert np.abs(pixels - expected[index]).max() <= 1
    assert times == [100, 100, 100, 1100]  # the last is held before it starts again
    assert beats == [200] * 6


def test_a_film_has_the_frames_too(walk):
    av = pytest.importorskip("av")
    walk("seed:1 seed:2 --steps 2 --frames 5 --ping-pong --fps 8 --out w.mp4")
    with av.open("w.mp4") as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        assert container.streams.video[0].average_rate == 8
        assert json.loads(container.metadata["comment"])["frames"] == 5
    assert len(frames) == 8


def test_equal_ends_stay_where_they_are(walk):
    walk("a.png a.png --steps 6 --frames 5 --out w.npz")
    frames = load("w.npz")["frames"]
    assert float(np.abs(frames[:1]).max()) > 0.5
    np.testing.assert_allclose(frames, np.repeat(frames[:1], 5, 0), atol=2e-2)


def test_opposite_latents_have_no_path_on_the_sphere_and_that_is_said(
    walk, run, monkeypatch, tiny_pipeline, names
):
    from ddim_studio.jobs import encoding

    def opposite(shape, seeds):
        noise = ds.seeded_noise(shape, seeds[:1])
        return torch.cat([noise, -noise])

    monkeypatch.setattr(encoding, "seeded_noise", opposite)
    line = f"interpolate seed:1 seed:2 --model {tiny_pipeline} --steps 2"
    answer = run(f"{line} --out w.gif")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert "opposite" in answer.err[0]
    assert names() == ["a.png", "b.png"]
    assert run(f"{line} --path lerp --frames 3 --out w.npz").code == 0
    assert math.isclose(float(np.abs(load("w.npz")["x_T"][1]).max()), 0)
