"""What the inversion jobs tell is what inversion does, image by image and call by call."""

import numpy as np
import pytest
import torch
from pictures import noisy, tensor

import ddim_studio as ds
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.events import Ended, Notice, Progress
from ddim_studio.jobs.inversion_events import EncodeStep, ErrorCurve, Inverted
from ddim_studio.jobs.invert import cheapest_first, curve_job, invert_job
from ddim_studio.jobs.orders import CurveOrder, ImageInput, InvertOrder
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.runs import InvertRun
from ddim_studio.jobs.workbench import Latents, LatentStore

A, B = ImageInput(noisy(1)), ImageInput(noisy(2))


def plan(**changes):
    return InvertRun(**{"model": "tiny", "device": "cpu", "steps": 4, **changes})


def settings_of(order):
    names = ("steps", "method", "spacing", "timesteps", "tolerance", "max_calls")
    return ds.InvertSettings(**{name: getattr(order, name) for name in names})


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def shown(x, low=-1.0, high=1.0):
    """Pixels as they are defined, not rounded."""
    levels = (x.double().cpu().numpy() - low) * 255 / (high - low)
    return levels.clip(0, 255).transpose(0, 2, 3, 1)


@pytest.mark.parametrize("method", ["source", "target", "exact"])
def test_the_result_is_that_of_the_api(bench, tiny, method):
    wanted, kept = plan(method=method), []
    events = list(invert_job(InvertOrder(wanted, (A, B)), bench, keep=kept.append))
    expected = ds.invert(tiny, tensor(noisy(1), noisy(2)), settings_of(wanted))
    back = ds.reconstruct(tiny, expected.x_T, settings_of(wanted))
    (result,), (tensors,) = of_kind(events, Inverted), kept
    torch.testing.assert_close(tensors.x0, tensor(noisy(1), noisy(2)))
    torch.testing.assert_close(tensors.x_T, expected.x_T)
    torch.testing.assert_close(tensors.reconstruction, back)
    assert torch.equal(bench.latents.get(result.key).x_T, tensors.x_T)
    assert result.timesteps == expected.timesteps
    np.testing.assert_allclose(result.residuals, expected.residuals, rtol=1e-6)
    solved = expected.converged | (method != "exact")  # naïve steps solve nothing
    np.testing.assert_array_equal(result.converged, solved)
    np.testing.assert_array_equal(result.calls, expected.calls)
    assert result.decode_calls == 4
    np.testing.assert_array_equal(result.originals, np.stack([noisy(1), noisy(2)]))
    assert np.abs(result.reconstructions - shown(back)).max() <= 0.51
    assert np.abs(result.latents - shown(expected.x_T, -3, 3)).max() <= 0.51
    difference = np.abs(shown(back) - result.originals) / 255
    assert result.difference_scale == pytest.approx(difference.max(), rel=1e-4)
    stretched = difference / difference.max() * 255
    assert np.abs(result.differences - stretched).max() < 0.6
    for quality, apart, x in zip(result.quality, difference, result.reports, strict=True):
        assert quality.mse == pytest.approx(np.mean(apart**2), rel=1e-4)
        assert quality.psnr == pytest.approx(-10 * np.log10(np.mean(apart**2)), rel=1e-4)
        assert x.norm > 0
    for report, latent in zip(result.reports, expected.x_T.double().numpy(), strict=True):
        assert report.mean == pytest.approx(latent.mean(), abs=1e-9)
        assert report.norm == pytest.approx(np.sqrt(np.square(latent).mean()))


