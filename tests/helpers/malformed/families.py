"""Checkpoints of known families with something wrong in them."""

from __future__ import annotations

import json
from functools import cache

from malformed.item import item, weights

GROUP = "checkpoints"


@cache
def _official():
    import torch
    from references.official_ddim import official
    from references.store import Store

    store = Store(1)
    shape = {"ch": 32, "mult": (1, 2, 2), "blocks": 1, "attention_at": {16}}
    official(store, torch.zeros(1, 3, 32, 32), torch.zeros(1), **shape)
    return store.tensors


@cache
def _guided():
    import torch
    from references.guided_diffusion import Guided
    from references.store import Store

    store = Store(1)
    shape = {"channels": 32, "mult": (1, 2, 3, 4), "blocks": 1, "attention_at": (1, 2)}
    network = Guided(store, heads=lambda channels: channels // 32, **shape)
    network(torch.zeros(1, 3, 16, 16), torch.zeros(1))
    return store.tensors


@cache
def _lucidrains():
    import torch
    from references.lucidrains import Lucidrains
    from references.store import Store

    store = Store(1)
    network = Lucidrains(store, (2, 1, 1))
    network(torch.zeros(1, 3, 16, 16), torch.zeros(1))
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    buffers = {"betas": betas.float(), "loss_weight": torch.ones(1000)}
    return store.tensors | buffers


def saved(folder, tensors, hints=None):
    """The path of a checkpoint that holds these, and the facts beside it."""
    import torch

    torch.save(tensors, folder / "model.pt")
    if hints is not None:
        (folder / "model.ddim.json").write_text(json.dumps(hints))
    return str(folder / "model.pt")


def without(tensors, mark):
    return {name: tensor for name, tensor in tensors.items() if mark not in name}


def lucidrains(folder, hints=None, **changes):
    """A sound checkpoint of denoising-diffusion-pytorch but for these changes."""
    return saved(folder, _lucidrains() | changes, hints)


@item(
    GROUP,
    "an official checkpoint without its second level",
    "down.1.block.0.conv1.weight is missing",
)
def official_without_a_level(folder):
    return saved(folder, without(_official(), "down.1."))


@item(GROUP, "an official checkpoint with a tensor of another shape", "network needs|first level")
def official_of_another_shape(folder):
    import torch

    return saved(folder, _official() | {"temb.dense.0.weight": torch.zeros(100, 30)})


@item(GROUP, "an official checkpoint with NaN", "mid.block_1.conv1.weight holds NaN")
def official_with_nan(folder):
    import torch

    tensors = dict(_official())
    tensors["mid.block_1.conv1.weight"] = torch.full((64, 64, 3, 3), torch.nan)
    return saved(folder, tensors)


@item(GROUP, "an official checkpoint whose convolution is a vector", "has 1 dimensions")
def official_with_a_vector(folder):
    import torch

    return saved(folder, _official() | {"conv_in.weight": torch.zeros(32)})


@item(GROUP, "an official checkpoint of no channels", "conv_in.weight holds no numbers")
def official_of_no_channels(folder):
    import torch

    empty = {name: torch.zeros([0] * tensor.ndim) for name, tensor in _official().items()}
    return saved(folder, empty)


@item(GROUP, "a guided checkpoint with heads that divide no channels", "split into heads")
def guided_with_impossible_heads(folder):
    return saved(folder, _guided(), {"sample_size": 16, "num_heads": 7})


@item(GROUP, "a guided checkpoint without its way up", "output blocks make no levels")
def guided_without_its_way_up(folder):
    return saved(folder, without(_guided(), "output_blocks."))


@item(GROUP, "a guided checkpoint of no channels", "holds no numbers")
def guided_of_no_channels(folder):
    import torch

    empty = {name: torch.zeros([0] * tensor.ndim) for name, tensor in _guided().items()}
    return saved(folder, empty, {"sample_size": 16, "num_heads": 1})


@item(GROUP, "a guided checkpoint that does not say the size of its images", "size of its images")
def guided_of_unknown_size(folder):
    import torch
    from references.guided_diffusion import Guided
    from references.store import Store

    store = Store(1)
    shape = {"channels": 32, "mult": (1, 5), "blocks": 1, "attention_at": (1,)}
    Guided(store, heads=lambda _channels: 1, **shape)(torch.zeros(1, 3, 16, 16), torch.zeros(1))
    return saved(folder, store.tensors)


@item(GROUP, "a denoising-diffusion-pytorch checkpoint with NaN in its β", "betas")
def lucidrains_with_nan_betas(folder):
    import torch

    return lucidrains(folder, {"sample_size": 16}, betas=torch.full((1000,), torch.nan))


@item(GROUP, "a denoising-diffusion-pytorch checkpoint without its schedule", "its schedule")
def lucidrains_without_betas(folder):
    tensors = without(without(_lucidrains(), "betas"), "loss_weight")
    return saved(folder, tensors, {"sample_size": 16})


@item(
    GROUP,
    "a denoising-diffusion-pytorch checkpoint whose β is a matrix",
    "betas (is no|must be a) list",
)
def lucidrains_with_a_matrix(folder):
    import torch

    return lucidrains(folder, {"sample_size": 16}, betas=torch.zeros(3, 3))


@item(GROUP, "a denoising-diffusion-pytorch checkpoint for an odd size", "cannot take images of")
def lucidrains_of_an_odd_size(folder):
    return lucidrains(folder, {"sample_size": 15})


@item(GROUP, "a denoising-diffusion-pytorch checkpoint with one level lost", "missing")
def lucidrains_without_a_level(folder):
    return saved(folder, without(_lucidrains(), "downs.0.1"), {"sample_size": 16})


@item(GROUP, "a training state with the optimizer alone", "does not hold|optimizer")
def optimizer_alone(folder):
    import torch

    network = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(1, 2)).sum().backward()
    optimizer.step()
    return saved(folder, optimizer.state_dict())


