"""What the window holds of a matrix: memory, time, scores, and what it says of them."""

import numpy as np
import pytest

from ddim_studio.gui.compare_words import captions, cost, describe, reading, sharing
from ddim_studio.gui.comparison_record import ComparisonRecord, labels
from ddim_studio.jobs.comparison_events import (
    CellDone,
    CellFailed,
    CellFrame,
    CellScore,
    CellStarted,
    Scored,
)
from ddim_studio.jobs.events import Failure, Frame, StepNumbers
from ddim_studio.jobs.matrix import Axis, CompareRun, Place
from ddim_studio.jobs.runs import SampleRun


def record_of(rows="eta=0", columns="steps=10,20,50", seeds=(0, 1), budget=2**20, **base):
    axes = {"rows": Axis.parse(rows), "columns": Axis.parse(columns)}
    return ComparisonRecord(CompareRun(base=SampleRun(**base), seeds=seeds, **axes), budget)


def frame(index, count=2, side=4):
    pixels = np.full((count, side, side, 1), index % 256, np.uint8)
    numbers = StepNumbers(None, 0, 1.0, 1.0, 0.0, 0.0, ())
    return Frame(index, {"x": pixels, "x0": pixels.copy()}, numbers)


def fill(record, place, timesteps=(900, 600, 300, 0), frames=None):
    record.take(CellStarted(place, timesteps, (1, 4, 4), record.cells[place].seeds))
    for index in range(len(timesteps) + 1 if frames is None else frames):
        record.take(CellFrame(place, frame(index)))
    if frames is None:
        images = np.zeros((len(record.cells[place].seeds), 1, 4, 4), np.float32)
        record.take(CellDone(place, images, 0.25))


def score(record, **ssim):
    """Scores by column: S10=0.5 stands for row 0 where S = 10."""
    steps = record.run.columns.values
    values = {Place(0, steps.index(int(name[1:]))): value for name, value in ssim.items()}
    scored = {place: CellScore({"ssim": (value, value)}) for place, value in values.items()}
    assert record.take_scores(Scored(record.reference, scored))


def test_all_trajectories_together_stay_within_the_budget():
    budget = 60_000
    record = record_of(columns="steps=400,500,600", budget=budget)
    for column in range(3):
        fill(record, Place(0, column), tuple(range(599, -1, -1)))
    held = sum(cell.frames.nbytes for cell in record.cells.values())
    assert held <= budget
    for cell in record.cells.values():
        assert cell.frames.kept[0] == 0
        assert cell.frames.kept[-1] == 600
        kept, pixels = cell.shown(301, "x")
        assert abs(kept - 301) <= cell.frames.stride
        assert pixels[0, 0, 0, 0] == kept % 256


def test_the_frame_nearest_to_a_time_is_found_among_those_so_far():
    record = record_of()
    cell = record.cells[Place(0, 0)]
    fill(record, Place(0, 0), frames=3)
    assert cell.times == (900, 600, 300, 0, -1)
    assert [cell.near(t) for t in (999, 900, 751, 750, 749, 310, -1)] == [0, 0, 0, 0, 1, 2, 2]
    fill(record, Place(0, 0))
    assert [cell.near(t) for t in (310, 149, -1)] == [2, 3, 4]


def test_scores_against_another_cell_are_passed_over():
    record = record_of()
    for column in range(3):
        fill(record, Place(0, column))
    score(record, S10=0.5, S20=0.9, S50=1.0)
    late = Scored(Place(0, 0), {Place(0, 1): CellScore({"ssim": (0.1, 0.1)})})
    assert not record.take_scores(late)
    assert record.scores[Place(0, 1)].mean("ssim") == 0.9
    record.choose(Place(0, 0))
    assert record.scores == {}
    assert record.take_scores(late)


def test_only_what_was_not_measured_is_measured_and_only_with_a_reference():
    record = record_of()
    fill(record, Place(0, 0))
    assert record.unscored() == {}  # the reference, S = 50, is not there
    fill(record, Place(0, 2))
    assert set(record.unscored()) == {Place(0, 0), Place(0, 2)}
    score(record, S10=0.5, S50=1.0)
    assert record.unscored() == {}
    fill(record, Place(0, 1))
    assert set(record.unscored()) == {Place(0, 1), Place(0, 2)}


