"""The memory of a network call is what its tensors take, no more and no less."""

import types

import pytest
import torch

import ddim_studio as ds
from ddim_studio.jobs.memory import call_bytes, weight_bytes


def model_of(work, parameter=None):
    """Something that has a device and is called as a model is."""
    unet = torch.nn.Module()
    if parameter is not None:
        unet.register_parameter("w", torch.nn.Parameter(parameter))
    cpu = torch.device("cpu")
    return types.SimpleNamespace(unet=unet, device=cpu, raw=lambda x, _t: work(x))


def chain(x):
    """At most two of three tensors live at the same time."""
    a = x + 1
    b = a * 2
    del a
    return b * 3


def views(x):
    return x.view(-1)[:3].add_(1)


def branches(x):
    a, b, c = x + 1, x + 2, x + 3
    return a + b + c


@pytest.mark.parametrize(
    ("work", "tensors"),
    [(chain, 2), (views, 0), (branches, 5), (lambda x: x, 0), (lambda x: torch.relu_(x + 1), 1)],
)
def test_only_tensors_that_live_at_the_same_time_count(work, tensors):
    x = torch.zeros(2, 3, 4, 4)
    assert call_bytes(model_of(work), x) == tensors * x.numel() * 4


def test_weights_are_counted_once_and_not_with_the_call():
    w = torch.zeros(1000)
    model = model_of(lambda x: x * w[:4], w)
    assert weight_bytes(model) == 4000
    assert call_bytes(model, torch.zeros(1, 4)) == 16


def test_a_call_for_more_images_takes_so_much_more(tiny):
    one, four = (call_bytes(tiny, ds.seeded_noise(tiny, range(n))) for n in (1, 4))
    largest = 8 * 8 * 8 * 4  # eight channels of the first level
    assert one > 2 * largest
    assert four == pytest.approx(4 * one, rel=0.05)


def test_it_leaves_the_answer_as_it_is(tiny):
    seen = []
    x = ds.seeded_noise(tiny, [0])
    spy = types.SimpleNamespace(device=tiny.device, raw=lambda *a: seen.append(tiny.raw(*a)))
    call_bytes(spy, x)
    assert torch.equal(seen[0], tiny.raw(x, 0))
