"""Models are opened once, and no more of them are kept than allowed."""

import gc
import itertools
import os
import shutil
import weakref
from pathlib import Path

import pytest
import torch

from ddim_studio.jobs.events import Ended, ModelOpened, Progress
from ddim_studio.jobs.models import ModelCache, leave_one_core, open_job
from ddim_studio.jobs.runner import run
from ddim_studio.models.errors import ModelError


@pytest.fixture
def sources(tiny_pipeline, tmp_path):
    """Four models in folders a, b, c and d."""
    return [str(shutil.copytree(tiny_pipeline, tmp_path / name)) for name in "abcd"]


def test_a_model_is_opened_once(sources):
    cache = ModelCache()
    first = cache.get(sources[0], "cpu")
    shutil.rmtree(sources[0])  # opening it again would fail
    assert cache.get(sources[0], "cpu") is first
    with pytest.raises(ModelError):
        ModelCache().get(sources[0], "cpu")


def test_the_one_used_longest_ago_goes_first(sources):
    a, b, c, _ = sources
    cache = ModelCache(capacity=2)
    models = {source: weakref.ref(cache.get(source, "cpu")) for source in (a, b)}
    cache.get(a, "cpu")
    cache.get(c, "cpu")
    gc.collect()
    assert models[b]() is None
    assert models[a]() is cache.get(a, "cpu")


@pytest.mark.parametrize("capacity", [1, 3])
def test_no_more_are_kept_than_allowed(sources, capacity):
    cache = ModelCache(capacity)
    alive = [weakref.ref(cache.get(source, "cpu")) for source in sources]
    gc.collect()
    assert [ref() is not None for ref in alive] == [False] * (4 - capacity) + [True] * capacity


def test_clear_gives_the_memory_back(sources):
    cache = ModelCache()
    model = weakref.ref(cache.get(sources[0], "cpu"))
    cache.clear()
    gc.collect()
    assert model() is None


def test_a_model_that_cannot_be_opened_leaves_the_others(sources):
    cache = ModelCache(capacity=1)
    kept = cache.get(sources[0], "cpu")
    with pytest.raises(ModelError):
        cache.get("no such model", "cpu")
    assert cache.get(sources[0], "cpu") is kept


def test_opening_ahead_fills_the_cache(sources):
    cache = ModelCache()
    *progress, opened, measured = open_job(sources[1], "cpu", cache)
    shutil.rmtree(sources[1])
    model = cache.get(sources[1], "cpu")
    assert (opened.info, opened.device, opened.engine) == (model.info, "cpu", "torch, float32")
    assert "DDIM_STUDIO_ENGINE" in opened.no_fast
    assert opened.info.name == "b"
    assert (measured.source, measured.device) == (model.info.source, "cpu")
    assert measured.weights == 4 * model.info.parameters
    assert [p.unit for p in progress] == ["B"] * len(progress)


def test_opening_tells_of_every_byte_and_can_be_cancelled_between_parts(sources, monkeypatch):
    monkeypatch.setattr("ddim_studio.jobs.models.PART_BYTES", 10_000)
    weights = Path(sources[0], "unet", "diffusion_pytorch_model.safetensors").stat().st_size
    cache = ModelCache()
    job = open_job(sources[0], "cpu", cache)
    progress = list(itertools.takewhile(lambda event: isinstance(event, Progress), job))
    assert [p.done for p in progress] == [*range(0, weights, 10_000), weights]
    assert {p.total for p in progress} == {weights}
    cancelled = ModelCache()
    *_, ended = run(open_job(sources[0], "cpu", cancelled), lambda: True)
    assert ended == Ended("cancelled")
    assert not cancelled.has(sources[0], "cpu")


def test_an_open_model_is_neither_read_nor_measured_again(sources):
    cache = ModelCache()
    *_, first = open_job(sources[0], "cpu", cache)
    calls = cache.get(sources[0], "cpu").network_calls
    opened, again = open_job(sources[0], "cpu", cache)
    assert isinstance(opened, ModelOpened)
    assert again is first
    assert cache.get(sources[0], "cpu").network_calls == calls


@pytest.mark.parametrize(("cores", "threads"), [(8, 7), (2, 1), (1, 1), (None, 1)])
def test_one_core_is_left_to_the_window(monkeypatch, cores, threads):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    before = torch.get_num_threads()
    try:
        leave_one_core()
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
