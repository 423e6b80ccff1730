"""Files of weights that hold the wrong tensors, or lie about them."""

from __future__ import annotations

import json

from malformed.item import STEM, add, file_of, item, sound, unet, weights

GROUP = "tensors"
NAME = "conv_in.weight"  # (8, 1, 3, 3)


def listed(values, data=bytes(8), length=None):
    """A safetensors file with this list of tensors."""
    text = values if isinstance(values, bytes) else json.dumps(values).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(shape, offsets=(0, 8), dtype="F32", name=NAME):
    return {name: {"dtype": dtype, "shape": shape, "data_offsets": list(offsets)}}


def _twice():
    one = json.dumps(entry([2]))[1:-1]
    return listed(f"{{{one},{one}}}".encode())


def _many():
    values = {}
    for index in range(30_000):
        values |= entry([1], (4 * index, 4 * index + 4), name=f"a{index}")
    return listed(values, bytes(120_000))


LISTS = {
    "a list of tensors of 2⁶³ bytes": (
        lambda: listed(entry([2]), length=2**63),
        "cannot have 9223372036854775808 bytes",
    ),
    "a list of tensors longer than the file": (
        lambda: listed(entry([2]), length=5000),
        "cannot have 5000 bytes",
    ),
    "a list of tensors of 20 MB": (
        lambda: listed(b"{}" + b" " * 20_000_000),
        r"cannot have 20000002 bytes|no checkpoint",
    ),
    "a list of tensors that is no JSON": (lambda: listed(b"{" + b"x" * 90), "cannot be read"),
    "a list of tensors in brackets, 100,000 deep": (
        lambda: listed(b"[" * 100_000),
        "cannot be read",
    ),
    "a list of tensors that is a JSON list": (lambda: listed([1, 2]), "list of tensors is none"),
    "an entry without offsets": (lambda: listed({NAME: {"dtype": "F32"}}), "is no tensor"),
    "offsets past the end of the file": (lambda: listed(entry([2], (8, 16))), "it lacks 8 bytes"),
    "a tensor of a terabyte": (
        lambda: listed(entry([10**12], (0, 4 * 10**12))),
        "it lacks 3999999999992 bytes",
    ),
    "two tensors at one place": (
        lambda: listed(entry([2]) | entry([2], name="a")),
        "its tensors overlap",
    ),
    "bytes after the last tensor": (
        lambda: listed(entry([2]), bytes(20)),
        "something stands between or after them",
    ),
    "a negative shape": (lambda: listed(entry([-2])), "no possible shape"),
    "a shape of half numbers": (lambda: listed(entry([2.5])), "no possible shape"),
    "a shape of 300,000 dimensions": (
        lambda: listed(entry([10**18] * 300_000)),
        "no possible shape",
    ),
    "a shape of more numbers than there are": (
        lambda: listed(entry([10**12])),
        "another size than its shape says",
    ),
    "a type of numbers that there is not": (
        lambda: listed(entry([2], dtype="Q7")),
        "of a type Q7",
    ),
    "two tensors of one name": (_twice, f"has the entry {NAME} twice"),
    "30,000 tensors of one number each": (_many, "lists 30000 tensors, far more than"),
}
for _name, (_content, _says) in LISTS.items():

    def _listed(folder, content=_content):
        model = sound(folder)
        (unet(model) / f"{STEM}.safetensors").write_bytes(content())
        return str(model)

    add(GROUP, _name, f"a safetensors file with {_name}", _says, _listed)


def _filled(number, kind="float32"):
    def change(tensors):
        import torch

        value = tensors[NAME].to(getattr(torch, kind), copy=True)
        value[3, 0, 1, 1] = number
        tensors[NAME] = value

    return change


def _replaced(make):
    def change(tensors):
        import torch

        tensors[NAME] = make(torch)

    return change


