"""Points between latents: ends that are the reconstructions, and every picture as decoded."""

import numpy as np
import pytest
import torch
from pictures import noisy

import ddim_studio as ds
from ddim_studio.jobs.events import Ended, Frame, Progress, Started
from ddim_studio.jobs.interpolate import along, coarse_tau, decode_job, grid_job, watch_job
from ddim_studio.jobs.inversion_events import Decoded, Inverted
from ddim_studio.jobs.invert import invert_job
from ddim_studio.jobs.orders import DecodeOrder, GridOrder, ImageInput, InvertOrder, WatchOrder
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.runs import InvertRun
from ddim_studio.jobs.workbench import Latents

PLAN = InvertRun(model="tiny", device="cpu", steps=6, max_calls=10)
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)


@pytest.fixture
def inverted(bench):
    """Two pictures and two seeds on the workbench, and what was told of them."""
    images = (
        ImageInput(noisy(1)),
        ImageInput(noisy(2)),
        ImageInput(seed=3),
        ImageInput(seed=4),
    )
    *_, result = invert_job(InvertOrder(PLAN, images), bench)
    assert isinstance(result, Inverted)
    return result


@pytest.fixture
def calls(tiny, inverted, monkeypatch):
    """The calls of the network since the inversion, each as its number of images."""
    asked, network = [], tiny.network

    def counting(x_t, *others):
        asked.append(len(x_t))
        return network(x_t, *others)

    monkeypatch.setattr(tiny, "network", counting)
    return asked


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def near(pixels, expected, levels=1):
    """Equal up to grey levels: a network rounds differently in batches of another size."""
    return int(np.abs(pixels.astype(int) - expected).max()) <= levels


def decoded(tiny, x_T):
    """What reconstruction gives, as pixels by NumPy in float64."""
    x = ds.reconstruct(tiny, x_T, PLAN).double().numpy()
    return np.rint((x + 1) * 127.5).clip(0, 255).transpose(0, 2, 3, 1)


@pytest.mark.parametrize("path", ["slerp", "lerp"])
@pytest.mark.parametrize("ends", [(0, 1), (1, 2), (3, 0)])
def test_frames_are_decoded_from_the_path_between_the_reconstructions(
    bench, tiny, inverted, path, ends
):
    kept = []
    order = DecodeOrder(inverted.key, PLAN, ALPHAS, path, ends)
    events = list(decode_job(order, bench, keep=lambda *parts: kept.append(parts)))
    (answer,) = of_kind(events, Decoded)
    assert (answer.key, answer.final) == (inverted.key, True)
    assert answer.alphas == tuple((alpha,) for alpha in ALPHAS)
    assert near(answer.pixels[0], inverted.reconstructions[ends[0]])
    assert near(answer.pixels[-1], inverted.reconstructions[ends[1]])
    a, b = bench.latents.get(inverted.key).x_T[list(ends)]
    points = {"slerp": ds.slerp, "lerp": ds.lerp}[path](a, b, ALPHAS)
    assert near(answer.pixels, decoded(tiny, points))
    ((frames, x_T),) = kept
    assert torch.equal(x_T, points)
    assert torch.equal(x_T[[0, -1]], torch.stack([a, b]))
    back = ds.reconstruct(tiny, torch.stack([a, b]), PLAN)
    assert float((frames[[0, -1]] - back).abs().max()) < 1e-4
    assert [(e.done, e.total) for e in of_kind(events, Progress)] == [(n, 6) for n in range(1, 7)]


def test_parts_join_to_the_whole(bench, inverted):
    alphas = tuple(np.linspace(0, 1, 7).tolist())
    order, kept, whole = DecodeOrder(inverted.key, PLAN, alphas), [], []
    list(decode_job(order, bench, keep=lambda *parts: whole.append(parts)))
    events = list(decode_job(order, bench, keep=lambda *parts: kept.append(parts), batch_size=3))
    answers = of_kind(events, Decoded)
    assert [len(answer.pixels) for answer in answers] == [3, 3, 1]
    assert sum((answer.alphas for answer in answers), ()) == tuple((a,) for a in alphas)
    for index in (0, 1):
        joined = torch.cat([parts[index] for parts in kept])
        torch.testing.assert_close(joined, whole[0][index], atol=1e-4, rtol=1e-4)
    assert [e.done for e in of_kind(events, Progress)] == list(range(1, 19))


def test_a_coarse_answer_comes_first_and_the_final_one_last(bench, tiny, inverted, calls):
    kept = []
    order = DecodeOrder(inverted.key, PLAN, (0.4,), coarse=True)
    job = decode_job(order, bench, keep=lambda *parts: kept.append(parts))
    spent = []
    answers = []
    for event in job:
        if isinstance(event, Decoded):
            spent.append(sum(calls))
            answers.append(event)
    assert [answer.final for answer in answers] == [False, True]
    assert spent == [4, 4 + 6 - 1]  # both begin with one and the same call
    assert len(kept) == 1
    a, b = bench.latents.get(inverted.key).x_T[:2]
    point = ds.slerp(a, b, [0.4])
    assert near(answers[1].pixels, decoded(tiny, point))
    tau = coarse_tau(inverted.timesteps)
    coarse = ds.reconstruct(tiny, point, ds.InvertSettings(timesteps=tau))
    rough = np.rint((coarse.double().numpy() + 1) * 127.5).clip(0, 255).transpose(0, 2, 3, 1)
    assert near(answers[0].pixels, rough)
    assert not near(answers[0].pixels, answers[1].pixels)


