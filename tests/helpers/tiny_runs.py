"""Tiny runs of training, in this process or in one that can be killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from ddim_studio.training.log import read_log
from ddim_studio.training.run_folder import RunFolder

SIZE = 8
NETWORK = {"size": SIZE, "channels": (8, 16), "layers_per_block": 1, "precision": "float32"}
COURSE = {"batch_size": 8, "steps": 12, "warmup": 2, "device": "cpu", "learning_rate": 1e-3}


class Alone:
    """A team of one."""

    index, size = 0, 1

    def gather(self, item):
        return [item]


def write_images(folder: Path, count: int = 24, channels: int = 1) -> Path:
    """A folder of random pictures."""
    folder.mkdir(parents=True)
    shape = (count, SIZE, SIZE, channels)
    pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for number, picture in enumerate(pictures[..., 0] if channels == 1 else pictures):
        Image.fromarray(picture).save(folder / f"{number:03}.png")
    return folder


def plan(out, data, resume=False, **changes):
    """Folder and settings of a tiny run."""
    folder = RunFolder(Path(out))
    given = {"data": str(data), **NETWORK, **COURSE, **changes}
    return folder, folder.planned(given, resume=resume)


def events(out, data, resume=False, stop=lambda: False, team=None, **changes):
    """The events of a tiny run, one by one."""
    from ddim_studio.training.session import train

    folder, settings = plan(out, data, resume, **changes)
    return train(settings, folder, team or Alone(), stop)


def run(out, data, **changes):
    """All events of a tiny run."""
    return list(events(out, data, **changes))


def losses(out) -> dict[int, float]:
    """The logged loss of every step; each must be there once."""
    steps = [
        line for line in read_log(Path(out) / "training" / "log.jsonl") if line["event"] == "step"
    ]
    assert len({line["step"] for line in steps}) == len(steps)
    return {line["step"]: line["loss"] for line in steps}


def child(out, data, changes):
    """A run in a process of its own, whose end is not told."""
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stderr = sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    run(out, data, **changes)
