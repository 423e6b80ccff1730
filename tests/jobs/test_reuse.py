"""Nothing is computed twice, and what is taken from memory is what was computed."""

import dataclasses
from copy import copy
from functools import partial

import numpy as np
import pytest
import torch

from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.noise import seeded_noise
from ddim_studio.diffusion.schedule import linear
from ddim_studio.jobs.branch import branch_job
from ddim_studio.jobs.events import Ended, Frame
from ddim_studio.jobs.reuse import OutputStore, RememberingNetwork, remembering
from ddim_studio.jobs.runner import run as run_job
from ddim_studio.jobs.runs import BranchRun, SampleRun
from ddim_studio.jobs.sample import sample_job
from ddim_studio.jobs.workbench import Workbench

RUN = SampleRun(model="tiny", device="cpu", steps=6, eta=0.0, seed=3, count=4)


class Counted:
    """A network that says of how many images it was asked, call by call."""

    def __init__(self, network):
        self._network = network
        self.calls = []

    def __call__(self, x_t, *others):
        self.calls.append(len(x_t))
        return self._network(x_t, *others)


@pytest.fixture
def counted(bench, tiny):
    """A workbench whose small model counts; and the counts."""
    model = copy(tiny)
    model.network = Counted(tiny.network)
    bench.models._models["tiny", "cpu"] = model
    return bench, model.network.calls


def frames(job):
    events = list(run_job(job))
    assert events[-1] == Ended("finished"), events[-1]
    return [event for event in events if isinstance(event, Frame)]


def sampled(bench, run):
    return frames(sample_job(run, bench.models, outputs=bench.outputs))


def assert_same(ones, others, images=slice(None)):
    assert len(ones) == len(others)
    for one, other in zip(ones, others, strict=True):
        assert one.views.keys() == other.views.keys()
        for view, pixels in one.views.items():
            assert np.array_equal(pixels[images], other.views[view][images]), (one.index, view)


def fresh(bench, run):
    """The same run by a workbench that remembers nothing."""
    return frames(sample_job(run, bench.models))


@pytest.mark.parametrize("eta", [0.0, 0.7, "hat"])
def test_the_same_run_again_asks_the_network_nothing(counted, eta):
    bench, calls = counted
    run = dataclasses.replace(RUN, eta=eta)
    first = sampled(bench, run)
    assert calls == [4] * 6
    again = sampled(bench, run)
    assert calls == [4] * 6
    assert_same(first, again)
    assert_same(again, fresh(bench, run))


def test_one_more_seed_is_computed_alone_and_the_others_stay_bit_for_bit(counted):
    bench, calls = counted
    before = sampled(bench, RUN)
    calls.clear()
    more = sampled(bench, dataclasses.replace(RUN, count=5))
    assert calls == [1] * 6
    for one, other in zip(before, more, strict=True):
        for view, pixels in one.views.items():
            assert np.array_equal(pixels, other.views[view][:4])
    alone = fresh(bench, dataclasses.replace(RUN, seed=7, count=1))
    for one, other in zip(alone, more, strict=True):
        for view, pixels in one.views.items():
            assert np.array_equal(pixels[0], other.views[view][4])


def test_fewer_images_and_another_range_of_seeds_reuse_what_they_share(counted):
    bench, calls = counted
    before = sampled(bench, RUN)
    calls.clear()
    fewer = sampled(bench, dataclasses.replace(RUN, count=2))
    assert calls == []
    assert np.array_equal(fewer[-1].views["x"], before[-1].views["x"][:2])
    shifted = sampled(bench, dataclasses.replace(RUN, seed=5))  # 5, 6 known; 7, 8 not
    assert calls == [2] * 6
    assert np.array_equal(shifted[-1].views["x"][:2], before[-1].views["x"][2:])


def test_another_eta_or_finer_steps_share_the_first_call(counted):
    bench, calls = counted
    run = dataclasses.replace(RUN, timesteps=(0, 400, 800))
    sampled(bench, run)
    calls.clear()
    other = dataclasses.replace(run, eta=1.0)
    noisy = sampled(bench, other)
    assert calls == [4, 4]
    assert_same(noisy, fresh(bench, other))
    calls.clear()
    finer = dataclasses.replace(run, timesteps=(0, 200, 400, 600, 800))
    fine = sampled(bench, finer)
    assert calls == [4] * 4  # all but ε_θ(x_T, 800): from the second step on the states differ
    assert_same(fine, fresh(bench, finer))


def test_a_branch_computes_only_what_comes_after_its_frame(counted):
    bench, calls = counted
    sampled(bench, RUN)
    calls.clear()
    order = BranchRun(RUN, 4, dataclasses.replace(RUN, eta=0.5))
    branch = frames(branch_job(order, bench))
    assert calls == [4]  # the step at the frame is known too: only η differs, after the network
    forgetful = Workbench()
    forgetful.models = bench.models
    assert_same(branch, frames(branch_job(order, forgetful)))


def test_another_model_or_class_is_another_question(tiny):
    store = OutputStore()
    told = []

    def labelled(x_t, t, label):
        told.append(label.tolist())
        return x_t * (1 + label.view(-1, 1, 1, 1))

    model = Denoiser(labelled, linear(), tiny.image_shape, classes=3)
    x = seeded_noise(model, [0, 1])
    view = remembering(model, store)
    one, two = view.with_class(1).raw(x, 5), view.with_class(2).raw(x, 5)
    assert told == [[1, 1], [2, 2]]
    assert torch.equal(one, 2 * x)
    assert torch.equal(two, 3 * x)
    assert torch.equal(view.with_class(2).raw(x.flip(0), 5), two.flip(0))
    assert len(told) == 2
    view.with_class(2).raw(x, 6)
    assert len(told) == 3
    another = Denoiser(partial(labelled), linear(), tiny.image_shape, classes=3)
    remembering(another, store).with_class(2).raw(x, 5)
    assert len(told) == 4


def test_what_was_kept_does_not_change_with_what_was_given_out():
    store = OutputStore()
    network = RememberingNetwork(lambda x, _t: x + 1, store)
    x, t = torch.zeros(2, 1, 2, 2), torch.zeros(2, dtype=torch.int64)
    network(x, t).fill_(9)
    network(x, t).fill_(8)
    assert torch.equal(network(x, t), torch.ones(2, 1, 2, 2))


def test_memory_stays_within_its_budget_and_a_large_run_keeps_its_beginning():
    asked = []

    def network(x, _t):
        asked.append(len(x))
        return x.clone()

    item = 4 * 4 * 4
    store = OutputStore(budget=5 * item)
    model = RememberingNetwork(network, store)
    t = torch.zeros(1, dtype=torch.int64)
    states = [torch.full((1, 1, 4, 4), float(i)) for i in range(12)]
    store.begin()
    for state in states[:8]:
        model(state, t)
        assert store.nbytes <= store.budget
    assert len(store) == 5
    asked.clear()
    for state in states[:5]:
        model(state, t)
    assert asked == []  # the beginning stayed
    model(states[5], t)
    assert asked == [1]
    store.begin()
    for state in states[8:11]:
        model(state, t)
    asked.clear()
    model(states[10], t)
    assert asked == []  # an older run made room
    assert store.nbytes == sum(out.nbytes for _, out in store._kept.values()) <= store.budget