@pytest.mark.parametrize("steps", [5, 6, 50, 1000])
def test_the_coarse_tau_starts_where_the_latent_belongs(steps):
    tau = sorted(np.random.default_rng(steps).choice(1000, steps, replace=False).tolist())
    coarse = coarse_tau(tau)
    assert len(coarse) == len(set(coarse)) == 4
    assert set(coarse) <= set(tau)
    assert (coarse[0], coarse[-1]) == (tau[0], tau[-1])


def test_few_steps_need_no_coarse_answer(bench, inverted):
    plan = InvertRun(model="tiny", device="cpu", timesteps=inverted.timesteps[2:])
    order = DecodeOrder(inverted.key, plan, (0.4,), coarse=True)
    assert [answer.final for answer in of_kind(decode_job(order, bench), Decoded)] == [True]


@pytest.mark.parametrize(("rows", "columns"), [(3, 4), (5, 5), (2, 2)])
def test_the_corners_of_a_grid_are_the_reconstructions(bench, tiny, inverted, rows, columns):
    answers = of_kind(grid_job(GridOrder(inverted.key, PLAN, rows, columns), bench), Decoded)
    places = sum((answer.alphas for answer in answers), ())
    across, down = np.linspace(0, 1, columns), np.linspace(0, 1, rows)
    assert places == tuple((float(column), float(row)) for row in down for column in across)
    cells = np.concatenate([answer.pixels for answer in answers])
    grid = cells.reshape(rows, columns, 8, 8, 1)
    corners = [grid[0, 0], grid[0, -1], grid[-1, 0], grid[-1, -1]]
    assert near(np.stack(corners), inverted.reconstructions)
    a, b, c, d = bench.latents.get(inverted.key).x_T
    column = columns // 2
    ends = [ds.slerp(x, y, [across[column]])[0] for x, y in ((a, b), (c, d))]
    assert near(grid[:, column], decoded(tiny, ds.slerp(*ends, down.tolist())))
    assert all(answer.final for answer in answers)


def test_a_grid_needs_four(bench):
    key = bench.latents.add(Latents("tiny", "cpu", torch.randn(3, 1, 8, 8)))
    (ended,) = run(grid_job(GridOrder(key, PLAN), bench))
    assert ended.failure.message == "A grid takes four images."


def test_watching_shows_every_frame_and_ends_as_decoding_does(bench, tiny, inverted):
    events = list(watch_job(WatchOrder(inverted.key, PLAN, 0.3), bench))
    assert isinstance(events[0], Started)
    assert events[0].timesteps == tuple(reversed(inverted.timesteps))
    frames = of_kind(events, Frame)
    assert [frame.index for frame in frames] == list(range(7))
    assert [frame.numbers.t for frame in frames] == [None, *reversed(inverted.timesteps)]
    a, b = bench.latents.get(inverted.key).x_T[:2]
    states = list(ds.sample(tiny, ds.slerp(a, b, [0.3]), PLAN.decoding()))
    for frame, step in zip(frames[1:], states, strict=True):
        expected = np.rint((step.x.double().numpy() + 1) * 127.5).clip(0, 255)
        assert near(frame.views["x"], expected.transpose(0, 2, 3, 1))
    (answer,) = of_kind(decode_job(DecodeOrder(inverted.key, PLAN, (0.3,)), bench), Decoded)
    assert near(frames[-1].views["x"], answer.pixels)
    progress = [(event.done, event.total) for event in of_kind(events, Progress)]
    assert progress == [(n, 6) for n in range(1, 7)]


def test_ends_are_given_bit_for_bit_and_norms_stay_between(bench):
    x_T = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    x_T[1] *= 1.7
    points = along("slerp", x_T, (1, 0), [0.0, 0.3, 0.6, 1.0])
    assert torch.equal(points[[0, -1]], x_T[[1, 0]])
    norms = points.flatten(1).norm(dim=1)
    expected = norms[0] + (norms[-1] - norms[0]) * torch.tensor([0, 0.3, 0.6, 1])
    torch.testing.assert_close(norms, expected)


def test_orders_about_forgotten_latents_fail_with_what_to_do(bench):
    for order, job in (
        (DecodeOrder(-1, PLAN, (0.5,)), decode_job),
        (GridOrder(-1, PLAN), grid_job),
        (WatchOrder(-1, PLAN, 0.5), watch_job),
    ):
        (ended,) = run(job(order, bench))
        assert ended.failure.message == "This inversion is no longer in memory: invert again."


def test_opposite_latents_fail_in_words_and_the_straight_line_does_not(bench):
    x = torch.randn(1, 1, 8, 8)
    key = bench.latents.add(Latents("tiny", "cpu", torch.cat([x, -x])))
    (ended,) = run(decode_job(DecodeOrder(key, PLAN, (0.5,)), bench))
    assert ended.outcome == "failed"
    assert "opposite" in ended.failure.message
    assert "straight line" in ended.failure.message
    *_, last = run(decode_job(DecodeOrder(key, PLAN, (0.5,), "lerp"), bench))
    assert last == Ended("finished")


@pytest.mark.parametrize("make", [decode_job, grid_job, watch_job])
def test_a_job_stops_at_the_next_network_call(bench, inverted, calls, make):
    order = {
        decode_job: DecodeOrder(inverted.key, PLAN, (0.1,), coarse=True),
        grid_job: GridOrder(inverted.key, PLAN, 1, 1),
        watch_job: WatchOrder(inverted.key, PLAN, 0.5),
    }[make]
    job = make(order, bench)
    *_, last = run(job, lambda: sum(calls) == 3)
    assert last == Ended("cancelled")
    assert sum(calls) == 3
    with pytest.raises(StopIteration):
        next(job)
