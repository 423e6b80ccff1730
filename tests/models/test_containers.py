"""The network's state is found in training states, and the moving average preferred."""

import json
from functools import partial

import pytest
import torch
from references.compare import deviation, written
from references.official_ddim import official
from references.store import Store

import ddim_studio as ds
from ddim_studio.models.loading import describe

SETTINGS = {"ch": 32, "mult": (1, 2), "blocks": 1, "attention_at": {16}}


@pytest.fixture(scope="module")
def network():
    """The reference, and the tensors that its checkpoint holds."""
    weights = Store(5)
    reference = partial(official, weights, **SETTINGS)
    reference(torch.zeros(1, 3, 16, 16), torch.zeros(1))
    return reference, weights.tensors


def prefixed(prefix, tensors):
    return {prefix + name: tensor for name, tensor in tensors.items()}


def other(tensors):
    """Weights of the same names that are not the ones to be used."""
    return {name: tensor * 0.5 + 1 for name, tensor in tensors.items()}


STATES = {
    "official, with its average": (
        lambda t: [prefixed("module.", other(t)), {"state": {}}, 3, 500, t],
        "moving average",
    ),
    "official, without": (lambda t: [prefixed("module.", t), {"state": {}}, 3, 500], "raw weights"),
    "official, parts of the average": (
        # it covers parameters only: the rest comes from the network
        lambda t: [
            prefixed("module.", {n: v if "norm" in n else v * 0 for n, v in t.items()}),
            {"state": {}},
            3,
            500,
            {n: v for n, v in t.items() if "norm" not in n},
        ],
        "moving average",
    ),
    "a tuple": (lambda t: (t, {}, 1, 2), "raw weights"),
    "state_dict": (lambda t: {"state_dict": t, "epoch": 3}, "raw weights"),
    "model and ema": (lambda t: {"model": other(t), "ema": t, "lr": 0.1}, "moving average"),
    "ema that is no state": (
        lambda t: {"model": t, "ema": {"shadow_params": list(t.values()), "decay": 0.99}},
        "raw weights",
    ),
    "an average alone": (lambda t: {"ema": prefixed("module.", t)}, "moving average"),
    "an averaging object alone": (
        lambda t: {
            "initted": torch.tensor([True]),
            "step": torch.tensor([3]),
            **prefixed("ema_model.", t),
            **prefixed("online_model.", other(t)),
        },
        "moving average",
    ),
    "parallel, then compiled": (lambda t: prefixed("_orig_mod.module.", t), ""),
    "flat": (lambda t: t, ""),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_the_weights_to_be_used_are_found(tmp_path, network, state, zipped):
    reference, tensors = network
    make, note = STATES[state]
    path = tmp_path / "state.pth"
    torch.save(make(dict(tensors)), path, _use_new_zipfile_serialization=zipped)
    model = ds.load_model(path, device="cpu")
    assert deviation(model, reference) < 1e-5
    notes = [text for text in model.info.notes if "concluded" not in text]
    assert [note in text for text in notes] == ([True] if note else [])
    assert describe(path) == model.info
    assert model.info.nbytes == path.stat().st_size


def test_a_prefixed_safetensors_file(tmp_path, network):
    reference, tensors = network
    path = written(tmp_path, prefixed("module.", tensors), name="net.safetensors")
    assert deviation(ds.load_model(path, device="cpu"), reference) < 1e-5


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda t: [], "does not hold a plain list of named tensors, nor a training state"),
        (lambda t: {}, "does not hold"),
        (lambda t: 5, "does not hold"),
        (lambda t: list(t.values()), "does not hold"),
        (lambda t: [[t]], "does not hold"),
        (lambda t: {"model": {"model": t}}, "does not hold"),
        (lambda t: {"model": t["conv_in.weight"]}, "holds no network of a known kind"),
        (lambda t: t | {"epoch": 3}, "does not hold"),
        (lambda t: t | {1: t["conv_in.weight"]}, "does not hold"),
        (lambda t: [t, {}, 1, 2, {"more": torch.zeros(1)}], "belongs to another network"),
        (
            lambda t: {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": []},
            "does not hold",
        ),
        (lambda t: {"enc.block.weight": torch.zeros(2)}, "is a network of EDM"),
        (lambda t: {"all_modules.0.W": torch.zeros(2)}, "score-based network of another code"),
        (lambda t: {"fc.weight": torch.zeros(2)}, "holds no network of a known kind"),
    ],
)
def test_what_holds_no_state_is_refused(tmp_path, refused, network, make, says):
    path = tmp_path / "state.pth"
    torch.save(make(dict(network[1])), path)
    refused(path, says)


