"""The settings of a restoration, and the order of its steps."""

from itertools import pairwise

import pytest

from ddim_studio.diffusion.restore_settings import RestoreSettings, scales_of, walk
from ddim_studio.diffusion.settings import SettingsError


def published_schedule(steps, length, repeats):
    """The list of members of τ as the authors of RePaint and DDNM make it, −1 being the end."""
    jumps = dict.fromkeys(range(0, steps - length, length), repeats - 1)
    member, found = steps, []
    while member >= 1:
        member -= 1
        found.append(member)
        if jumps.get(member, 0) > 0:
            jumps[member] -= 1
            for _ in range(length):
                member += 1
                found.append(member)
    return [*found, -1]


@pytest.mark.parametrize("steps", [1, 2, 7, 10, 50])
@pytest.mark.parametrize("length", [1, 3, 10])
@pytest.mark.parametrize("repeats", [1, 2, 10])
def test_the_walk_is_that_of_the_published_programs(steps, length, repeats):
    tau = [3 * member for member in range(steps)]
    settings = RestoreSettings(travel_length=length, travel_repeats=repeats)
    members = published_schedule(steps, length, repeats)
    edges = [-1 if member < 0 else 3 * member for member in members]
    expected = [(t, s) for t, s in pairwise(edges) if s < t]
    assert walk(settings, tau) == expected


def test_the_interval_says_where_travels_begin():
    settings = RestoreSettings(travel_length=2, travel_interval=3, travel_repeats=2)
    assert walk(settings, range(6)) == [
        *((5, 4), (4, 3)),  # at 3: back by 2
        *((5, 4), (4, 3), (3, 2), (2, 1), (1, 0)),  # at 0: back by 2
        *((2, 1), (1, 0), (0, -1)),
    ]


def test_defaults_are_those_of_the_methods():
    assert RestoreSettings().eta == 0.85
    assert RestoreSettings().travel_repeats == 1
    assert RestoreSettings(method="repaint").travel_repeats == 10


def test_settings_travel_as_json():
    settings = RestoreSettings(task="superres", scale=8, sigma=0.1, travel_interval=4, seed=3)
    assert RestoreSettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"task": "deblur"}, "task"),
        ({"method": "ddrm"}, "method"),
        ({"eta": "hat"}, "eta"),
        ({"eta": 1.1}, "eta"),
        ({"sigma": -0.1}, "sigma"),
        ({"sigma": float("nan")}, "sigma"),
        ({"task": "denoise"}, "sigma"),
        ({"scale": 1}, "scale"),
        ({"scale": 2.0}, "scale"),
        ({"grey": "green"}, "grey"),
        ({"travel_length": 0}, "travel_length"),
        ({"travel_interval": 0}, "travel_interval"),
        ({"travel_repeats": 0}, "travel_repeats"),
        ({"method": "repaint", "task": "superres"}, "method"),
        ({"method": "repaint", "sigma": 0.1}, "sigma"),
        ({"steps": 0}, "steps"),
    ],
)
def test_bad_settings_name_their_field(values, field):
    with pytest.raises(SettingsError) as refused:
        RestoreSettings(**values)
    assert refused.value.field == field


def test_every_factor_of_both_sides_is_offered():
    assert scales_of(32, 32) == (2, 4, 8, 16, 32)
    assert scales_of(28, 28) == (2, 4, 7, 14, 28)
    assert scales_of(12, 18) == (2, 3, 6)
    assert scales_of(7, 5) == ()
