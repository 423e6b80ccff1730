"""What the restoration job tells is what the library restores, step by step and image by image."""

import math

import numpy as np
import pytest
import torch
from pictures import noisy, tensor

import ddim_studio as ds
from ddim_studio.diffusion.measurements import measurement_for
from ddim_studio.diffusion.restore_settings import walk
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.jobs.events import Ended, Frame, ModelOpened, Notice, Progress, Saved, Started
from ddim_studio.jobs.restore import restore_job
from ddim_studio.jobs.restore_events import Agreement, Measured, Restored
from ddim_studio.jobs.restore_order import RestoreOrder, RestoreRun
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.sample import Sink

CLEAN = noisy(1)
HOLE = np.zeros((8, 8), bool)
HOLE[2:5, 3:] = True
TRAVEL = {"steps": 4, "travel_length": 2, "travel_repeats": 2}
NUMBERS = ("guess_rms", "guess_max", "rms", "max")
SIMPLE = {"inpaint": "mean fill", "superres": "bicubic", "denoise": "as it is"}


def order(image=CLEAN, **changes):
    plan = {"model": "tiny", "device": "cpu", "steps": 4, "count": 3, "seed": 5}
    wanted = RestoreRun(**plan | changes)
    return RestoreOrder(wanted, image, HOLE if wanted.task == "inpaint" else None)


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def problem(wanted):
    """The measurement of an order's clean image, and what it gives."""
    hole = None if wanted.mask is None else torch.from_numpy(wanted.mask)
    measurement = measurement_for(wanted.run, (1, 8, 8), hole)
    clean = tensor(wanted.image).double()
    return measurement, ds.measure(measurement, clean, wanted.run.sigma, [wanted.run.noise_seed])


def shown(x):
    """Pixels as they are defined, not rounded."""
    return ((x.double().cpu().numpy().clip(-1, 1) + 1) * 127.5).transpose(0, 2, 3, 1)


ORDERS = {
    "hole": {},
    "hole with travel": TRAVEL,
    "repaint": {**TRAVEL, "method": "repaint", "eta": 1.0},
    "x4": {"task": "superres", "scale": 4, "eta": 0.0},
    "noise": {"task": "denoise", "sigma": 0.3, "noise_seed": 9},
    "x2 with noise": {"task": "superres", "scale": 2, "sigma": 0.1},
}


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("batch_size", [64, 2])
def test_events_tell_what_the_library_does(bench, tiny, name, batch_size):
    wanted = order(**ORDERS[name])
    events = list(run(restore_job(wanted, bench.models, batch_size=batch_size)))
    measurement, y = problem(wanted)
    moves = walk(wanted.run, tau_of(wanted.run, 1000))
    batches = [range(5, 8)] if batch_size > 2 else [range(5, 7), range(7, 8)]
    assert [type(event) for event in events[:3]] == [ModelOpened, Measured, Started]
    assert events[1].moves == tuple(moves)
    assert [type(event) for event in events[-2:]] == [Restored, Ended]
    agreements, frames = of_kind(events, Agreement), of_kind(events, Frame)
    assert len(agreements) == len(moves) * len(batches)
    assert len(frames) == (len(moves) + 1) * len(batches)
    done = [(event.done, event.total) for event in of_kind(events, Progress)]
    assert done == [(n, len(agreements)) for n in range(1, len(agreements) + 1)]
    finals = []
    for batch in batches:
        steps = list(ds.restore(tiny, y, measurement, wanted.run, seeds=list(batch)))
        first = batch[0] - 5
        for step in steps:
            found = agreements.pop(0)
            assert (found.index, found.t, found.s, found.travelled, found.first_image) == (
                step.index, step.t, step.t_next, step.travelled, first
            )  # fmt: skip
            frame = next(f for f in frames if (f.index, f.first_image) == (step.index, first))
            for view, x in (("x", step.x), ("x0", step.x0), ("guess", step.guess)):
                assert np.abs(frame.views[view] - shown(x)).max() <= 0.51
        finals.append(steps[-1].x)
    assert np.abs(events[-2].pixels - shown(torch.cat(finals))).max() <= 0.51
    assert events[-2].seeds == (5, 6, 7)


