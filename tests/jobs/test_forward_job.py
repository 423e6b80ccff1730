"""The forward jobs tell what the mathematics gives, for every kind of model."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pictures import noisy, tensor, write

import ddim_studio as ds
from ddim_studio.diffusion.noise import seeded_noise
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.imaging.pixels import from_pixels
from ddim_studio.jobs.events import Ended, ModelOpened, Notice, Progress
from ddim_studio.jobs.forward import at_a_time, bound_job, forward_job
from ddim_studio.jobs.forward_events import (
    FORWARD_VIEWS,
    BoundMeasured,
    BoundRun,
    ForwardFrame,
    ForwardOrder,
    ForwardRun,
    ForwardStarted,
)
from ddim_studio.jobs.orders import ImageInput
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.workbench import Workbench

IMAGE = noisy(1)


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def plan(**changes):
    return ForwardRun(**{"model": "tiny", "device": "cpu", "points": 5, "seed": 7, **changes})


def noising(bench, image=None, **changes):
    order = ForwardOrder(plan(**changes), image or ImageInput(IMAGE, label="x"))
    return list(forward_job(order, bench))


def shown(x, reach=1.0):
    """Pixels as they are defined, not rounded."""
    levels = (x.double().numpy()[0] + reach) * 255 / (2 * reach)
    return levels.clip(0, 255).transpose(1, 2, 0)


def agrees(pixels, x, reach=1.0):
    return np.abs(pixels - shown(x, reach)).max() <= 0.51


@pytest.fixture(scope="module")
def coloured(tmp_path_factory):
    """Colour, v-prediction, five classes and T = 60."""
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("models") / "coloured"
    scheduler = DDIMScheduler(
        num_train_timesteps=60,
        clip_sample=False,
        prediction_type="v_prediction",
        beta_schedule="squaredcos_cap_v2",
    )
    unet = UNet2DModel(
        sample_size=8,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=(8,),
        down_block_types=("DownBlock2D",),
        up_block_types=("UpBlock2D",),
        norm_num_groups=4,
        num_class_embeds=5,
    )
    DDIMPipeline(unet, scheduler).save_pretrained(folder)
    return folder


def test_the_frames_are_those_of_the_api(bench, tiny):
    events = noising(bench)
    (started,), frames = of_kind(events, ForwardStarted), of_kind(events, ForwardFrame)
    assert started.timesteps == (0, 250, 500, 749, 999)
    assert [frame.t for frame in frames] == [-1, *started.timesteps]
    assert [frame.s for frame in frames] == [-1, -1, 0, 250, 500, 749]
    np.testing.assert_array_equal(started.image, IMAGE)
    np.testing.assert_array_equal(frames[0].views["chain"], IMAGE)
    x0, noise = tensor(IMAGE).double(), seeded_noise(tiny, [7])
    chain = {step.t: step for step in ds.forward_chain(tiny, x0, [7])}
    for frame in frames[1:]:
        t, views = frame.t, frame.views
        assert set(views) == set(FORWARD_VIEWS)
        x_t = ds.noised(tiny, x0, noise.double(), t)
        seen = tiny.predict(x_t, t)
        assert agrees(views["closed"], x_t)
        assert agrees(views["chain"], chain[t].x)
        assert agrees(views["merged"], chain[t].x)
        assert agrees(views["noise"], noise, 3.0)
        assert agrees(views["chain_noise"], chain[t].merged, 3.0)
        assert np.abs(views["x0"] - shown(seen.x0)).max() <= 0.6
        assert np.abs(views["epsilon"] - shown(seen.epsilon, 3.0)).max() <= 0.6
        assert agrees(views["mean"], ds.posterior(tiny, t).mean(x_t, x0))
        n = frame.numbers
        assert n.merge_error < 1e-12
        assert n.variance_closed == pytest.approx(float(x_t.var(correction=0)))
        assert n.variance_chain == pytest.approx(float(chain[t].x.var(correction=0)))
        alpha_bar = tiny.schedule.alpha_bar(t)
        own = float(x0.var(correction=0))
        assert n.variance_expected == pytest.approx(alpha_bar * own + 1 - alpha_bar)
        missed = float((seen.epsilon - noise).square().mean())
        assert n.epsilon_error == pytest.approx(missed, rel=1e-3)
        assert n.x0_error == pytest.approx(float((seen.x0 - x0).square().mean()) / 4, rel=1e-3)
    assert len(of_kind(events, ModelOpened)) == 1
    assert [p.done for p in of_kind(events, Progress)] == [1, 2, 3, 4, 5]


def test_the_numbers_of_merging_add_up_and_are_the_middle_pixel(bench, tiny):
    frames = of_kind(noising(bench), ForwardFrame)
    x0 = tensor(IMAGE).double()
    chain = {step.t: step for step in ds.forward_chain(tiny, x0, [7])}
    for frame in frames[1:]:
        c_1, c_2, whole, first, second, merged = frame.numbers.merge
        assert c_1 * first + c_2 * second == pytest.approx(whole * merged, abs=1e-12)
        assert c_1**2 + c_2**2 == pytest.approx(whole**2)
        assert whole == pytest.approx(math.sqrt(1 - tiny.schedule.alpha_bar(frame.t)))
        assert second == float(chain[frame.t].epsilon[0, 0, 4, 4])
        assert merged == float(chain[frame.t].merged[0, 0, 4, 4])


def test_kernels_share_their_noise_and_eta_is_the_runs(bench):
    quarter = of_kind(noising(bench, eta=1.0), ForwardFrame)[3].views
    np.testing.assert_array_equal(quarter["between"], quarter["ddpm"])
    none = of_kind(noising(bench, eta=0.0), ForwardFrame)[3].views
    np.testing.assert_array_equal(none["between"], none["ddim"])
    assert not np.array_equal(none["ddim"], none["ddpm"])


def test_the_schedules_beside_the_models_have_its_length(coloured):
    bench = Workbench()
    events = noising(bench, ImageInput(noisy(3, channels=3)), model=str(coloured), class_label=2)
    (started,) = of_kind(events, ForwardStarted)
    assert {len(values) for values in started.schedules.values()} == {60}
    np.testing.assert_allclose(started.schedules["model"], started.schedules["cosine"])
    linear = np.cumprod(1 - np.linspace(1e-4, 0.02, 60))
    np.testing.assert_allclose(started.schedules["linear"], linear)


def test_colour_velocity_and_classes(coloured):
    bench, image = Workbench(), noisy(3, channels=3)
    model = ds.load_model(str(coloured), device="cpu")
    for label in (2, 4):
        order = {"model": str(coloured), "class_label": label, "points": 60}
        events = noising(bench, ImageInput(image), **order)
        frames = of_kind(events, ForwardFrame)
        assert [frame.t for frame in frames] == [-1, *range(60)]
        assert frames[30].views["x0"].shape == (8, 8, 3)
        x_t = ds.noised(model, tensor(image).double(), seeded_noise(model, [7]).double(), 29)
        seen = model.with_class(label).predict(x_t, 29)
        assert np.abs(frames[30].views["x0"] - shown(seen.x0)).max() <= 0.6
        assert not of_kind(events, Notice)
    events = noising(bench, ImageInput(image), model=str(coloured))
    assert "class 0 is taken" in of_kind(events, Notice)[0].text


def test_an_image_may_come_from_a_seed(bench, tiny):
    events = noising(bench, ImageInput(seed=3))
    for step in ds.sample(tiny, seeded_noise(tiny, [3]), ds.SampleSettings(steps=50)):
        x0 = step.x
    (started,) = of_kind(events, ForwardStarted)
    assert agrees(started.image, x0)
    progress = of_kind(events, Progress)
    assert (progress[-1].done, progress[-1].total) == (55, 55)


def test_an_image_of_another_size_is_refused(bench):
    events = list(run(forward_job(ForwardOrder(plan(), ImageInput(noisy(1, side=6))), bench)))
    assert "takes images of 8×8×1" in events[-1].failure.message


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "images"
    place.mkdir()
    for seed in range(9):
        write(place / f"{seed}.png", noisy(seed))
    (place / "notes.txt").write_text("no picture")
    return place


def bounding(folder, **changes):
    values = {"model": "tiny", "device": "cpu", "data": str(folder), "count": 9, "draws": 4}
    return BoundRun(**{**values, **changes})


def test_the_bound_is_that_of_the_api(bench, tiny, folder):
    events = list(bound_job(bounding(folder, seed=2), bench))
    last = of_kind(events, BoundMeasured)[-1]
    images = from_pixels(np.stack([noisy(seed) for seed in range(9)]))
    expected = ds.variational_bound(tiny, images, ds.BoundSettings(draws=4, seed=2))
    for variance in ("beta", "posterior"):
        np.testing.assert_array_equal(last.bound.terms[variance], expected.terms[variance])
    assert last.bound.total("beta") == expected.total("beta")
    assert last.source == "images, folder, 9 of 9 pictures"
    assert of_kind(events, Progress)[-1].done == 9
    assert "notes.txt" in of_kind(events, Notice)[0].text
    np.testing.assert_allclose(last.alpha_bars, tiny.schedule.alpha_bars)


def test_the_bound_gets_better_as_images_come_and_a_cancel_keeps_what_there_is(
    bench, folder, monkeypatch
):
    monkeypatch.setattr("ddim_studio.jobs.forward.REPORT_SECONDS", 0.0)
    monkeypatch.setattr("ddim_studio.jobs.forward.STATES", 5)
    job = bound_job(bounding(folder), bench)
    counts = [event.bound.images for event in job if isinstance(event, BoundMeasured)]
    assert counts[-1] == 9
    assert counts == sorted(counts)
    assert len(counts) > 1
    seen = []
    stop = lambda: bool(of_kind(seen, BoundMeasured))  # noqa: E731
    seen.extend(run(bound_job(bounding(folder), bench), stop))
    assert seen[-1] == Ended("cancelled")
    assert of_kind(seen, BoundMeasured)[-1].bound.images < 9


def test_no_more_is_kept_than_there_is_room_for(bench, folder, monkeypatch):
    monkeypatch.setattr("ddim_studio.jobs.forward.IMAGE_BYTES", 4 * 64 * 3 + 5)
    events = list(bound_job(bounding(folder), bench))
    assert of_kind(events, BoundMeasured)[-1].bound.images == 3
    assert "No more than 3 images" in of_kind(events, Notice)[0].text


@pytest.mark.parametrize(("side", "states"), [(28, 64), (64, 64), (256, 4), (1024, 1)])
def test_large_images_go_through_the_network_in_smaller_batches(side, states):
    model = SimpleNamespace(image_shape=(3, side, side))
    assert at_a_time(model, 64) == states


def test_settings_are_checked_and_travel(tmp_path):
    with pytest.raises(SettingsError, match="Choose a folder"):
        BoundRun(data=" ")
    with pytest.raises(SettingsError, match="points"):
        ForwardRun(points=1)
    with pytest.raises(SettingsError, match="eta"):
        ForwardRun(eta=1.2)
    whole = bounding(tmp_path, clip="clamp", class_label=3)
    assert BoundRun.from_json(whole.to_json()) == whole
    assert ForwardRun.from_json(plan().to_json()) == plan()


def test_a_set_without_pictures_is_said(bench, tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    events = list(run(bound_job(bounding(tmp_path), bench)))
    assert events[-1].outcome == "failed"
    assert "picture" in events[-1].failure.message