CHANGES = {
    "NaN in the weights": (_filled(float("nan")), f"{NAME} holds NaN or infinite"),
    "infinity in the weights": (_filled(float("inf")), f"{NAME} holds NaN or infinite"),
    "NaN in half precision": (_filled(float("nan"), "float16"), "holds NaN or infinite"),
    "a missing tensor": (lambda tensors: tensors.pop(NAME), f"{NAME} is missing"),
    "no tensor at all": (lambda tensors: tensors.clear(), r"\d+ tensors .* are missing"),
    "a tensor too many": (_replaced(lambda torch: torch.zeros(8, 1, 3, 3)), ""),
    "a transposed tensor": (
        lambda tensors: tensors.update({NAME: tensors[NAME].transpose(0, 1).contiguous()}),
        "is 1×8×3×3, the network needs 8×1×3×3",
    ),
    "whole numbers in the place of weights": (
        _replaced(lambda torch: torch.zeros(8, 1, 3, 3, dtype=torch.int64)),
        f"{NAME} is int64",
    ),
    "complex numbers in the place of weights": (
        _replaced(lambda torch: torch.zeros(8, 1, 3, 3, dtype=torch.complex64)),
        f"{NAME} is complex64",
    ),
}
CHANGES["a tensor too many"] = (
    lambda tensors: tensors.update(more=tensors[NAME].clone()),
    "more is not part of this network",
)
for _name, (_change, _says) in CHANGES.items():

    def _changed(folder, change=_change):
        tensors = weights()
        change(tensors)
        return str(sound(folder, tensors=tensors))

    add(GROUP, _name, f"a diffusers folder with {_name}", _says, _changed)


KINDS = {
    "a sparse tensor": (lambda torch: torch.eye(3).to_sparse(), "does not hold a plain list"),
    "a quantised tensor": (
        lambda torch: torch.quantize_per_tensor(torch.zeros(8), 0.1, 0, torch.qint8),
        "does not hold a plain list|damaged|Python objects",
    ),
    "a tensor without numbers": (
        lambda torch: torch.empty(8, 1, 3, 3, device="meta"),
        "does not hold a plain list",
    ),
    "10¹² numbers that are one": (
        lambda torch: torch.zeros(1).as_strided((10**12,), (0,)),
        "claim to be larger than the whole file",
    ),
}
for _name, (_make, _says) in KINDS.items():

    def _pickled(folder, make=_make):
        import warnings

        import torch

        tensors = weights()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tensors[NAME] = make(torch)
        return str(sound(folder, tensors=tensors, name=f"{STEM}.bin"))

    add(GROUP, _name, f"a .bin of a diffusers folder with {_name}", _says, _pickled)


@item(GROUP, "a tensor larger than the numbers that are stored for it", "damaged or cut short")
def tensor_larger_than_its_storage(folder):
    import torch

    torch.save({NAME: torch.zeros(3)}, folder / "model.pt")
    content = (folder / "model.pt").read_bytes()
    size, larger = b"K\x03\x85q", b"K\x7f\x85q"
    assert content.count(size) == 1
    return _resealed(folder, content.replace(size, larger))


def _resealed(folder, content):
    """The same archive with the checksums of what is in it now."""
    import io
    import zipfile

    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(data, "w") as out:
        for one in source.infolist():
            start = one.header_offset + 30
            lengths = content[start - 4 : start]
            start += int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
            out.writestr(one.filename, content[start : start + one.file_size])
    return file_of(folder, data.getvalue())


@item(GROUP, "the weights of another model beside a config", "tensors|needs")
def weights_of_another_model(folder):
    import torch
    from diffusers import UNet2DModel

    other = UNet2DModel(
        sample_size=8,
        block_out_channels=(8, 8),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        layers_per_block=1,
    )
    with torch.no_grad():
        return str(sound(folder, tensors=dict(other.state_dict())))


@item(GROUP, "weights cut short in the middle", "damaged or cut short: it lacks")
def safetensors_cut_short(folder):
    model = sound(folder)
    path = unet(model) / f"{STEM}.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return str(model)


@item(GROUP, "the config of a diffusers network is lost", "diffusers network without its config")
def diffusers_weights_alone(folder):
    model = sound(folder)
    return str(unet(model) / f"{STEM}.safetensors")


@item(GROUP, "an index that names a part that is not there", "one of 2 parts, is missing")
def missing_part(folder):
    model = sound(folder)
    path = unet(model) / f"{STEM}.safetensors"
    path.rename(path.with_name("part-1.safetensors"))
    places = {NAME: "part-1.safetensors", "conv_out.weight": "part-2.safetensors"}
    index = path.with_name(f"{STEM}.safetensors.index.json")
    index.write_text(json.dumps({"weight_map": places}))
    return str(model)


@item(GROUP, "an index that names a file outside the folder", "does not say which files hold")
def part_outside(folder):
    model = sound(folder)
    path = unet(model) / f"{STEM}.safetensors"
    path.unlink()
    index = path.with_name(f"{STEM}.safetensors.index.json")
    index.write_text(json.dumps({"weight_map": {NAME: "../../../etc/passwd"}}))
    return str(model)
