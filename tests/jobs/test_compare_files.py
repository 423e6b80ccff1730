"""A comparison as a figure and as a table: what there is, and nothing that there is not."""

import csv
import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from pictures import read

from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.imaging.png import read_settings
from ddim_studio.jobs.compare_files import save_figure, save_table, spoken_metric
from ddim_studio.jobs.comparison import Comparison, ScoreOrder
from ddim_studio.jobs.events import Ended, Failure, Saved
from ddim_studio.jobs.matrix import Axis, CompareRun, Place
from ddim_studio.jobs.runner import run
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.jobs.scores import score_job

REFERENCE = Place(0, 1)


def compared(rows="eta=0,0.2,hat", columns="steps=5,10", seeds=(3, 9), missing=(), **base):
    """A comparison whose images are noise, and its scores against the cell at 0, 1."""
    order = CompareRun(
        base=SampleRun(**base), rows=Axis.parse(rows), columns=Axis.parse(columns), seeds=seeds
    )
    comparison = Comparison(order)
    for number, place in enumerate(order.places):
        if place not in missing:
            noise = np.random.default_rng(number).normal(0, 0.5, (len(seeds), 1, 8, 8))
            count = len(order.cell_seeds(place))
            comparison.images[place] = noise.astype(np.float32)[:count]
            comparison.seconds[place] = 0.0125 * (number + 1)
    if REFERENCE in comparison.images:
        for event in score_job(ScoreOrder(REFERENCE, comparison.images)):
            comparison.take(event)
    return comparison


