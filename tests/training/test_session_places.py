"""Where a run takes its images from and writes to: odd names, one process a folder."""

from __future__ import annotations

import os
import sys

import pytest
from tiny_runs import events, losses, run, write_images

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.training.errors import TrainingError
from ddim_studio.training.events import Done


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "data")


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no UTF-8")
def test_files_of_any_name_are_listed_a_line_each(tmp_path, data):
    names = [b"caf\xe9.png", b"new\nline.png"]
    for name in names:
        (data / os.fsdecode(name)).write_bytes(b"no picture")
    found = run(tmp_path / "m", data, steps=1)
    assert [name for name, _ in found[0].skipped] == ["caf?.png", "new?line.png"]
    listed = (tmp_path / "m/training/skipped.txt").read_text(encoding="utf-8").splitlines()
    assert [line.partition(" is not")[0] for line in listed] == [
        "caf?.png: caf?.png",
        "new?line.png: new?line.png",
    ]


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
def test_two_processes_never_train_in_one_folder(tmp_path, data):
    out = tmp_path / "m"
    first = events(out, data, steps=3)
    next(first)
    with pytest.raises(TrainingError, match=f"Another process trains in {out}"):
        run(out, data, steps=3, resume=True)
    assert list(first)[-1] == Done(3, stopped=False, model=str(out))
    assert list(losses(out)) == [1, 2, 3]
    assert run(out, data, steps=4, resume=True)[-1].step == 4


def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path, data):
    with pytest.raises(SettingsError, match="held_out"):
        run(tmp_path / "a" / "m", data, held_out=99)
    assert not (tmp_path / "a").exists()
