"""Archives written piece by piece: NumPy reads them, and equal arrays give equal bytes."""

from __future__ import annotations

import zipfile
from itertools import pairwise

import numpy as np
import pytest

from ddim_studio.imaging.npz_stream import write_npz


def test_numpy_reads_what_was_written(tmp_path):
    values = np.arange(2 * 3 * 5, dtype=np.int16).reshape(2, 3, 5)
    raw = values.tobytes()
    small = {"seeds": np.array([2**64 - 1], np.uint64), "settings": np.array('{"η": 1}')}
    for name, cuts in (("a", (0, 7, 60)), ("b", (0, 60))):
        parts = (raw[low:high] for low, high in pairwise(cuts))
        write_npz(
            tmp_path / f"{name}.npz", "x", shape=(2, 3, 5), dtype="i2", parts=parts, small=small
        )
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert list(stored) == ["x", "seeds", "settings"]
        np.testing.assert_array_equal(stored["x"], values)
        assert stored["x"].dtype == np.int16
        assert stored["seeds"].tolist() == [2**64 - 1]
        assert str(stored["settings"]) == '{"η": 1}'
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert archive.testzip() is None
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize("length", [0, 29, 31])
def test_parts_of_another_length_leave_nothing(tmp_path, length):
    with pytest.raises(ValueError, match="'x'"):
        write_npz(tmp_path / "a.npz", "x", shape=(30,), dtype="u1", parts=[bytes(length)], small={})
    assert list(tmp_path.iterdir()) == []
