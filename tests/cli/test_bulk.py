"""``sample`` of many images: killed at any moment, by several processes, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from interrupting import interrupt

from ddim_studio.cli.bulk import default_batch

KILLING = Path(__file__).parent.parent / "helpers" / "killing.py"
SINGLE = {"OMP_NUM_THREADS": "1"}


def contents(folder):
    """The bytes of every file in a folder, hidden ones too."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def run_and_kill(orders, model):
    """How often each order was killed; every one of them has run to its end at last."""
    done = subprocess.run(
        [sys.executable, str(KILLING), str(model)],
        input=json.dumps(orders),
        env=os.environ | SINGLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(tmp_path, tiny_pipeline):
    common = ["sample", "--model", str(tiny_pipeline), "--device", "cpu", "--steps", "2"]
    common += ["--seed", "5", "--batch-size", "8"]
    lines = {
        "folder": ["--count", "1000", "--out", "images/"],
        "tar": ["--count", "200", "--out", "out.tar"],
        "pixels": ["--count", "200", "--pixels", "--out", "out.npz"],
        "floats": ["--count", "1000", "--eta", "1", "--out", "out.npz"],
    }
    moments = [1, 2, 5, 3, 8]
    orders = [
        [str(tmp_path / f"{name}-{times}"), moments[:times], [*common, *line]]
        for name, line in lines.items()
        for times in (0, len(moments))
    ]
    kills = run_and_kill(orders, tiny_pipeline)
    assert kills[::2] == [0, 0, 0, 0]
    assert min(kills[1::2]) >= 3, kills
    for name in lines:
        whole = contents(tmp_path / f"{name}-0")
        assert contents(tmp_path / f"{name}-{len(moments)}") == whole
        assert len(whole) == (1001 if name == "folder" else 1)


def launched(processes, arguments, folder):
    """Runs ``sample`` in so many processes on the CPU, as torchrun starts them (gloo)."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    command = [sys.executable, *launcher, "-m", "ddim_studio", "sample", *arguments]
    return subprocess.run(
        command, cwd=folder, env=os.environ | SINGLE, capture_output=True, text=True, check=False
    )


def test_two_processes_write_the_bytes_that_one_writes(tmp_path, tiny_pipeline):
    """Floats, of which no bit may differ."""
    arguments = ["--model", str(tiny_pipeline), "--device", "cpu", "--steps", "3", "--eta", "hat"]
    arguments += ["--count", "1000", "--batch-size", "16", "--out", "out.npz"]
    run_and_kill([[str(tmp_path / "one"), [], ["sample", *arguments]]], tiny_pipeline)
    two = tmp_path / "two"
    two.mkdir()
    done = launched(2, arguments, two)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["out.npz"]
    assert "1,000 images in " in done.stderr
    assert contents(two) == contents(tmp_path / "one")


def test_several_processes_do_not_share_a_sheet(run, monkeypatch, names):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for out in ("a.png", "a.gif", "a.npz --trajectory"):
        answer = run(f"sample --out {out}")
        assert (answer.code, len(answer.err)) == (2, 1)
        assert "several processes share a folder" in answer.err[0]
    assert names() == []


def test_few_images_go_to_a_tar_or_to_pixels(sample, names):
    assert sample("--steps 2 --count 3 --seed 4 --out a.tar").out == ["a.tar"]
    sample("--steps 2 --count 3 --seed 4 --out small/")
    sample("--steps 2 --count 3 --seed 4 --pixels --out a.npz")
    assert names() == ["a.npz", "a.tar", "small"]
    with tarfile.open("a.tar") as archive:
        pictures = {name: archive.extractfile(name).read() for name in archive.getnames()}
    assert pictures == contents("small")
    with np.load("a.npz", allow_pickle=False) as stored:
        assert stored["arr_0"].shape == (3, 8, 8, 1)
        assert stored["seeds"].tolist() == [4, 5, 6]


def test_files_that_are_complete_are_replaced(sample):
    for seed in (1, 2):
        sample(f"--steps 1 --count 2 --seed {seed} --out a.tar --quiet")
    with tarfile.open("a.tar") as archive:
        assert archive.getnames() == ["seed-2.png", "seed-3.png"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--pixels --out a.tar", "--pixels needs an --out that ends in .npz"),
        ("--pixels --out a/", "--pixels needs an --out that ends in .npz"),
        ("--pixels --trajectory --out a.npz", "--pixels cannot be given with --trajectory"),
        ("--trajectory --out a.tar", "--trajectory needs an --out that ends in .npz"),
        ("--batch-size 0 --out a.tar", "--batch-size must be a whole number from 1"),
    ],
)
def test_wrong_options_are_named(run, names, line, told):
    answer = run(f"sample {line}")
    assert (answer.code, len(answer.err)) == (2, 1)
    assert told in answer.err[0]
    assert names() == []


def test_an_interrupt_says_what_is_there_and_the_same_command_goes_on(
    run, monkeypatch, tiny_pipeline, names
):
    from ddim_studio.diffusion import sampling

    line = f"sample --model {tiny_pipeline} --device cpu --steps 2 --count 1000 --batch-size 100"
    original, calls = sampling.ddim_step, []

    def step(*arguments):
        calls.append(1)
        if len(calls) == 8:
            interrupt(False)
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(sampling, "ddim_step", step)
        answer = run(f"{line} --out new/")
    assert (answer.code, answer.out) == (130, [])
    assert answer.err == [
        "300 of 1,000 images are written: the same command goes on.",
        "ddim-studio sample: interrupted.",
    ]
    assert len(names("new")) == 301
    other = run(f"{line} --eta 1 --out new/")
    assert (other.code, len(other.err)) == (1, 1)
    assert "new holds a run with eta 0.0, not 1.0: choose another --out" in other.err[0]
    few = run(f"sample --model {tiny_pipeline} --device cpu --steps 3 --count 2 --out new/")
    assert (few.code, len(few.err)) == (1, 1)  # a small run does not mix with it either
    answer = run(f"{line} --out new/")
    assert answer.err[0] == "300 of 1,000 images are there already."
    assert (answer.code, answer.out, len(names("new"))) == (0, ["new"], 1001)


def test_the_batch_of_a_graphics_processor_follows_the_size_of_the_images():
    sizes = {side: default_batch("cuda", (3, side, side)) for side in (28, 32, 64, 256)}
    assert sizes == {28: 512, 32: 512, 64: 128, 256: 16}
    assert default_batch("cpu", (3, 32, 32)) == 64
