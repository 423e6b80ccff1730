"""The engine of graphics processors: its logic on the CPU, with recordings played; the rest there.

A recording of `Player` has tensors of its own and no others, as a CUDA graph has: whoever forgets
to copy into them or out of them gets the numbers of another call.
"""

from __future__ import annotations

import copy

import pytest
import torch

import ddim_studio as ds
from ddim_studio.imaging.host_copy import HostCopy, to_device
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs.splitting import SplitNetwork
from ddim_studio.models.acceleration.cuda import (
    CudaEngine,
    FirstThatWorks,
    cuda_engine_for,
    fast_network,
)
from ddim_studio.models.acceleration.cuda_graphs import GraphedNetwork, Recording

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


class Player:
    """Plays the recorder of CUDA graphs.

    Args:
        wrong: What is added to every output.
        fails: Raised in place of a recording, as long as there are any.
    """

    def __init__(self, wrong=0.0, fails=()):
        self.wrong, self.fails, self.shapes = wrong, list(fails), []

    def record(self, network, given):
        if self.fails:
            raise self.fails.pop(0)
        self.shapes.append(tuple(given[0].shape))
        own = [tensor.clone() for tensor in given]
        output = network(*own)

        def replay():
            output.copy_(network(*own) + self.wrong)

        return Recording(own, replay, output)


def plain(x, t):
    """A network whose output tells all of its input."""
    return 2 * x + t.view(-1, 1, 1, 1)


def graphed(player, *, sound=True, most=4):
    return GraphedNetwork(plain, player, lambda *_: sound, most)


def batch(count, seed=0, t=3):
    return ds.seeded_noise((1, 2, 2), range(seed, seed + count)), torch.full((count,), t)


def test_a_shape_is_recorded_when_it_comes_again_and_its_outputs_stay():
    player = Player()
    network = graphed(player)
    outputs = [network(*batch(2, seed, t)) for seed, t in ((0, 1), (5, 2), (9, 3), (13, 4))]
    assert player.shapes == [(2, 1, 2, 2)]
    for output, (seed, t) in zip(outputs, ((0, 1), (5, 2), (9, 3), (13, 4)), strict=True):
        torch.testing.assert_close(output, plain(*batch(2, seed, t)), rtol=0, atol=0)


def test_only_so_many_shapes_are_kept_those_of_longest_ago_go():
    player = Player()
    network = graphed(player, most=2)
    for count in (1, 1, 2, 2, 1, 3, 3):  # 2 was used longest ago when 3 comes
        torch.testing.assert_close(network(*batch(count)), plain(*batch(count)))
    assert [shape[0] for shape in player.shapes] == [1, 2, 3]
    network(*batch(1))
    assert [shape[0] for shape in player.shapes] == [1, 2, 3]
    network(*batch(2))
    assert [shape[0] for shape in player.shapes] == [1, 2, 3, 2]


@pytest.mark.parametrize(
    ("player", "sound", "told"),
    [
        (Player(fails=[RuntimeError("operation not permitted")]), True, "could not be recorded"),
        (Player(), False, "says something else"),
    ],
)
def test_what_cannot_be_recorded_runs_op_by_op(player, sound, told):
    network = graphed(player, sound=sound)
    for seed in range(4):
        torch.testing.assert_close(network(*batch(2, seed)), plain(*batch(2, seed)))
    assert told in network.fault
    assert len(player.shapes) <= 1


def test_where_memory_runs_out_a_smaller_batch_is_recorded():
    player = Player(fails=[torch.OutOfMemoryError("CUDA out of memory")])
    network = graphed(player)
    split = SplitNetwork(network)
    for seed in range(4):
        torch.testing.assert_close(split(*batch(6, seed)), plain(*batch(6, seed)))
    assert split.most == 3
    assert player.shapes == [(3, 1, 2, 2)]
    assert network.fault == ""


def drawn(model, engine, precision):
    """Final images with the network that an engine offers."""
    view = copy.copy(model)
    view.network = engine.take_up(precision)
    settings = ds.SampleSettings(steps=10)
    *_, last = ds.sample(view, ds.seeded_noise(model, range(4)), settings)
    return last.x


def test_precise_is_what_torch_draws_to_the_bit_and_fast_is_near(fashion):
    weights = copy.deepcopy(fashion.unet.state_dict())
    *_, last = ds.sample(fashion, ds.seeded_noise(fashion, range(4)), ds.SampleSettings(steps=10))
    players = []

    def recorder(tuned):
        players.append((tuned, Player()))
        return players[-1][1]

    engine = CudaEngine(fashion, recorder)
    assert torch.equal(drawn(fashion, engine, "precise"), last.x)
    fast = drawn(fashion, engine, "fast")
    assert [tuned for tuned, _ in players] == [False, True]
    assert [player.shapes for _, player in players] == [[(4, 1, 28, 28)]] * 2
    gap = abs(to_pixels(fast).astype(float) - to_pixels(last.x)).mean()
    assert 0 < gap <= 1.0
    assert list(engine.news()) == []
    after = fashion.unet.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in weights.items())
    assert all(after[name].dtype == tensor.dtype for name, tensor in weights.items())