def test_encoding_is_told_step_by_step_along_tau(bench, tiny):
    wanted = plan()
    opened, *events = list(run(invert_job(InvertOrder(wanted, (A, B)), bench)))
    assert (opened.info, opened.device, opened.engine) == (tiny.info, "cpu", "torch, float32")
    assert events[-1] == Ended("finished")
    assert isinstance(events[-2], Inverted)
    told = of_kind(events, EncodeStep)
    steps = list(ds.invert_steps(tiny, tensor(noisy(1), noisy(2)), settings_of(wanted)))
    pairs = [(step.index, step.t, step.t_next) for step in told]
    assert pairs == [(1, -1, 0), (2, 0, 88), (3, 88, 355), (4, 355, 800)]  # quadratic τ
    for event, step in zip(told, steps, strict=True):
        assert np.abs(event.x - shown(step.x)).max() <= 0.51
        assert event.residuals == pytest.approx(step.residual.tolist(), rel=1e-6)
        assert event.converged == tuple(step.converged.tolist())
        assert event.calls == tuple(step.calls.tolist())
    done = [(event.done, event.total) for event in of_kind(events, Progress)]
    assert done == sorted(done)
    assert done[-1] == (8, 8)
    # One event for each network call: of encoding the slowest image's, of decoding one a step.
    slowest = sum(max(event.calls) for event in told)
    assert len(done) == slowest + len(told) + 4
    assert len({event.done for event in of_kind(events, Progress)}) == 9


def test_steps_that_did_not_converge_are_told_in_words(bench):
    events = list(invert_job(InvertOrder(plan(max_calls=3), (A, B)), bench))
    (notice,) = of_kind(events, Notice)
    (result,) = of_kind(events, Inverted)
    missed = ~result.converged
    assert notice.text.startswith(f"{missed.any(axis=1).sum()} of 4 steps did not converge for ")
    assert f"for {missed.any(axis=0).sum()} image(s)" in notice.text
    assert f"residual up to {result.residuals[missed].max():.1e}" in notice.text
    assert "355 → 800" in notice.text
    assert events.index(notice) < events.index(result)
    solved = list(invert_job(InvertOrder(plan(tolerance=1.0), (A,)), bench))
    assert not of_kind(solved, Notice)
    assert not of_kind(invert_job(InvertOrder(plan(method="source"), (A,)), bench), Notice)


def test_images_from_seeds_keep_their_noise_and_cost_nothing(bench, tiny):
    images = (ImageInput(seed=7), A, ImageInput(seed=2**64 - 1))
    wanted, kept = plan(method="target", steps=3), []
    before = tiny.network_calls
    events = list(invert_job(InvertOrder(wanted, images), bench, keep=kept.append))
    assert tiny.network_calls - before == 2 * 3 + (1 + 1) * 3  # seeds decoded, A there and back
    (result,) = of_kind(events, Inverted)
    noise = ds.seeded_noise(tiny, [7, 2**64 - 1])
    decoded = ds.reconstruct(tiny, noise, settings_of(wanted))
    alone = ds.invert(tiny, tensor(noisy(1)), settings_of(wanted))
    x_T = bench.latents.get(result.key).x_T
    assert torch.equal(x_T[[0, 2]], noise)
    torch.testing.assert_close(x_T[1:2], alone.x_T)
    torch.testing.assert_close(kept[0].x0[[0, 2]], decoded)
    assert torch.equal(kept[0].x0[[0, 2]], kept[0].reconstruction[[0, 2]])
    assert result.calls[:, [0, 2]].sum() == 0
    assert result.calls[:, 1].tolist() == [1, 1, 1]
    assert (result.residuals[:, [0, 2]] == 0).all()
    assert [quality.mse for quality in result.quality][::2] == [0, 0]
    steps = of_kind(events, EncodeStep)
    states = [step.x_t for step in ds.sample(tiny, noise, settings_of(wanted).decoding())]
    for event, state in zip(steps, reversed(states), strict=True):  # the way to x_T
        assert np.abs(event.x[[0, 2]] - shown(state)).max() <= 0.51
    assert [(event.done, event.total) for event in of_kind(events, Progress)][-1] == (9, 9)


def test_seeds_alone_are_decoded_once(bench, tiny):
    before = tiny.network_calls
    order = InvertOrder(plan(), (ImageInput(seed=1), ImageInput(seed=2)))
    events = list(invert_job(order, bench))
    assert tiny.network_calls - before == 2 * 4
    told = [(step.t, step.t_next) for step in of_kind(events, EncodeStep)]
    assert told == [(-1, 0), (0, 88), (88, 355), (355, 800)]
    (result,) = of_kind(events, Inverted)
    assert torch.equal(bench.latents.get(result.key).x_T, ds.seeded_noise(tiny, [1, 2]))
    assert result.converged.all()
    np.testing.assert_array_equal(result.reconstructions, result.originals)


