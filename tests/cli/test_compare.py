"""``compare``: what it writes, how it is told what to compare, and what it keeps on the way."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from interrupting import interrupt

import ddim_studio as ds
from ddim_studio.evaluation.likeness import likenesses
from ddim_studio.imaging.png import read_settings
from ddim_studio.jobs.matrix import PRESETS, CompareRun


def rows_of(path) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def compare(run, tiny_pipeline):
    """Runs ``compare`` with the small random model, which must succeed."""

    def compare(arguments: str):
        answer = run(
            ["compare", "--model", str(tiny_pipeline), "--device", "cpu", *arguments.split()]
        )
        assert answer.code == 0, answer.err
        return answer

    return compare


def final(model, seeds, **settings):
    wanted = ds.SampleSettings(**settings)
    *_, last = ds.sample(model, ds.seeded_noise(model, seeds), wanted, seeds=list(seeds))
    return last.x


def test_the_table_holds_what_the_sampler_gives(compare, tiny):
    answer = compare("--rows eta=0,0.7 --columns steps=3,5 --seeds 4-6,1 --clip clamp --out a.csv")
    assert answer == (0, ["a.csv"], [])
    seeds = (4, 5, 6, 1)
    reference = final(tiny, seeds, eta=0.0, steps=5, clip="clamp")
    rows = iter(rows_of("a.csv"))
    for eta in (0.0, 0.7):
        for steps in (3, 5):
            x_0 = final(tiny, seeds, eta=eta, steps=steps, clip="clamp")
            for seed, like in zip(seeds, likenesses(x_0, reference), strict=True):
                row = next(rows)
                assert (float(row["eta"]), row["steps"]) == (eta, str(steps))
                assert row["seed"] == str(seed)
                assert float(row["mse"]) == like.mse
                assert float(row["psnr"]) == like.psnr
                assert float(row["ssim"]) == pytest.approx(like.ssim, abs=1e-12)
                assert float(row["seconds"]) > 0
    assert next(rows, None) is None


def test_figure_and_table_in_one_run(compare, names, tiny_pipeline):
    answer = compare("--rows eta=0,hat --columns steps=2,3 --out new/a.png --out a.csv --out a.svg")
    assert answer == (0, ["new/a.png", "a.csv", "a.svg"], [])
    assert names() == ["a.csv", "a.svg", "new"]
    order = CompareRun.from_json(read_settings("new/a.png"))
    assert order.seeds == tuple(range(8))
    assert order.base.model == str(tiny_pipeline)
    assert (order.rows.text(), order.columns.text()) == ("0,hat", "2,3")
    assert len(rows_of("a.csv")) == 4 * 8


@pytest.mark.parametrize(
    ("reference", "same"),
    [("eta=1,steps=2", ("1", "2")), (" steps = 3 , eta=0.0", ("0", "3")), ("", ("0", "3"))],
)
def test_the_reference_is_chosen_by_its_values(run, tiny_pipeline, reference, same):
    line = (
        f"compare --model {tiny_pipeline} --rows eta=1,0 --columns steps=2,3 --seeds 1 --out a.csv"
    )
    chosen = ["--reference", reference] if reference else []
    assert run([*line.split(), *chosen]).code == 0
    equal = [(row["eta"], row["steps"]) for row in rows_of("a.csv") if row["psnr"] == "inf"]
    assert equal == [same]


def test_the_metric_is_what_the_figure_says(compare):
    compare("--rows eta=0,1 --columns steps=2,3 --metric psnr --out a.svg")
    text = Path("a.svg").read_text(encoding="utf-8")
    assert "PSNR" in text
    assert "SSIM" not in text
    assert "reference (η = 0, S = 3)" in text


def test_a_seed_axis_takes_the_place_of_seeds(compare, tiny):
    compare("--rows seed=3,8 --columns eta=0,1 --steps 4 --out a.csv")
    rows = rows_of("a.csv")
    assert [(row["seed"], row["eta"]) for row in rows] == [
        ("3", "0"),
        ("3", "1"),
        ("8", "0"),
        ("8", "1"),
    ]
    x_0 = [final(tiny, [seed], steps=4) for seed in (3, 8)]
    assert float(rows[2]["mse"]) == likenesses(x_0[1], x_0[0])[0].mse


@pytest.mark.parametrize("preset", ["table1", "seeds"])
def test_presets_stand_for_axes(run, tiny_pipeline, monkeypatch, preset):
    from ddim_studio.cli import compare as command

    orders = []

    def stop(order, models, views):
        orders.append(order)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(command, "compare_job", stop)
    line = f"compare --model {tiny_pipeline} --preset {preset} --out a.csv"
    assert run(line).code == 130
    (order,) = orders
    assert (order.rows, order.columns) in PRESETS.values()
    assert order.rows.field == {"table1": "eta", "seeds": "seed"}[preset]


def test_models_are_compared_by_their_own_names(run, tiny_pipeline, tmp_path):
    shutil.copytree(tiny_pipeline, tmp_path / "other")
    (tmp_path / "other/scheduler/scheduler_config.json").write_text('{"num_train_timesteps": 20}')
    line = f"compare --rows model={tiny_pipeline},other --seeds 0,1 --device cpu"
    answer = run([*line.split(), "--columns", "steps=5,30", "--out", "a.csv", "--out", "a.png"])
    assert (answer.code, answer.out) == (1, ["a.csv", "a.png"])
    (told,) = answer.err
    assert "1 of 4 cells could not be computed. other, S = 30: " in told
    assert "from 1 to 20, not 30" in told
    found = [(row["model"], row["steps"]) for row in rows_of("a.csv")[::2]]
    other = str((tmp_path / "other").resolve())
    assert found == [(str(tiny_pipeline), "5"), (str(tiny_pipeline), "30"), (other, "5")]
    assert all(row["mse"] for row in rows_of("a.csv"))
    stored = json.loads(read_settings("a.png"))
    assert stored["rows"]["values"] == [str(tiny_pipeline), other]


def test_a_reference_that_fails_is_told(run, tiny_pipeline, tmp_path):
    shutil.copytree(tiny_pipeline, tmp_path / "other")
    (tmp_path / "other/scheduler/scheduler_config.json").write_text('{"num_train_timesteps": 20}')
    line = f"compare --rows model={tiny_pipeline},other --columns steps=30 --seeds 0 --device cpu"
    answer = run(f"{line} --reference model=other,steps=30 --out a.csv")
    assert (answer.code, answer.out) == (1, ["a.csv"])
    assert "Nothing is measured: other, S = 30 is not computed." in answer.err
    assert [(row["steps"], row["mse"]) for row in rows_of("a.csv")] == [("30", "")]


def interrupted(after, disguised=False):
    """Stands for `sample`, and is interrupted at the given step."""
    from ddim_studio.diffusion import sampling

    genuine, taken = sampling.sample, []

    def sample(*arguments, **more):
        for step in genuine(*arguments, **more):
            taken.append(step)
            if len(taken) == after:
                interrupt(disguised)
            yield step

    return sample


@pytest.mark.parametrize("disguised", [False, True])
def test_an_interrupt_keeps_the_finished_cells(run, tiny_pipeline, monkeypatch, names, disguised):
    from ddim_studio.diffusion import sampling

    monkeypatch.setattr(sampling, "sample", interrupted(8, disguised))
    line = f"compare --model {tiny_pipeline} --rows eta=0,1 --columns steps=3,6 --seeds 5,7"
    answer = run(f"{line} --out a.csv --out a.svg")
    assert (answer.code, answer.out) == (130, ["a.csv", "a.svg"])
    told = ["2 of 4 cells are finished, and are written.", "ddim-studio compare: interrupted."]
    assert answer.err == told
    assert names() == ["a.csv", "a.svg"]
    rows = rows_of("a.csv")
    found = [(row["eta"], row["steps"], row["seed"]) for row in rows]
    assert found == [("0", "3", "5"), ("0", "3", "7"), ("1", "3", "5"), ("1", "3", "7")]
    assert {row["ssim"] for row in rows} == {""}  # the reference has six steps
    assert Path("a.svg").read_text(encoding="utf-8").count("not computed") == 2


def test_an_interrupt_measures_against_a_finished_reference(run, tiny_pipeline, monkeypatch):
    from ddim_studio.diffusion import sampling

    monkeypatch.setattr(sampling, "sample", interrupted(8))
    line = f"compare --model {tiny_pipeline} --rows eta=0,1 --columns steps=3,6 --seeds 5"
    answer = run(f"{line} --reference eta=1,steps=3 --quiet --out a.csv")
    assert (answer.code, answer.out) == (130, ["a.csv"])
    assert answer.err == ["ddim-studio compare: interrupted."]
    assert [row["psnr"] == "inf" for row in rows_of("a.csv")] == [False, True]


def test_an_interrupt_before_the_first_cell_writes_nothing(run, tiny_pipeline, monkeypatch, names):
    from ddim_studio.diffusion import sampling

    monkeypatch.setattr(sampling, "sample", interrupted(2))
    answer = run(
        f"compare --model {tiny_pipeline} --rows eta=0 --columns steps=3,6 --out new/a.csv"
    )
    assert (answer.code, answer.out) == (130, [])
    assert answer.err == ["ddim-studio compare: interrupted."]
    assert names() == []


def test_notices_are_lines_unless_quiet(compare):
    line = "--rows eta=0,1 --columns clip=none,clamp --timesteps 3,5 --steps 9 --out a.csv"
    noticed = compare(line).err
    assert len(noticed) == 2
    assert "--steps and --spacing are not used" in noticed[0]
    assert "t = 5" in noticed[1]
    assert compare(f"{line} --quiet").err == []


def test_cells_do_not_depend_on_their_neighbours(compare):
    compare("--rows eta=0,1 --columns steps=3,4 --seeds 2,3 --out a.csv")
    compare("--rows steps=4,3 --columns eta=1,0 --seeds 2,3 --out b.csv")
    keys = ("eta", "steps", "seed")
    one = {tuple(r[k] for k in keys): r["mse"] for r in rows_of("a.csv")}
    other = {tuple(r[k] for k in keys): r["mse"] for r in rows_of("b.csv")}
    assert one == other
    assert len(set(one.values())) == 1 + 6
    assert np.isfinite([float(value) for value in one.values()]).all()
