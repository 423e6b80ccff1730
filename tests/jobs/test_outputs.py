"""Sinks: which frames they choose, what they hold in memory, and that they leave nothing behind."""

from __future__ import annotations

import itertools
import math
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

import ddim_studio as ds
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.sheets import contact_sheet
from ddim_studio.jobs.animation_sink import AnimationSink
from ddim_studio.jobs.events import Ended, Saved
from ddim_studio.jobs.file_sink import Plan, Tee, check_place
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.outputs import SUFFIXES, FolderSink, SheetSink, output_kind, sink_for
from ddim_studio.jobs.runner import run as run_job
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.jobs.sample import sample_job


@pytest.fixture
def plan_of(tiny_pipeline, tiny):
    """A plan for the small random model."""

    def plan_of(**settings) -> Plan:
        order = SampleRun(model=str(tiny_pipeline), device="cpu", **settings)
        tau = tau_of(order, tiny.schedule.T)
        return Plan(order, tuple(reversed(tau)), tiny.image_shape)

    return plan_of


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def follow(plan, sink, batch_size=64, stop_after=None):
    """Run a plan into a sink, perhaps cancelled after so many events."""
    job = sample_job(plan.run, ModelCache(), sink=sink, views=(), batch_size=batch_size)
    asked = itertools.count(1)
    return list(run_job(job, lambda: next(asked) == stop_after))


def frames_of(path) -> list[np.ndarray]:
    with Image.open(path) as image:
        return [np.array(frame.convert("L")) for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize("batch_size", [64, 2])
@pytest.mark.parametrize("view", ["x", "x0", "epsilon"])
def test_an_animation_shows_the_view_of_every_step(tmp_path, tiny, plan_of, view, batch_size):
    plan = plan_of(steps=5, count=5, eta=1.0, seed=3)
    path = tmp_path / "a.apng"
    assert follow(plan, AnimationSink(path, plan, view), batch_size)[-2:] == [
        Saved(str(path)),
        Ended("finished"),
    ]
    parts = []
    for first in range(0, 5, batch_size):
        seeds = list(range(3 + first, 3 + min(first + batch_size, 5)))
        x_T = ds.seeded_noise(tiny, seeds)
        steps = list(ds.sample(tiny, x_T, plan.run, seeds=seeds))
        pictures = [to_pixels(x_T)] if view == "x" else []
        limit = 3.0 if view == "epsilon" else 1.0
        pictures += [to_pixels(getattr(step, view), -limit, limit) for step in steps]
        parts.append(pictures)
    expected = [
        contact_sheet(np.concatenate(row), scale=16)[:, :, 0] for row in zip(*parts, strict=True)
    ]
    shown = frames_of(path)
    assert len(shown) == (6 if view == "x" else 5)
    for seen, wanted in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(seen, wanted)


@pytest.mark.parametrize("steps", [1, 2, 198, 199, 200, 201, 500, 1000])
@pytest.mark.parametrize("view", ["x", "x0"])
def test_frames_are_chosen_evenly_with_both_ends(tmp_path, plan_of, steps, view):
    sink = AnimationSink(tmp_path / "a.gif", plan_of(steps=steps), view)
    first = 0 if view == "x" else 1
    assert (sink.frames[0], sink.frames[-1]) == (first, steps)
    assert len(sink.frames) == min(200, steps + 1 - first)
    gaps = {late - early for early, late in pairwise(sink.frames)}
    assert all(gap >= 1 for gap in gaps)
    assert not gaps or max(gaps) - min(gaps) <= 1
    assert bool(sink.notice) == (len(sink.frames) < steps + 1 - first)


@pytest.mark.parametrize("count", [1, 16, 64, 1000, 20_000, 70_000])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 256, 256)])
def test_an_animation_stays_in_its_budget_and_format(tmp_path, count, shape):
    run = SampleRun(steps=1000, count=count)
    plan = Plan(run, tuple(range(999, -1, -1)), shape)
    if math.ceil(math.sqrt(count)) * (shape[1] + 2) > 8192:
        with pytest.raises(SettingsError, match="count must be at most"):
            AnimationSink(tmp_path / "a.gif", plan)
        return
    sink = AnimationSink(tmp_path / "a.gif", plan)
    blank = np.zeros((count, *shape[1:], shape[0]), np.uint8)
    sheet = contact_sheet(blank, scale=sink._scale)
    assert max(sheet.shape) <= 8192
    needed = len(sink.frames) * (sheet.nbytes + blank.nbytes)
    assert len(sink.frames) == 2 or needed <= 1.2 * 512 * 1024**2


def test_what_a_name_asks_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("there.gif").mkdir()
    assert {suffix: output_kind(f"a{suffix}") for suffix in SUFFIXES} == SUFFIXES
    assert output_kind("A.PNG") == "sheet"
    for out in ("folder", "folder/", "run.2/", "there.gif", ".", "..", "/", ".hidden"):
        assert output_kind(out) == "folder"
    for out in ("", "a.jpg", "run.2", ".gif", "deep/.npz"):
        with pytest.raises(SettingsError) as caught:
            output_kind(out)
        assert caught.value.field == "out"


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.apng", "a.webp", "a.mp4", "a.npz"])
def test_a_cancelled_run_leaves_nothing(tmp_path, plan_of, name):
    plan = plan_of(steps=4, count=4)
    for trajectory in {False, name == "a.npz"}:
        sink = sink_for(str(tmp_path / "new" / "deep" / name), plan, trajectory=trajectory)
        assert follow(plan, sink, 2, stop_after=6)[-1] == Ended("cancelled")
        assert names(tmp_path) == []


def test_a_cancelled_run_keeps_what_was_there(tmp_path, plan_of):
    plan = plan_of(steps=4, count=4)
    for name in ("a.png", "a.gif", "a.npz"):
        (tmp_path / name).write_text("before")
        follow(plan, sink_for(str(tmp_path / name), plan), 2, stop_after=6)
        assert (tmp_path / name).read_text() == "before"


def test_a_cancelled_folder_keeps_its_finished_images(tmp_path, plan_of):
    plan = plan_of(steps=4, count=4)
    # Started, four steps of the first batch, one of the second.
    events = follow(plan, FolderSink(tmp_path / "f", plan), 2, stop_after=6)
    assert events[-1] == Ended("cancelled")
    assert names(tmp_path / "f") == ["seed-0.png", "seed-1.png"]


def test_of_several_sinks_none_leaves_anything_when_one_fails(tmp_path, plan_of):
    class Full(SheetSink):
        def _complete(self):
            raise OSError(28, "No space left on device", str(self.path))

    plan = plan_of(steps=2, count=1)
    for order in (1, -1):
        sinks = [AnimationSink(tmp_path / "a.gif", plan), Full(tmp_path / "a.png", plan)][::order]
        events = follow(plan, Tee(*sinks))
        assert events[-1].outcome == "failed"
        assert "disk is full" in events[-1].failure.message
        assert not (tmp_path / "a.png").exists()
        leftovers = [name for name in names(tmp_path) if name.startswith(".")]
        assert leftovers == []


def test_a_place_is_tried_without_a_trace(tmp_path):
    check_place(tmp_path / "new" / "deep")
    assert names(tmp_path) == []
    (tmp_path / "file").write_text("")
    for place in ("file", "file/deep"):
        with pytest.raises(OSError, match="file"):
            check_place(tmp_path / place)
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            check_place(tmp_path)
        with pytest.raises(PermissionError):
            check_place(tmp_path / "new")
    finally:
        tmp_path.chmod(0o700)
