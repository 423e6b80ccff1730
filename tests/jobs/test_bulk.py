"""Bulk runs: equal to small ones, resumed to the same bytes."""

from __future__ import annotations

import errno
import tarfile
from contextlib import closing
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from bulk_runs import BATCH, COUNT, KINDS, contents, draw, place_of, plan_of

from ddim_studio.evaluation.team import Alone
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs import bulk_archive
from ddim_studio.jobs.bulk import blocks_of, bulk_job
from ddim_studio.jobs.bulk_archive import TarFormat
from ddim_studio.jobs.bulk_place import image_seed
from ddim_studio.jobs.events import Notice, Progress, Saved
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.outputs import sink_for
from ddim_studio.jobs.runner import run as run_job
from ddim_studio.jobs.sample import sample_job


@pytest.fixture
def plan(tiny, tiny_pipeline):
    return plan_of(tiny, tiny_pipeline)


@pytest.fixture
def models():
    return ModelCache(1)


def test_only_blocks_that_lack_something_are_drawn_and_in_whole():
    held = np.ones(11, np.bool_)
    assert blocks_of(held, 4) == []
    held[[1, 2, 9]] = False
    first, last = blocks_of(held, 4)
    assert (first.first, first.count, first.missing, first.wanted) == (0, 4, (range(1, 3),), 2)
    assert (last.first, last.count, last.missing) == (8, 3, (range(9, 10),))
    held[[0, 3]] = held[2] = False
    held[1] = True
    assert blocks_of(held, 4)[0].missing == (range(1), range(2, 4))
    assert [block.first for block in blocks_of(np.zeros(11, np.bool_), 4)] == [0, 4, 8]


def test_a_folder_holds_what_a_small_run_writes(tmp_path, plan, models):
    sink = sink_for(f"{tmp_path}/small/", plan)
    list(run_job(sample_job(plan.run, models, sink=sink, views=(), batch_size=BATCH)))
    events = draw(plan, models, place_of("folder", tmp_path, plan))
    written = contents(tmp_path / "images")
    assert ".ddim-studio.json" in written
    del written[".ddim-studio.json"]
    assert len(written) == COUNT
    assert written == contents(tmp_path / "small")
    assert events[-2] == Saved(str(tmp_path / "images"))
    assert "22 images in " in events[-3].text
    ticks = [event for event in events if isinstance(event, Progress)]
    assert [tick.done for tick in ticks][:4] == [1, 3, 5, 6]  # three steps for five images
    assert (ticks[-1].done, ticks[-1].total, ticks[-1].unit) == (COUNT, COUNT, "image")


def test_archives_hold_what_small_runs_write(tmp_path, plan, models):
    sink = sink_for(f"{tmp_path}/small.npz", plan)
    list(run_job(sample_job(plan.run, models, sink=sink, views=(), batch_size=BATCH)))
    small = dict(np.load(tmp_path / "small.npz", allow_pickle=False))

    draw(plan, models, place_of("floats", tmp_path, plan))
    with np.load(tmp_path / "out.npz", allow_pickle=False) as stored:
        assert set(stored) == set(small) == {"x0", "seeds", "timesteps", "settings"}
        for name, array in small.items():
            assert stored[name].dtype == array.dtype
            np.testing.assert_array_equal(stored[name], array)

    draw(plan, models, place_of("pixels", tmp_path, plan))
    with np.load(tmp_path / "out.npz", allow_pickle=False) as stored:
        assert set(stored) == {"arr_0", "seeds", "timesteps", "settings"}
        import torch

        assert stored["arr_0"].dtype == np.uint8
        np.testing.assert_array_equal(stored["arr_0"], to_pixels(torch.from_numpy(small["x0"])))


