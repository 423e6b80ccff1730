"""Precise or fast: which network runs, what is told of it, and how the difference is measured."""

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
from two_speeds import OFF, give_engines

import ddim_studio as ds
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs.branch import branch_job
from ddim_studio.jobs.compare import compare_job
from ddim_studio.jobs.comparison_events import CellDone
from ddim_studio.jobs.events import Frame, ModelOpened, Notice
from ddim_studio.jobs.fast import STEPS
from ddim_studio.jobs.matrix import Axis, CompareRun
from ddim_studio.jobs.model_events import FastMeasured
from ddim_studio.jobs.models import ModelCache, open_job
from ddim_studio.jobs.runs import BranchRun, SampleRun
from ddim_studio.jobs.sample import sample_job
from ddim_studio.jobs.workbench import Workbench
from ddim_studio.models.acceleration import precision

NOT_HERE = "This processor does not."


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def shifted(tiny, off):
    """The model whose network says more than it should."""
    view, network = copy.copy(tiny), tiny.network
    view.network = lambda *given: network(*given) + off
    return view


def images_of(model, steps, seeds=range(2)):
    *_, last = ds.sample(model, ds.seeded_noise(model, seeds), ds.SampleSettings(steps=steps))
    return to_pixels(last.x)


@pytest.fixture
def run_fast(tiny_pipeline):
    return SampleRun(model=str(tiny_pipeline), device="cpu", steps=3, count=2, precision="fast")


def test_the_setting_travels_and_older_settings_are_precise(run_fast):
    assert SampleRun.from_json(run_fast.to_json()) == run_fast
    older = json.loads(run_fast.to_json())
    del older["precision"]
    assert SampleRun.from_dict(older).precision == "precise"
    with pytest.raises(SettingsError, match="precision must be one of precise, fast") as caught:
        dataclasses.replace(run_fast, precision="sloppy")
    assert caught.value.field == "precision"


@pytest.mark.parametrize(("wanted", "off"), [("precise", 0.0), ("fast", OFF)])
def test_a_run_is_computed_in_the_precision_that_it_asks_for(
    run_fast, tiny, monkeypatch, wanted, off
):
    give_engines(monkeypatch)
    run = dataclasses.replace(run_fast, precision=wanted)
    events = list(sample_job(run, ModelCache()))
    opened = of_kind(events, ModelOpened)[0]
    assert opened.engine == ("OpenVINO, bfloat16" if off else "OpenVINO, float32")
    assert opened.no_fast == ""
    assert np.array_equal(of_kind(events, Frame)[-1].views["x"], images_of(shifted(tiny, off), 3))
    assert not of_kind(events, Notice)


def test_where_there_is_no_fast_network_the_run_is_precise_and_says_why(
    run_fast, tiny, monkeypatch
):
    give_engines(monkeypatch, without=NOT_HERE)
    events = list(sample_job(run_fast, ModelCache()))
    assert np.array_equal(of_kind(events, Frame)[-1].views["x"], images_of(tiny, 3))
    assert of_kind(events, Notice) == [Notice(NOT_HERE)]
    assert of_kind(events, ModelOpened)[0].no_fast == NOT_HERE
    assert not of_kind(events, FastMeasured)


def test_without_an_engine_fast_says_why(run_fast):
    events = list(sample_job(run_fast, ModelCache()))
    assert of_kind(events, Notice) == [Notice(precision.SWITCHED_OFF)]


def test_the_difference_is_measured_once_on_one_image(run_fast, tiny, tiny_pipeline, monkeypatch):
    give_engines(monkeypatch)
    models = ModelCache()
    source = str(tiny_pipeline)
    events = list(open_job(source, "cpu", models, "fast"))
    (found,) = of_kind(events, FastMeasured)
    ours = images_of(shifted(tiny, OFF), STEPS, [0]).astype(int)
    change = abs(ours - images_of(tiny, STEPS, [0]))
    assert change.max() > 0
    assert (found.change, found.largest) == (pytest.approx(change.mean()), change.max())
    assert (found.source, found.device) == (source, "cpu")
    assert found.speed > 0
    engine = models.open(source, "cpu").engine
    before = {name: network.calls for name, network in engine.offers.items()}
    (again,) = of_kind(sample_job(run_fast, models), FastMeasured)
    assert again is found
    assert engine.offers["precise"].calls == before["precise"]
    assert engine.offers["fast"].calls == before["fast"] + run_fast.steps


def test_a_precise_start_measures_nothing(tiny_pipeline, monkeypatch):
    give_engines(monkeypatch)
    events = list(open_job(str(tiny_pipeline), "cpu", ModelCache()))
    assert not of_kind(events, FastMeasured)
    assert of_kind(events, ModelOpened)[-1].engine == "OpenVINO, float32"


def test_a_slow_network_is_not_measured(tiny_pipeline, monkeypatch):
    give_engines(monkeypatch)
    monkeypatch.setattr("ddim_studio.jobs.fast.LONGEST", 0.0)
    assert ModelCache().compare_fast(str(tiny_pipeline), "cpu") is None


def test_branches_and_matrices_keep_to_it(run_fast, tiny, monkeypatch):
    give_engines(monkeypatch)
    bench = Workbench()
    frames = of_kind(branch_job(BranchRun(run_fast, 1, run_fast), bench), Frame)
    expected = images_of(shifted(tiny, OFF), 3)
    assert np.array_equal(frames[-1].views["x"], expected)
    order = CompareRun(
        rows=Axis("eta", (0.0, 1.0)),
        columns=Axis("steps", (2, 3)),
        base=run_fast,
        seeds=(0, 1),
    )
    events = list(compare_job(order, bench.models))
    done = next(e for e in of_kind(events, CellDone) if (e.place.row, e.place.column) == (0, 1))
    assert np.array_equal(to_pixels(torch.from_numpy(done.images)), expected)
