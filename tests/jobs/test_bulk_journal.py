"""The journal of a bulk run: of two that begin at one moment, one begins and the other is told."""

import json

import pytest

from ddim_studio.imaging.errors import ImageError
from ddim_studio.jobs.bulk_journal import Journal


class Blind(Journal):
    """One that looks a moment before the other run writes its journal."""

    looks = 0

    def exists(self):
        self.looks += 1
        return self.looks > 1 and super().exists()


def test_the_second_of_two_that_begin_at_once_does_not_replace_the_first(tmp_path):
    path = tmp_path / "images.tar.part" / "run.json"
    first = Journal(path, "images.tar")
    first.claim({"seed": 1}, "torch")
    first.lock()
    second = Blind(path, "images.tar")
    with pytest.raises(ImageError, match="holds a run with seed 1, not 2"):
        second.claim({"seed": 2}, "torch")
    assert json.loads(path.read_text())["seed"] == 1
    same = Blind(path, "images.tar")
    same.claim({"seed": 1}, "torch")  # the same run, which its lock then keeps out
    with pytest.raises(ImageError, match="Another process is writing"):
        same.lock()
    first.release()