@pytest.mark.parametrize("stop_after", [1, 3, 6, 12])
def test_a_job_stops_between_any_two_network_calls(bench, tiny, stop_after, monkeypatch):
    genuine, calls = tiny.network, []
    monkeypatch.setattr(tiny, "network", lambda x, t: calls.append(1) or genuine(x, t))
    job = invert_job(InvertOrder(plan(steps=3), (A, B)), bench)
    kept = list(run(job, lambda: len(calls) == stop_after))
    assert kept[-1] == Ended("cancelled")
    assert len(calls) == stop_after
    assert not of_kind(kept, Inverted)
    assert bench.latents._kept == {}
    with pytest.raises(StopIteration):
        next(job)
    again = list(run(invert_job(InvertOrder(plan(steps=3), (A, B)), bench)))
    assert again[-1] == Ended("finished")


@pytest.mark.parametrize(
    ("changes", "images", "says"),
    [
        ({"steps": 1001}, (A,), "steps must be a whole number from 1 to 1000"),
        ({"timesteps": (3, 1000)}, (A,), "from 0 to 999"),
        ({}, (ImageInput(noisy(1, 9)),), "takes images of 8×8×1, not of 9×9×1"),
        ({"model": "missing"}, (A,), "There is no model"),
    ],
)
def test_an_order_that_cannot_be_done_fails_with_a_sentence(bench, changes, images, says):
    *_, ended = run(invert_job(InvertOrder(plan(**changes), images), bench))
    assert ended.outcome == "failed"
    assert says in ended.failure.message


def test_orders_say_what_they_need():
    for wrong in ({}, {"pixels": noisy(1), "seed": 1}):
        with pytest.raises(SettingsError, match="either from pixels or from a seed"):
            ImageInput(**wrong)
    with pytest.raises(SettingsError, match="at least one image"):
        InvertOrder(plan(), ())


def test_the_curve_is_measured_cheapest_first(bench, tiny):
    order = CurveOrder(plan(tolerance=1e-4, max_calls=12), (A, B), steps=(3, 6, 40, 2000))
    points = cheapest_first(order, 1000)
    assert points[:4] == [("source", 3), ("target", 3), ("source", 6), ("target", 6)]
    assert points[4] == ("exact", 3)  # for the price of about 24 naïve steps
    assert len(points) == len(set(points)) == 9  # S = 2000 is more than T
    short = CurveOrder(order.run, order.images, steps=(3, 6))
    *_, last = events = list(run(curve_job(short, bench)))
    assert last == Ended("finished")
    curve = of_kind(events, ErrorCurve)
    assert [(point.method, point.steps) for point in curve] == cheapest_first(short, 1000)
    x = tensor(noisy(1), noisy(2))
    for point in curve:
        wanted = ds.InvertSettings(
            method=point.method, steps=point.steps, tolerance=1e-4, max_calls=12
        )
        expected = ds.invert(tiny, x, wanted)
        back = ds.reconstruct(tiny, expected.x_T, wanted).clamp(-1, 1)
        assert point.mse == pytest.approx(float(((back - x) / 2).square().mean()), rel=1e-3)
        assert point.calls == pytest.approx(expected.calls.mean())
        lost = sum(len(step.images) for step in expected.unsolved)
        assert point.unconverged == lost
    assert sum(point.unconverged for point in curve) > 0
    progress = of_kind(events, Progress)[-1]
    assert progress.done == progress.total == 2 * 3 * (3 + 6)


def test_the_store_forgets_the_oldest_and_says_so():
    store = LatentStore(capacity=3)
    keys = [store.add(Latents("tiny", "cpu", torch.full((1,), float(i)))) for i in range(5)]
    assert len(set(keys)) == 5
    for key in keys[:2]:
        with pytest.raises(SettingsError, match="no longer in memory: invert again"):
            store.get(key)
    assert [float(store.get(key).x_T) for key in keys[2:]] == [2, 3, 4]