def table(path, comparison):
    assert list(save_table(path, comparison)) == [Saved(str(path))]
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def words(path):
    root = ET.fromstring(path.read_bytes())
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_table_has_a_row_for_every_cell_and_seed(tmp_path):
    comparison = compared()
    head, *rows = table(tmp_path / "a.csv", comparison)
    assert head == ["eta", "steps", "seed", "mse", "psnr", "ssim", "seconds"]
    assert [row[:3] for row in rows] == [
        [eta, steps, seed]
        for eta in ("0", "0.2", "hat")
        for steps in ("5", "10")
        for seed in ("3", "9")
    ]
    for number, row in enumerate(rows):
        place, index = comparison.run.places[number // 2], number % 2
        score = comparison.scored.scores[place]
        expected = [score.values[metric][index] for metric in ("mse", "psnr", "ssim")]
        assert [float(text) for text in row[3:6]] == expected  # to the last digit
        assert float(row[6]) == comparison.seconds[place]
    assert rows[2][3:6] == ["0.0", "inf", "1.0"]


def test_a_seed_axis_is_written_once(tmp_path):
    head, *rows = table(tmp_path / "a.csv", compared("seed=3,9", "eta=0,1", seeds=(0,)))
    assert head == ["seed", "eta", "mse", "psnr", "ssim", "seconds"]
    assert [row[:2] for row in rows] == [["3", "0"], ["3", "1"], ["9", "0"], ["9", "1"]]


def test_values_that_are_not_there_are_empty(tmp_path):
    unscored = compared(missing=[REFERENCE])
    assert unscored.scored is None
    _, *rows = table(tmp_path / "a.csv", unscored)
    assert len(rows) == 10
    assert {tuple(row[3:6]) for row in rows} == {("", "", "")}
    assert all(float(row[6]) > 0 for row in rows)

    small = compared()
    small.images = {place: x_0[:, :, :4, :4] for place, x_0 in small.images.items()}
    *_, small.scored = score_job(ScoreOrder(REFERENCE, small.images))
    _, *rows = table(tmp_path / "a.csv", small)
    assert {row[5] for row in rows} == {""}  # too small for SSIM
    assert all(math.isfinite(float(row[3])) for row in rows)


def test_cells_that_are_not_finished_have_no_row(tmp_path):
    comparison = compared(missing=[Place(0, 0), Place(2, 1)])
    _, *rows = table(tmp_path / "a.csv", comparison)
    found = [tuple(row[:2]) for row in rows[::2]]
    assert found == [("0", "10"), ("0.2", "5"), ("0.2", "10"), ("hat", "5")]


def test_lpips_has_a_column_where_it_was_measured(tmp_path):
    comparison = compared()
    for score in comparison.scored.scores.values():
        score.values["lpips"] = (0.25, 0.5)
    head, *rows = table(tmp_path / "a.csv", comparison)
    assert head[3:] == ["mse", "psnr", "ssim", "lpips", "seconds"]
    assert [row[6] for row in rows] == ["0.25", "0.5"] * 6


def test_names_of_models_stay_apart_from_commas(tmp_path):
    path = '/home/a "b", c/tiny'
    comparison = Comparison(
        CompareRun(
            base=SampleRun(), rows=Axis("model", (path, "x\udcff")), columns=Axis("eta", (0.0,))
        )
    )
    for place in comparison.run.places:
        comparison.images[place] = np.zeros((1, 1, 8, 8), np.float32)
        comparison.seconds[place] = 1.0
    _, first, second = table(tmp_path / "a.csv", comparison)
    assert first[0] == path
    assert second[0] == "x\\udcff"


def test_the_figure_shows_the_images_of_every_cell(tmp_path):
    comparison, path = compared(), tmp_path / "a.png"
    assert list(save_figure(path, comparison)) == [Saved(str(path))]
    page = read(path)[..., 0].copy()
    stored = json.loads(read_settings(path))
    assert CompareRun.from_dict(stored) == comparison.run
    for x_0 in comparison.images.values():
        for picture in to_pixels(torch.from_numpy(x_0))[..., 0]:
            rows = [picture.repeat(scale, 1)[0].tobytes() for scale in range(1, 60)]
            assert any(row in page.tobytes() for row in rows)


def test_the_figure_says_what_it_shows(tmp_path):
    path = tmp_path / "a.svg"
    comparison = compared(spacing="quadratic", clip="clamp", missing=[Place(2, 0), Place(2, 1)])
    comparison.failures[Place(2, 1)] = Failure("x")
    list(save_figure(path, comparison, "mse", title="Table 1"))
    found = words(path)
    assert {"η = 0", "η = 0.2", "σ̂", "S = 5", "S = 10", "Table 1"} < set(found)
    assert "reference · 25.0 ms" in found
    value = comparison.scored.scores[Place(1, 1)].mean("mse")
    assert f"MSE {value:.3f} · 50.0 ms" in found
    assert found.count("failed") == found.count("not computed") == 1
    note = " ".join(found)
    shared = "toonheads-32, quadratic τ, x̂₀ clamped, seeds 3, 9."
    meaning = "mean MSE against the reference (η = 0, S = 10), and the time per image."
    assert f"{shared} Below each cell: {meaning}" in note


def test_the_figure_without_reference_tells_the_time_only(tmp_path):
    path = tmp_path / "a.svg"
    list(save_figure(path, compared(missing=[REFERENCE], seeds=(4, 5, 6))))
    found = words(path)
    assert "12.5 ms" in found
    assert not [text for text in found if "SSIM" in text or "reference" in text]
    note = "toonheads-32, linear τ, seeds 4–6. Below each cell: the time per image."
    assert note in " ".join(found)


@pytest.mark.parametrize(
    ("rows", "columns", "base", "says"),
    [
        (
            "seed=1,2",
            "eta=0,1",
            {"steps": 20},
            "toonheads-32, S = 20, linear τ. Below each cell: SS",
        ),
        ("eta=0,1", "clip=none,clamp", {"timesteps": (0, 9)}, "S = 2, a list for τ, seed 3."),
        ("spacing=linear,quadratic", "clip=none,clamp", {}, "toonheads-32, η = 0, S = 50, seed 3."),
        ("model=a/x,b/x", "eta=0,1", {"class_label": 3}, "S = 50, linear τ, class 3, seed 3."),
    ],
)
def test_the_note_holds_what_no_axis_sets(tmp_path, rows, columns, base, says):
    path = tmp_path / "a.svg"
    list(save_figure(path, compared(rows, columns, seeds=(3,), **base)))
    found = " ".join(words(path))
    assert says in found
    assert "mean" not in found  # of one image


def test_many_columns_have_numbers_only(tmp_path):
    path = tmp_path / "a.svg"
    comparison = compared("eta=0,1", "steps=" + ",".join(map(str, range(1, 10))), seeds=(1,))
    list(save_figure(path, comparison))
    value = comparison.scored.scores[Place(1, 1)].mean("ssim")
    assert any(re.fullmatch(rf"{spoken_metric('ssim', value)}.*", text) for text in words(path))
    assert not [text for text in words(path) if text.startswith("SSIM")]


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("ssim", 0.91249, "0.912"),
        ("ssim", -0.0213, "−0.021"),
        ("psnr", 27.149, "27.1 dB"),
        ("psnr", math.inf, "∞ dB"),
        ("psnr", math.nan, "–"),
        ("mse", 0.0, "0.000"),
        ("mse", 0.01234, "0.012"),
        ("mse", 0.000012345, "1.2e−05"),
        ("lpips", 0.25, "0.250"),
    ],
)
def test_values_are_spoken_in_few_digits(metric, value, text):
    assert spoken_metric(metric, value) == text


@pytest.mark.parametrize(
    ("save", "name", "says"),
    [(save_table, "a.txt", r"\.csv"), (save_figure, "a.csv", r"\.png, \.svg or \.pdf")],
)
def test_another_suffix_is_refused(tmp_path, save, name, says):
    (ended,) = run(save(tmp_path / name, compared()))
    assert re.search(says, ended.failure.message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("save", "name"), [(save_table, "a.csv"), (save_figure, "a.png")])
def test_what_was_there_is_replaced_whole_or_kept(tmp_path, save, name):
    path = tmp_path / name
    path.write_text("before")
    comparison = compared()
    del comparison.seconds[Place(2, 1)]  # an error after most of the work
    (ended,) = run(save(path, comparison))
    assert ended.outcome == "failed"
    assert path.read_text() == "before"
    comparison = compared()
    assert list(run(save(path, comparison))) == [Saved(str(path)), Ended("finished")]
    assert path.read_bytes() != b"before"
    assert [file.name for file in tmp_path.iterdir()] == [name]
