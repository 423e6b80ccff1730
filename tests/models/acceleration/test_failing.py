"""A run keeps what it began with; where that fails, torch goes on with the right numbers."""

import numpy as np
import pytest
import torch
from engines import batch, by_torch, drawn

from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs.events import Ended, Frame, ModelOpened, Notice
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runner import run as run_job
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.jobs.sample import sample_job
from ddim_studio.models.acceleration import library
from ddim_studio.models.acceleration.engine import Engine
from ddim_studio.models.acceleration.network import holding, with_engine

STEPS = 6
FAULT = (
    "The faster engine cannot run this model (it failed: RuntimeError). "
    "It runs with torch, as precisely."
)


class FailsAt:
    """A compiled network whose nth call fails, and every one after it."""

    def __init__(self, network, nth, error=RuntimeError):
        self._network, self._nth, self._error = network, nth, error
        self.precision, self.calls = network.precision, 0

    def __call__(self, *given):
        self.calls += 1
        if self.calls >= self._nth:
            raise self._error("Exception from src/inference/src/cpp/infer_request.cpp:223")
        return self._network(*given)


@pytest.fixture
def models(cached):
    return ModelCache()


@pytest.fixture
def engine(models, tiny_pipeline):
    """The engine of the small random model, ready."""
    engine = models.get(str(tiny_pipeline), "cpu").engine
    assert engine.offer("precise") is not None
    return engine


@pytest.fixture
def no_bfloat16(monkeypatch):
    monkeypatch.setattr(library, "computes_bfloat16", lambda: False)


def ran(models, source, precision="precise"):
    """Which network runs, the pixels drawn at the end, and what was said, by a job."""
    run = SampleRun(model=str(source), device="cpu", steps=STEPS, count=3, precision=precision)
    events = list(run_job(sample_job(run, models)))
    assert events[-1] == Ended("finished"), events[-1].failure
    frames = [event for event in events if isinstance(event, Frame)]
    name = next(event.engine for event in events if isinstance(event, ModelOpened))
    told = [event.text for event in events if isinstance(event, Notice)]
    return name, frames[-1].views["x"], told


def split_run(tiny, first, calls):
    """What one network draws for some calls and torch after them."""
    done = []

    def network(*given):
        done.append(given)
        return first(*given) if len(done) <= calls else by_torch(tiny, given)

    return to_pixels(drawn(tiny, range(3), network, STEPS))


@pytest.mark.usefixtures("no_bfloat16")
@pytest.mark.parametrize("wanted", ["precise", "fast"])
@pytest.mark.parametrize("nth", [1, 4])
def test_a_run_whose_engine_fails_goes_on_with_torch(models, engine, tiny_pipeline, wanted, nth):
    tiny, sound = engine._model, engine.offer("precise")
    failing = engine._offers["precise"] = FailsAt(sound, nth)
    name, pixels, told = ran(models, tiny_pipeline, wanted)
    assert name == "OpenVINO, float32"
    assert failing.calls == nth  # it is not tried again
    assert np.array_equal(pixels, split_run(tiny, sound, nth - 1))
    assert abs(pixels.astype(int) - to_pixels(drawn(tiny, range(3), None, STEPS))).max() <= 1
    assert told.count(FAULT) == 1

    name, pixels, told = ran(models, tiny_pipeline, wanted)
    assert (name, failing.calls) == ("torch, float32", nth)
    assert np.array_equal(pixels, to_pixels(drawn(tiny, range(3), None, STEPS)))
    assert FAULT not in told
    assert engine.offer("precise") is None
    assert engine.fault("precise") == FAULT


def test_where_fast_fails_the_next_run_is_precise_and_still_on_the_engine(
    models, engine, tiny_pipeline, monkeypatch
):
    monkeypatch.setattr(library, "computes_bfloat16", lambda: True)
    engine._offers["fast"] = FailsAt(engine.take_up("fast"), 2)
    name, _, told = ran(models, tiny_pipeline, "fast")
    assert name == "OpenVINO, bfloat16"
    assert told.count(FAULT) == 1
    name, _, told = ran(models, tiny_pipeline, "fast")
    assert name == "OpenVINO, float32"
    assert engine.fault("precise") == ""


def test_memory_that_runs_out_is_no_failure_of_the_engine(tiny, cached):
    engine = Engine(tiny)
    failing = FailsAt(engine.take_up(), 1, torch.OutOfMemoryError)
    view = holding(tiny, engine, "precise", failing)
    with pytest.raises(torch.OutOfMemoryError):
        view.network(*batch(tiny, 2))
    assert engine.offer("precise") is not None
    assert list(engine.news()) == []


def test_a_view_that_holds_nothing_takes_up_what_is_ready_and_leaves_what_failed(tiny, cached):
    engine = Engine(tiny)
    view = with_engine(tiny, engine, "precise")
    given = batch(tiny, 2)
    exact = by_torch(tiny, given)
    assert torch.equal(view.network(*given), exact)
    network = engine.take_up()
    assert torch.equal(view.network(*given), network(*given))
    assert not torch.equal(view.network(*given), exact)
    engine._offers["precise"] = FailsAt(network, 1)
    for _ in range(2):
        assert torch.equal(view.network(*given), exact)
    assert list(engine.news()) == [FAULT]


def test_a_view_that_holds_torch_keeps_to_it(tiny, cached):
    engine = Engine(tiny)
    view = holding(tiny, engine, "precise", None)
    assert engine.take_up() is not None
    given = batch(tiny, 2)
    assert torch.equal(view.network(*given), by_torch(tiny, given))
    assert view.compiled is None
