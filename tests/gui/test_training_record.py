"""What the window knows of a run, in numbers, and the words for networks and names."""

import math

import numpy as np
import pytest

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.training_plans import checked_place, free_name, read_widths, widths_of, word_of
from ddim_studio.gui.training_record import MOST_POINTS, TrainingRecord, smoothed
from ddim_studio.jobs.training_events import RunDescribed
from ddim_studio.jobs.training_log import digested
from ddim_studio.training.settings import TrainSettings


def record(tmp_path, losses, **settings):
    made = TrainingRecord(tmp_path)
    made.add(RunDescribed(TrainSettings(data="x", batch_size=10, **settings), {}))
    made.add(digested(
        {"event": "step", "step": n, "loss": loss, "seconds": 2.0 * n, "images_per_second": 5.0}
        for n, loss in enumerate(losses, start=1)
    ))  # fmt: skip
    return made


def test_what_is_left_follows_from_the_speed_and_the_limits(tmp_path):
    by_steps = record(tmp_path, [1.0] * 4, steps=20)
    assert (by_steps.step, by_steps.total, by_steps.done) == (4, 20, 0.2)
    assert by_steps.remaining == pytest.approx(16 * 10 / 5)
    by_time = record(tmp_path, [1.0] * 4, minutes=1)
    assert by_time.remaining == pytest.approx(52)
    assert by_time.total == 30
    assert math.isinf(TrainingRecord(tmp_path).remaining)


def test_smoothing_leaves_a_constant_alone_and_a_window_of_one_everything():
    steps = np.arange(50.0)
    assert np.allclose(smoothed(steps, np.full(50, 3.0), 20)[1], 3.0)
    noise = np.random.default_rng(0).normal(size=50)
    assert np.array_equal(smoothed(steps, noise, 1)[1], noise)
    assert smoothed(steps, noise, 20)[1].std() < noise.std() / 2


def test_a_long_curve_is_drawn_in_few_points_that_keep_its_extremes(tmp_path):
    losses = np.random.default_rng(0).random(5000)
    losses[1234], losses[4321] = 9.0, -9.0
    curve = record(tmp_path, losses.tolist(), steps=5000).curve(50)
    assert curve.raw.shape[1] <= 2 * MOST_POINTS
    assert (curve.raw[1].max(), curve.raw[1].min()) == (9.0, -9.0)
    assert np.all(np.diff(curve.smooth[0]) > 0)


@pytest.mark.parametrize("size", [4, 8, 12, 28, 30, 32, 33, 64, 96, 128, 256])
@pytest.mark.parametrize("word", ["small", "medium", "large"])
def test_every_word_for_a_network_fits_every_size(size, word):
    channels = widths_of(word, size)
    TrainSettings(data="x", size=size, channels=channels)  # raises where it does not fit
    assert word_of(channels, size) == word


def test_names_are_free_and_places_are_checked(tmp_path):
    assert free_name("/data/Toon heads.tar.gz", tmp_path) == "Toon-heads"
    (tmp_path / "Toon-heads").mkdir()
    assert free_name("/data/Toon heads.tar.gz", tmp_path) == "Toon-heads-2"
    assert checked_place("Toon-heads", tmp_path) == tmp_path / "Toon-heads"
    (tmp_path / "Toon-heads" / "file").touch()
    with pytest.raises(SettingsError, match="there already"):
        checked_place("Toon-heads", tmp_path)
    with pytest.raises(SettingsError, match="name"):
        checked_place("  ", tmp_path)
    with pytest.raises(SettingsError):
        read_widths("32, many")
