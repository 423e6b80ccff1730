"""``invert``: what it writes is what inversion gives, and every failure is a line."""

from __future__ import annotations

import csv
import json
import os
import sys

import numpy as np
import pytest
from pictures import noisy, read, tensor, write
from PIL import Image

import ddim_studio as ds
from ddim_studio.imaging.png import read_settings
from ddim_studio.jobs.runs import InvertRun
from ddim_studio.storage import resources

KINDS = ("difference", "latent", "original", "reconstruction")


@pytest.fixture
def invert(run, tiny_pipeline):
    """Runs ``invert`` with the small random model, which must succeed, and returns its answer."""

    def invert(arguments):
        rest = arguments.split() if isinstance(arguments, str) else arguments
        answer = run(["invert", "--model", str(tiny_pipeline), "--device", "cpu", *rest])
        assert answer.code == 0, answer.err
        return answer

    return invert


def report(folder):
    with (folder / "report.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def columns(line):
    """A row of the table."""
    return line.replace(" of ", "/").split()


def test_an_archive_holds_what_the_api_gives(invert, tiny, tmp_path):
    pictures = [write(tmp_path / f"{i}.png", noisy(i)) for i in range(3)]
    answer = invert("0.png 1.png --steps 4 --tolerance 1e-4 --max-calls 30 2.png --out a.npz")
    settings = ds.InvertSettings(steps=4, tolerance=1e-4, max_calls=30)
    x0 = tensor(*pictures)
    expected = ds.invert(tiny, x0, settings)
    back = ds.reconstruct(tiny, expected.x_T, settings)
    with np.load("a.npz", allow_pickle=False) as archive:
        stored = dict(archive)
    names = {"x0", "x_T", "reconstruction", "timesteps", "residual", "settings"}
    assert stored.keys() == names
    floats = names - {"timesteps", "settings"}
    assert {stored[name].dtype for name in floats} == {np.dtype(np.float32)}
    np.testing.assert_allclose(stored["x0"], x0, atol=1e-7)
    np.testing.assert_allclose(stored["x_T"], expected.x_T, atol=1e-6)
    np.testing.assert_allclose(stored["reconstruction"], back, atol=1e-6)
    np.testing.assert_allclose(stored["residual"], expected.residuals, rtol=1e-3)
    assert (stored["timesteps"].dtype, stored["timesteps"].tolist()) == (
        np.dtype(np.int64),
        list(expected.timesteps),
    )
    run = InvertRun.from_json(str(stored["settings"]))
    assert run.decoding() == settings.decoding()
    assert (run.tolerance, run.max_calls, run.method) == (1e-4, 30, "exact")
    assert answer.out[0] == "a.npz"


def test_a_real_picture_comes_back_from_the_bundled_model(run, tmp_path):
    picture = resources() / "samples" / "fashion" / "coat.png"
    assert run(f"invert {picture} --steps 10 --model fashion-28 --device cpu --out a.npz").code == 0
    with np.load("a.npz", allow_pickle=False) as archive:
        np.testing.assert_allclose((archive["x0"][0, 0] + 1) * 127.5, read(picture), atol=1e-4)
        shown = [(np.clip(archive[name], -1, 1) + 1) / 2 for name in ("x0", "reconstruction")]
        assert float(np.mean((shown[0] - shown[1]) ** 2)) < 1e-6
        assert archive["timesteps"][-1] == 800  # quadratic τ
        assert float(np.square(archive["x_T"]).mean()) == pytest.approx(1, abs=0.2)


def test_a_folder_gets_four_pictures_an_image_and_a_report(invert, tiny, tmp_path, names):
    pictures = [write(tmp_path / f"p{i}.png", noisy(i)) for i in (1, 2)]
    answer = invert("p1.png p2.png --steps 4 --out new/folder/")
    expected = [f"p{i}-{kind}.png" for i in (1, 2) for kind in KINDS]
    assert names("new/folder") == [*expected, "report.csv"]
    result = ds.invert(tiny, tensor(*pictures), ds.InvertSettings(steps=4))
    back = ds.reconstruct(tiny, result.x_T, result.settings).double().numpy()[:, 0]
    rows = report(tmp_path / "new" / "folder")
    headings, *table = answer.out[1:]
    assert headings.split() == ["image", "MSE", "PSNR", "dB", "SSIM", "calls/step", "unconverged"]
    for i, row in enumerate(rows):
        stored = {k: read(tmp_path / f"new/folder/p{i + 1}-{k}.png").astype(int) for k in KINDS}
        np.testing.assert_array_equal(stored["original"], pictures[i][:, :, 0])
        shown = (back[i].clip(-1, 1) + 1) / 2
        assert np.abs(stored["reconstruction"] - shown * 255).max() < 0.51
        difference = np.abs(shown - pictures[i][:, :, 0] / 255)
        white = float(row["max_difference"])
        assert white == pytest.approx(difference.max(), rel=1e-3)
        assert np.abs(stored["difference"] - difference / difference.max() * 255).max() < 1
        latent = result.x_T[i, 0].double().numpy().clip(-3, 3)
        assert np.abs(stored["latent"] - (latent + 3) / 6 * 255).max() < 0.51
        mse = np.mean(difference**2)
        assert row["image"] == f"p{i + 1}"
        assert float(row["mse"]) == pytest.approx(mse, rel=1e-3)
        assert float(row["psnr"]) == pytest.approx(-10 * np.log10(mse), rel=1e-3)
        assert 0 < float(row["ssim"]) < 1
        assert int(row["network_calls"]) == result.calls[:, i].sum()
        assert int(row["unconverged_steps"]) == (~result.converged[:, i]).sum() > 0
        assert float(row["max_residual"]) == pytest.approx(result.residuals[:, i].max(), rel=1e-2)
        assert columns(table[i]) == [
            row["image"],
            f"{float(row['mse']):.2e}",
            f"{float(row['psnr']):.1f}",
            f"{float(row['ssim']):.4f}",
            f"{result.calls[:, i].mean():.1f}",
            f"{row['unconverged_steps']}/4",
        ]
    (notice,) = answer.err
    assert "did not converge for 2 image(s)" in notice
    stored = json.loads(read_settings(tmp_path / "new/folder/p1-latent.png"))
    assert (stored["kind"], stored["spacing"], stored["steps"]) == ("invert", "quadratic", 4)


@pytest.mark.parametrize("method", ["source", "target"])
def test_naive_methods_take_one_call_a_step_and_measure_no_residual(invert, tiny, tmp_path, method):
    pixels = write(tmp_path / "p.png", noisy(1))
    line = f"p.png --method {method} --steps 5"
    assert columns(invert(f"{line} --out a.npz").out[2])[-2:] == ["1.0", "-"]
    expected = ds.invert(tiny, tensor(pixels), ds.InvertSettings(steps=5, method=method))
    with np.load("a.npz", allow_pickle=False) as archive:
        np.testing.assert_allclose(archive["x_T"], expected.x_T, rtol=1e-4, atol=1e-5)
        assert np.isnan(archive["residual"]).all()
        assert archive["timesteps"].tolist() == [0, 200, 400, 600, 800]  # linear τ
    invert(f"{line} --out d/")
    (row,) = report(tmp_path / "d")
    assert (row["network_calls"], row["unconverged_steps"], row["max_residual"]) == ("5", "", "")


def test_the_batch_size_changes_nothing_but_the_notices(invert, tmp_path):
    for i in range(3):
        write(tmp_path / f"{i}.png", noisy(i))
    line = "0.png 1.png 2.png --timesteps 0,5,40,300 --tolerance 1e-4"
    whole = invert(f"{line} --out whole.npz")
    parts = invert(f"{line} --batch-size 2 --out parts.npz")
    with np.load("whole.npz") as one, np.load("parts.npz") as other:
        assert one["timesteps"].tolist() == [0, 5, 40, 300]
        for name in ("x0", "x_T", "reconstruction"):
            np.testing.assert_allclose(one[name], other[name], atol=2e-3)
        np.testing.assert_allclose(one["residual"], other["residual"], rtol=0.2, atol=1e-5)
        assert (other["residual"] > 0).all()
    assert [row.split()[0] for row in whole.out[2:]] == ["0", "1", "2"]
    assert [row.split()[0] for row in parts.out[2:]] == ["0", "1", "2"]
    assert not [line for line in whole.err if line.startswith("Images")]


def test_notices_of_batches_say_which_images_and_quiet_says_nothing(invert, tmp_path):
    for i in range(3):
        write(tmp_path / f"{i}.png", noisy(i))
    line = "0.png 1.png 2.png --steps 4 --batch-size 2 --out a.npz"
    starts = [line.partition(": ")[0] for line in invert(line).err]
    assert starts == ["Images 1 to 2", "Images 3 to 3"]
    quiet = invert(f"{line} --quiet")
    assert quiet.err == []
    assert len(quiet.out) == 5


def test_a_folder_means_its_pictures_and_names_stay_apart(invert, tmp_path, names):
    inside = tmp_path / "in"
    (inside / "deeper.png").mkdir(parents=True)
    for name in ("b.png", "a-2.png", "a.PNG", "a.bmp", ".hidden.png"):
        write(inside / name, noisy(len(name)))
    (inside / "README.md").write_text("not a picture")
    answer = invert("in in/b.png --steps 1 --out out/")
    found = [line.split()[0] for line in answer.out[2:]]
    assert found == ["a-2", "a", "a-3", "b", "b-2"]
    kinds = [f"{name}-{kind}.png" for name in found for kind in KINDS]
    assert names("out") == sorted([*kinds, "report.csv"])


def test_pictures_are_fitted_as_asked_and_that_is_told(invert, tmp_path):
    wide = np.zeros((8, 16, 4), np.uint8)
    wide[:, 4:12] = (255, 255, 255, 255)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    answer = invert("wide.png --steps 1 --out a.npz")
    assert answer.err == ["wide.png: 16×8 RGBA, centre crop, to 8×8 grey"]
    assert np.load("a.npz")["x0"] == pytest.approx(np.ones((1, 1, 8, 8)))
    answer = invert("wide.png --steps 1 --fit pad --background 0,255,0 --out a.npz")
    assert answer.err == ["wide.png: 16×8 RGBA, padded, on #00ff00, to 8×8 grey"]
    green = 150 / 127.5 - 1  # the luminance of pure green is 150 of 255
    assert np.load("a.npz")["x0"][0, 0, 0] == pytest.approx(np.full(8, green), abs=1e-6)
    assert np.load("a.npz")["x0"][0, 0, 4, 3:5] == pytest.approx(1, abs=0.1)
    for white in ("white", "#fff", "255, 255,255"):
        argv = ["--fit", "stretch", "--background", white, "--quiet", "--out", "a.npz"]
        assert invert(["wide.png", "--steps", "1", *argv]).err == []
        assert np.load("a.npz")["x0"] == pytest.approx(np.ones((1, 1, 8, 8)))


def test_images_of_every_mode_and_size_are_taken(invert, tmp_path):
    grey = Image.fromarray(noisy(1, 12)[:, :, 0])
    colour = Image.fromarray(noisy(1, 12, 3))
    deep = Image.fromarray(np.arange(144, dtype=np.uint16).reshape(12, 12) * 455)
    made = {
        "bit.png": grey.convert("1"),
        "palette.png": colour.quantize(7),
        "deep.png": deep,
        "cmyk.jpg": colour.convert("CMYK"),
        "alpha.png": colour.convert("RGBA"),
        "dot.png": grey.resize((1, 1)),
        "large.png": grey.resize((5000, 3000)),
    }
    for name, image in made.items():
        image.save(tmp_path / name)
    answer = invert(f"{' '.join(made)} --steps 1 --out a.npz")
    assert [line.split()[0] for line in answer.out[2:]] == [name[:-4] for name in made]
    assert len([line for line in answer.err if "to 8×8 grey" in line]) == 7
    x0 = np.load("a.npz")["x0"]
    assert x0[5] == pytest.approx(np.full((1, 8, 8), np.asarray(made["dot.png"])[0, 0] / 127.5 - 1))
    assert (np.diff(x0[2, 0].ravel()[::9]) > 0).all()  # 16-bit greys keep their order


def test_files_are_replaced_and_others_stay(invert, tmp_path, names):
    write(tmp_path / "p.png", noisy(1))
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "report.csv").write_text("old")
    (tmp_path / "d" / "mine.txt").write_text("mine")
    invert("p.png --steps 1 --out d")
    assert names("d") == ["mine.txt", *[f"p-{kind}.png" for kind in KINDS], "report.csv"]
    assert report(tmp_path / "d")[0]["image"] == "p"


@pytest.mark.skipif(sys.platform != "linux", reason="names of files that are no text")
def test_a_name_that_is_no_text_is_reported_as_well_as_can_be(invert, tmp_path):
    write(tmp_path / "p.png", noisy(1))
    (tmp_path / "p.png").rename(tmp_path / os.fsdecode(b"p\xff.png"))
    invert([os.fsdecode(b"p\xff.png"), "--steps", "1", "--out", "d/"])
    assert [row["image"] for row in report(tmp_path / "d")] == ["p\\udcff"]
    assert (tmp_path / "d" / os.fsdecode(b"p\xff-latent.png")).is_file()
