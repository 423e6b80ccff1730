"""Checkpoints of guided-diffusion and improved-diffusion compute what their networks compute."""

import pytest
import torch
from references.compare import deviation, written
from references.guided_diffusion import Guided
from references.store import Store

import ddim_studio as ds
from ddim_studio.models import guided as family
from ddim_studio.models.checkpoint_file import Checkpoint
from ddim_studio.models.guided_layout import parts_of, read_layout
from ddim_studio.models.loading import describe
from ddim_studio.models.renaming import renamed
from ddim_studio.models.unet import empty_unet


def by_width(width):
    return lambda channels: channels // width


def fixed(heads):
    return lambda _channels: heads


TINY = {"sample_size": 16}
SMALL = {"channels": 32, "mult": (1, 2, 3, 4), "blocks": 1, "attention_at": (1, 2)}
VARIANTS = {
    "residual resampling, head by head": ({"heads": by_width(32)}, {"num_head_channels": 32}),
    "queries, keys, values first": (
        {"heads": by_width(32), "use_new_attention_order": True},
        {"num_head_channels": 32, "use_new_attention_order": True},
    ),
    "as many heads at every level": ({"heads": fixed(4)}, {"num_heads": 4}),
    "resampling by convolutions": ({"heads": fixed(4), "resblock_updown": False}, {}),
    "no scale, only shift": (
        {"heads": fixed(1), "resblock_updown": False, "use_scale_shift_norm": False},
        {"num_heads": 1},
    ),
    "two blocks, attention everywhere": (
        {"heads": by_width(16), "blocks": 2, "attention_at": (0, 1, 2, 3)},
        {"num_head_channels": 16},
    ),
    "attention on the last level only": (
        {"heads": by_width(64), "attention_at": (3,)},
        {"num_head_channels": 64},
    ),
    "no learned variance": ({"heads": by_width(32), "out": 3}, {"num_head_channels": 32}),
}


def small_model(size=16, channels=3, seed=1, **changes):
    """The reference, and the tensors that its checkpoint holds."""
    weights = Store(seed)
    network = Guided(weights, **(SMALL | changes))
    label = 0 if network.classes else None
    network(torch.zeros(1, channels, size, size), torch.zeros(1), label)
    return network, weights.tensors


@pytest.mark.parametrize("variant", VARIANTS)
def test_epsilon_is_that_of_the_network(tmp_path, variant):
    changes, hints = VARIANTS[variant]
    reference, tensors = small_model(**changes)
    model = ds.load_model(written(tmp_path, tensors, TINY | hints), device="cpu")
    assert model.image_shape == (3, 16, 16)
    assert deviation(model, reference) < 1e-5
    assert model.info.parameters == sum(tensor.numel() for tensor in tensors.values())
    learned = "It has learned its variance too, which is not used."
    assert (learned in model.info.notes) == (reference.out == 6)


def test_the_order_of_attention_matters(tmp_path):
    """Else the comparison above would prove nothing about it."""
    reference, tensors = small_model(heads=by_width(32))
    hints = TINY | {"num_head_channels": 32, "use_new_attention_order": True}
    model = ds.load_model(written(tmp_path, tensors, hints), device="cpu")
    assert deviation(model, reference) > 1e-2


@pytest.mark.parametrize("label", [0, 3, 9])
def test_a_model_with_classes(tmp_path, label):
    reference, tensors = small_model(heads=by_width(32), classes=10)
    path = written(tmp_path, tensors, TINY | {"num_head_channels": 32})
    model = ds.load_model(path, device="cpu").with_class(label)
    assert model.info.classes == 10
    assert deviation(model, lambda x, t: reference(x, t, label)) < 1e-5


def test_grey_images_of_another_size(tmp_path):
    reference, tensors = small_model(16, 1, mult=(1, 2), attention_at=(1,), heads=fixed(4), out=2)
    hints = {"num_heads": 4, "sample_size": [16, 24]}
    model = ds.load_model(written(tmp_path, tensors, hints), device="cpu")
    assert model.image_shape == (1, 16, 24)
    assert deviation(model, reference) < 1e-5


