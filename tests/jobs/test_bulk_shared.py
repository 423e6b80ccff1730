"""Bulk runs of many processes, and of many engines: shared without a trace."""

from __future__ import annotations

import os
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from bulk_runs import BATCH, COUNT, KINDS, contents, draw, place_of, plan_of
from teams import play

from ddim_studio.evaluation.team import Alone
from ddim_studio.imaging.errors import ImageError
from ddim_studio.jobs.bulk import _claim_too, bulk_job
from ddim_studio.jobs.events import Notice, Progress
from ddim_studio.jobs.file_sink import made
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runner import run as run_job
from ddim_studio.models.errors import ModelError


@pytest.fixture
def plan(tiny, tiny_pipeline):
    return plan_of(tiny, tiny_pipeline)


@pytest.fixture
def models():
    return ModelCache(1)


def test_processes_may_make_a_folder_at_once(tmp_path, monkeypatch):
    folder, look = tmp_path / "new" / "parts", os.path.lexists

    def look_and_be_overtaken(path):
        there = look(path)
        Path(path).mkdir(parents=True, exist_ok=True)
        return there

    monkeypatch.setattr(os.path, "lexists", look_and_be_overtaken)
    with made(folder):
        assert folder.is_dir()
    with pytest.raises(KeyError), made(folder):
        raise KeyError
    assert folder.is_dir()  # it is theirs


class Deserted:
    """The first of two processes, whose other one ends when they meet for the nth time."""

    index, size = 0, 2

    def __init__(self, meetings):
        self._left = meetings

    def gather(self, item):
        self._left -= 1
        if self._left < 0:
            raise ModelError("Another process of this run has ended.")
        return [item, item]


@pytest.mark.parametrize("meetings", range(6))
def test_a_place_is_free_again_whenever_another_process_ends(tmp_path, plan, models, meetings):
    job = bulk_job(plan.run, models, place_of("tar", tmp_path, plan), Deserted(meetings))
    *_, last = run_job(job)
    assert last.failure.message == "Another process of this run has ended."
    journal = place_of("tar", tmp_path, plan).journal
    if meetings < 5:  # nothing was drawn
        assert contents(tmp_path) == {}
    else:
        journal.lock()
        journal.release()


@pytest.mark.parametrize("kind", KINDS)
def test_a_team_writes_what_one_process_writes(tmp_path, plan, models, kind):
    for name in ("alone", "team"):
        (tmp_path / name).mkdir()
    draw(plan, models, place_of(kind, tmp_path / "alone", plan))
    opened = models.get(plan.run.model, "cpu")
    calls = opened.network_calls

    def work(player):
        own = ModelCache(1)
        place = place_of(kind, tmp_path / "team", plan)
        draw(plan, own, place, player)
        return own.get(plan.run.model, "cpu").network_calls

    shares = play(3, work)
    assert contents(tmp_path / "team") == contents(tmp_path / "alone")
    assert sorted(shares) == [2 * 3, 3 * 5, 3 * 10] or sum(shares) == 3 * COUNT
    assert opened.network_calls == calls


def test_machines_that_share_no_disk_fill_folders_but_no_archive(tmp_path, plan):
    for name in "01":
        (tmp_path / name).mkdir()

    def work(kind):
        def play_one(player):
            place = place_of(kind, tmp_path / str(player.index), plan)
            *_, last = run_job(bulk_job(plan.run, ModelCache(1), place, player, batch_size=BATCH))
            return last

        return play_one

    assert [last.outcome for last in play(2, work("folder"))] == ["finished"] * 2
    names = [set(contents(tmp_path / name)) for name in "01"]
    pictures = [{name for name in found if name.endswith(".png")} for found in names]
    assert not pictures[0] & pictures[1]
    assert len(pictures[0] | pictures[1]) == COUNT
    place = place_of("tar", tmp_path / "1", plan)
    with pytest.raises(ImageError, match="do not share the folder"):
        _claim_too(place, {}, "torch")


class FakeEngine:
    """An engine that negates what torch would say, ready as soon as it was prepared."""

    def __init__(self, model):
        self._eager, self._made = model.network, None

    def prepare(self, precision, count=1):
        self._made = _Negated(self._eager)
        return self._made

    def best(self, precision):
        return self._made

    def fault(self, precision):
        return ""

    def news(self):
        return iter(())

    def noted(self, given, output):
        pass

    def give_up(self, precision, error):
        raise error

    def stop(self):
        pass


class _Negated:
    precision = "precise"

    def __init__(self, network):
        self._network = network

    def __call__(self, *given):
        return -self._network(*given)


def test_a_run_keeps_to_the_engine_that_it_was_begun_with(tmp_path, plan, monkeypatch):
    from ddim_studio.jobs import bulk
    from ddim_studio.models.acceleration import engine

    def drawn(name, models, steps=None):
        (tmp_path / name).mkdir(exist_ok=True)
        place = place_of("tar", tmp_path / name, plan)
        if steps is None:
            return [event.text for event in draw(plan, models, place) if isinstance(event, Notice)]
        with closing(bulk_job(plan.run, models, place, Alone(), batch_size=BATCH)) as job:
            list(islice((event for event in job if isinstance(event, Progress)), steps))
        return place.journal.engine()

    torch_alone = ModelCache(1)
    monkeypatch.setattr(engine, "engine_for", lambda model: None)
    drawn("torch", torch_alone)
    assert drawn("stopped", torch_alone, 7) == "torch, float32"

    monkeypatch.setattr(engine, "engine_for", FakeEngine)
    assert drawn("unmade", ModelCache(1), 7) == "torch, float32"  # a short run does not wait
    monkeypatch.setattr(bulk, "LONG", plan.run.count * plan.run.steps)
    assert drawn("begun", ModelCache(1), 7) == "OpenVINO, float32"
    drawn("engine", ModelCache(1))
    drawn("stopped", ModelCache(1))
    drawn("unmade", ModelCache(1))
    drawn("begun", ModelCache(1))
    files = {path.parent.name: path.read_bytes() for path in tmp_path.rglob("out.tar")}
    assert files["torch"] == files["stopped"] == files["unmade"]
    assert files["engine"] == files["begun"] != files["torch"]

    drawn("gone", ModelCache(1), 7)
    told = drawn("gone", torch_alone)
    assert any("begun with OpenVINO, float32, and goes on with torch, float32" in t for t in told)