def test_a_tar_holds_the_files_of_the_folder_in_the_order_of_the_run(tmp_path, plan, models):
    for kind in ("tar", "folder"):
        draw(plan, models, place_of(kind, tmp_path, plan))
    folder = contents(tmp_path / "images")
    assert (tmp_path / "out.tar").stat().st_size % tarfile.RECORDSIZE == 0
    with tarfile.open(tmp_path / "out.tar") as archive:
        members = archive.getmembers()
        names = [f"seed-{image_seed(plan.run, number)}.png" for number in range(COUNT)]
        assert [member.name for member in members] == names
        assert names[6:8] == ["seed-18446744073709551615.png", "seed-0.png"]
        for member in members:
            assert archive.extractfile(member).read() == folder[member.name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path, plan, models, kind):
    (tmp_path / "whole").mkdir()
    draw(plan, models, place_of(kind, tmp_path / "whole", plan))
    for steps in (0, 1, 4, 8, 13):
        folder = tmp_path / str(steps)
        folder.mkdir()
        place = place_of(kind, folder, plan)
        with closing(bulk_job(plan.run, models, place, Alone(), batch_size=BATCH)) as job:
            ticks = (event for event in job if isinstance(event, Progress))
            list(islice(ticks, steps))
        there = int(place.held().sum())
        assert there == (0 if steps == 0 else BATCH * ((steps - 1) // 3)), steps
        if there == 0:
            assert contents(folder) == {}
        events = draw(plan, models, place_of(kind, folder, plan))
        told = [event.text for event in events if isinstance(event, Notice)]
        assert (f"{there} of 22 images are there already." in told) is bool(there)
        assert contents(folder) == contents(tmp_path / "whole")


def test_what_is_missing_or_cut_is_drawn_again_and_nothing_else(tmp_path, plan, models, tiny):
    place = place_of("folder", tmp_path, plan)
    draw(plan, models, place)
    before = contents(place.path)
    model = models.get(plan.run.model, "cpu")
    calls = model.network_calls
    assert draw(plan, models, place)[-3].text.startswith("0 images")
    assert model.network_calls == calls

    (place.path / f"seed-{2**64 - 6}.png").unlink()
    cut = place.path / "seed-9.png"
    cut.write_bytes(cut.read_bytes()[:-1])
    (place.path / ".seed-3-0123456789abcdef.png").write_bytes(b"left by a killed process")
    (place.path / "seed-03.png").write_bytes(b"somebody's")
    draw(plan, models, place)
    assert model.network_calls == calls + 3 * 2 * BATCH  # two blocks of three steps
    assert contents(place.path) == {**before, "seed-03.png": b"somebody's"}


def test_a_longer_run_adds_to_a_folder(tmp_path, plan, models):
    place = place_of("folder", tmp_path, plan)
    draw(plan, models, place)
    before = contents(place.path)
    longer = replace(plan, run=replace(plan.run, count=COUNT + 3))
    draw(longer, models, place_of("folder", tmp_path, longer))
    after = contents(place.path)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "other",
    [({"eta": 0.25}, "eta 0.5, not 0.25"), ({"clip": "clamp"}, 'clip "none", not "clamp"')],
)
def test_another_run_in_the_same_place_is_refused(tmp_path, plan, models, kind, other):
    change, told = other
    place = place_of(kind, tmp_path, plan)
    with closing(bulk_job(plan.run, models, place, Alone(), batch_size=BATCH)) as job:
        list(islice((event for event in job if isinstance(event, Progress)), 7))
    before = contents(tmp_path)
    assert before
    changed = replace(plan, run=replace(plan.run, **change))
    job = bulk_job(changed.run, models, place_of(kind, tmp_path, changed), Alone())
    *_, last = run_job(job)
    assert told in last.failure.message
    assert contents(tmp_path) == before


def test_other_weights_are_refused(tmp_path, plan, models):
    place = place_of("folder", tmp_path, plan)
    draw(plan, models, place)
    weight = next(models.get(plan.run.model, "cpu").unet.parameters())
    weight.data.view(-1)[0] += 1
    *_, last = run_job(bulk_job(plan.run, models, place, Alone()))
    assert "other weights of the model" in last.failure.message


def test_images_of_an_unknown_run_are_not_taken_for_those_of_this_one(tmp_path, plan, models):
    sink = sink_for(f"{tmp_path}/images/", plan)
    list(run_job(sample_job(plan.run, models, sink=sink, views=(), batch_size=BATCH)))
    before = contents(tmp_path)
    *_, last = run_job(bulk_job(plan.run, models, place_of("folder", tmp_path, plan), Alone()))
    assert "images of another run with the same names" in last.failure.message
    assert contents(tmp_path) == before


def test_two_runs_do_not_write_to_one_place(tmp_path, plan, models):
    one, other = (place_of("pixels", tmp_path, plan) for _ in range(2))
    with closing(bulk_job(plan.run, models, one, Alone(), batch_size=BATCH)) as job:
        list(islice((event for event in job if isinstance(event, Progress)), 1))
        *_, last = run_job(bulk_job(plan.run, models, other, Alone()))
        assert "Another process is writing" in last.failure.message
    draw(plan, models, other)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_keeps_what_is_whole(tmp_path, plan, models, kind, monkeypatch):
    (tmp_path / "whole").mkdir()
    draw(plan, models, place_of(kind, tmp_path / "whole", plan))
    (tmp_path / "full").mkdir()
    place = place_of(kind, tmp_path / "full", plan)
    write = type(place).write

    def full(self, first, images):
        if first >= 2 * BATCH:
            raise OSError(errno.ENOSPC, "No space left on device", str(self.path))
        write(self, first, images)

    with monkeypatch.context() as patch:
        patch.setattr(type(place), "write", full)
        *_, last = run_job(bulk_job(plan.run, models, place, Alone(), batch_size=BATCH))
    assert "The disk is full" in last.failure.message
    assert int(place.held().sum()) == 2 * BATCH
    draw(plan, models, place)
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


def test_a_disk_that_will_be_too_full_is_told_before_anything_is_drawn(
    tmp_path, plan, models, monkeypatch
):
    needed = 2 * COUNT * 8 * 8
    usage = bulk_archive.shutil.disk_usage(tmp_path)
    for free, fits in ((needed - 1, False), (needed, True)):
        monkeypatch.setattr(
            bulk_archive.shutil, "disk_usage", lambda _, free=free: usage._replace(free=free)
        )
        place = place_of("pixels", tmp_path, plan)
        *events, last = run_job(bulk_job(plan.run, models, place, Alone()))
        assert (last.outcome == "finished") is fits
        if not fits:
            assert "The disk is full" in last.failure.message
            assert not any(isinstance(event, Progress) for event in events)
            assert contents(tmp_path) == {}


def test_a_failure_while_joining_keeps_the_parts(tmp_path, plan, models, monkeypatch):
    place = place_of("tar", tmp_path, plan)
    with monkeypatch.context() as patch:

        def join(self, path, parts):
            next(parts)
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

        patch.setattr(TarFormat, "join", join)
        *_, last = run_job(bulk_job(plan.run, models, place, Alone(), batch_size=BATCH))
    assert last.outcome == "failed"
    assert place.held().all()
    calls = models.get(plan.run.model, "cpu").network_calls
    draw(plan, models, place)
    assert models.get(plan.run.model, "cpu").network_calls == calls
    assert list(contents(tmp_path)) == ["out.tar"]


def test_images_that_are_no_numbers_are_not_written(tmp_path, plan, models):
    weights = models.get(plan.run.model, "cpu").unet
    next(weights.parameters()).data.fill_(float("nan"))
    *_, last = run_job(bulk_job(plan.run, models, place_of("tar", tmp_path, plan), Alone()))
    assert "Images 0 to 21 are not finite" in last.failure.message
    assert contents(tmp_path) == {}
