"""Archives filled piece by piece: right values, and all or nothing."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from ddim_studio.imaging.archive import NpzWriter


def test_arrays_filled_in_pieces_and_small_ones_load_without_pickle(tmp_path):
    rng = np.random.default_rng(0)
    expected = rng.standard_normal((6, 2, 3, 4)).astype(np.float32)
    path = tmp_path / "new" / "run.npz"
    with NpzWriter(path, {"x": (expected.shape, np.float32), "t": ((6,), "int64")}) as archive:
        for index in reversed(range(6)):
            archive.array("x")[index] = expected[index]
        archive.array("t")[:] = range(6)
        archive.add("seeds", np.array([2**64 - 1, 0], np.uint64))
        archive.add("settings", '{"note": "σ̂"}')
        archive.add("scale", 0.5)
        assert not path.exists()
    with np.load(path) as loaded:  # allow_pickle is False by default
        assert sorted(loaded) == ["scale", "seeds", "settings", "t", "x"]
        np.testing.assert_array_equal(loaded["x"], expected)
        assert loaded["x"].dtype == np.float32
        assert loaded["t"].tolist() == [0, 1, 2, 3, 4, 5]
        assert loaded["seeds"].tolist() == [2**64 - 1, 0]
        assert loaded["settings"].shape == ()
        assert str(loaded["settings"]) == '{"note": "σ̂"}'
        assert float(loaded["scale"]) == 0.5
    assert zipfile.ZipFile(path).testzip() is None
    assert [file.name for file in path.parent.iterdir()] == ["run.npz"]


def test_what_is_not_filled_is_zero_and_odd_shapes_work(tmp_path):
    specs = {"zero": ((3,), float), "none": ((0, 4), np.float32), "point": ((), np.int32)}
    with NpzWriter(tmp_path / "a.npz", specs) as archive:
        archive.array("point")[...] = 7
    with np.load(tmp_path / "a.npz") as loaded:
        assert loaded["zero"].tolist() == [0.0, 0.0, 0.0]
        assert loaded["none"].shape == (0, 4)
        assert loaded["point"] == 7


def test_an_error_leaves_the_old_archive_and_no_other_file(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, old=1)

    def interrupted() -> None:
        with NpzWriter(path, {"x": ((4,), float)}) as archive:
            archive.array("x")[:] = 1.0
            archive.add("settings", "{}")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]
    with np.load(path) as loaded:
        assert list(loaded) == ["old"]


def test_a_disk_too_small_is_noticed_before_anything_is_filled(tmp_path):
    huge = {"small": ((4,), float), "x": ((2**44,), np.float32)}
    with (
        pytest.raises(OSError, match=r"space|large") as caught,
        NpzWriter(tmp_path / "a.npz", huge),
    ):
        pytest.fail("the block must not be entered")
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stage", ["zip", "add"])
def test_a_disk_that_fills_up_later_leaves_nothing(tmp_path, monkeypatch, stage):
    def full(*_args: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if stage == "zip":
        monkeypatch.setattr(shutil, "copyfileobj", full)
    else:
        monkeypatch.setattr("ddim_studio.imaging.archive.npy.write_array", full)
    with (
        pytest.raises(OSError, match="No space"),
        NpzWriter(tmp_path / "a.npz", {"x": ((4,), float)}) as archive,
    ):
        archive.add("settings", "{}")
    assert not list(tmp_path.iterdir())


def test_file_systems_that_cannot_reserve_are_used_all_the_same(tmp_path, monkeypatch):
    def refuse(*_args: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    with NpzWriter(tmp_path / "a.npz", {"x": ((4,), float)}) as archive:
        archive.array("x")[:] = 5.0
    with np.load(tmp_path / "a.npz") as loaded:
        assert loaded["x"].tolist() == [5.0] * 4


def test_arrays_held_by_the_caller_stay_usable_after_the_block(tmp_path):
    with NpzWriter(tmp_path / "a.npz", {"x": ((4,), float)}) as archive:
        held = archive.array("x")
        held[:] = 3.0
    assert held.tolist() == [3.0] * 4
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_wrong_use_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(ValueError, match="Python objects"):
        NpzWriter(path, {"x": ((4,), object)})
    with pytest.raises(ValueError, match="named"):
        NpzWriter(path, {"../x": ((4,), float)})
    with pytest.raises(ValueError, match="with block"):
        NpzWriter(path, {}).add("x", 1)
    for name, value, reason in [("x", 1, "already"), ("y", [None], "objects"), ("", 1, "named")]:
        with (
            pytest.raises(ValueError, match=reason),
            NpzWriter(path, {"x": ((1,), int)}) as archive,
        ):
            archive.add(name, value)
    with pytest.raises(KeyError), NpzWriter(path, {}) as archive:
        archive.array("z")
    assert not list(tmp_path.iterdir())


LIMITED = """
import resource, sys
import numpy as np
from ddim_studio.imaging.archive import NpzWriter
resource.setrlimit(resource.RLIMIT_DATA, (150 << 20, 150 << 20))
try:
    np.ones(200 << 20, np.uint8)
except MemoryError:
    print("an ordinary array of 200 MB does not fit")
with NpzWriter(sys.argv[1], {"x": ((200, 1 << 20), np.uint8)}) as archive:
    for index, row in enumerate(archive.array("x")):
        row[:] = index
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces this limit")
def test_an_archive_larger_than_the_memory_allowed(tmp_path):
    path = tmp_path / "large.npz"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    shown = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=120,
    )
    assert "does not fit" in shown.stdout
    with np.load(path) as loaded:
        values = loaded["x"]
    assert values[:, 0].tolist() == list(range(200))
    assert (values == values[:, :1]).all()
