"""What a matrix of runs is: axes as people type them, cells, their order, and the way to JSON."""

import dataclasses
import json

import pytest

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.axes import written
from ddim_studio.jobs.matrix import (
    MAX_SEEDS,
    PRESETS,
    Axis,
    CompareRun,
    Place,
    dearest,
    parse_seeds,
    spoken,
)
from ddim_studio.jobs.runs import SampleRun


def matrix(rows="eta=0,0.5,hat", columns="steps=20,5,10", seeds=(3, 9), **base):
    return CompareRun(
        base=SampleRun(**base), rows=Axis.parse(rows), columns=Axis.parse(columns), seeds=seeds
    )


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("eta=0,0.2,1,hat", (0.0, 0.2, 1.0, "hat")),
        (" eta = 0 , σ̂ ", (0.0, "hat")),
        ("steps=10, 1000,", (10, 1000)),
        ("seed=0-2,9", (0, 1, 2, 9)),
        ("seed=18446744073709551615", (2**64 - 1,)),
        ("spacing=linear,quadratic", ("linear", "quadratic")),
        ("clip=none,clamp,rederive", ("none", "clamp", "rederive")),
        ("model=fashion-28,/tmp/a=b", ("fashion-28", "/tmp/a=b")),
    ],
)
def test_an_axis_is_read_as_people_type_it_and_written_so_again(text, values):
    axis = Axis.parse(text)
    assert axis.values == values
    assert Axis.of(axis.field, axis.text()) == axis


@pytest.mark.parametrize("eta", [0.1234567, 1e-05, 0.1 + 0.2, 0.3])
def test_no_digit_is_lost_in_writing(eta):
    assert Axis.of("eta", Axis("eta", (eta,)).text()).values == (eta,)


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        ("eta", "axis", "not 'eta'"),
        ("count=1,2", "axis", "eta, steps, spacing, seed, model, clip"),
        ("eta=", "eta", "from 1 to 64 values"),
        ("eta=2", "eta", "from 0 to 1"),
        ("eta=0,0.0", "eta", "twice"),
        ("steps=5,x", "steps", "not 'x'"),
        ("steps=1_0", "steps", "not '1_0'"),
        ("steps=" + 5000 * "9", "steps", "whole numbers"),
        ("steps=0", "steps", "from 1"),
        ("spacing=cubic", "spacing", "quadratic"),
        ("clip=yes", "clip", "rederive"),
        ("seed=5-3", "seeds", "ascends"),
        ("seed=0-64", "seeds", "at most 64"),
        ("seed=" + 5000 * "9", "seeds", "whole numbers"),
        ("seed=18446744073709551616", "seed", "18446744073709551615"),
        ("seed=-1", "seeds", "whole numbers"),
        ("seed=", "seeds", "whole numbers"),
        ("steps=" + ",".join(map(str, range(1, 66))), "steps", "from 1 to 64"),
    ],
)
def test_a_wrong_axis_names_what_is_wrong(text, field, says):
    with pytest.raises(SettingsError) as caught:
        Axis.parse(text)
    assert caught.value.field == field
    assert says in str(caught.value)


@pytest.mark.parametrize("values", [([1],), ({},), (None,), (True,)])
def test_values_of_another_type_are_refused(values):
    for field in ("eta", "steps", "seed", "model", "clip"):
        with pytest.raises(SettingsError):
            Axis(field, values)


def test_seeds_are_numbers_and_ranges():
    assert parse_seeds("0-2, 7 ,4-4") == (0, 1, 2, 7, 4)
    assert len(parse_seeds(f"0-{MAX_SEEDS - 1}")) == MAX_SEEDS


def test_labels_use_the_symbols_of_the_paper():
    run = matrix()
    assert run.label(Place(1, 2)) == "η = 0.5, S = 10"
    assert run.label(Place(2, 0)) == "σ̂, S = 20"
    assert spoken("spacing", "quadratic") == "quadratic τ"
    assert spoken("seed", 3) == "seed 3"
    assert spoken("model", "/a/tiny/") == "tiny"
    assert written(0.0) == "0"


def test_models_of_one_name_are_told_apart():
    axis = Axis("model", ("fashion-28", "/a/x/tiny", "/a/y/tiny", "C:\\models\\fashion-28"))
    labels = [axis.label(index) for index in range(4)]
    assert labels == ["fashion-28", "x/tiny", "y/tiny", "models/fashion-28"]


