"""Weights that are damaged, belong to another network, or try to do more than be weights."""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

NAME = "conv_in.weight"  # (8, 1, 3, 3)


@pytest.fixture
def weights(folder):
    return folder / "unet" / "diffusion_pytorch_model.safetensors"


def replaced(value):
    return lambda tensors: tensors.update({NAME: value})


def filled(number, dtype=torch.float32):
    def fill(tensors):
        tensors[NAME] = tensors[NAME].to(dtype)
        tensors[NAME][3, 0, 1, 1] = number

    return fill


CONTENTS = {
    "missing": (lambda t: t.pop(NAME), "incomplete: conv_in.weight is missing"),
    "many missing": (
        lambda t: [t.pop(name) for name in sorted(t) if name.startswith("mid")],
        r"\d+ tensors \(mid_block.attentions.0.group_norm.bias, …\) are missing",
    ),
    "empty": (lambda t: t.clear(), r"\d+ tensors .* are missing"),
    "extra": (lambda t: t.update(more=torch.zeros(2)), "more is not part of this network"),
    "old and new": (
        lambda t: t.update(
            {"mid_block.attentions.0.query.bias": t["mid_block.attentions.0.to_q.bias"].clone()}
        ),
        "query.bias is not part of this network",
    ),
    "odd name": (lambda t: t.update({"a\x1b[2J\n": torch.zeros(2)}), "is not part of"),
    "long name": (lambda t: t.update({"a" * 5000: torch.zeros(2)}), "aaa… is not part of"),
    "shape": (replaced(torch.zeros(8, 1, 3)), "is 8×1×3, the network needs 8×1×3×3"),
    "transposed": (replaced(torch.zeros(1, 8, 3, 3)), "is 1×8×3×3, the network needs 8×1×3×3"),
    "scalar": (replaced(torch.tensor(1.0)), "is a single number"),
    "nan": (filled(torch.nan), "conv_in.weight holds NaN or infinite"),
    "inf": (filled(torch.inf), "conv_in.weight holds NaN or infinite"),
    "minus inf": (filled(-torch.inf), "conv_in.weight holds NaN or infinite"),
    "half nan": (filled(torch.nan, torch.float16), "conv_in.weight holds NaN or infinite"),
    "past float32": (filled(1e300, torch.float64), "conv_in.weight holds NaN or infinite"),
    "int64": (filled(1, torch.int64), "conv_in.weight is int64"),
    "uint8": (filled(1, torch.uint8), "conv_in.weight is uint8"),
    "bool": (filled(True, torch.bool), "conv_in.weight is bool"),
    "float8": (
        replaced(torch.zeros(8, 1, 3, 3).to(torch.float8_e4m3fn)),
        "conv_in.weight is float8",
    ),
}


@pytest.mark.parametrize("case", CONTENTS)
@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_tensors_that_the_network_cannot_use(weights, refused, case, suffix):
    change, says = CONTENTS[case]
    tensors = {name: tensor.clone() for name, tensor in load_file(weights).items()}
    change(tensors)
    weights.unlink()
    if suffix == ".bin":
        torch.save(tensors, weights.with_suffix(".bin"))
    else:
        save_file(tensors, weights)
    refused(str(weights.parent.parent), says)


def test_numbers_whose_sum_overflows_are_not_taken_for_infinite(weights):
    """The other side of the check: every number finite, their sum not."""
    from ddim_studio.models.loading import load_model

    tensors = load_file(weights)
    tensors[NAME] = torch.full((8, 1, 3, 3), 3e38)
    save_file(tensors, weights)
    model = load_model(str(weights.parent.parent), device="cpu")
    assert float(model.unet.conv_in.weight.max()) == pytest.approx(3e38)


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 9, 20, 0.01, 0.2, 0.5, 0.99, -1])
def test_a_safetensors_file_cut_short(weights, refused, kept):
    content = weights.read_bytes()
    length = int(kept * len(content)) if isinstance(kept, float) else kept
    weights.write_bytes(content[:length])
    refused(str(weights.parent.parent), "is damaged" if length else "is empty")


