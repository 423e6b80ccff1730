"""Every cell of a matrix is the run that its settings ask for, whatever becomes of the others."""

import math

import numpy as np
import pytest
import torch

import ddim_studio as ds
from ddim_studio.jobs.compare import compare_job
from ddim_studio.jobs.comparison import Comparison, ScoreOrder
from ddim_studio.jobs.comparison_events import CellDone, CellFailed, CellFrame, CellStarted
from ddim_studio.jobs.events import Ended, ModelOpened, Notice, Progress
from ddim_studio.jobs.kinds import KINDS
from ddim_studio.jobs.matrix import Axis, CompareRun, Place
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.runs import SampleRun


def matrix(rows="eta=0,0.7,hat", columns="steps=6,3", seeds=(11, 2, 7), **base):
    return CompareRun(
        base=SampleRun(**{"model": "tiny", "device": "cpu", **base}),
        rows=Axis.parse(rows),
        columns=Axis.parse(columns),
        seeds=seeds,
    )


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def short_model(tmp_path_factory):
    """A model of larger colour images, with T = 20 only."""
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("models") / "short"
    network = UNet2DModel(
        sample_size=16,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=(8, 8),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
    )
    scheduler = DDIMScheduler(clip_sample=False, num_train_timesteps=20)
    DDIMPipeline(network, scheduler).save_pretrained(folder)
    return str(folder)


def test_cells_are_the_runs_of_the_sampler_bit_for_bit(bench, tiny):
    order = matrix()
    done = of(compare_job(order, bench.models), CellDone)
    assert sorted(event.place for event in done) == order.places
    x_T = ds.seeded_noise(tiny, order.seeds)
    for event in done:
        settings = ds.SampleSettings(
            eta=order.rows.values[event.place.row], steps=order.columns.values[event.place.column]
        )
        *_, last = ds.sample(tiny, x_T, settings, seeds=order.seeds)
        assert event.images.dtype == np.float32
        np.testing.assert_array_equal(event.images, last.x)
        assert 0 < event.seconds < 60
    assert len({event.images.tobytes() for event in done}) == 6


