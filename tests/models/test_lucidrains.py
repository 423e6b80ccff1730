"""Checkpoints of denoising-diffusion-pytorch compute what its networks do, of every version."""

from itertools import pairwise

import pytest
import torch
from references.compare import deviation, written
from references.lucidrains import Lucidrains
from references.store import Store

import ddim_studio as ds
from ddim_studio.models.loading import describe

TIMES = (0, 37, 199)
SIZE = {"sample_size": 16}
BETAS = torch.linspace(1e-4, 0.1, 200, dtype=torch.float64)
KINDS = {
    "epsilon": torch.ones_like,
    "sample": lambda snr: snr,
    "v_prediction": lambda snr: snr / (snr + 1),
}
VERSIONS = [
    "0.32.0",
    "1.0.7",
    "1.6.4",
    "1.7.1",
    "1.7.2",
    "1.8.0",
    "1.8.15",
    "1.9.0",
    "1.11.1",
    "2.2.0",
]


def numbers(version):
    return tuple(map(int, version.split(".")))


def small_network(version="2.2.0", size=16, **changes):
    """The reference, and the tensors of its network."""
    weights = Store(1)
    settings = {"dim": 16, "channels": 3, "prefix": "model."} | changes
    network = Lucidrains(weights, numbers(version), **settings)
    network(torch.zeros(1, settings["channels"], size, size), torch.zeros(1))
    return network, weights.tensors


def diffusion(kind="v_prediction", betas=BETAS, gamma=None):
    """The buffers of its diffusion, float32 as the package keeps them."""
    alpha_bars = (1 - betas).cumprod(0)
    snr = alpha_bars / (1 - alpha_bars)
    weight = KINDS[kind](snr) * (1 if gamma is None else snr.clamp(max=gamma) / snr)
    buffers = {
        "betas": betas,
        "alphas_cumprod": alpha_bars,
        "sqrt_one_minus_alphas_cumprod": (1 - alpha_bars).sqrt(),
        "log_one_minus_alphas_cumprod": (1 - alpha_bars).log(),
        "posterior_mean_coef1": betas,
        "loss_weight": weight,
    }
    return {name: values.float() for name, values in buffers.items()}


def training_state(tensors, version, *, initted=True, online=None):
    """What its trainer saves; the network that is trained differs from its average."""
    online = {name: tensor * 0.5 for name, tensor in tensors.items()} if online is None else online
    average = {"initted": torch.tensor(initted), "step": torch.tensor(9)}
    average |= {f"ema_model.{name}": tensor for name, tensor in tensors.items()}
    average |= {f"online_model.{name}": tensor for name, tensor in online.items()}
    state = {
        "step": 1000,
        "model": online,
        "opt": {"state": {}, "param_groups": [{"lr": 1e-4}]},
        "ema": average,
        "scaler": None,
    }
    return state if numbers(version) < (1, 0, 0) else state | {"version": version}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_network_of_every_version(tmp_path, version):
    full = (1,) if numbers(version) >= (1, 8, 0) else ()
    reference, tensors = small_network(version, full=full)
    state = training_state(tensors | diffusion(), version)
    model = ds.load_model(written(tmp_path, state, SIZE), device="cpu")
    assert deviation(model, reference, TIMES) < 1e-5
    assert model.image_shape == (3, 16, 16)
    assert model.info.parameters == sum(tensor.numel() for tensor in tensors.values())
    assert "moving average" in model.info.notes[0]


def test_versions_differ_where_their_tensors_do_not(tmp_path):
    """Else the comparison above would prove nothing about what a version changed."""
    _, tensors = small_network("1.6.4")
    outputs = []
    for version in ("1.6.4", "1.7.1", "1.7.2"):
        path = written(tmp_path, training_state(tensors | diffusion(), version), SIZE)
        model = ds.load_model(path, device="cpu")
        outputs.append(model.raw(ds.seeded_noise(model, seeds=[0]), 50))
    apart = [float((a - b).abs().max()) for a, b in pairwise(outputs)]
    assert min(apart) > 1e-3


