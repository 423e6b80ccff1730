"""Checkpoints of the official DDIM code compute what its network computes."""

from functools import partial

import pytest
import torch
from references.compare import deviation, written
from references.official_ddim import official
from references.store import Store

import ddim_studio as ds
from ddim_studio.models import official as family
from ddim_studio.models.checkpoint_file import Checkpoint
from ddim_studio.models.loading import describe
from ddim_studio.models.renaming import renamed
from ddim_studio.models.unet import empty_unet

SMALL = {"ch": 32, "mult": (1, 2, 2), "blocks": 2, "attention_at": {16}}
VARIANTS = {
    "attention on the second level": (SMALL, 32, None),
    "attention on the first level": (SMALL | {"mult": (1, 2), "blocks": 1}, 16, None),
    "attention on two levels": (SMALL | {"attention_at": {16, 8}}, 32, 32),
    "no attention but in the middle": (SMALL | {"attention_at": set()}, 24, 24),
    "three blocks, no attention needed for the size": (SMALL | {"blocks": 3}, 32, 32),
}


def small_model(config=None, size=32, channels=3, seed=1):
    """The reference, and the tensors that its checkpoint holds."""
    weights = Store(seed)
    reference = partial(official, weights, **(config or SMALL), out=channels)
    reference(torch.zeros(1, channels, size, size), torch.zeros(1))
    return reference, weights.tensors


@pytest.mark.parametrize("variant", VARIANTS)
def test_epsilon_is_that_of_the_official_network(tmp_path, variant):
    config, size, given = VARIANTS[variant]
    reference, tensors = small_model(config, size)
    hints = None if given is None else {"sample_size": given}
    model = ds.load_model(written(tmp_path, tensors, hints), device="cpu")
    assert model.image_shape == (3, size, size)
    assert deviation(model, reference) < 1e-5
    assert (model.info.timesteps, model.info.schedule) == (1000, "linear, β 0.0001 … 0.02")
    assert model.info.prediction.startswith("ε")
    assert model.info.parameters == sum(tensor.numel() for tensor in tensors.values())
    assert "official" in model.info.family


@pytest.mark.parametrize("name", ["a.ckpt", "b.pth", "c.bin", "d.safetensors"])
def test_grey_images_and_every_kind_of_file(tmp_path, name):
    reference, tensors = small_model(channels=1)
    path = written(tmp_path, tensors, name=name)
    model = ds.load_model(str(path), device="cpu")
    assert deviation(model, reference) < 1e-5
    assert (model.image_shape, model.info.name) == ((1, 32, 32), name)
    assert describe(path) == describe(model.info.source) == model.info
    assert ds.load_model(tmp_path, device="cpu").info == model.info  # the only one in its folder


def test_the_logvar_of_the_bayesian_variant_is_left_out(tmp_path):
    reference, tensors = small_model()
    path = written(tmp_path, tensors | {"logvar": torch.zeros(1000)})
    model = ds.load_model(path, device="cpu")
    assert deviation(model, reference) < 1e-5
    assert model.info.parameters == sum(tensor.numel() for tensor in tensors.values())


def published(channels, mult, blocks, size):
    """The names and shapes of a published checkpoint."""
    weights = Store(device="meta")
    x, t = torch.zeros(1, 3, size, size, device="meta"), torch.zeros(1, device="meta")
    official(weights, x, t, ch=channels, mult=mult, blocks=blocks, attention_at={16})
    return weights.tensors


@pytest.mark.parametrize(
    ("mult", "size", "millions"),
    [((1, 2, 2, 2), 32, 35.7), ((1, 2, 2, 2, 4), 64, 78.7), ((1, 1, 2, 2, 4, 4), 256, 113.7)],
)
def test_the_published_configurations_are_known(tmp_path, mult, size, millions):
    """Full size, names and shapes only: CIFAR-10, CelebA, LSUN; 35.7 M is the paper's number."""
    tensors = published(128, mult, 2, size)
    checkpoint = Checkpoint(tmp_path / "x.pt", {n: tuple(t.shape) for n, t in tensors.items()})
    plan = family.blueprint(checkpoint)
    assert plan.image_shape == (3, size, size)
    assert plan.notes == ()
    assert plan.parameters / 1e6 == pytest.approx(millions, abs=0.05)
    network = empty_unet(plan.network)
    ready = renamed(network.state_dict(), tensors, family.parts_of(plan.network)).tensors
    assert {n: t.shape for n, t in ready.items()} == {
        n: t.shape for n, t in network.state_dict().items()
    }


def test_a_size_that_was_concluded_is_said(tmp_path):
    _, tensors = small_model()
    (note,) = describe(written(tmp_path, tensors)).notes
    assert "32×32 is concluded" in note


REFUSED = {
    "attention on two levels": (
        small_model(SMALL | {"attention_at": {16, 8}})[1],
        "does not say the size of its images",
        '"sample_size": 64',
    ),
    "no convolution in resampling": (
        {n: t for n, t in small_model()[1].items() if "sample" not in n},
        "resamples without convolutions",
        "resamp_with_conv",
    ),
    "a first level of its own": (
        small_model()[1] | {"down.0.block.0.conv1.weight": torch.zeros(64, 32, 3, 3)},
        "none of the published ones",
        "ch_mult",
    ),
    "four channels": (small_model(channels=4)[1], "takes 4 channels and gives 4", "draws pictures"),
    "incomplete": (
        {n: t for n, t in small_model()[1].items() if n != "mid.attn_1.k.bias"},
        "mid.attn_1.k.bias is missing",
        "",
    ),
    "too much": (small_model()[1] | {"mid.extra": torch.zeros(1)}, "mid.extra is not part", ""),
    "another shape": (
        small_model()[1] | {"mid.attn_1.q.weight": torch.zeros(64, 64)[:, :32]},
        "mid.attn_1.q.weight is 64×32, the network needs 64×64",
        "",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_whole_network_is_refused_by_the_names_of_the_file(tmp_path, refused, case):
    tensors, says, advice = REFUSED[case]
    path = written(tmp_path, {name: tensor.clone() for name, tensor in tensors.items()})
    refused(path, says)
    with pytest.raises(ds.ModelError) as caught:
        ds.load_model(path, device="cpu")
    assert advice in caught.value.advice