def test_a_reference_of_the_users_own_stays_even_where_it_was_not_reached():
    record = record_of()
    fill(record, Place(0, 0))
    fill(record, Place(0, 2), frames=2)
    record.choose(Place(0, 2))
    record.end()
    assert record.reference == Place(0, 2)
    assert record.cells[Place(0, 2)].state == "stopped"


def test_what_is_saved_is_what_is_known():
    record = record_of()
    fill(record, Place(0, 0))
    failure = Failure("S = 20 is too many.")
    record.take(CellFailed(Place(0, 1), failure))
    comparison = record.comparison()
    assert set(comparison.images) == {Place(0, 0)}
    assert comparison.seconds == {Place(0, 0): 0.25}
    assert comparison.failures == {Place(0, 1): failure}
    assert comparison.scored is None


# --- words -----------------------------------------------------------------------------------


def test_the_cost_is_cells_calls_and_images():
    assert cost(record_of().run) == "3 cells · 80 network calls × 2 images"
    run = record_of("seed=0-7", "eta=0,1", steps=500).run
    assert cost(run) == "16 cells · 8 000 network calls × 1 image"


def test_which_cells_share_their_noise_is_said():
    assert "Image n of every cell" in sharing(record_of().run)
    assert "All cells of a row" in sharing(record_of("seed=0-3", "eta=0,1").run)
    assert "All cells of a column" in sharing(record_of("eta=0,1", "seed=0-3").run)
    assert "another image size" in sharing(record_of("model=a,b", "eta=0,1").run)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"S10": 0.6, "S20": 0.93},
            "From S = 20 on, the images keep their identity: SSIM at least 0.93",
        ),
        (
            {"S10": 0.91, "S20": 0.95},
            "From S = 10 on, the images keep their identity: SSIM at least 0.91",
        ),
        (
            {"S10": 0.9, "S20": 0.3},
            "Other numbers of steps give other images than S = 50: SSIM at most 0.90",
        ),
    ],
)
def test_consistency_is_read_from_the_finest_steps_down(values, words):
    record = record_of()
    for column in range(3):
        fill(record, Place(0, column))
    score(record, S50=1.0, **values)
    assert words in reading(record)


def test_what_eta_does_is_read_along_the_other_axis():
    record = record_of("eta=0,0.5,hat", "steps=50")
    for row in range(3):
        fill(record, Place(row, 0))
    values = {Place(0, 0): 1.0, Place(1, 0): 0.7, Place(2, 0): 0.1}
    scores = {place: CellScore({"ssim": (value,)}) for place, value in values.items()}
    record.take_scores(Scored(Place(0, 0), scores))
    assert reading(record).startswith("With S = 50, σ-hat is furthest from η = 0: SSIM 0.10.")


def test_without_the_reference_the_reading_says_what_is_missing():
    record = record_of()
    fill(record, Place(0, 0))
    assert "S = 50" in reading(record)
    assert "complete" in reading(record)


def test_cells_of_another_seed_are_not_blamed_on_the_setting():
    record = record_of("seed=0-1", "eta=0,1")
    for place in record.cells:
        fill(record, place)
    scores = {place: CellScore({"ssim": (0.5,)}) for place in record.cells}
    record.take_scores(Scored(record.reference, scores))
    assert "another seed" in reading(record)


def test_captions_go_from_long_to_short():
    record = record_of()
    fill(record, Place(0, 0))
    cell = record.cells[Place(0, 0)]
    known = CellScore({"ssim": (0.9, 0.96)})
    assert captions(cell, known, "ssim", "") == ("SSIM 0.930 · 250 ms", "0.930 · 250 ms", "0.930")
    assert captions(cell, known, "lpips", "") == ("250 ms",)
    assert captions(cell, None, "ssim", "") == ("250 ms",)
    assert captions(cell, known, "ssim", "t = 300") == ("t = 300",)
    assert captions(record.cells[Place(0, 1)], None, "ssim", "") == ()


def test_a_cell_that_cannot_be_measured_says_why():
    record = record_of()
    for column in range(3):
        fill(record, Place(0, column))
    remark = "These images are 8×8 grey, those of the reference 4×4 grey."
    nothing = CellScore({"ssim": (float("nan"),) * 2}, remark)
    record.take_scores(Scored(record.reference, {Place(0, 0): nothing}))
    assert remark in describe(record, Place(0, 0))
    assert "reference" in describe(record, Place(0, 2))


def test_labels_have_no_hat_that_fonts_misplace():
    assert labels(Axis.parse("eta=0,hat")) == ["η = 0", "σ-hat"]