def header(values, data=b"\0" * 8, length=None):
    text = values if isinstance(values, bytes) else json.dumps(values).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(shape, offsets=(0, 8), dtype="F32"):
    return {NAME: {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


@pytest.mark.parametrize(
    "content",
    [
        header(entry([2]), length=2**64 - 1),
        header(entry([2]), length=2**40),
        header(entry([2]), length=10),
        header(entry([2]), length=1),
        header(b"x" * 100),
        header(b"[" * 100_000),
        header(b"\xff" * 100),
        header([1, 2, 3]),
        header({NAME: None}),
        header({NAME: {"dtype": "F32"}}),
        header({NAME: {"dtype": "F32", "shape": 2, "data_offsets": [0, 8]}}),
        header(entry(["2"])),
        header(entry([-2])),
        header(entry([2.5])),
        header(json.dumps(entry([9])).replace("9", "1e999").encode()),
        header(entry([2], (0, 10**18))),
        header(entry([2], (0,))),
        header(entry([2], "08")),
        header(entry([10**12])),
        header(entry([2], dtype="Q7")),
        header(entry([2]), data=b"\0" * 800),
        bytes(range(256)) * 40,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 400,
    ],
    ids=lambda content: repr(content[:48]),
)
def test_a_safetensors_file_that_lies(weights, refused, content):
    weights.write_bytes(content)
    refused(str(weights.parent.parent), "is damaged|is a picture|has numbers of a type Q7")


class Payload:
    """Unpickled by a careless reader, it creates a file."""

    def __init__(self, path, how):
        self.path, self.how = path, how

    def __reduce__(self):
        if self.how == "system":
            return os.system, (f"touch '{self.path}'",)
        return Path.touch, (self.path,)


@pytest.fixture
def pickled(weights):
    weights.unlink()
    return weights.with_suffix(".bin")


@pytest.mark.parametrize("how", ["system", "touch"])
@pytest.mark.parametrize("writer", ["zip", "legacy", "pickle"])
def test_code_in_a_pickle_is_not_run(pickled, tmp_path, refused, how, writer):
    trap = tmp_path / "trap"
    value = {NAME: torch.zeros(2), "payload": Payload(trap, how)}
    if writer == "pickle":
        pickled.write_bytes(pickle.dumps(value["payload"]))
    else:
        torch.save(value, pickled, _use_new_zipfile_serialization=writer == "zip")
    refused(str(pickled.parent.parent), "nothing in it was run")
    assert not trap.exists()
    if writer == "pickle":
        pickle.loads(pickled.read_bytes())
    else:
        torch.load(pickled, weights_only=False)
    assert trap.exists()  # the trap is a real one


def stride_0(count):
    return torch.zeros(1).as_strided((count,), (0,))


OBJECTS = {
    "list": ([torch.zeros(2)], "does not hold a plain list of named tensors"),
    "number": (5, "does not hold"),
    "nested": ({"state_dict": {NAME: torch.zeros(2)}}, "does not hold"),
    "numbered": ({1: torch.zeros(2)}, "does not hold"),
    "sparse": ({NAME: torch.eye(3).to_sparse()}, "does not hold"),
    "meta": ({NAME: torch.empty(8, 1, 3, 3, device="meta")}, "does not hold"),
    "stride 0": ({NAME: stride_0(10**9)}, "claim to be larger than the whole file"),
    "stride 0, many": (
        {str(i): stride_0(200) for i in range(100)},
        "claim to be larger than the whole file|missing",
    ),
}


@pytest.mark.parametrize("case", OBJECTS)
def test_a_pickle_that_holds_something_else(pickled, refused, case):
    value, says = OBJECTS[case]
    torch.save(value, pickled)
    refused(str(pickled.parent.parent), says)


def test_an_archive_that_would_unpack_to_far_more(pickled, refused):
    plain = io.BytesIO()
    torch.save({NAME: torch.zeros(10_000_000)}, plain)
    with zipfile.ZipFile(plain) as stored, zipfile.ZipFile(pickled, "w", 8, compresslevel=1) as out:
        for member in stored.infolist():
            out.writestr(member.filename, stored.read(member))
    assert pickled.stat().st_size < 1_000_000
    refused(str(pickled.parent.parent), "would unpack to 40 MB: it is refused")


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("new", [True, False])
def test_a_pickle_cut_short(pickled, tiny, refused, kept, new):
    torch.save(tiny.unet.state_dict(), pickled, _use_new_zipfile_serialization=new)
    content = pickled.read_bytes()
    pickled.write_bytes(content[: int(kept * len(content))])
    says = "damaged.*; nothing in it was run" if int(kept * len(content)) else "is empty"
    refused(str(pickled.parent.parent), says)


def test_bytes_that_are_no_pickle(pickled, refused):
    model = str(pickled.parent.parent)
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"):
        Image.new("RGB", (8, 8)).save(pickled, format=kind)
        refused(model, "is a picture, not a model")
    pickled.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 40)
    refused(model, "cut short; nothing in it was run")
    with zipfile.ZipFile(pickled, "w") as archive:
        archive.writestr("readme.txt", "no model")
    refused(model, "archive of other files, not a checkpoint; nothing in it was run")
    pickled.write_text("just a few words")
    refused(model, "nothing in it was run")
    pickled.write_text("<!DOCTYPE html><title>Sign in</title>")
    refused(model, "is a web page")


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_a_folder_that_was_cloned_without_its_large_files(weights, refused, suffix):
    weights.unlink()
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4\n"
    weights.with_suffix(suffix).write_text(pointer)
    refused(str(weights.parent.parent), "is a pointer of Git LFS")


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_torchscript_program_is_no_checkpoint(pickled, refused):
    torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)).save(str(pickled))
    refused(str(pickled.parent.parent), "TorchScript program; nothing in it was run")


def test_a_whole_module_is_no_checkpoint(pickled, refused):
    torch.save(torch.nn.Linear(2, 2), pickled)
    refused(
        str(pickled.parent.parent),
        r"Python objects \(torch\.nn\.modules\.linear\.Linear\); nothing",
    )
