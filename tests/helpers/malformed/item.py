"""What an entry of the catalogue is, and a sound model to damage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = {
    "sample_size": 8,
    "in_channels": 1,
    "out_channels": 1,
    "layers_per_block": 1,
    "block_out_channels": [8, 16],
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
    "norm_num_groups": 4,
    "attention_head_dim": 8,
}
SCHEDULER = {"_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "clip_sample": False}
STEM = "diffusion_pytorch_model"


@dataclass(frozen=True)
class Item:
    """A malformed input.

    Attributes:
        name: Of the entry.
        group: Which part of the catalogue it is in.
        about: What it is, in words.
        says: A pattern that its sentence must match.
        build: Makes it in an empty folder, and returns what is given as the model.
        needs_pipes: Whether the system must have named pipes and device files.
    """

    name: str
    group: str
    about: str
    says: str
    build: Callable[[Path], str]
    needs_pipes: bool = False


CATALOGUE: dict[str, Item] = {}
_BUILT: dict[str, tuple[Path, str]] = {}


def built(name, new_folder):
    """The folder of an entry and its source, made once in a process.

    Args:
        name: Of the entry.
        new_folder: Makes an empty folder.
    """
    if name not in _BUILT:
        folder = new_folder("malformed")
        _BUILT[name] = folder, CATALOGUE[name].build(folder)
    return _BUILT[name]


def add(group, name, about, says, build, *, needs_pipes=False):
    """Put an entry into the catalogue."""
    assert name not in CATALOGUE, name
    CATALOGUE[name] = Item(name, group, about, says, build, needs_pipes)


def item(group, about, says, *, needs_pipes=False):
    """Put a function that makes an entry into the catalogue, under its own name."""

    def keep(build):
        name = build.__name__.strip("_").replace("_", " ")
        add(group, name, about, says, build, needs_pipes=needs_pipes)
        return build

    return keep


@cache
def _weights():
    import torch
    from diffusers import UNet2DModel

    torch.manual_seed(0)
    return dict(UNet2DModel(**CONFIG).state_dict())


def weights():
    """The tensors of the sound model; the dictionary may be changed, the tensors may not."""
    return dict(_weights())


def sound(folder, *, network=None, scheduler=None, tensors=None, name=f"{STEM}.safetensors"):
    """A model in the pipeline layout in the folder ``model``.

    Args:
        folder: An empty one.
        network: Changes of the network's config.
        scheduler: Changes of the scheduler's config.
        tensors: The weights, the sound ones where none are given.
        name: Of the file of weights.
    """
    import torch
    from safetensors.torch import save_file

    model = folder / "model"
    (model / "unet").mkdir(parents=True)
    (model / "scheduler").mkdir()
    write_json(model / "unet" / "config.json", CONFIG | (network or {}))
    write_json(model / "scheduler" / "scheduler_config.json", SCHEDULER | (scheduler or {}))
    file = model / "unet" / name
    values = weights() if tensors is None else tensors
    if file.suffix == ".safetensors":
        save_file(values, file)
    else:
        torch.save(values, file)
    return model


def write_json(path, values):
    path.write_text(json.dumps(values))


def unet(model):
    """The folder with the network of a sound model."""
    return model / "unet"


def file_of(folder, content, name="model.pt"):
    """The path of a file with this content."""
    path = folder / name
    path.write_bytes(content)
    return str(path)
