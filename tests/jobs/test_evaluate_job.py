"""The evaluating job measures what the sampler draws, once, and goes on where it was stopped."""

import csv
import math

import numpy as np
import pytest
from features import Averages
from PIL import Image

import ddim_studio as ds
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.evaluation import drawing, reconstruction
from ddim_studio.evaluation.blocks import BlockStore, block_seeds, fingerprint
from ddim_studio.evaluation.frechet import frechet_distance, gaussian_of
from ddim_studio.evaluation.precision_recall import precision_recall
from ddim_studio.evaluation.team import Alone
from ddim_studio.imaging.pixels import from_pixels, to_pixels
from ddim_studio.jobs.evaluate import evaluate_job
from ddim_studio.jobs.evaluation_files import in_words, write_results
from ddim_studio.jobs.evaluation_order import CellMeasured, EvaluateOrder, Measured, cells_of
from ddim_studio.jobs.events import Ended, Notice, Progress, Saved
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runner import run


@pytest.fixture
def data(tmp_path):
    """A folder of 20 grey pictures, and one file that is none."""
    folder = tmp_path / "data"
    folder.mkdir()
    values = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    for number, picture in enumerate(values):
        Image.fromarray(picture).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture
def averages(monkeypatch):
    """Lets averages stand for the features of a network, which there is none for 8×8 images."""
    name = "ddim_studio.evaluation.features.suitable_features"
    monkeypatch.setattr(name, lambda shape, inception=None: Averages())


@pytest.fixture
def measure(tiny, tmp_path, data, averages):
    """Runs an evaluation of the tiny model; all its events."""
    models = ModelCache()
    models._models["tiny", "cpu"] = tiny

    def measure(cancelled=lambda: False, **changes):
        preset = {"model": "tiny", "device": "cpu", "data": str(data), "block_size": 4}
        cells = cells_of((0.0, 1.0), (2, 3))
        order = EvaluateOrder(**{"cells": cells, "samples": 10, **preset, **changes})
        job = evaluate_job(order, models, tmp_path / "kept", Alone())
        return list(run(write_results(job, order, tmp_path / "table.csv"), cancelled))

    return measure


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_cell_is_measured_on_the_images_of_its_seeds(measure, tiny, data):
    found = [event.measured for event in of(CellMeasured, measure(seed=5))]
    assert [m.settings for m in found] == list(cells_of((0.0, 1.0), (2, 3)))
    real = np.stack([np.asarray(Image.open(path)) for path in sorted(data.glob("*.png"))])
    reference = gaussian_of(Averages()(real[..., None]))
    for m in found:
        seeds = range(5, 15)
        *_, last = ds.sample(tiny, ds.seeded_noise(tiny, seeds), m.settings, seeds=seeds)
        drawn = gaussian_of(Averages()(to_pixels(last.x)))
        assert m.distance == pytest.approx(frechet_distance(reference, drawn), rel=0.02)
        assert m.low < m.distance < m.high
        assert m.seconds > 0
        assert m.headline_seconds == pytest.approx(50_000 * m.seconds)


def test_figures_are_those_of_the_kept_blocks(measure, tiny, data, tmp_path):
    found = [event.measured for event in of(CellMeasured, measure())]
    store = BlockStore(tmp_path / "kept", fingerprint(tiny))
    real = np.stack([np.asarray(Image.open(path)) for path in sorted(data.glob("*.png"))])
    for m in found:
        blocks = [store.read(m.settings, seeds) for seeds in block_seeds(0, 10, 4)]
        assert m.seconds == pytest.approx(sum(block.seconds for block in blocks) / 10)
        drawn = Averages()(np.concatenate([block.pixels for block in blocks]))
        manifold = precision_recall(drawn, Averages()(real[::2, ..., None]))
        assert (m.precision, m.recall) == manifold
    assert any(m.precision != m.recall for m in found)


def test_progress_counts_network_calls(measure):
    events = measure(reconstruction=8)
    last = of(Progress, events)[-1]
    # three blocks of 10 images, 2 + 2 + 3 + 3 steps, and two parts of 8 images there and back
    assert (last.done, last.total) == (30 + 2 * 2 * (2 + 3), 50)
    assert of(Ended, events) == [Ended("finished")]


