"""``evaluate``: its table is what the job measures, however many processes share the work."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
    ("--out t.png", "must be a file that ends in .csv"),
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
def test_wrong_usage_is_one_line(evaluate, arguments, words):
    answer = evaluate(arguments)
    assert answer.code == 2
    assert len(answer.err) == 1
    assert words in answer.err[0]


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
        assert "inception-6726825d.pth is not a file of plain tensors" in answer.err[-1]
    assert len(asked) == 1


def launched(processes, arguments, folder):
    """Runs ``evaluate`` in so many processes on the CPU, through accelerate's own launcher."""
    launcher = ["-m", "accelerate.commands.launch", "--cpu", "--num_machines", "1",
                "--num_processes", str(processes), "--mixed_precision", "no",
                "--dynamo_backend", "no", "--main_process_port", "0"]  # fmt: skip
    command = [sys.executable, *launcher, "-m", "ddim_studio", "evaluate", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_two_processes_write_the_table_that_one_writes(tmp_path, data):
    common = ["--data", str(data), "--steps", "1,2", "--eta", "0,1", "--samples", "10",
              "--batch-size", "3", "--device", "cpu", "--reconstruction", "7"]  # fmt: skip
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        done = launched(processes, [*common, "--out", "t.csv"], folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["t.csv"]
    one, two = rows(tmp_path / "1" / "t.csv"), rows(tmp_path / "2" / "t.csv")
    assert len(one) == len(two) == 4
    for a, b in zip(one, two, strict=True):
        for name in a.keys() - {"seconds_per_image", "hours_per_50k"}:
            if name in {"model", "spacing", "clip"} or not a[name] or a[name] == "hat":
                assert a[name] == b[name]
            else:
                assert float(b[name]) == pytest.approx(float(a[name]), rel=1e-6, abs=1e-6)