def test_a_cell_is_the_base_with_both_values():
    run = matrix(model="m", clip="clamp", spacing="trailing", count=7, seed=50)
    assert run.settings(Place(2, 1)) == SampleRun(
        model="m", clip="clamp", spacing="trailing", eta="hat", steps=5, seed=3, count=2
    )
    assert run.cell_seeds(Place(2, 1)) == (3, 9)


def test_a_seed_axis_gives_each_cell_the_image_of_its_seed():
    run = matrix("seed=4,2", "eta=0,1", seeds=(0, 1, 2))
    assert [run.cell_seeds(place) for place in run.places] == [(4,), (4,), (2,), (2,)]
    assert run.settings(Place(1, 0)).seed == 2
    assert run.settings(Place(1, 0)).count == 1


def test_the_cheapest_cells_come_first_and_none_is_lost():
    run = matrix()
    order = list(run.cheapest_first())
    steps = [run.settings(place).steps for place in order]
    assert steps == sorted(steps)
    assert sorted(order) == run.places
    assert order[:3] == [Place(0, 1), Place(1, 1), Place(2, 1)]
    assert run.network_calls() == sum(steps) == 3 * (20 + 5 + 10)


@pytest.mark.parametrize("turned", [False, True])
def test_models_take_turns_so_that_few_are_opened_again(turned):
    axes = ["model=a,b,c", "steps=5,10,15"]
    run = matrix(*(reversed(axes) if turned else axes))
    models = [run.settings(place).model for place in run.cheapest_first()]
    assert models == ["a", "b", "c", "c", "b", "a", "a", "b", "c"]
    run = matrix("model=a,b", "eta=0,1")
    assert [run.settings(place).model for place in run.cheapest_first()] == ["a", "a", "b", "b"]


def test_the_reference_has_most_steps_and_least_noise():
    assert dearest(matrix()) == Place(0, 0)
    assert dearest(matrix("eta=hat,1,0.2", "steps=5,10")) == Place(2, 1)
    assert dearest(matrix(), [Place(2, 1), Place(1, 2), Place(2, 2)]) == Place(1, 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"columns": "eta=1"}, "columns"),
        ({"seeds": ()}, "seeds"),
        ({"seeds": (1, 1)}, "seeds"),
        ({"seeds": (-1,)}, "seeds"),
        ({"seeds": tuple(range(65))}, "seeds"),
        ({"timesteps": (1, 2)}, "timesteps"),
        ({"rows": "seed=0-40", "columns": f"steps={','.join(map(str, range(1, 31)))}"}, "rows"),
    ],
)
def test_a_matrix_that_makes_no_sense_is_refused(changes, field):
    with pytest.raises(SettingsError) as caught:
        matrix(**changes)
    assert caught.value.field == field


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_matrix_survives_json(preset):
    run = CompareRun(base=SampleRun(clip="clamp"), rows=preset[0], columns=preset[1], seeds=(5, 2))
    stored = json.loads(run.to_json())
    assert stored["kind"] == "compare"
    assert stored["rows"] == json.loads(json.dumps(dataclasses.asdict(preset[0])))
    assert CompareRun.from_json(run.to_json()) == run


def test_a_list_for_tau_survives_json():
    run = matrix("eta=0,1", "clip=none,clamp", timesteps=(0, 300, 600))
    assert CompareRun.from_json(run.to_json()) == run
    assert run.settings(Place(1, 1)).timesteps == (0, 300, 600)
    assert run.network_calls() == 4 * 3


@pytest.mark.parametrize(
    "damage",
    [
        {"rows": None},
        {"rows": {"field": "eta"}},
        {"rows": {"field": "eta", "values": 3}},
        {"rows": {"field": ["eta"], "values": [0]}},
        {"rows": {"field": "eta", "values": [[0]]}},
        {"seeds": 5},
        {"seeds": [[1]]},
        {"base": 5},
        {"base": {"colour": 1}},
        {"kind": "sample"},
        {"colour": 1},
    ],
)
def test_damaged_json_is_refused(damage):
    stored = json.loads(matrix().to_json()) | damage
    with pytest.raises(SettingsError):
        CompareRun.from_json(json.dumps(stored))
