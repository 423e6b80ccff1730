import errno
import os

import pytest
import torch
from safetensors import safe_open

from ddim_studio.training import checkpoint as module
from ddim_studio.training.checkpoint import (
    Checkpoint,
    DamagedError,
    checkpoint_paths,
    newest_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from ddim_studio.training.tensor_file import write_tensors


def checkpoint(step=1):
    random = torch.Generator().manual_seed(step)
    tensors = {
        "a": torch.randn(3, 4, 5, 6, generator=random).to(memory_format=torch.channels_last),
        "b": torch.tensor(float(step)),
        "c": torch.empty(0),
    }
    return Checkpoint(step, tensors, {"seconds": 0.5, "losses": [0.1, 1e-9]})


def same(a, b):
    return (
        a.step == b.step
        and a.state == b.state
        and a.tensors.keys() == b.tensors.keys()
        and all(torch.equal(a.tensors[name], b.tensors[name]) for name in a.tensors)
    )


def test_a_checkpoint_comes_back_bit_for_bit(tmp_path):
    path = write_checkpoint(tmp_path, checkpoint(7))
    assert same(read_checkpoint(path), checkpoint(7))


def test_the_file_is_one_that_safetensors_reads(tmp_path):
    path = write_checkpoint(tmp_path, checkpoint(7))
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == {"a", "b", "c"}
        assert torch.equal(file.get_tensor("a"), checkpoint(7).tensors["a"])


def test_only_float32_is_written(tmp_path):
    with pytest.raises(ValueError, match="float32"):
        write_tensors(tmp_path / "x", {"a": torch.zeros(1, dtype=torch.int64)}, {})


def test_the_last_two_are_kept_and_the_newest_is_found(tmp_path):
    for step in (5, 90, 100, 1000):
        write_checkpoint(tmp_path, checkpoint(step))
    assert [path.name for path in checkpoint_paths(tmp_path)] == [
        "step-000000100.safetensors",
        "step-000001000.safetensors",
    ]
    found, damaged = newest_checkpoint(tmp_path)
    assert same(found, checkpoint(1000))
    assert damaged == []


def test_no_checkpoint_is_none(tmp_path):
    assert newest_checkpoint(tmp_path / "nowhere") == (None, [])


@pytest.mark.parametrize("where", [0, 4, 60, 250, -700, -1])
def test_any_changed_byte_is_found_and_the_one_before_is_taken(tmp_path, where):
    write_checkpoint(tmp_path, checkpoint(1))
    newest = write_checkpoint(tmp_path, checkpoint(2))
    data = bytearray(newest.read_bytes())
    data[where] ^= 0x10
    newest.write_bytes(data)
    found, damaged = newest_checkpoint(tmp_path)
    assert same(found, checkpoint(1))
    assert damaged == [newest]


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_file_cut_short_is_found(tmp_path, length):
    path = write_checkpoint(tmp_path, checkpoint())
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedError, match="damaged"):
        read_checkpoint(path)


def test_a_file_of_other_tensors_is_no_checkpoint(tmp_path):
    path = tmp_path / "step-000000001.safetensors"
    for metadata in ({}, {"checkpoint": "[]"}, {"checkpoint": "{"}):
        write_tensors(path, {"a": torch.zeros(2)}, metadata)
        with pytest.raises(DamagedError):
            read_checkpoint(path)


def test_a_full_disk_keeps_the_older_checkpoints_and_leaves_no_part(tmp_path, monkeypatch):
    for step in (1, 2):
        write_checkpoint(tmp_path, checkpoint(step))

    def full(path, *_):
        path.write_bytes(b"the first part")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(module, "write_tensors", full)
    with pytest.raises(OSError, match="space"):
        write_checkpoint(tmp_path, checkpoint(3))
    assert len(list(tmp_path.iterdir())) == 2
    assert same(newest_checkpoint(tmp_path)[0], checkpoint(2))
