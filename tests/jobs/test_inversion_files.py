"""Inversions and paths into files: one progress for all their parts, and names that stay apart."""

import pytest
from pictures import noisy

from ddim_studio.jobs.events import Ended, Progress, Saved
from ddim_studio.jobs.inversion_files import (
    InversionPlan,
    distinct_names,
    inversion_sink,
    invert_files_job,
)
from ddim_studio.jobs.orders import ImageInput, InvertOrder
from ddim_studio.jobs.path_files import InterpolateRun, interpolate_files_job, path_sink
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.runs import InvertRun

SHAPE = (1, 8, 8)
PLACE = {"model": "tiny", "device": "cpu"}


def progress_of(events):
    """Done and total, each once."""
    told = [(event.done, event.total) for event in events if isinstance(event, Progress)]
    return sorted(set(told)), told


def test_batches_count_as_one_walk(bench, tmp_path):
    order = InvertOrder(
        InvertRun(**PLACE, steps=3, method="source"),
        tuple(ImageInput(noisy(i)) for i in range(5)),
    )
    plan = InversionPlan(order.run, (0, 333, 666), SHAPE, tuple("abcde"))
    out = str(tmp_path / "a.npz")
    sink = inversion_sink(out, plan)
    events = list(run(invert_files_job(order, bench, sink, 2)))
    found, told = progress_of(events)
    assert told == found  # in order, and none twice: the naïve methods make one call a step
    assert found == [(n, 18) for n in range(1, 19)]  # 3 batches, 3 steps there and 3 back
    assert events[-2:] == [Saved(out), Ended("finished")]
    assert [row.image for row in sink.rows] == list("abcde")
    assert len({row.mse for row in sink.rows}) == 5


@pytest.mark.parametrize(
    ("ends", "walks"),
    [
        ((ImageInput(noisy(1)), ImageInput(noisy(2))), 2),
        ((ImageInput(seed=1), ImageInput(noisy(2))), 3),
        ((ImageInput(seed=1), ImageInput(seed=2)), 1),
    ],
)
def test_inverting_and_decoding_count_as_one_walk(bench, tmp_path, ends, walks):
    wanted = InterpolateRun(**PLACE, steps=3, method="target", frames=7)
    out = str(tmp_path / "a.npz")
    job = interpolate_files_job(wanted, ends, bench, path_sink(out, wanted, SHAPE), 3)
    events = list(run(job))
    found, told = progress_of(events)
    assert told == found
    total = 3 * (walks + 3)  # 7 frames in 3 batches
    assert found == [(n, total) for n in range(1, total + 1)]
    assert events[-2:] == [Saved(out), Ended("finished")]


@pytest.mark.parametrize("out", ["new/a.npz", "new/d/"])
def test_a_cancelled_inversion_leaves_nothing(bench, tmp_path, out):
    order = InvertOrder(
        InvertRun(**PLACE, steps=2, method="source"), (ImageInput(noisy(1)), ImageInput(noisy(2)))
    )
    sink = inversion_sink(
        str(tmp_path / out), InversionPlan(order.run, (0, 500), SHAPE, ("a", "b"))
    )
    seen = []
    job = invert_files_job(order, bench, sink, 1)
    *_, last = run(
        job, lambda: bool(sink.rows) and list(tmp_path.rglob("*")) and seen.append(1) is None
    )
    assert last == Ended("cancelled")
    assert seen
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("a b c", "a b c"),
        ("a a a", "a a-2 a-3"),
        ("a a a-2", "a a-3 a-2"),
        ("a A a-2 A", "a A-3 a-2 A-4"),  # some file systems do not tell a from A
        ("a-2 a a", "a-2 a a-3"),
        ("x x x-2 x-2", "x x-3 x-2 x-2-2"),
    ],
)
def test_names_that_occur_again_are_numbered(names, expected):
    assert distinct_names(names.split()) == tuple(expected.split())