def test_a_list_that_holds_itself_is_not_walked(tmp_path, refused):
    values = []
    values += [values, values, values, values, values]
    torch.save(values, tmp_path / "loop.pt")
    refused(tmp_path / "loop.pt", "does not hold")


def test_diffusers_weights_without_their_config(tiny, tmp_path, refused):
    path = written(tmp_path, tiny.unet.state_dict())
    refused(path, "a diffusers network without its config")


def test_a_folder_with_one_checkpoint_opens_and_with_two_is_asked(tmp_path, refused, network):
    reference, tensors = network
    path = written(tmp_path, tensors, name="a.ckpt")
    (tmp_path / "notes.txt").write_text("mine")
    model = ds.load_model(tmp_path, device="cpu")
    assert deviation(model, reference) < 1e-5
    assert (model.info.name, model.info.source) == ("a.ckpt", str(path))
    written(tmp_path, tensors, name="b.pt")
    refused(tmp_path, r"holds 2 checkpoints: a\.ckpt, b\.pt")


HINTS = [
    ({"sample_size": "16"}, "says that sample_size is 16", "the size of the images"),
    ({"sample_size": [16]}, "sample_size is", "the size"),
    ({"sample_size": 2}, "sample_size is 2", "the size"),
    ({"sample_size": True}, "sample_size is True", "the size"),
    ({"size": 16}, "an entry size, which is not known", "Known are sample_size"),
    ({"prediction_type": "flow"}, "prediction_type is flow", "epsilon or sample or v_prediction"),
    ({"num_train_timesteps": 0}, "num_train_timesteps is 0", "a whole number"),
    ({"beta_end": "much"}, "beta_end is much", "a number"),
    ({"trained_betas": 0.1}, r"trained_betas is 0\.1", "a list of numbers"),
    ({"num_heads": 0}, "num_heads is 0", "a whole number"),
    ({"use_new_attention_order": 1}, "use_new_attention_order is 1", "true or false"),
    ({"license": "a\nb"}, "license is", "in quotes"),
    ({"beta_schedule": "exponential"}, "'exponential' is unknown", ""),
    ({"beta_start": 2.0}, "beta_start must be a number from 0 to 1", ""),
    ([1], "no JSON object", ""),
]


@pytest.mark.parametrize("case", HINTS, ids=lambda case: str(case[0]))
def test_facts_beside_the_file_that_cannot_be(tmp_path, refused, network, case):
    hints, says, advice = case
    path = written(tmp_path, network[1], {})
    (tmp_path / "model.ddim.json").write_text(json.dumps(hints))
    refused(path, says)
    with pytest.raises(ds.ModelError) as caught:
        ds.load_model(path, device="cpu")
    assert advice in caught.value.advice


def test_facts_beside_the_file_are_used(tmp_path, network):
    hints = {
        "sample_size": [16, 32],
        "num_train_timesteps": 10,
        "beta_end": 0.5,
        "prediction_type": "v_prediction",
        "license": "mit",
    }
    model = ds.load_model(written(tmp_path, network[1], hints), device="cpu")
    betas = torch.linspace(1e-4, 0.5, 10, dtype=torch.float64)
    torch.testing.assert_close(model.schedule.alpha_bars, (1 - betas).cumprod(0))
    assert (model.image_shape, model.prediction) == ((3, 16, 32), "v_prediction")
    assert (model.info.licence, model.info.notes) == ("mit", ())


def test_zero_terminal_snr_is_refused_for_epsilon_only(tmp_path, refused, network):
    betas = {"trained_betas": [0.1, 0.2, 1.0]}
    path = written(tmp_path, network[1], betas)
    refused(path, "zero terminal SNR")
    v = written(tmp_path, network[1], betas | {"prediction_type": "v_prediction"}, "v.pt")
    assert ds.load_model(v, device="cpu").schedule.zero_terminal_snr
