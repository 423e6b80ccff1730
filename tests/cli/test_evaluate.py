"""``evaluate``: its table is what the job measures, however many processes share the work."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from interrupting import interrupt
from PIL import Image

import ddim_studio as ds
from ddim_studio.evaluation.blocks import BlockStore, fingerprint
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.storage import resources


@pytest.fixture
def data(tmp_path):
    """A folder of 12 grey pictures of 28×28 pixels."""
    folder = tmp_path / "data"
    folder.mkdir()
    values = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    for number, picture in enumerate(values):
        Image.fromarray(picture).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture
def evaluate(run, tiny_pipeline):
    """Runs ``evaluate`` with the small random model."""
    preset = ["evaluate", "--model", str(tiny_pipeline), "--device", "cpu"]
    return lambda arguments: run([*preset, *arguments.split()])


@pytest.fixture(scope="module")
def classes_pipeline(tiny_pipeline, tmp_path_factory):
    """A small random model of three classes that differ."""
    import torch
    from diffusers import UNet2DModel

    folder = tmp_path_factory.mktemp("models") / "classes"
    shutil.copytree(tiny_pipeline, folder)
    torch.manual_seed(0)
    config = UNet2DModel.load_config(folder / "unet")
    network = UNet2DModel.from_config(config, num_class_embeds=3)
    torch.nn.init.normal_(network.class_embedding.weight, std=5.0)
    network.save_pretrained(folder / "unet")
    return folder


def rows(path):
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_combination_is_a_row_and_samples_are_kept(evaluate, data, names):
    answer = evaluate("--steps 2,3 --eta 0,hat --clip none,clamp --samples 8 --out t.csv")
    assert answer.code == 0
    assert answer.out == ["t.csv"]
    table = rows("t.csv")
    expected = {(s, e, c) for s in "23" for e in ("0", "hat") for c in ("none", "clamp")}
    assert {(row["steps"], row["eta"], row["clip"]) for row in table} == expected
    assert all(float(row["seconds_per_image"]) > 0 for row in table)
    assert names() == ["data", "t.csv", "t.csv.samples"]
    assert sum(line.startswith("Cell ") for line in answer.err) == 8


def test_images_of_a_size_without_features_say_so(evaluate, data):
    answer = evaluate("--data data --steps 2 --samples 8 --reconstruction 9 --out t.csv")
    assert answer.code == 0
    assert any("Inception" in line for line in answer.err)
    (row,) = rows("t.csv")
    assert row["Fréchet distance"] == ""
    assert float(row["reconstruction_mse"]) > 0


def test_the_bundled_model_is_measured_by_the_fashion_classifier(run, tmp_path):
    folder = resources() / "samples" / "fashion"
    arguments = f"--data {folder} --steps 1 --samples 8 --device cpu --keep k --quiet --out t.csv"
    answer = run(f"evaluate --model fashion-28 {arguments}")
    assert (answer.code, answer.err) == (0, [])
    (row,) = rows("t.csv")
    assert float(row["Fréchet distance (fashion classifier)"]) > 0
    assert 0 <= float(row["precision"]) <= 1
    assert "FID" not in row


@pytest.mark.parametrize(("arguments", "words"), [
    ("--steps 2", "--out is missing"),
    ("--out t.png", "--out must end in .csv, not 't.png'"),
    ("--out d.csv", "--out must be a file, and 'd.csv' is a folder"),
    ("--out t.csv --steps 2,x", "--steps must be a whole number from 1 to 1000, not 'x'"),
    ("--out t.csv --inception no.pth", "--inception must be a file or download"),
    ("--out t.csv --class 1", "--class must be left out: this model has no classes"),
    ("--out t.csv --class some", "--class must be left out"),
    ("--out t.csv --data data --reconstruction 4 --eta 1", "needs a cell with η = 0"),
    ("--out t.csv --steps 0", "--steps must be a whole number from 1 to"),
    ("--out t.csv --steps 2000", "--steps must be a whole number from 1 to 1000"),
    ("--out t.csv --steps 2,2", "--steps must be a list with each value once"),
    ("--out t.csv --eta 2", "--eta must be a number from 0 to 1"),
    ("--out t.csv --eta ,", "--eta must be a list"),
    ("--out t.csv --spacing wide", "--spacing must be one of"),
    ("--out t.csv --clip some", "--clip must be one of"),
    ("--out t.csv --samples 3", "--samples must be a whole number from 8"),
    ("--out t.csv --samples many", "--samples must be a whole number from 8"),
    ("--out t.csv --batch-size 0", "--batch-size must be a whole number from 1"),
    ("--out t.csv --reconstruction 4", "needs data"),
    ("--out t.csv --device abacus", "--device must be one of"),
])  # fmt: skip
def test_wrong_usage_is_one_line(evaluate, tmp_path, names, arguments, words):
    (tmp_path / "d.csv").mkdir()
    answer = evaluate(arguments)
    assert answer.code == 2
    assert len(answer.err) == 1
    assert words in answer.err[0]
    assert names() == ["d.csv"]


@pytest.mark.parametrize("place", ["--out file/t.csv --keep k", "--out t.csv --keep file"])
def test_places_are_tried_before_anything_is_drawn(evaluate, tmp_path, names, place):
    (tmp_path / "file").write_text("")
    answer = evaluate(f"--steps 1 --samples 8 {place}")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert "file" in answer.err[0]
    assert names() == ["file"]


def test_an_empty_path_is_not_the_folder_one_is_in(run):
    answer = run(["evaluate", "--data", "", "--out", "t.csv"])
    assert answer.code == 2
    assert "--data must be a folder, an archive or an IDX file" in answer.err[0]


@pytest.mark.parametrize(("chosen", "label"), [("--class 2", 2), ("", 0)])
def test_the_class_is_that_of_every_cell(run, classes_pipeline, chosen, label, tmp_path):
    line = f"evaluate --model {classes_pipeline} --steps 2,3 --samples 8 --keep k --out t.csv"
    answer = run(f"{line} {chosen}")
    assert answer.code == 0
    assert any("class 0 is taken" in told for told in answer.err) is (not chosen)
    assert all(f"class {label}" in told for told in answer.err if told.startswith("Cell"))
    assert [row["class"] for row in rows("t.csv")] == [str(label)] * 2
    model = ds.load_model(str(classes_pipeline), device="cpu")
    for steps in (2, 3):
        settings = ds.SampleSettings(steps=steps, class_label=label)
        block = BlockStore(tmp_path / "k", fingerprint(model)).read(settings, range(8))
        *_, last = ds.sample(model, ds.seeded_noise(model, range(8)), settings, seeds=range(8))
        np.testing.assert_array_equal(block.pixels, to_pixels(last.x))


def test_a_class_that_the_model_has_not_is_refused(run, classes_pipeline):
    answer = run(f"evaluate --model {classes_pipeline} --class 3 --out t.csv")
    assert answer.code == 2
    assert "--class must be a whole number from 0 to 2, not 3" in answer.err[0]


def test_a_tau_that_will_disappoint_is_told_once(evaluate):
    answer = evaluate("--steps 1,2 --eta 0,1 --samples 8 --out t.csv")
    assert sum("τ starts at t = 0" in line for line in answer.err) == 1


def test_an_interrupt_keeps_the_measured_cells(evaluate, monkeypatch):
    from ddim_studio.evaluation import drawing

    genuine, taken = drawing.sample, []

    def sample(*arguments, **more):
        for step in genuine(*arguments, **more):
            taken.append(step)
            if len(taken) == 4:
                interrupt(disguised=False)
            yield step

    monkeypatch.setattr(drawing, "sample", sample)
    line = "--steps 2,3 --samples 8 --out t.csv"
    answer = evaluate(line)
    assert (answer.code, answer.out) == (130, [])
    assert answer.err[-2:] == [
        "1 of 2 cells are measured: the same command goes on from there.",
        "ddim-studio evaluate: interrupted.",
    ]
    assert [row["steps"] for row in rows("t.csv")] == ["2"]
    again = evaluate(line)
    assert (again.code, again.out) == (0, ["t.csv"])
    assert len(taken) == 4 + 3


def test_data_that_is_not_there_fails_with_one_line(evaluate):
    answer = evaluate("--data nowhere --samples 8 --steps 1 --out t.csv")
    assert answer.code == 1
    assert len(answer.err) == 1
    assert "nowhere" in answer.err[0]


def test_nothing_is_downloaded_without_a_yes(evaluate, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_: pytest.fail("asked the network"))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    answer = evaluate("--inception download --out t.csv")
    assert answer.code == 2
    assert "add --yes" in answer.err[0]


def test_the_question_names_size_and_address_and_no_is_no(evaluate, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_: pytest.fail("asked the network"))
    terminal = io.StringIO("n\n")
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    answer = evaluate("--inception download --out t.csv")
    assert answer.code == 2
    assert "96 MB from https://" in answer.err[0]
    assert "were not downloaded" in answer.err[1]


def test_with_yes_it_is_fetched_once_and_used(evaluate, data, monkeypatch):
    content = b"not the weights"
    asked = []

    def urlopen(address, timeout):
        asked.append(address)
        return io.BytesIO(content)

    digest = hashlib.sha256(content).hexdigest()[:8]
    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    monkeypatch.setattr(
        "ddim_studio.evaluation.inception.download_inception.__defaults__",
        (f"https://example.org/weights-{digest}.pth",),
    )
    for _ in range(2):
        answer = evaluate("--inception download --yes --data data --steps 1 --out t.csv")
        assert answer.code == 1
        assert "inception-6726825d.pth is " in answer.err[-1]
    assert len(asked) == 1


def launched(processes, arguments, folder):
    """Runs ``evaluate`` in so many processes on the CPU, as torchrun starts them."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    command = [sys.executable, *launcher, "-m", "ddim_studio", "evaluate", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_two_processes_write_the_table_that_one_writes(tmp_path, evaluate, data, tiny_pipeline):
    """Half of the second cell is there already, as after a run that was stopped."""
    common = ["--data", str(data), "--steps", "1,2", "--samples", "10", "--batch-size", "3",
              "--device", "cpu", "--reconstruction", "7"]  # fmt: skip
    assert evaluate(" ".join([*common, "--out", "one.csv"])).code == 0
    one = rows("one.csv")
    second = next(
        note.parent for note in tmp_path.rglob("settings.json") if '"steps": 2' in note.read_text()
    )
    kept = shutil.copytree(second, tmp_path / "two.csv.samples" / second.name)
    for name in ("0-2.npz", "9-9.npz"):
        (kept / name).unlink()
    arguments = [*common, "--model", str(tiny_pipeline), "--debug", "--out", "two.csv"]
    done = launched(2, arguments, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["two.csv"]
    two = rows("two.csv")
    assert len(one) == len(two) == 2
    for a, b in zip(one, two, strict=True):
        for name in a.keys() - {"seconds_per_image", "hours_per_50k"}:
            if name in {"model", "spacing", "clip"} or not a[name]:
                assert a[name] == b[name]
            else:
                assert float(b[name]) == pytest.approx(float(a[name]), rel=1e-6, abs=1e-6)
        # Both worked on it: 50,000 images take half as long as one process would need.
        hours = float(b["seconds_per_image"]) * 50_000 / 3600 / 2
        assert float(b["hours_per_50k"]) == pytest.approx(hours, rel=1e-6)
