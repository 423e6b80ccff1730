"""``bench``: its figures belong together, and what cannot be measured is told."""

from __future__ import annotations

import json

import pytest

from ddim_studio.jobs.bench import BARE, EAGER, ENGINE, PIPELINE


@pytest.fixture
def bench(run, tiny_pipeline, monkeypatch):
    """Runs ``bench`` with the small random model, torch alone at work."""
    monkeypatch.setenv("DDIM_STUDIO_ENGINE", "eager")
    preset = ["bench", "--model", str(tiny_pipeline), "--device", "cpu"]
    return lambda arguments: run([*preset, *arguments.split()])


def test_its_figures_belong_together(bench):
    answer = bench("--batches 1,3 --steps 4 --rounds 3 --json")
    assert (answer.code, answer.err) == (0, [])
    told = json.loads("\n".join(answer.out))
    assert (told["model"], told["device"], told["steps"]) == ("tiny", "cpu", 4)
    assert told["threads"] >= 1
    (note,) = told["notes"]
    assert "DDIM_STUDIO_ENGINE" in note
    assert [(row["batch"], row["name"]) for row in told["rows"]] == [
        (batch, name) for batch in (1, 3) for name in (BARE, EAGER, PIPELINE)
    ]
    bare = {row["batch"]: row["milliseconds"] for row in told["rows"] if row["name"] == BARE}
    for row in told["rows"]:
        assert row["rounds"] == 3
        assert 0 < row["low"] <= row["milliseconds"] <= row["high"]
        assert row["ratio"] == pytest.approx(row["milliseconds"] / bare[row["batch"]])
        per_image = row["milliseconds"] * 4 / row["batch"]
        assert row["images_per_second"] == pytest.approx(1000 / per_image)
        assert row["change"] == (0 if row["name"] == EAGER else None)


def test_its_tables_are_for_people(bench):
    answer = bench("--batches 2 --steps 2 --rounds 2")
    assert answer.code == 0
    assert answer.out[0].startswith("tiny (0.0 million parameters) on cpu: ")
    assert answer.out[2] == "Batches of 2 images, S = 2, medians of 2 rounds"
    names = [line[2:28].strip() for line in answer.out[4:]]
    assert names == [BARE, EAGER, PIPELINE]
    assert len({len(line) for line in answer.out[3:]}) == 1
    assert "1.00" in answer.out[4]
    assert len(answer.err) == 1  # why there is no engine
    assert bench("--batches 2 --steps 2 --rounds 1 --quiet").err == []


class Engine:
    """An engine that is there at once for "precise", and cannot be fast."""

    def prepare(self, precision, count):
        return _Wrong() if precision == "precise" else None

    def fault(self, precision):
        return "This processor does not compute with bfloat16."

    def noted(self, given, output):
        raise AssertionError("torch was called")

    def give_up(self, precision, error):
        raise error

    def stop(self):
        pass


class _Wrong:
    precision = "precise"

    def __call__(self, x, t):
        return x * 0


def test_an_engine_is_measured_beside_torch_with_how_far_it_is_off(bench, monkeypatch):
    from ddim_studio.models.acceleration import engine

    monkeypatch.setattr(engine, "engine_for", lambda model: Engine())
    answer = bench("--batches 2 --steps 2 --rounds 1 --json")
    assert answer.code == 0, answer.err
    told = json.loads("\n".join(answer.out))
    names = [row["name"] for row in told["rows"]]
    assert names == [BARE, EAGER, ENGINE["precise"], PIPELINE]
    assert told["rows"][2]["change"] > 1
    assert told["notes"] == ["This processor does not compute with bfloat16."]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--batches 0", "--batches must be a whole number from 1"),
        ("--batches 1,x", "--batches must be a whole number from 1"),
        ("--steps 0", "--steps must be a whole number from 1"),
        ("--rounds none", "--rounds must be a whole number from 1"),
        ("--device tpu", "--device must be one of"),
    ],
)
def test_wrong_options_are_named(run, line, told):
    answer = run(f"bench {line}")
    assert (answer.code, len(answer.err)) == (2, 1)
    assert told in answer.err[0]


def test_a_model_that_is_missing_fails(run):
    answer = run("bench --model missing")
    assert (answer.code, len(answer.err)) == (1, 1)
    assert "missing" in answer.err[0]