def test_only_the_deterministic_cells_have_a_reconstruction_error(measure):
    found = [event.measured for event in of(CellMeasured, measure(reconstruction=8))]
    assert [math.isnan(m.reconstruction) for m in found] == [m.settings.eta != 0 for m in found]
    assert all(0 < m.reconstruction < 1 for m in found if m.settings.eta == 0)


def test_with_inception_features_the_kernel_distance_is_measured_and_in_the_table(
    measure, monkeypatch, tmp_path
):
    monkeypatch.setattr(Averages, "distance", "FID")
    found = [event.measured for event in of(CellMeasured, measure())]
    assert len({m.kernel_distance for m in found}) == 4
    table = rows(tmp_path / "table.csv")
    assert [float(row["KID"]) for row in table] == pytest.approx(
        [m.kernel_distance for m in found], rel=1e-8
    )
    assert [float(row["FID"]) for row in table] == pytest.approx(
        [m.distance for m in found], rel=1e-8
    )


def test_of_much_data_a_part_is_read(measure):
    (text,) = (e.text for e in of(Notice, measure(data_limit=9)) if "reference" in e.text)
    assert text.startswith("9 images of")


def test_many_processes_need_less_time_for_all_images():
    (settings,) = cells_of((0.0,), (5,))
    assert Measured(settings, 10, seconds=0.2, processes=4).headline_seconds == 2500


def test_a_second_run_draws_nothing_and_finds_the_same(measure):
    first = [event.measured for event in of(CellMeasured, measure())]
    events = measure()
    assert of(Progress, events) == []
    assert [repr(event.measured) for event in of(CellMeasured, events)] == [*map(repr, first)]


def test_a_stopped_run_goes_on_where_it_was(measure, tmp_path):
    expected = [event.measured for event in of(CellMeasured, measure())]
    for path in (tmp_path / "kept").rglob("*-*.npz"):
        path.unlink()
    seen = iter(range(1000))
    events = measure(cancelled=lambda: next(seen) > 20)
    assert of(Ended, events) == [Ended("cancelled")]
    before = len(of(CellMeasured, events))
    assert 0 < before < 4
    assert len(rows(tmp_path / "table.csv")) == before
    kept = len(list((tmp_path / "kept").rglob("[0-9]*-*.npz")))
    events = measure()
    assert of(Progress, events)[-1].total <= (12 - kept) * 3
    found = [event.measured for event in of(CellMeasured, events)]
    assert [m.distance for m in found] == [m.distance for m in expected]


def test_more_samples_draw_only_the_new_ones(measure):
    measure(samples=8)
    events = measure(samples=12)
    assert of(Progress, events)[-1].total == 2 + 2 + 3 + 3


def test_the_table_has_a_row_a_cell(measure, tmp_path):
    events = measure(reconstruction=8, seed=3)
    found = [event.measured for event in of(CellMeasured, events)]
    table = rows(tmp_path / "table.csv")
    assert [(row["eta"], row["steps"]) for row in table] == [
        ("0", "2"), ("1", "2"), ("0", "3"), ("1", "3"),
    ]  # fmt: skip
    for row, m in zip(table, found, strict=True):
        assert (row["model"], row["samples"], row["seed"]) == ("tiny", "10", "3")
        assert float(row["Fréchet distance (averages)"]) == pytest.approx(m.distance, rel=1e-8)
        assert float(row["standard_error"]) == pytest.approx(m.error, rel=1e-8)
        assert float(row["precision"]) == pytest.approx(m.precision)
        assert float(row["recall"]) == pytest.approx(m.recall)
        assert float(row["low_95"]) == pytest.approx(m.low, rel=1e-8)
        assert float(row["high_95"]) == pytest.approx(m.high, rel=1e-8)
        assert float(row["hours_per_50k"]) == pytest.approx(m.seconds * 50_000 / 3600, rel=1e-6)
        assert (row["reconstruction_mse"] == "") == (m.settings.eta != 0)
    assert of(Saved, events) == [Saved(str(tmp_path / "table.csv"))]


def test_without_suitable_features_time_is_measured_alone(measure, monkeypatch, tmp_path):
    name = "ddim_studio.evaluation.features.suitable_features"
    monkeypatch.setattr(name, lambda shape, inception=None: None)
    events = measure()
    assert all(math.isnan(event.measured.distance) for event in of(CellMeasured, events))
    assert any("no features" in event.text for event in of(Notice, events))
    assert {row["Fréchet distance"] for row in rows(tmp_path / "table.csv")} == {""}


