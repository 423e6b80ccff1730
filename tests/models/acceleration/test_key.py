"""The key of a graph changes with all that the graph depends on, and with nothing else."""

import copy
import importlib.metadata
import shutil

import pytest
from diffusers import UNet2DModel

import ddim_studio as ds
from ddim_studio.models.acceleration.fingerprint import key_of


@pytest.fixture
def own(tiny):
    """A model whose network may be changed."""
    view = copy.copy(tiny)
    view.unet = copy.deepcopy(tiny.unet)
    return view


def test_it_is_a_name_for_a_folder(tiny_key):
    assert len(tiny_key) == 40
    assert set(tiny_key) <= set("0123456789abcdef")


def test_where_the_model_lies_changes_nothing(tiny_key, tiny_pipeline, tmp_path, own):
    assert key_of(own) == tiny_key
    other = shutil.copytree(tiny_pipeline, tmp_path / "elsewhere")
    assert key_of(ds.load_model(str(other), device="cpu")) == tiny_key
    assert key_of(ds.load_model(str(tiny_pipeline), device="cpu", precision="fast")) == tiny_key


def test_any_weight_changes_it(own, tiny_key):
    parameters = list(own.unet.parameters())
    for parameter in (parameters[0], parameters[len(parameters) // 2], parameters[-1]):
        number = parameter.data.view(-1)[-1]
        before = number.clone()
        number += 1e-6 + abs(before) * 1e-6
        assert key_of(own) != tiny_key
        number.copy_(before)
        assert key_of(own) == tiny_key


def test_a_buffer_changes_it(own, tiny_key):
    own.unet.register_buffer("extra", own.unet.conv_in.bias.detach().clone())
    with_buffer = key_of(own)
    assert with_buffer != tiny_key
    own.unet.extra[0] += 1
    assert key_of(own) != with_buffer


@pytest.mark.parametrize(
    "change",
    [
        {"attention_head_dim": 4},
        {"freq_shift": 1},
        {"flip_sin_to_cos": False},
        {"act_fn": "gelu"},
        {"norm_eps": 1e-3},
        {"norm_num_groups": 2},
        {"mid_block_scale_factor": 2.0},
    ],
    ids=str,
)
def test_how_the_network_is_built_changes_it_though_the_weights_are_the_same(own, tiny_key, change):
    weights = own.unet.state_dict()
    own.unet = UNet2DModel.from_config(dict(own.unet.config) | change)
    own.unet.load_state_dict(weights)
    assert key_of(own) != tiny_key


def test_the_heads_of_an_attention_change_it_whatever_the_config_says(own, tiny_key):
    attention = own.unet.mid_block.attentions[0]
    attention.heads *= 2
    assert key_of(own) != tiny_key


@pytest.mark.parametrize(
    ("name", "value"), [("time_scale", 0.25), ("classes", 5), ("image_shape", (1, 16, 16))]
)
def test_what_the_model_does_around_its_network_changes_it(own, tiny_key, name, value):
    setattr(own, name, value)
    assert key_of(own) != tiny_key


@pytest.mark.parametrize("package", ["torch", "diffusers", "openvino"])
def test_another_version_of_a_package_changes_it(tiny, tiny_key, monkeypatch, package):
    versions = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata,
        "version",
        lambda name: "0.0.1" if name == package else versions(name),
    )
    assert key_of(tiny) != tiny_key
