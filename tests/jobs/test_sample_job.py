"""What the sampling job tells is what the sampler does, in pixels and in numbers."""

import math

import numpy as np
import pytest
import torch

import ddim_studio as ds
from ddim_studio.jobs.events import (
    VIEWS,
    Ended,
    Frame,
    Notice,
    Progress,
    Saved,
    Started,
)
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.jobs.sample import Sink, sample_job


@pytest.fixture
def models(tiny):
    """A cache that already holds the tiny model under its name."""
    cache = ModelCache()
    cache._models["tiny", "cpu"] = tiny
    return cache


def order(**changes):
    return SampleRun(**{"model": "tiny", "device": "cpu", "steps": 5, "count": 3, **changes})


def frames_of(events):
    return [event for event in events if isinstance(event, Frame)]


def pixels(x, low=-1.0, high=1.0):
    """round(255·(x − low)/(high − low)) within 0 … 255, by NumPy in float64."""
    levels = np.rint((x.double().numpy() - low) * 255 / (high - low))
    return levels.clip(0, 255).transpose(0, 2, 3, 1)


def assert_shown(shown, x, low=-1.0, high=1.0):
    """Equal but for values that lie on the edge between two levels."""
    difference = np.abs(shown - pixels(x, low, high))
    assert shown.dtype == np.uint8
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def alpha_bar(t):
    """ᾱ_t of DDPM's linear schedule, from its definition."""
    return math.prod(1 - (1e-4 + (0.02 - 1e-4) * i / 999) for i in range(t + 1))


def test_the_order_of_events(models, tiny):
    opened, started, first, *steps, ended = run(sample_job(order(seed=2**64 - 2), models))
    assert (opened.info, opened.device, opened.engine) == (tiny.info, "cpu", "torch, float32")
    assert isinstance(started, Started)
    assert started.timesteps == (800, 600, 400, 200, 0)
    assert started.seeds == (2**64 - 2, 2**64 - 1, 0)
    assert (started.image_shape, started.device) == ((1, 8, 8), "cpu")
    assert started.alpha_bars[::333] == pytest.approx([alpha_bar(t) for t in (0, 333, 666, 999)])
    assert (first.index, first.numbers.t, set(first.views)) == (0, None, {"x"})
    assert [type(event) for event in steps] == [Frame, Progress] * 5
    assert [event.index for event in steps[::2]] == [1, 2, 3, 4, 5]
    assert [(event.done, event.total) for event in steps[1::2]] == [(n, 5) for n in range(1, 6)]
    seconds = [event.seconds for event in steps[1::2]]
    assert seconds == sorted(seconds)
    assert ended == Ended("finished")


@pytest.mark.parametrize("eta", [0.0, 0.6, "hat"])
@pytest.mark.parametrize("clip", ["none", "rederive"])
def test_frames_show_the_sampler(models, tiny, eta, clip):
    wanted = order(eta=eta, clip=clip, seed=11)
    x_T = ds.seeded_noise(tiny, [11, 12, 13])
    first, *frames = frames_of(sample_job(wanted, models))
    assert_shown(first.views["x"], x_T)
    steps = list(ds.sample(tiny, x_T, wanted))
    for frame, step in zip(frames, steps, strict=True):
        a_s = 1.0 if step.t_next < 0 else alpha_bar(step.t_next)
        assert_shown(frame.views["x"], step.x)
        assert_shown(frame.views["x0"], step.x0)
        assert_shown(frame.views["epsilon"], step.epsilon, -3, 3)
        assert_shown(frame.views["x0_term"], math.sqrt(a_s) * step.x0.double())
        direction = frame.numbers.direction
        assert_shown(frame.views["direction_term"], direction * step.epsilon.double())
        assert ("noise_term" in frame.views) == (step.z is not None) == (frame.numbers.sigma > 0)
        if step.z is not None:
            assert_shown(frame.views["noise_term"], frame.numbers.sigma * step.z.double())
    assert ("noise_term" in frames[0].views) == (eta != 0)
    assert "noise_term" not in frames[-1].views  # the last step draws no noise


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0, "hat"])
def test_numbers_are_those_of_equations_12_and_16(models, tiny, eta):
    wanted = order(eta=eta, seed=3)
    first, *frames = frames_of(sample_job(wanted, models))
    x_T = ds.seeded_noise(tiny, [3, 4, 5])
    assert first.numbers.norm == pytest.approx(
        [float(np.sqrt(np.mean(x**2))) for x in x_T.double().numpy()], rel=1e-6
    )
    assert (first.numbers.s, first.numbers.alpha_bar_s) == (800, pytest.approx(alpha_bar(800)))
    before = None
    for frame, step in zip(frames, ds.sample(tiny, x_T, wanted), strict=True):
        n = frame.numbers
        assert (n.t, n.s) == (step.t, step.t_next)
        a_t, a_s = alpha_bar(n.t), 1.0 if n.s < 0 else alpha_bar(n.s)
        posterior = math.sqrt((1 - a_s) / (1 - a_t)) * math.sqrt(1 - a_t / a_s)
        within = posterior if eta == "hat" else eta * posterior
        sigma = (math.sqrt(1 - a_t / a_s) if n.s >= 0 else 0.0) if eta == "hat" else within
        expected = (a_t, a_s, sigma, math.sqrt(1 - a_s - within**2))
        got = (n.alpha_bar_t, n.alpha_bar_s, n.sigma, n.direction)
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-9)
        x, x0 = step.x.double().numpy(), step.x0.double().numpy()
        assert n.norm == pytest.approx(np.sqrt((x**2).mean((1, 2, 3))), rel=1e-5)
        if before is None:
            assert n.change == ()
        else:
            change = np.sqrt(((x0 - before) ** 2).mean((1, 2, 3)))
            assert n.change == pytest.approx(change, rel=1e-4, abs=1e-6)
        before = x0