def test_without_data_too(measure):
    (first, *_) = of(CellMeasured, measure(data=None))
    assert math.isnan(first.measured.distance)
    assert first.measured.seconds > 0
    assert first.distance_name == ""


def test_bad_pictures_are_left_out_and_named(measure, data):
    (data / "note.png").write_text("no picture")
    texts = [event.text for event in of(Notice, measure())]
    assert any("note.png" in text for text in texts)
    assert any(text.startswith("20 images of") for text in texts)


def test_too_few_pictures_end_it_with_a_sentence(measure, data):
    for path in sorted(data.glob("*.png"))[5:]:
        path.unlink()
    (ended,) = of(Ended, measure())
    assert ended.outcome == "failed"
    assert "holds 5 images" in ended.failure.message


def spoilt(monkeypatch, module, steps):
    """Lets the sampler of a module give NaN for cells with so many steps."""
    genuine = module.sample

    def sample(model, x, settings, **more):
        for step in genuine(model, x, settings, **more):
            if settings.steps == steps:
                step.x[0, 0, 0, 0] = math.nan
            yield step

    monkeypatch.setattr(module, "sample", sample)


@pytest.mark.parametrize(("module", "what"), [
    (drawing, "The samples at η = 0, S = 3, linear τ"),
    (reconstruction, "The images encoded and decoded at η = 0, S = 3, linear τ"),
])  # fmt: skip
def test_what_is_not_finite_is_a_sentence_and_no_row(measure, monkeypatch, tmp_path, module, what):
    spoilt(monkeypatch, module, steps=3)
    (ended,) = of(Ended, measure(reconstruction=8))
    assert ended.outcome == "failed"
    assert ended.failure.message == f"{what} are not finite numbers."
    assert [row["steps"] for row in rows(tmp_path / "table.csv")] == ["2", "2"]


def test_weights_of_inception_that_are_not_used_are_named(measure):
    texts = [event.text for event in of(Notice, measure(inception="weights.pth"))]
    assert sum("Inception are not used" in text for text in texts) == 1


def test_a_reconstruction_is_that_of_the_data_spread_evenly(measure, tiny, data):
    (m,) = (
        e.measured
        for e in of(CellMeasured, measure(cells=cells_of((0.0,), (3,)), reconstruction=8))
    )
    real = np.stack([np.asarray(Image.open(path)) for path in sorted(data.glob("*.png"))])
    images = from_pixels(real[[i * 20 // 8 for i in range(8)], ..., None])
    walk = ds.InvertSettings(steps=3, method="source")
    back = ds.reconstruct(tiny, ds.invert(tiny, images, walk).x_T, walk)
    error = ((images.double() - back.double().clamp(-1, 1)) / 2).square().mean()
    assert m.reconstruction == pytest.approx(float(error), rel=1e-5)


def test_a_cell_in_words():
    (settings,) = cells_of(("hat",), (20,), ("quadratic",), ("clamp",))
    measured = Measured(settings, 512, distance=12.345, error=0.5, precision=0.8, recall=0.25,
                        seconds=0.36)  # fmt: skip
    text = in_words(CellMeasured(measured, "Fréchet distance (fashion classifier)"))
    assert text == (
        "σ̂, S = 20, quadratic τ, clip clamp; Fréchet distance (fashion classifier) 12.35 ± 0.50; "
        "precision 0.80, recall 0.25; 50k images would take 5.0 hours"
    )


@pytest.mark.parametrize("changes", [
    {"samples": 3}, {"samples": 2.5}, {"seed": -1}, {"block_size": 0}, {"device": "abacus"},
    {"cells": ()}, {"reconstruction": 5, "data": None},
    {"reconstruction": 5, "cells": cells_of((0.0,), (5,), clips=("clamp",))}, {"data": " "},
    {"data_limit": 1}, {"model": ""},
])  # fmt: skip
def test_impossible_orders_are_refused(changes):
    with pytest.raises(SettingsError):
        EvaluateOrder(**{"cells": cells_of((0.0,), (5,)), "data": "x", **changes})


def test_cells_are_all_combinations_cheapest_first():
    cells = cells_of((0.0, "hat"), (5, 2), ("linear", "quadratic"))
    assert len(set(cells)) == 8
    assert [cell.steps for cell in cells] == [2] * 4 + [5] * 4
