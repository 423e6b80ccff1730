"""When memory runs out the batch is split, the user is told, and the results stay the same."""

import copy

import numpy as np
import pytest
import torch

import ddim_studio as ds
from ddim_studio.evaluation.team import Alone
from ddim_studio.jobs.branch import branch_job
from ddim_studio.jobs.compare import compare_job
from ddim_studio.jobs.evaluate import evaluate_job
from ddim_studio.jobs.evaluation_order import EvaluateOrder, cells_of
from ddim_studio.jobs.events import Ended, Frame, Notice
from ddim_studio.jobs.inversion_events import Inverted
from ddim_studio.jobs.invert import invert_job
from ddim_studio.jobs.matrix import Axis, CompareRun
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.orders import ImageInput, InvertOrder
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.runs import BranchRun, InvertRun, SampleRun
from ddim_studio.jobs.sample import sample_job
from ddim_studio.jobs.splitting import SplitNetwork, memory_news, splitting
from ddim_studio.jobs.workbench import Workbench


class Small:
    """A network on a device with room for so many images."""

    def __init__(self, network, room, error=torch.OutOfMemoryError):
        self.network, self.room, self.error = network, room, error
        self.sizes = []

    def __call__(self, x, *others):
        assert all(len(x) == len(other) for other in others)
        self.sizes.append(len(x))
        if len(x) > self.room:
            raise self.error("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.network(x, *others)


def on_small_device(model, room, **options):
    small = copy.copy(model)
    small.network = Small(model.network, room, **options)
    return small


@pytest.fixture
def small_bench(tiny, monkeypatch):
    """A workbench whose models fit so many images."""

    def bench(room, **options):
        model = on_small_device(tiny, room, **options)
        monkeypatch.setattr("ddim_studio.models.loading.load_model", lambda *_: model)
        return Workbench(), model.network

    return bench


def notices(events):
    return [event.text for event in events if isinstance(event, Notice)]


def pictures(events):
    frames = [event for event in events if isinstance(event, Frame)]
    return np.stack([frame.views["x"] for frame in frames]).astype(int)


@pytest.mark.parametrize("room", [1, 3, 5, 7])
def test_sampling_goes_on_in_parts_with_the_same_result(small_bench, tiny_pipeline, room):
    order = SampleRun(model=str(tiny_pipeline), device="cpu", steps=4, eta=1.0, count=8, seed=5)
    whole = list(run(sample_job(order, ModelCache())))
    bench, network = small_bench(room)
    parts = list(run(sample_job(order, bench.models)))
    assert parts[-1] == Ended("finished")
    assert np.abs(pictures(parts) - pictures(whole)).max() <= 1
    fits = {1: 1, 3: 2, 5: 4, 7: 4}[room]
    (told,) = notices(parts)
    assert ("1 image at a time" if fits == 1 else f"{fits} images at a time") in told
    assert notices(whole) == []
    calls = [size for size in network.sizes if size <= room]
    assert calls == [fits] * (8 // fits) * 4


def test_a_run_after_it_does_not_try_again_what_did_not_fit(small_bench, tiny_pipeline):
    order = SampleRun(model=str(tiny_pipeline), device="cpu", steps=2, count=8)
    bench, network = small_bench(4)
    list(run(sample_job(order, bench.models)))
    network.sizes.clear()
    again = list(run(sample_job(order, bench.models)))
    assert network.sizes == [4, 4] * 2
    assert notices(again) == []


def test_one_image_that_does_not_fit_ends_the_run_with_advice(small_bench, tiny_pipeline):
    bench, _ = small_bench(0)
    order = SampleRun(model=str(tiny_pipeline), device="cpu", steps=2, count=4)
    *_, ended = run(sample_job(order, bench.models))
    assert ended.failure.message == "There is not enough memory for this run."
    assert ended.failure.advice


def test_other_errors_are_not_taken_for_a_lack_of_memory(small_bench, tiny_pipeline):
    bench, network = small_bench(2, error=ValueError)
    order = SampleRun(model=str(tiny_pipeline), device="cpu", steps=2, count=4)
    *_, ended = run(sample_job(order, bench.models))
    assert "ValueError" in ended.failure.message
    assert network.sizes == [4]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError,
        lambda text: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_the_computers_own_memory_is_treated_alike(tiny, error):
    model = splitting(on_small_device(tiny, 2, error=error))
    x = ds.seeded_noise(tiny, range(5))
    assert torch.allclose(model.raw(x, 7), tiny.raw(x, 7), atol=1e-6)


def test_what_belongs_to_an_image_goes_with_it(tiny):
    """Timesteps and labels of every image are split like the images."""
    network = SplitNetwork(Small(lambda x, t, y: x * t[:, None] + y[:, None], 3))
    x, t, y = torch.arange(7.0)[:, None], torch.arange(7), torch.arange(7) * 10
    assert torch.equal(network(x, t, y), x * t[:, None] + y[:, None])


def test_inversion_and_branches_are_split_as_well(small_bench, tiny_pipeline):
    rng = np.random.default_rng(0)
    images = tuple(ImageInput(rng.integers(0, 256, (8, 8, 1), np.uint8)) for _ in range(4))
    inversion = InvertRun(model=str(tiny_pipeline), device="cpu", steps=3, method="target")
    sampling = SampleRun(model=str(tiny_pipeline), device="cpu", steps=3, count=4)
    branch = BranchRun(sampling, 1, SampleRun(steps=3, eta=0.5, seed=9))
    for job in (
        lambda bench: invert_job(InvertOrder(inversion, images), bench),
        lambda bench: branch_job(branch, bench),
    ):
        bench, _ = small_bench(2)
        events = list(run(job(bench)))
        assert events[-1] == Ended("finished")
        assert len(notices(events)) == 1


def test_comparisons_and_evaluations_are_split_as_well(small_bench, tiny_pipeline, tmp_path):
    place = {"model": str(tiny_pipeline), "device": "cpu"}
    axes = Axis("eta", (0.0, 1.0)), Axis("steps", (2,))
    matrix = CompareRun(base=SampleRun(**place), rows=axes[0], columns=axes[1], seeds=(0, 1, 2, 3))
    order = EvaluateOrder(cells=cells_of((0.0, 1.0), (2,)), samples=8, **place)
    for job in (
        lambda bench: compare_job(matrix, bench.models),
        lambda bench: evaluate_job(order, bench.models, tmp_path, Alone()),
    ):
        bench, _ = small_bench(2)
        events = list(run(job(bench)))
        assert events[-1] == Ended("finished")
        assert sum("at a time now" in text for text in notices(events)) == 1


def test_latents_are_those_of_the_unsplit_run(small_bench, tiny_pipeline):
    rng = np.random.default_rng(1)
    images = tuple(ImageInput(rng.integers(0, 256, (8, 8, 1), np.uint8)) for _ in range(4))
    order = InvertOrder(
        InvertRun(model=str(tiny_pipeline), device="cpu", steps=3, method="target"), images
    )
    found = []
    for bench in (Workbench(), small_bench(1)[0]):
        (result,) = [e for e in run(invert_job(order, bench)) if isinstance(e, Inverted)]
        found.append(bench.latents.get(result.key).x_T)
    assert torch.allclose(*found, atol=1e-4)


def test_a_model_that_was_not_split_has_no_news(tiny):
    assert list(memory_news(tiny)) == []
    assert list(memory_news(splitting(tiny))) == []


def test_a_view_shares_the_model_and_leaves_it_alone(tiny):
    view = splitting(tiny)
    assert view.info is tiny.info
    assert view.unet is tiny.unet
    assert not isinstance(tiny.network, SplitNetwork)
    assert isinstance(view.network, SplitNetwork)