def seen(task, x, scale):
    """What is measured of images (N, 1, 8, 8), in NumPy."""
    if task == "inpaint":
        return x * ~HOLE
    if task == "denoise":
        return x
    return x.reshape(len(x), 1, 8 // scale, scale, 8 // scale, scale).mean((3, 5))


@pytest.mark.parametrize("name", ORDERS)
def test_the_numbers_of_agreement_are_those_of_the_tensors(bench, name):
    wanted = order(**ORDERS[name])
    task, scale = wanted.run.task, wanted.run.scale
    kept = Keeping()
    events = list(restore_job(wanted, bench.models, sink=kept))
    _, y = problem(wanted)
    y = y.numpy()
    clean = CLEAN.transpose(2, 0, 1)[None] / 127.5 - 1
    if not wanted.run.sigma:
        np.testing.assert_allclose(y, seen(task, clean, scale), atol=1e-6)
    for event, step in zip(of_kind(events, Agreement), kept.steps, strict=True):
        for kind, x in (("guess_", step.guess), ("", step.x0)):
            off = (seen(task, x.numpy(), scale) - y).reshape(3, -1)
            rms = np.sqrt(np.square(off).mean(1))
            assert getattr(event, f"{kind}rms") == pytest.approx(rms, abs=1e-9)
            assert getattr(event, f"{kind}max") == pytest.approx(np.abs(off).max(1), abs=1e-9)
    (restored,) = of_kind(events, Restored)
    for field in NUMBERS:
        each = [getattr(event, field) for event in of_kind(events, Agreement)]
        np.testing.assert_array_equal(getattr(restored, field), np.array(each))
    final = kept.steps[-1].x.numpy()
    off = (seen(task, final, scale) - y).reshape(3, -1)
    assert restored.final_max == pytest.approx(np.abs(off).max(1), abs=1e-9)
    assert restored.final_rms == pytest.approx(np.sqrt(np.square(off).mean(1)), abs=1e-9)
    if not wanted.run.sigma:
        assert max(restored.final_max) < 1e-9
    for image, quality in zip(final, restored.quality, strict=True):
        error = np.mean(((image.clip(-1, 1) - clean[0]) / 2) ** 2)
        assert quality.mse == pytest.approx(error, rel=1e-6)
        assert quality.psnr == pytest.approx(-10 * math.log10(error), rel=1e-6)
    assert restored.network_calls == len(kept.steps)
    assert restored.measured.baseline_name == SIMPLE[task]


class Keeping(Sink):
    """Keeps the steps, and how the job left."""

    def __init__(self):
        self.steps, self.left = [], "not left"

    def step(self, step, first_image):
        self.steps.append(step)

    def __exit__(self, kind, error, trace):
        self.left = kind


def test_what_is_known_before_the_first_step(bench):
    (hole,) = of_kind(restore_job(order(), bench.models), Measured)
    known = np.where(HOLE[..., None], 128, CLEAN)
    np.testing.assert_array_equal(hole.measurement, known)
    np.testing.assert_array_equal(hole.small, known)
    np.testing.assert_array_equal(hole.clean, CLEAN)
    filled = np.where(HOLE[..., None], CLEAN[~HOLE].mean(), CLEAN)
    assert np.abs(hole.baseline - filled).max() <= 0.51
    error = np.mean((filled - CLEAN) ** 2) / 255**2
    assert hole.baseline_quality.psnr == pytest.approx(-10 * math.log10(error), abs=1e-3)
    assert hole.unknowns == HOLE.sum()
    (small,) = of_kind(restore_job(order(task="superres", scale=4), bench.models), Measured)
    means = CLEAN.reshape(2, 4, 2, 4).mean((1, 3))
    assert np.abs(small.small[..., 0] - means).max() <= 0.51
    assert np.abs(small.measurement[..., 0] - means.repeat(4, 0).repeat(4, 1)).max() <= 0.51
    assert small.unknowns == 64 - 4


@pytest.mark.parametrize("name", ["hole", "hole with travel", "repaint"])
def test_a_picture_with_a_hole_restores_as_the_clean_one_does(bench, name):
    (clean,) = of_kind(restore_job(order(**ORDERS[name]), bench.models), Restored)
    spoilt = np.where(HOLE[..., None], np.uint8(7), CLEAN)
    given = order(spoilt, degrade=False, **ORDERS[name])
    (alone,) = of_kind(restore_job(given, bench.models), Restored)
    np.testing.assert_array_equal(alone.pixels, clean.pixels)
    assert alone.quality == ()
    assert (alone.measured.clean, alone.measured.baseline_quality) == (None, None)


def test_a_small_picture_is_the_measurement(bench):
    small = noisy(3, 2)
    (found,) = of_kind(
        restore_job(order(small, task="superres", scale=4, degrade=False), bench.models), Restored
    )
    blocks = found.pixels.astype(float).reshape(3, 2, 4, 2, 4).mean((2, 4))
    assert max(found.final_max) < 1e-9
    np.testing.assert_array_equal(found.measured.small, small)
    inside = (found.pixels > 0).all((1, 2, 3)) & (found.pixels < 255).all((1, 2, 3))
    for image, whole in zip(blocks, inside, strict=True):
        assert not whole or np.abs(image - small[..., 0]).max() <= 0.51


@pytest.mark.parametrize("name", ["hole with travel", "repaint", "x2 with noise"])
def test_batches_do_not_change_an_image(bench, name):
    found = [
        of_kind(restore_job(order(**ORDERS[name]), bench.models, batch_size=size), Restored)[0]
        for size in (64, 2, 1)
    ]
    for other in found[1:]:
        assert np.abs(other.pixels.astype(int) - found[0].pixels).max() <= 1
        for field in NUMBERS:
            np.testing.assert_allclose(
                getattr(other, field), getattr(found[0], field), rtol=1e-3, atol=1e-6
            )
        assert other.seeds == found[0].seeds
        assert other.measured.moves == found[0].measured.moves


def test_a_cancelled_run_stops_between_network_calls(bench, tiny):
    before, kept = tiny.network_calls, Keeping()
    job = restore_job(order(steps=50), bench.models, sink=kept)
    told = list(run(job, lambda: len(kept.steps) == 3))
    assert told[-1] == Ended("cancelled")
    assert tiny.network_calls - before == 3 * 3  # calls of three images
    assert len(kept.steps) == 3
    assert kept.left is GeneratorExit
    assert not of_kind(told, Restored)


def test_files_are_told_of_when_all_are_written(bench, tmp_path):
    from ddim_studio.jobs.file_sink import Plan
    from ddim_studio.jobs.restore_files import restore_sink

    wanted = order()
    plan = Plan(wanted.run, (750, 500, 250, 0), (1, 8, 8))
    sink = restore_sink(str(tmp_path / "a.npz"), plan)
    events = list(restore_job(wanted, bench.models, sink=sink, views=()))
    assert isinstance(events[-2], Restored)
    assert events[-1] == Saved(str(tmp_path / "a.npz"))
    assert not of_kind(events, Frame)


@pytest.mark.parametrize(
    ("changes", "image", "says"),
    [
        ({"task": "colorize"}, CLEAN, "There is nothing to colourise"),
        ({"task": "superres", "scale": 3}, CLEAN, "those that do: 2, 4, 8"),
        ({}, noisy(1, 9), "image must be 8×8 with 1 channel(s) here, not 9×9"),
        ({}, noisy(1, 8, 3), "image must be 8×8 with 1 channel(s) here, not 8×8 with 3"),
        ({"task": "superres", "degrade": False}, CLEAN, "image must be 2×2"),
        ({"steps": 1001}, CLEAN, "steps"),
    ],
)
def test_what_cannot_be_ends_with_a_sentence(bench, changes, image, says):
    *_, ended = run(restore_job(order(image, **changes), bench.models))
    assert ended.outcome == "failed"
    assert says in ended.failure.message


def test_timesteps_that_begin_late_are_warned_of(bench):
    notices = of_kind(restore_job(order(timesteps=(0, 1, 2)), bench.models), Notice)
    assert ["τ starts at t = 2" in notice.text for notice in notices] == [True]
