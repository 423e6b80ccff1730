"""What the Forward page saves: numbers that are those of the estimate, and figures that open."""

import csv
import math

import numpy as np
import pytest
from PIL import Image

from ddim_studio.diffusion.bound_estimate import VARIANCES, Bound
from ddim_studio.jobs.events import Saved
from ddim_studio.jobs.forward_files import (
    Panel,
    bound_panels,
    bound_rows,
    panel_rows,
    save_curves,
)
from ddim_studio.jobs.table_file import save_rows


@pytest.fixture
def bound():
    draws = np.random.default_rng(0)
    sizes = np.array([1, 1, 3, 5])
    return Bound(
        T=10,
        dimensions=4,
        sizes=sizes,
        times=np.array([[0, 1, 2, 5], [0, 1, 4, 9], [0, 1, 3, 7]]),
        terms={variance: draws.random((3, 4)) for variance in VARIANCES},
        simple=draws.random((3, 4)),
        prior=draws.random(3) * 1e-5,
        network_calls=12,
        total_images=3,
    )


def test_the_table_adds_up_to_the_bound(bound, tmp_path):
    path = tmp_path / "bound.csv"
    assert list(save_rows(path, bound_rows(bound))) == [Saved(str(path))]
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    steps, sums = rows[:4], {row["term"]: row for row in rows[4:]}
    assert [(int(r["first_t"]), int(r["last_t"])) for r in steps] == [
        (0, 0),
        (1, 1),
        (2, 4),
        (5, 9),
    ]
    for variance in VARIANCES:
        whole = sum(
            float(r[variance]) * (int(r["last_t"]) - int(r["first_t"]) + 1) for r in steps[1:]
        )
        assert float(sums["sum of L_{t-1}"][variance]) == pytest.approx(whole)
        total = whole + float(steps[0][variance]) + float(sums["L_T"][variance])
        assert float(sums["total"][variance]) == pytest.approx(total)
        assert float(sums["total"][f"{variance}_error"]) == bound.total(variance).error
    assert float(sums["total"]["simple"]) == pytest.approx(bound.simple_loss().value)
    assert sums["L_T"]["simple"] == ""


def test_places_are_the_middles_of_the_strata(bound):
    assert bound.places().tolist() == [0, 1, 3, 7]
    curve, error = bound.curve(bound.simple)
    assert curve[2] == pytest.approx(bound.simple[:, 2].mean())
    assert error[2] == pytest.approx(bound.simple[:, 2].std(ddof=1) / math.sqrt(3))


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_figure_is_written_whole(bound, tmp_path, suffix):
    path = tmp_path / f"bound{suffix}"
    assert list(save_curves(path, bound_panels(bound), "9 images")) == [Saved(str(path))]
    head = path.read_bytes()[:200]
    if suffix == ".png":
        with Image.open(path) as image:
            image.load()
            assert image.width > 1000
    else:
        assert (b"%PDF" if suffix == ".pdf" else b"<?xml") in head
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_curves_become_rows_and_gaps_are_empty():
    x = np.arange(3.0)
    panel = Panel("ᾱ", x, "t", {"model": np.array([1.0, np.nan, 0.5])})
    rows = panel_rows([panel])
    assert [row["y"] for row in rows] == [1.0, None, 0.5]
    assert rows[0] == {"plot": "ᾱ", "line": "model", "x": 0.0, "y": 1.0}
