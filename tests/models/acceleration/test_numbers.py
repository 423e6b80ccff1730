"""The compiled network says what torch says, and of an image the same in every batch."""

import dataclasses
import threading

import pytest
import torch
from diffusers import UNet2DModel
from engines import batch, by_torch, compiled, drawn, graph_of_model

from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.models.acceleration.compiled import ROOM, CompiledNetwork, portions_for
from ddim_studio.models.acceleration.engine import Engine
from ddim_studio.models.model import Model

COUNTS = (1, 3, 5, 16, 23)


def plain(tiny):
    return tiny


def with_classes_and_scaled_time(tiny):
    torch.manual_seed(3)
    unet = UNet2DModel.from_config(dict(tiny.unet.config) | {"num_class_embeds": 5}).eval()
    info = dataclasses.replace(tiny.info, classes=5)
    return Model(unet, tiny.schedule, info, "epsilon", "cpu", time_scale=0.25)


@pytest.fixture(scope="module", params=[plain, with_classes_and_scaled_time])
def case(request, tiny, tmp_path_factory):
    """A model and its network, compiled for every portion."""
    model = request.param(tiny)
    if model is tiny:
        graph = request.getfixturevalue("tiny_graph")
    else:
        graph = graph_of_model(model, tmp_path_factory.mktemp("graph"))
    network = compiled(graph, model)
    network.prepare(max(COUNTS))
    return model, network


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_it_says_what_torch_says(case):
    model, network = case
    assert [size for _, size in network._parts(23)] == [16, 4, 1, 1, 1]
    for count in COUNTS:
        given = batch(model, count)
        close(network(*given), by_torch(model, given))


def test_every_input_matters(case):
    model, network = case
    x, t, *labels = batch(model, 5)
    output = network(x, t, *labels)
    others = [(x.flip(0), t, *labels), (x, t + 300, *labels)]
    others += [(x, t, (label + 1) % 5) for label in labels]
    for other in others:
        assert float((network(*other) - output).abs().max()) > 1e-3
        close(network(*other), by_torch(model, other))


def test_the_numbers_of_an_image_do_not_depend_on_the_batch(case):
    model, network = case
    given = batch(model, 23)
    whole = network(*given)
    for count in COUNTS:
        assert torch.equal(network(*(tensor[:count] for tensor in given)), whole[:count])
    backwards = network(*(tensor.flip(0) for tensor in given))
    assert torch.equal(backwards.flip(0), whole)
    assert len({bytes(image.numpy()) for image in whole}) == 23


def test_outputs_stay_and_inputs_are_as_they_were(case):
    model, network = case
    given = batch(model, 4)
    copies = [tensor.clone() for tensor in given]
    output = network(*given)
    copied = output.clone()
    network(*batch(model, 7))
    network(-given[0], *given[1:])
    assert torch.equal(output, copied)
    assert all(map(torch.equal, given, copies))


def test_tensors_may_lie_in_memory_as_they_like(tiny, tiny_graph):
    network = compiled(tiny_graph, tiny)
    x, _ = batch(tiny, 6)
    t = torch.full((1,), 400).expand(3)
    turned = x[::2].transpose(2, 3)
    close(network(turned, t), by_torch(tiny, (turned.contiguous(), t)))


def test_larger_portions_are_compiled_beside_the_work(tiny, tiny_graph, monkeypatch):
    go, compile_one, asked = threading.Event(), CompiledNetwork._compile, []

    def compile_late(self, size, **settings):
        if size > 1:
            asked.append(size)
            assert go.wait(60)
        return compile_one(self, size, **settings)

    monkeypatch.setattr(CompiledNetwork, "_compile", compile_late)
    network = compiled(tiny_graph, tiny)
    given = batch(tiny, 5)
    first = network(*given)  # it does not wait
    assert set(network._requests) == {1}
    close(first, by_torch(tiny, given))
    go.set()
    network.prepare(5)
    assert set(network._requests) == {1, 4}
    assert torch.equal(network(*given), first)
    network(*given)
    assert asked == [4]


def test_a_portion_that_cannot_be_had_is_done_without(tiny, tiny_graph, monkeypatch):
    compile_one = CompiledNetwork._compile

    def compile_small(self, size, **settings):
        if size == 16:
            raise RuntimeError("not enough memory")
        return compile_one(self, size, **settings)

    monkeypatch.setattr(CompiledNetwork, "_compile", compile_small)
    network = compiled(tiny_graph, tiny)
    network.prepare(23)
    assert [size for _, size in network._parts(23)] == [4] * 5 + [1] * 3
    given = batch(tiny, 23)
    close(network(*given), by_torch(tiny, given))


@pytest.mark.parametrize(
    ("shape", "nbytes", "portions"),
    [
        ((1, 28, 28), 1 << 20, (16, 4, 1)),
        ((3, 64, 64), ROOM // 2, (16, 4, 1)),
        ((3, 64, 65), 1 << 20, (1,)),
        ((3, 32, 32), ROOM // 2 + 1, (4, 1)),
        ((3, 32, 32), ROOM + 1, (1,)),
    ],
)
def test_large_images_and_large_networks_have_fewer_portions(shape, nbytes, portions):
    assert portions_for(shape, nbytes) == portions


def test_a_profile_tells_where_the_time_goes(tiny, tiny_graph):
    parts = compiled(tiny_graph, tiny).profile(*batch(tiny, 4))
    assert "Convolution" in {kind for kind, _, _ in parts}
    assert 0 < sum(seconds for _, _, seconds in parts) < 60


def test_it_computes_in_the_precision_that_was_asked_for(tiny, tiny_graph):
    for precision, hint in (("precise", "f32"), ("fast", "bf16")):
        network = compiled(tiny_graph, tiny, precision)
        assert network._settings["INFERENCE_PRECISION_HINT"] == hint
        used = network._requests[1].get_compiled_model()
        if precision == "precise":  # what a processor makes of the other hint is its own affair
            assert used.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"
        assert used.get_property("INFERENCE_NUM_THREADS") <= 2
        assert network(*batch(tiny, 1)).dtype == torch.float32


def pixels_apart(ours, theirs):
    return abs(to_pixels(ours).astype(int) - to_pixels(theirs)).max()


@pytest.mark.parametrize("name", ["tiny", "fashion"])
def test_what_is_drawn_is_what_torch_draws(request, engine_on, name):
    model = request.getfixturevalue(name)
    if name == "tiny":
        request.getfixturevalue("cached")
    engine = Engine(model)
    network = engine.prepare("precise", 5)
    assert engine.fault("precise") == ""
    ours = drawn(model, range(5), network)
    assert pixels_apart(ours, drawn(model, range(5))) <= 1
    assert pixels_apart(ours[1:], ours[:-1]) > 50
    for seed in (0, 3):  # another batch, the same images
        torch.testing.assert_close(drawn(model, [seed], network)[0], ours[seed], rtol=0, atol=1e-6)