def test_an_engine_that_is_wrong_is_told_of_once_and_torch_goes_on(tiny):
    engine = CudaEngine(tiny, lambda tuned: Player(wrong=1.0 if tuned else 0.0))
    *_, last = ds.sample(tiny, ds.seeded_noise(tiny, range(4)), ds.SampleSettings(steps=10))
    offered = engine.take_up("fast")
    assert offered.precision == "fast"
    drawn(tiny, engine, "fast")
    assert engine.offer("fast") is None
    assert engine.best("fast").precision == "precise"
    assert torch.equal(drawn(tiny, engine, "precise"), last.x)
    (told,) = engine.news()
    assert told == engine.fault("fast")
    assert "its recording says something else" in told
    assert list(engine.news()) == []
    assert engine.fault("precise") == ""


def test_an_engine_that_is_prepared_is_recorded_for_the_batch(tiny):
    player = Player()
    engine = CudaEngine(tiny, lambda _: player)
    assert engine.prepare("precise", 6) is engine.offer("precise")
    assert player.shapes == [(6, 1, 8, 8)]
    engine.stop()
    assert engine.offer("precise") is None


def test_the_environment_can_switch_it_off(tiny, monkeypatch):
    monkeypatch.delenv("DDIM_STUDIO_ENGINE", raising=False)
    assert isinstance(cuda_engine_for(tiny), CudaEngine)
    monkeypatch.setenv("DDIM_STUDIO_ENGINE", "eager")
    assert cuda_engine_for(tiny) is None


class MixesTypes(torch.nn.Module):
    """A network that multiplies by a number it keeps in float32, whatever its weights are."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)

    def forward(self, x, t, label=None, return_dict=True):
        return (self.layer(x.float() * t.view(-1, 1, 1, 1)),)


def test_a_network_that_mixes_types_runs_by_autocast(tiny):
    mixing = copy.copy(tiny)
    mixing.unet = MixesTypes()
    x, t = torch.linspace(-1, 1, 2 * 16).view(2, 1, 4, 4), torch.tensor([1, 2])
    fast = fast_network(mixing)
    with torch.no_grad():
        output, exact = fast(x, t), mixing.unet(x, t)[0]
    assert output.dtype == torch.float32
    assert 0 < float((output - exact).abs().max()) < 0.02


def test_the_first_network_that_works_is_kept():
    calls = []

    def failing(x):
        calls.append("failing")
        raise RuntimeError("expected scalar type Float")

    def full(x):
        raise torch.OutOfMemoryError("CUDA out of memory")

    network = FirstThatWorks([failing, torch.neg])
    for _ in range(2):
        assert float(network(torch.ones(1))) == -1
    assert calls == ["failing"]
    with pytest.raises(torch.OutOfMemoryError):
        FirstThatWorks([full, torch.neg])(torch.ones(1))
    with pytest.raises(RuntimeError, match="scalar type"):
        FirstThatWorks([failing])(torch.ones(1))


def test_copies_of_the_cpu_are_the_tensors_themselves():
    x = torch.arange(6.0).view(2, 3)
    assert HostCopy(x).array().tolist() == x.tolist()
    assert to_device(x, "cpu") is x


@CUDA
@pytest.mark.parametrize("precision", ["precise", "fast"])
def test_graphs_draw_what_torch_draws_there(precision):
    model = ds.load_model("fashion-28", "cuda")
    engine = cuda_engine_for(model)
    noise = ds.seeded_noise(model, range(4))
    *_, last = ds.sample(model, noise, ds.SampleSettings(steps=10))
    ours = drawn(model, engine, precision)
    assert list(engine.news()) == []
    assert engine.offer(precision) is not None
    gap = abs(to_pixels(ours).astype(float) - to_pixels(last.x))
    assert gap.mean() <= (1.0 if precision == "fast" else 0.01)


@CUDA
def test_copies_are_not_waited_for_until_they_are_read():
    x = torch.randn(1000, 1000, device="cuda")
    y = x @ x
    copy_of = HostCopy(y)
    torch.testing.assert_close(torch.from_numpy(copy_of.array()), y.cpu())
    there = to_device(torch.arange(5), "cuda")
    assert there.device.type == "cuda"
    assert there.tolist() == [0, 1, 2, 3, 4]
