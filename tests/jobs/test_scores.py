"""What is measured between cells is what the formulas say, image by image."""

import math

import numpy as np
import pytest
import torch

from ddim_studio.evaluation import perceptual
from ddim_studio.jobs.comparison import ScoreOrder
from ddim_studio.jobs.comparison_events import CellScore, Scored
from ddim_studio.jobs.events import Notice, Progress
from ddim_studio.jobs.matrix import Place
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.scores import score_job

HERE, THERE, NEAR = Place(0, 1), Place(0, 0), Place(1, 0)


def images(seed, shape=(3, 1, 16, 16), spread=0.8):
    return np.random.default_rng(seed).normal(0, spread, shape).astype(np.float32)


def scored(cells, reference=HERE, **more):
    *_, last = score_job(ScoreOrder(reference, cells, **more))
    assert isinstance(last, Scored)
    assert last.reference == reference
    return last.scores


def pixels(x):
    return np.clip((x.astype(np.float64) + 1) / 2, 0, 1)


def test_values_are_those_of_the_formulas():
    from torchmetrics.functional.image import structural_similarity_index_measure as ssim

    a, b = images(1, (11, 3, 16, 16)), images(2, (11, 3, 16, 16))
    found = scored({HERE: a, THERE: b})[THERE]
    assert found.remark == ""
    assert list(found.values) == ["mse", "psnr", "ssim"]
    mse = ((pixels(b) - pixels(a)) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(found.values["mse"], mse, rtol=1e-12)
    np.testing.assert_allclose(found.values["psnr"], 10 * np.log10(1 / mse), rtol=1e-12)
    pair = torch.from_numpy(pixels(b)), torch.from_numpy(pixels(a))
    expected = ssim(*pair, data_range=1.0, reduction="none")
    np.testing.assert_allclose(found.values["ssim"], expected, rtol=1e-9)
    assert found.mean("mse") == pytest.approx(mse.mean(), rel=1e-12)
    assert found.mean("psnr") == pytest.approx(-10 * math.log10(mse.mean()), rel=1e-12)
    assert found.mean("ssim") == pytest.approx(float(expected.mean()), rel=1e-9)


def test_the_reference_is_like_itself():
    found = scored({HERE: images(1)})[HERE]
    assert found.values == {"mse": (0.0,) * 3, "psnr": (math.inf,) * 3, "ssim": (1.0,) * 3}
    assert (found.mean("mse"), found.mean("psnr"), found.mean("ssim")) == (0, math.inf, 1)


def test_what_no_picture_shows_is_no_difference():
    a = images(1)
    found = scored({HERE: np.clip(a, -1, 1), THERE: a})[THERE]
    assert found.values["mse"] == (0.0,) * 3


@pytest.mark.parametrize(
    ("shape", "remark"),
    [
        ((3, 3, 16, 16), "These images are 16×16 colour, those of the reference 16×16 grey."),
        ((3, 1, 8, 12), "These images are 12×8 grey, those of the reference 16×16 grey."),
        ((2, 1, 16, 16), "There are 2 images here and 3 in the reference."),
    ],
)
def test_other_images_have_no_value_but_a_remark(shape, remark):
    scores = scored({HERE: images(1), THERE: images(2, shape), NEAR: images(3)})
    assert scores[THERE].remark == remark
    assert {len(values) for values in scores[THERE].values.values()} == {shape[0]}
    assert all(math.isnan(v) for values in scores[THERE].values.values() for v in values)
    assert all(math.isnan(scores[THERE].mean(metric)) for metric in ("mse", "psnr", "ssim"))
    assert scores[NEAR].remark == ""
    assert 0 < scores[NEAR].mean("mse") < 1


def test_images_too_small_for_the_window_have_no_ssim():
    found = scored({HERE: images(1, (2, 1, 4, 4)), THERE: images(2, (2, 1, 4, 4))})[THERE]
    assert math.isnan(found.mean("ssim"))
    assert found.mean("mse") > 0


def test_only_the_wanted_metrics_are_told():
    cells = {HERE: images(1), THERE: images(2)}
    found = scored(cells, metrics=("psnr",))[THERE]
    assert list(found.values) == ["psnr"]
    both = scored(cells)[THERE]
    assert found.mean("psnr") == pytest.approx(both.mean("psnr"))
    assert math.isnan(found.mean("mse"))


def test_a_mean_with_equal_images_among_others_is_finite():
    score = CellScore({"mse": (0.0, 0.02), "psnr": (math.inf, -10 * math.log10(0.02))})
    assert score.mean("psnr") == pytest.approx(20.0)


def test_progress_counts_cells():
    cells = {HERE: images(1), THERE: images(2), NEAR: images(3)}
    *events, _ = score_job(ScoreOrder(HERE, cells))
    assert all(isinstance(event, Progress) for event in events)
    assert [(e.done, e.total, e.unit) for e in events] == [(n, 3, "cell") for n in (1, 2, 3)]


def test_a_reference_that_is_not_there_fails_in_a_sentence():
    (ended,) = run(score_job(ScoreOrder(NEAR, {HERE: images(1)})))
    assert ended.failure.message == "The reference cell is not complete."


def test_lpips_joins_the_others_where_it_is_at_hand(monkeypatch):
    def distances(a, b):
        return [float((x - y).abs().mean()) for x, y in zip(a, b, strict=True)]

    from ddim_studio.jobs import scores

    monkeypatch.setattr(scores, "lpips_available", lambda: True)
    monkeypatch.setattr(scores, "open_lpips", lambda: distances)
    a, b = images(1, (9, 1, 16, 16)), images(2, (9, 1, 16, 16))
    found = scored({HERE: a, THERE: b, NEAR: images(3)})
    assert list(found[THERE].values) == ["mse", "psnr", "ssim", "lpips"]
    np.testing.assert_allclose(found[THERE].values["lpips"], abs(a - b).mean((1, 2, 3)), rtol=1e-5)
    assert len(found[NEAR].values["lpips"]) == 3
    assert math.isnan(found[NEAR].mean("lpips"))
    assert "lpips" not in scored({HERE: a}, metrics=("mse",))[HERE].values


def test_weights_of_lpips_that_cannot_be_read_are_remarked_on(monkeypatch):
    from ddim_studio.jobs import scores

    monkeypatch.setattr(scores, "lpips_available", lambda: True)
    monkeypatch.setattr(scores, "open_lpips", lambda: None)
    events = list(score_job(ScoreOrder(HERE, {HERE: images(1)})))
    assert "LPIPS is left out" in events[0].text
    assert isinstance(events[0], Notice)
    assert "lpips" not in events[-1].scores[HERE].values
    assert perceptual.BACKBONE.endswith(".pth")