def test_batches_change_nothing_but_the_order(models):
    whole = frames_of(sample_job(order(count=5, eta=1.0), models))
    parts = list(sample_job(order(count=5, eta=1.0), models, batch_size=2))
    progress = [(event.done, event.total) for event in parts if isinstance(event, Progress)]
    assert progress == [(n, 15) for n in range(1, 16)]
    firsts = [(frame.first_image, frame.index) for frame in frames_of(parts)]
    assert firsts == [(first, index) for first in (0, 2, 4) for index in range(6)]
    for index, frame in enumerate(whole):
        pieces = [part for part in frames_of(parts) if part.index == index]
        for view, shown in frame.views.items():
            joined = np.concatenate([piece.views[view] for piece in pieces])
            # A network rounds differently in batches of another size.
            assert np.abs(joined.astype(int) - shown).max() <= 1
            assert (joined != shown).mean() < 0.01
        norms = [norm for piece in pieces for norm in piece.numbers.norm]
        assert norms == pytest.approx(frame.numbers.norm, rel=1e-4)


def test_one_step_from_a_low_timestep_is_remarked_on(models):
    notices = [e for e in sample_job(order(steps=1), models) if isinstance(e, Notice)]
    assert len(notices) == 1
    assert "t = 0" in notices[0].text
    for sound in (order(steps=5), order(steps=1, spacing="trailing")):
        assert not [event for event in sample_job(sound, models) if isinstance(event, Notice)]


@pytest.mark.parametrize("views", [(), ("x0",), ("x", "noise_term")])
def test_only_the_wanted_views_are_made(models, views):
    events = list(sample_job(order(eta=1.0), models, views=views))
    assert sum(isinstance(event, Progress) for event in events) == 5
    made = [set(frame.views) for frame in frames_of(events)]
    assert made == ([{"x"}] + [set(views)] * 4 + [set(views) - {"noise_term"}] if views else [])


def test_the_network_is_called_once_a_step_and_not_ahead(models, tiny):
    before = tiny.network_calls
    job = sample_job(order(), models)
    for event in job:
        if isinstance(event, Progress):
            assert tiny.network_calls - before == 3 * event.done
            if event.done == 2:
                break
    job.close()
    assert tiny.network_calls - before == 3 * 2


class Recorder(Sink):
    """Keeps all that it is given, and how it was left."""

    def __init__(self):
        self.starts, self.steps, self.left = [], [], "never"

    def __exit__(self, kind, error, trace):
        self.left = kind

    def start(self, x_T, first_image):
        self.starts.append((x_T, first_image))

    def step(self, step, first_image):
        self.steps.append((step, first_image))

    def paths(self):
        return ["a.npz", "b.npz"]


def test_a_sink_gets_the_tensors_and_its_files_are_told_of_last(models, tiny):
    sink = Recorder()
    events = list(sample_job(order(), models, sink=sink, batch_size=2))
    assert events[-2:] == [Saved("a.npz"), Saved("b.npz")]
    assert sum(isinstance(event, Saved) for event in events) == 2
    assert sink.left is None
    assert [first for _, first in sink.starts] == [0, 2]
    for x_T, first in sink.starts:
        assert torch.equal(x_T, ds.seeded_noise(tiny, range(3)[first : first + 2]))
        given = [step for step, of in sink.steps if of == first]
        seeds = list(range(3)[first : first + 2])
        for step, expected in zip(given, ds.sample(tiny, x_T, order(), seeds=seeds), strict=True):
            assert torch.equal(step.x, expected.x)


def test_a_cancelled_run_leaves_its_sink_by_generator_exit(models):
    sink, seen = Recorder(), []
    *_, last = run(sample_job(order(), models, sink=sink), lambda: seen.append(0) or len(seen) > 6)
    assert last == Ended("cancelled")
    assert sink.left is GeneratorExit
    assert 0 < len(sink.steps) < 5


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "no such model"}, "There is no model named 'no such model'"),
        ({"model": "hub:a/b"}, "not on this computer yet"),
        ({"steps": 1001}, "steps must be a whole number from 1 to 1000, not 1001."),
        ({"timesteps": (5, 1000)}, "timesteps must lie from 0 to 999"),
    ],
)
def test_a_run_that_cannot_be_fails_with_a_sentence(models, changes, says):
    (ended,) = run(sample_job(order(**changes), models))
    assert ended.outcome == "failed"
    assert says in ended.failure.message


def test_an_error_in_the_network_fails_the_run_and_leaves_the_sink(models, tiny, monkeypatch):
    genuine, calls, sink = tiny.network, [], Recorder()

    def exhausted(x, t):
        calls.append(t)
        if len(calls) == 3:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return genuine(x, t)

    monkeypatch.setattr(tiny, "network", exhausted)
    *events, ended = run(sample_job(order(), models, sink=sink))
    assert [frame.index for frame in frames_of(events)] == [0, 1, 2]
    assert ended.failure.message == "There is not enough memory for this run."
    assert sink.left is RuntimeError
    assert set(VIEWS) >= set(frames_of(events)[-1].views)
