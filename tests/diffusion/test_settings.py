import dataclasses
import math

import pytest

from ddim_studio.diffusion.settings import SampleSettings, SettingsError, parse_eta


def test_json_round_trip_keeps_every_field():
    settings = SampleSettings(
        steps=3, eta="hat", spacing="trailing", timesteps=(1, 5, 9), clip="rederive", seed=2**64 - 1
    )
    assert SampleSettings.from_json(settings.to_json()) == settings


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SampleSettings().steps = 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0),
        ("steps", 2.5),
        ("steps", True),
        ("steps", "50"),
        ("eta", -0.1),
        ("eta", 1.01),
        ("eta", math.nan),
        ("eta", "big"),
        ("eta", None),
        ("spacing", "cubic"),
        ("clip", "both"),
        ("seed", -1),
        ("seed", 2**64),
        ("seed", 1.0),
        ("timesteps", []),
        ("timesteps", [5, 5]),
        ("timesteps", [5, 4]),
        ("timesteps", [-1, 4]),
        ("timesteps", "abc"),
    ],
)
def test_a_bad_value_names_its_field(field, value):
    with pytest.raises(SettingsError) as caught:
        SampleSettings(**{field: value})
    assert caught.value.field == field
    assert field in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[]", "{", "null", '{"kind": "invert"}', '{"sieps": 4}', "[" * 9999]
)
def test_json_of_something_else_is_refused(text):
    with pytest.raises(SettingsError):
        SampleSettings.from_json(text)


def test_eta_is_read_as_people_type_it():
    assert parse_eta("0.5") == 0.5
    assert parse_eta("hat") == parse_eta(" σ̂ ") == "hat"
    for text in ("", "1.5", "nan", "inf", "x", "-0"[:1]):
        with pytest.raises(SettingsError, match="eta"):
            parse_eta(text)