def test_the_order_of_events(bench, tiny):
    order = matrix("eta=0,1", "steps=4,2")
    opened, *events, ended = run(compare_job(order, bench.models))
    assert (opened.info, opened.device, opened.engine) == (tiny.info, "cpu", "torch, float32")
    assert ended == Ended("finished")
    places = [event.place for event in of(events, CellStarted)]
    assert places == list(order.cheapest_first())
    for place, steps in zip(places, (2, 2, 4, 4), strict=True):
        start = events.index(next(e for e in of(events, CellStarted) if e.place == place))
        part = events[start : start + 3 + 2 * steps]
        assert [type(event) for event in part] == [
            CellStarted,
            CellFrame,
            *[CellFrame, Progress] * steps,
            CellDone,
        ]
        started, *frames = (event for event in part if isinstance(event, CellStarted | CellFrame))
        assert started.timesteps == tuple(range(1000 - 1000 // steps, -1, -1000 // steps))
        assert (started.image_shape, started.seeds) == ((1, 8, 8), (11, 2, 7))
        assert [event.frame.index for event in frames] == list(range(steps + 1))
        assert {event.place for event in frames} == {place}
        assert [set(event.frame.views) for event in frames] == [{"x"}] + [{"x", "x0"}] * steps
    told = [(event.done, event.total, event.unit) for event in of(events, Progress)]
    assert told == [(n, 12, "step") for n in range(1, 13)]


def test_all_cells_start_from_the_same_noise(bench):
    events = list(compare_job(matrix(), bench.models))
    firsts = [e.frame.views["x"] for e in of(events, CellFrame) if e.frame.index == 0]
    assert len(firsts) == 6
    assert all(np.array_equal(first, firsts[0]) for first in firsts)


def test_a_seed_axis_draws_each_image_from_its_own_seed(bench, tiny):
    order = matrix("seed=5,9", "eta=0,1", steps=3)
    done = {e.place: e.images for e in of(compare_job(order, bench.models), CellDone)}
    for place in order.places:
        seed = order.rows.values[place.row]
        settings = ds.SampleSettings(steps=3, eta=order.columns.values[place.column])
        *_, last = ds.sample(tiny, ds.seeded_noise(tiny, [seed]), settings, seeds=[seed])
        np.testing.assert_array_equal(done[place], last.x)


def test_without_views_there_are_no_frames(bench):
    events = list(compare_job(matrix(), bench.models, views=()))
    assert of(events, CellFrame) == []
    assert len(of(events, CellDone)) == 6


def test_the_network_is_called_once_a_step_and_once_to_warm_up(bench, tiny):
    before = tiny.network_calls
    job = compare_job(matrix(), bench.models)
    for event in job:
        if isinstance(event, Progress):
            assert tiny.network_calls - before == 3 * (1 + event.done)
            if event.done == 7:
                break
    job.close()
    assert tiny.network_calls - before == 3 * 8


def test_a_cell_that_cannot_be_does_not_stop_the_others(bench):
    order = matrix("eta=0,1", "steps=2,1001,3")
    comparison, events = Comparison(order), list(run(compare_job(order, bench.models)))
    for event in events:
        comparison.take(event)
    assert events[-1] == Ended("finished")
    assert sorted(comparison.images) == [place for place in order.places if place.column != 1]
    assert comparison.images.keys() == comparison.seconds.keys()
    assert sorted(comparison.failures) == [Place(0, 1), Place(1, 1)]
    message = comparison.failures[Place(0, 1)].message
    assert message == "steps must be a whole number from 1 to 1000, not 1001."
    last = of(events, Progress)[-1]
    assert (last.done, last.total) == (10, 10)  # without the steps that are not taken
    assert of(events, Progress)[0].total == order.network_calls() == 2012


def test_when_all_cells_fail_the_job_fails_with_the_first(bench):
    *events, ended = run(compare_job(matrix("eta=0,1", "steps=1001,1002"), bench.models))
    assert len(of(events, CellFailed)) == 4
    assert ended.outcome == "failed"
    assert ended.failure.message == of(events, CellFailed)[0].failure.message
    assert "not 1001" in ended.failure.message
    assert "Traceback" in ended.failure.details


def test_an_error_in_the_network_is_the_cells_own(bench, tiny, monkeypatch):
    genuine, calls = tiny.network, []

    def failing(x, t):
        calls.append(t)
        if len(calls) == 6:  # the warm-up, three steps of the first cell, two of the second
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return genuine(x, t)

    monkeypatch.setattr(tiny, "network", failing)
    order = matrix("eta=0,1,0.5", "steps=3")
    events = list(run(compare_job(order, bench.models)))
    (failed,) = of(events, CellFailed)
    assert failed.place == Place(1, 0)
    assert failed.failure.message == "There is not enough memory for this run."
    assert [event.place for event in of(events, CellDone)] == [Place(0, 0), Place(2, 0)]
    last = of(events, Progress)[-1]
    assert (last.done, last.total) == (7, 7)


def test_images_that_are_no_numbers_are_a_failure(bench, tiny, monkeypatch):
    genuine, calls = tiny.network, []

    def diverging(x, t):
        calls.append(t)
        return genuine(x, t) * (math.inf if len(calls) == 3 else 1)

    monkeypatch.setattr(tiny, "network", diverging)
    events = list(run(compare_job(matrix("eta=0,1", "steps=3"), bench.models)))
    (failed,) = of(events, CellFailed)
    assert failed.failure.message == "The images of this cell are not finite numbers."
    assert failed.failure.advice
    assert len(of(events, CellDone)) == 1


def test_a_fault_of_the_program_is_not_taken_for_the_cells(bench, tiny, monkeypatch):
    monkeypatch.setattr(tiny, "network", lambda x, t: x.no_such_thing)
    *events, ended = run(compare_job(matrix(), bench.models))
    assert of(events, CellFailed) == []
    assert "AttributeError" in ended.failure.message


@pytest.mark.parametrize("after", [4, 9])
def test_cancelling_takes_one_network_call_and_keeps_the_finished_cells(bench, tiny, after):
    order, seen = matrix("eta=0,1", "steps=3,4"), []
    comparison = Comparison(order)
    before = tiny.network_calls
    job = compare_job(order, bench.models)
    for event in run(job, lambda: len(seen) >= after):
        comparison.take(event)
        seen.extend(of([event], Progress))
    assert event == Ended("cancelled")
    assert tiny.network_calls - before == 3 * (1 + after)
    assert list(comparison.images) == list(order.cheapest_first())[: {4: 1, 9: 2}[after]]


def test_one_step_from_a_low_timestep_is_remarked_on_once(bench):
    notices = of(compare_job(matrix("eta=0,1", "steps=1,2"), bench.models), Notice)
    assert len(notices) == 1
    assert "t = 0" in notices[0].text


def test_two_models_of_other_sizes_share_what_they_can(tiny_pipeline, short_model, tiny):
    order = matrix(f"model={tiny_pipeline},{short_model}", "steps=5,50", seeds=(4, 6))
    events = list(run(compare_job(order, ModelCache())))
    assert [event.info.timesteps for event in of(events, ModelOpened)] == [1000, 20]
    started = {event.place: event for event in of(events, CellStarted)}
    assert started[Place(1, 0)].image_shape == (3, 16, 16)
    assert started[Place(1, 0)].timesteps == (16, 12, 8, 4, 0)
    done = {event.place: event.images for event in of(events, CellDone)}
    assert {place: x_0.shape for place, x_0 in done.items()} == {
        Place(0, 0): (2, 1, 8, 8),
        Place(0, 1): (2, 1, 8, 8),
        Place(1, 0): (2, 3, 16, 16),
    }
    (failed,) = of(events, CellFailed)
    assert failed.place == Place(1, 1)
    assert "from 1 to 20, not 50" in failed.failure.message
    *_, last = ds.sample(tiny, ds.seeded_noise(tiny, (4, 6)), ds.SampleSettings(steps=50))
    np.testing.assert_array_equal(done[Place(0, 1)], last.x)


def test_few_models_are_opened_again(tiny_pipeline, short_model, monkeypatch):
    from ddim_studio.models import loading

    genuine, opened = loading.load_model, []

    def load_model(source, device):
        opened.append(source)
        return genuine(source, device)

    monkeypatch.setattr(loading, "load_model", load_model)
    order = matrix(f"model={tiny_pipeline},fashion-28,{short_model}", "steps=1,2,3", seeds=(1,))
    events = list(run(compare_job(order, ModelCache())))
    assert len(of(events, CellDone)) == 9
    assert len(of(events, ModelOpened)) == 3
    assert len(opened) == 5  # 3 at first, and 1 at each turn


def test_a_model_that_cannot_be_opened_is_tried_once(bench, monkeypatch):
    from ddim_studio.models import loading

    genuine, tried = loading.load_model, []

    def load_model(source, device):
        tried.append(source)
        return genuine(source, device)

    monkeypatch.setattr(loading, "load_model", load_model)
    order = matrix("model=missing,tiny", "steps=2,3")
    events = list(run(compare_job(order, bench.models)))
    assert tried == ["missing"]
    assert {event.place for event in of(events, CellDone)} == {Place(1, 0), Place(1, 1)}
    assert {event.failure.message for event in of(events, CellFailed)} == {
        next(iter(of(events, CellFailed))).failure.message
    }
    assert "missing" in of(events, CellFailed)[1].failure.message


def test_both_orders_have_a_title_and_a_job(bench):
    order = matrix("eta=0", "steps=2")
    kind = KINDS[CompareRun]
    assert kind.title(order) == "Comparing 1 cell"
    assert kind.title(matrix()) == "Comparing 6 cells"
    (done,) = of(kind.start(order, bench), CellDone)
    scoring = ScoreOrder(done.place, {done.place: done.images})
    assert KINDS[ScoreOrder].title(scoring) == "Measuring 1 cell"
    *_, scored = KINDS[ScoreOrder].start(scoring, bench)
    assert scored.scores[done.place].mean("mse") == 0
