import pytest
import torch
from tiny_runs import NETWORK

from ddim_studio.training.network import (
    build_network,
    compiled,
    forward_of,
    keep_ends_float32,
    network_config,
    precision_of,
)
from ddim_studio.training.settings import TrainSettings

CPU = torch.device("cpu")


def config(planes=1, **changes):
    return network_config(TrainSettings(data="d", **{**NETWORK, **changes}), planes)


@pytest.fixture
def network():
    found = build_network(config(), seed=0)
    with torch.no_grad():  # let it say something
        for weight in found.parameters():
            noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
            weight.add_(noise, alpha=0.05)
    return found


@pytest.mark.parametrize(("changes", "planes"), [
    ({}, 3),
    ({"channels": (20, 36), "attention": (8, 4)}, 1),
    ({"size": 12, "channels": (4, 8, 12), "attention": ()}, 3),
    ({"channels": (12,)}, 1),
])  # fmt: skip
def test_every_network_takes_its_images_and_says_nothing_at_first(changes, planes):
    values = config(planes, **changes)
    size = values["sample_size"]
    x = torch.randn(2, planes, size, size, generator=torch.Generator().manual_seed(0))
    said = forward_of(build_network(values, 0))(x, torch.tensor([0, 999]))
    assert torch.equal(said, torch.zeros_like(x))


def test_groups_heads_and_attention_follow_the_widths():
    values = config(size=28, channels=(32, 64, 128))
    assert (values["norm_num_groups"], values["attention_head_dim"]) == (8, 32)
    assert values["down_block_types"] == ["DownBlock2D", "DownBlock2D", "AttnDownBlock2D"]
    assert values["up_block_types"] == ["AttnUpBlock2D", "UpBlock2D", "UpBlock2D"]
    values = config(size=8, channels=(128, 256), attention=(8,))
    assert (values["norm_num_groups"], values["attention_head_dim"]) == (32, 32)
    assert values["down_block_types"] == ["AttnDownBlock2D", "DownBlock2D"]


def test_the_seed_decides_the_first_weights_and_torch_keeps_its_own_numbers():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, again, other = (build_network(config(), seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["conv_in.weight"], other["conv_in.weight"])


def test_the_ends_compute_in_float32_and_keep_weights_and_names(network):
    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([3, 500])
    before, plain = dict(network.state_dict()), forward_of(network)(x, t)
    said, exact = {}, network.conv_in(x).bfloat16()

    def note(name):
        return lambda module, given, output: said.__setitem__(name, output)

    keep_ends_float32(network, torch.bfloat16)
    for name in ("conv_in", "conv_out", "down_blocks.0.resnets.0.conv1"):
        network.get_submodule(name).register_forward_hook(note(name))
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)
    with torch.autocast("cpu", torch.bfloat16):
        rough = forward_of(network)(x, t)
    types = [output.dtype for output in said.values()]
    assert types == [torch.bfloat16, torch.bfloat16, torch.float32]
    assert torch.equal(said["conv_in"], exact)  # x_t itself was not rounded
    assert not torch.equal(rough, rough.bfloat16().float())  # nor is what it says
    assert (rough - plain).abs().max() < 0.1 * plain.abs().max()


def test_a_network_that_cannot_be_compiled_runs_as_it_is(network, monkeypatch):
    def broken(*_arguments, **_options):
        raise RuntimeError("no working C++ compiler\nfound in PATH")

    monkeypatch.setattr(torch, "compile", broken)
    images = torch.zeros(2, 1, 8, 8)
    forward, notice = compiled(network, images, torch.float32)
    t = torch.zeros(2, dtype=torch.int64)
    assert torch.equal(forward(images, t), forward_of(network)(images, t))
    assert "cannot be compiled" in notice
    assert "\n" not in notice
    assert all(weight.grad is None for weight in network.parameters())


def test_a_compiler_that_fails_at_the_first_call_is_found_out_at_once(network, monkeypatch):
    def late(*_arguments, **_options):
        def call(*_inputs, **_more):
            raise RuntimeError("inductor failed")

        return call

    monkeypatch.setattr(torch, "compile", late)
    _, notice = compiled(network, torch.zeros(2, 1, 8, 8), torch.float32)
    assert "inductor failed" in notice


def test_a_compiled_network_is_used_and_leaves_no_gradients(network, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda found, **_: found)
    _, notice = compiled(network, torch.zeros(2, 1, 8, 8), torch.bfloat16)
    assert notice == ""
    assert all(weight.grad is None for weight in network.parameters())


def test_precision_is_chosen_by_name_and_by_what_the_processor_can_do(monkeypatch):
    assert precision_of("float32", CPU) == torch.float32
    assert precision_of("bfloat16", CPU) == torch.bfloat16
    for able, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda able=able: able)
        assert precision_of("auto", CPU) == dtype
    assert precision_of("auto", torch.device("mps")) == torch.float32