@item(GROUP, "a moving average of another network than the weights", "belongs to another network")
def average_of_another_network(folder):
    average = {f"other.{name}": tensor for name, tensor in _official().items()}
    return saved(folder, {"model": _official(), "ema": average})


@item(GROUP, "a moving average of another size than the weights", "belongs to another network")
def average_of_another_size(folder):
    import torch

    average = dict(_official())
    average["conv_in.weight"] = torch.zeros(64, 3, 3, 3)
    return saved(folder, {"model": _official(), "ema": average})


@item(
    GROUP, "a latent diffusion model in one file", "a latent diffusion model, which draws latents"
)
def latent_diffusion(folder):
    import torch

    names = ("first_stage_model.encoder.conv_in.weight", "model.diffusion_model.out.2.weight")
    return saved(folder, {"state_dict": {name: torch.zeros(2, 2) for name in names}})


@item(GROUP, "the weights of a classifier of images", "no network of a known kind")
def classifier(folder):
    import torch

    return saved(folder, {"layer1.0.conv1.weight": torch.zeros(8), "fc.weight": torch.zeros(8)})


@item(GROUP, "a list of numbers", "does not hold")
def list_of_numbers(folder):
    return saved(folder, [1, 2, 3])


@item(GROUP, "a dictionary of dictionaries, 200,000 deep", "exhaust")
def dictionaries_in_dictionaries(folder):
    from malformed.item import file_of
    from malformed.payloads import zipped

    body = b"\x80\x02" + b"}X\x05\0\0\0model" * 200_000 + b"}" + b"s" * 200_000 + b"."
    return file_of(folder, zipped(body))


@item(GROUP, "numbered tensors in the place of named ones", "does not hold")
def numbered_tensors(folder):
    return saved(folder, dict(enumerate(weights().values())))