VARIANTS = {
    "grey": {"channels": 1},
    "three levels": {"dim_mults": (1, 2, 4)},
    "one level": {"dim_mults": (2,)},
    "full attention first": {"full": (0,)},
    "two heads of 16": {"heads": 2, "dim_head": 16},
    "self-conditioned": {"self_condition": True},
    "learned variance": {"learned_variance": True},
    "grey, self-conditioned": {"channels": 1, "self_condition": True},
    "saved as denoise_fn": {"prefix": "denoise_fn."},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_networks_settings_are_read_from_its_tensors(tmp_path, variant):
    reference, tensors = small_network(**VARIANTS[variant])
    state = training_state(tensors | diffusion(), "2.2.0")
    model = ds.load_model(written(tmp_path, state, SIZE), device="cpu")
    assert deviation(model, reference, TIMES) < 1e-5
    assert any("last x̂_0" in note for note in model.info.notes) == ("self" in variant)


@pytest.mark.parametrize("name", ["model-7.pt", "model-7.safetensors"])
def test_the_diffusion_saved_alone(tmp_path, name):
    reference, tensors = small_network()
    path = written(tmp_path, tensors | diffusion(), {"sample_size": [16, 24]}, name)
    model = ds.load_model(path, device="cpu")
    assert deviation(model, reference, TIMES) < 1e-5
    assert model.image_shape == (3, 16, 24)
    assert describe(path) == model.info


def test_the_network_saved_alone(tmp_path):
    reference, tensors = small_network(prefix="")
    hints = SIZE | {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "sample"}
    model = ds.load_model(written(tmp_path, tensors, hints), device="cpu")
    assert deviation(model, reference, TIMES) < 1e-5
    assert (model.prediction, model.info.schedule) == ("sample", "squared cosine")


def test_groups_and_heads_that_the_tensors_do_not_tell(tmp_path):
    reference, tensors = small_network("1.8.15", groups=4, heads=2, dim_head=64)
    hints = SIZE | {"resnet_block_groups": 4, "num_heads": 2}
    state = training_state(tensors | diffusion(), "1.8.15")
    model = ds.load_model(written(tmp_path, state, hints), device="cpu")
    assert deviation(model, reference, TIMES) < 1e-5


def test_an_average_that_has_not_begun_is_not_used(tmp_path):
    reference, tensors = small_network()
    zeros = {name: tensor * 0 for name, tensor in tensors.items()} | diffusion()
    state = training_state(zeros, "2.2.0", initted=False, online=tensors | diffusion())
    model = ds.load_model(written(tmp_path, state, SIZE), device="cpu")
    assert deviation(model, reference, TIMES) < 1e-5
    assert "raw weights" in model.info.notes[0]


@pytest.mark.parametrize("gamma", [None, 5.0, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_predicted_and_the_schedule_are_read_from_the_buffers(tmp_path, kind, gamma):
    _, tensors = small_network()
    path = written(tmp_path, tensors | diffusion(kind, gamma=gamma), SIZE)
    model = ds.load_model(path, device="cpu")
    assert model.prediction == kind
    torch.testing.assert_close(model.schedule.alpha_bars, (1 - BETAS).cumprod(0), rtol=1e-5, atol=0)
    # x̂_0 and ε agree with x_t, as the package's own formulas have them
    x = ds.seeded_noise(model, seeds=[3]).double()
    a = model.schedule.alpha_bar(100)
    x0, epsilon = model.predict(x, 100)
    torch.testing.assert_close(a**0.5 * x0 + (1 - a) ** 0.5 * epsilon, x)
    assert model.info.timesteps == 200


def test_before_version_1_5_the_prediction_is_assumed_and_said(tmp_path):
    _, tensors = small_network("1.0.7")
    buffers = diffusion()
    buffers["p2_loss_weight"] = torch.ones_like(buffers.pop("loss_weight"))
    info = describe(written(tmp_path, tensors | buffers, SIZE | {"version": "1.0.7"}))
    assert info.prediction.startswith("ε")
    assert any("ε, as by default, is assumed" in note for note in info.notes)


def test_a_training_state_without_a_version_is_of_before_1_0(tmp_path):
    reference, tensors = small_network("0.32.0")
    state = training_state(tensors | diffusion(), "0.32.0")
    model = ds.load_model(written(tmp_path, state, SIZE), device="cpu")
    assert deviation(model, reference, TIMES) < 1e-5
    assert any("before 1.0 is assumed" in note for note in model.info.notes)


def plain(version="2.2.0", **changes):
    return small_network(version, **changes)[1] | diffusion()


def renamed(tensors, old, new):
    return {name.replace(old, new): tensor for name, tensor in tensors.items()}


def unlike(name, values):
    return plain() | {name: values}


REFUSED = {
    "no size": (plain(), {}, "does not say the size of its images"),
    "no version": (plain("1.6.4"), SIZE, "does not say which version of the package wrote it"),
    "a version of its own": (plain("1.6.4"), SIZE | {"version": "new"}, "which version"),
    "an old version": (plain("1.6.4"), SIZE | {"version": "0.27.1"}, "a version before 0.32"),
    "an older version": (
        renamed(plain(), ".block1.proj.", ".block1.block.0."),
        SIZE,
        "a version before 0.32",
    ),
    "no schedule": (small_network(prefix="")[1], SIZE, "does not say its schedule"),
    "no prediction": (
        small_network(prefix="")[1],
        SIZE | {"beta_schedule": "linear"},
        "does not say what it predicts",
    ),
    "a loss of its own": (
        unlike("loss_weight", torch.rand(200, generator=torch.Generator().manual_seed(0))),
        SIZE,
        "does not say what it predicts",
    ),
    "a size that cannot be halved": (
        plain(dim_mults=(1, 2, 4)),
        {"sample_size": 18},
        "cannot take images of 18×18 pixels: it halves them 2 times",
    ),
    "betas in two dimensions": (unlike("betas", torch.zeros(2, 100)), SIZE, "schedule .* damaged"),
    "betas of whole numbers": (
        unlike("betas", torch.zeros(200, dtype=torch.int64)),
        SIZE,
        "schedule .* damaged",
    ),
    "betas that are no schedule": (unlike("betas", torch.full((200,), 2.0)), SIZE, "from 0 to 1"),
    "no numbers in betas": (unlike("betas", torch.full((200,), torch.nan)), SIZE, "from 0 to 1"),
    "classes": (
        unlike("model.classes_emb.weight", torch.zeros(10, 16)),
        SIZE,
        "classifier-free guidance",
    ),
    "continuous time": (unlike("model.time_mlp.0.weights", torch.zeros(8)), SIZE, "no timesteps t"),
    "another wrapper": (unlike("vae.weight", torch.zeros(8)), SIZE, "more than a network"),
    "four channels": (plain(channels=4), SIZE, "takes 4 channels and gives 4"),
    "a missing tensor": (
        {n: t for n, t in plain().items() if n != "model.mid_attn.to_out.bias"},
        SIZE,
        "model.mid_attn.to_out.bias is missing",
    ),
    "a missing level": (
        {n: t for n, t in plain().items() if "downs.1.3" not in n},
        SIZE,
        "downs.1.3.weight is missing",
    ),
    "a tensor too much": (
        unlike("model.mid_attn.more", torch.zeros(1)),
        SIZE,
        "mid_attn.more is not part",
    ),
    "another shape": (
        unlike("model.final_res_block.block1.proj.weight", torch.zeros(16, 31, 3, 3)),
        SIZE,
        "model.final_res_block.block1.proj.weight is 16×31×3×3, the network needs 16×32×3×3",
    ),
    "groups that do not fit": (
        plain("1.9.0", dim=20, groups=4),
        SIZE,
        "how many groups it normalises",
    ),
    "heads that do not fit": (
        plain("1.8.0", heads=1, dim_head=24),
        SIZE,
        "how its attention is split into heads",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_opened_is_refused_in_a_sentence(tmp_path, refused, case):
    tensors, hints, says = REFUSED[case]
    refused(written(tmp_path, tensors, hints), says)