def test_rescaled_timesteps_and_a_schedule_of_4000(tmp_path):
    """improved-diffusion gives its network t·1000/T."""
    reference, tensors = small_model(heads=fixed(4), resblock_updown=False)
    hints = TINY | {
        "num_heads": 4,
        "num_train_timesteps": 4000,
        "beta_schedule": "linear",
        "rescale_timesteps": True,
    }
    model = ds.load_model(written(tmp_path, tensors, hints), device="cpu")
    times = (0, 1, 1482, 3999)
    assert deviation(model, lambda x, t: reference(x, t * 0.25), times) < 1e-5
    betas = torch.linspace(0.25e-4, 0.005, 4000, dtype=torch.float64)
    torch.testing.assert_close(model.schedule.alpha_bars, (1 - betas).cumprod(0))


ADM = {"heads": by_width(64), "attention_at": (3, 4, 5), "channels": 256, "blocks": 2}
DEEP = (1, 1, 2, 2, 4, 4)
IMPROVED = {"channels": 128, "blocks": 3, "heads": fixed(4), "resblock_updown": False}
PUBLISHED = {
    "256x256_diffusion_uncond": (ADM | {"mult": DEEP}, 256, 552.8, "linear", 1000, False, 1.0),
    "256x256_diffusion": (
        ADM | {"mult": DEEP, "classes": 1000},
        256,
        553.8,
        "linear",
        1000,
        False,
        1.0,
    ),
    "128x128_diffusion": (
        ADM
        | {
            "mult": (1, 1, 2, 3, 4),
            "classes": 1000,
            "heads": fixed(4),
            "attention_at": (2, 3, 4),
        },
        128,
        421.5,
        "linear",
        1000,
        False,
        1.0,
    ),
    "64x64_diffusion": (
        {
            "channels": 192,
            "mult": (1, 2, 3, 4),
            "blocks": 3,
            "attention_at": (1, 2, 3),
            "heads": by_width(64),
            "classes": 1000,
        },
        64,
        295.9,
        "squared cosine",
        1000,
        True,
        1.0,
    ),
    "ffhq of P2 weighting": (
        ADM | {"channels": 128, "blocks": 1, "attention_at": (4,), "mult": DEEP},
        256,
        93.6,
        "linear",
        1000,
        False,
        1.0,
    ),
    "cifar10_uncond_50M": (
        IMPROVED | {"mult": (1, 2, 2, 2), "attention_at": (1, 2)},
        32,
        52.5,
        "squared cosine",
        4000,
        False,
        0.25,
    ),
    "imagenet64_uncond_100M": (
        IMPROVED | {"mult": (1, 2, 3, 4), "attention_at": (2, 3)},
        64,
        121.1,
        "squared cosine",
        4000,
        False,
        0.25,
    ),
    "lsun_uncond_100M": (
        IMPROVED | {"mult": DEEP, "attention_at": (4,), "blocks": 2, "use_scale_shift_norm": False},
        256,
        113.7,
        "linear",
        1000,
        False,
        1.0,
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_models_are_known(tmp_path, name):
    """Full size, names and shapes only."""
    settings, size, millions, schedule, timesteps, new_order, scale = PUBLISHED[name]
    weights = Store(device="meta")
    network = Guided(weights, **settings)
    x, t = torch.zeros(1, 3, 64, 64, device="meta"), torch.zeros(1, device="meta")
    network(x, t, 0)
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.tensors.items()}
    checkpoint = Checkpoint(tmp_path / "x.pt", shapes)
    plan = family.blueprint(checkpoint)
    assert plan.image_shape == (3, size, size)
    assert plan.parameters / 1e6 == pytest.approx(millions, abs=0.05)
    assert plan.notes == ("It has learned its variance too, which is not used.",)
    assert plan.scheduler["num_train_timesteps"] == timesteps
    assert (
        schedule.replace("squared cosine", "squaredcos_cap_v2") == plan.scheduler["beta_schedule"]
    )
    assert (plan.time_scale, plan.classes) == (scale, settings.get("classes", 0))
    layout = read_layout(checkpoint)
    assert family._unsaid(checkpoint, layout)[0].new_order == new_order
    empty = empty_unet(plan.network, heads=plan.heads)
    for module in empty.modules():
        if type(module).__name__ == "Attention":
            expected = settings["heads"](module.inner_dim)
            if name == "lsun_uncond_100M":
                expected = 1
            assert module.heads == expected
            assert module.scale == pytest.approx((module.inner_dim // expected) ** -0.5)
    ready = renamed(empty.state_dict(), weights.tensors, parts_of(layout, lambda _channels: 1))
    assert {n: t.shape for n, t in ready.tensors.items()} == {
        n: t.shape for n, t in empty.state_dict().items()
    }


def test_assumptions_are_said(tmp_path):
    _, tensors = small_model(heads=fixed(4), resblock_updown=False)
    info = describe(written(tmp_path, tensors))
    assert info.image_shape == (3, 64, 64)  # what the code makes of these multiples
    notes = info.notes
    assert any("does not say its schedule" in note for note in notes)
    assert any("how attention is split" in note for note in notes)
    hints = {"num_heads": 4, "beta_schedule": "squaredcos_cap_v2", "license": "mit"}
    info = describe(written(tmp_path, tensors, hints))
    assert info.notes == ("It has learned its variance too, which is not used.",)
    assert (info.schedule, info.licence) == ("squared cosine", "mit")


def without(tensors, part):
    return {name: tensor for name, tensor in tensors.items() if part not in name}


def damaged(**changes):
    return small_model(heads=fixed(4), resblock_updown=False, **changes)[1]


REFUSED = {
    "a size of its own": (damaged(mult=(1, 3)), "does not say the size of its images"),
    "heads that do not fit": (
        small_model(channels=3, heads=by_width(32), resblock_updown=True)[1],
        "does not say how its attention is split into heads",
    ),
    "six channels": (damaged() | {"input_blocks.0.0.weight": torch.zeros(32, 6, 3, 3)}, "takes 6"),
    "a classifier": (
        without(damaged(), "output_blocks"),
        "output blocks make no levels|incomplete",
    ),
    "a text model": (
        damaged() | {"input_blocks.1.1.transformer_blocks.0.norm1.weight": torch.zeros(3)},
        "conditioned on texts",
    ),
    "a latent model": (
        {f"model.diffusion_model.{n}": t for n, t in damaged().items()}
        | {"first_stage_model.encoder.conv_in.weight": torch.zeros(3)},
        "a latent diffusion model",
    ),
    "a missing tensor": (
        without(damaged(), "middle_block.1.qkv.bias"),
        "middle_block.1.qkv.bias is missing",
    ),
    "a tensor too much": (damaged() | {"out.7.bias": torch.zeros(1)}, "out.7.bias is not part"),
    "a wrong shape": (
        damaged() | {"middle_block.1.qkv.weight": torch.zeros(383, 128, 1)},
        "middle_block.1.qkv.weight is 383×128×1",
    ),
    "a base of its own": (
        damaged() | {"time_embed.0.weight": torch.zeros(256, 64)},
        "other channels than the time embedding",
    ),
    "a flat convolution": (
        damaged() | {"input_blocks.0.0.weight": torch.zeros(32, 3)},
        "input_blocks.0.0.weight has 2 dimensions in the place of 4",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_whole_network_is_refused_by_the_names_of_the_file(tmp_path, refused, case):
    tensors, says = REFUSED[case]
    refused(written(tmp_path, tensors), says)
