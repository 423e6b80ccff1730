"""Kill -9 at any moment: the run goes on, nothing is corrupt, and the losses are the same."""

from __future__ import annotations

import multiprocessing
import random
import time

import pytest
from tiny_runs import child, losses, run, write_images

import ddim_studio as ds
from ddim_studio.training.checkpoint import checkpoint_paths, read_checkpoint

KILLS, STEPS = 10, 50
COURSE = {"steps": STEPS, "checkpoint_every": 3, "sample_every": 20}


@pytest.fixture(scope="module")
def processes():
    """Starts processes that have everything imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["ddim_studio.training.session", "diffusers.models.unets.unet_2d"]
    )
    return context


def killed(context, out, data, moment):
    """Let the run go on in a process of its own for some steps, then kill -9 it."""
    log = out / "training" / "log.jsonl"
    before = log.stat().st_size if log.exists() else 0
    process = context.Process(target=child, args=(out, data, {**COURSE, "resume": out.exists()}))
    process.start()
    deadline = time.monotonic() + 120
    wanted = before + moment.randint(100, 900)
    while process.is_alive() and (not log.exists() or log.stat().st_size < wanted):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(moment.uniform(0, 0.05))
    process.kill()
    process.join()
    return process.exitcode


@pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="kill -9 of POSIX"
)
def test_ten_kills_lose_nothing_and_change_nothing(tmp_path, processes):
    data = write_images(tmp_path / "data")
    run(tmp_path / "whole", data, **COURSE)
    out, moment = tmp_path / "killed", random.Random(0)
    for _ in range(KILLS):
        assert killed(processes, out, data, moment) == -9
        for path in checkpoint_paths(out / "training" / "checkpoints"):
            read_checkpoint(path)  # raises if it is damaged
        if (out / "unet" / "diffusion_pytorch_model.safetensors").exists():
            assert ds.load_model(str(out)).info.image_shape == (1, 8, 8)
    run(out, data, resume=True, **COURSE)
    expected, found = losses(tmp_path / "whole"), losses(out)
    assert list(found) == list(range(1, STEPS + 1))
    assert max(abs(found[step] - expected[step]) for step in expected) < 1e-6
    assert len(checkpoint_paths(out / "training" / "checkpoints")) == 2
    assert not [path for path in out.rglob(".*") if path.is_file()]
