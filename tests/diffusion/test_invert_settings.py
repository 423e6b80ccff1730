import dataclasses

import pytest

from ddim_studio.diffusion.settings import InvertSettings, SampleSettings, SettingsError
from ddim_studio.diffusion.timesteps import tau_of


def test_each_method_has_its_own_spacing_unless_one_is_given():
    assert InvertSettings().spacing == "quadratic"
    assert InvertSettings(method="source").spacing == "linear"
    assert InvertSettings(method="target").spacing == "linear"
    assert InvertSettings(method="target", spacing="trailing").spacing == "trailing"
    assert InvertSettings(spacing="linear").spacing == "linear"


def test_decoding_is_the_deterministic_sampler_on_the_same_tau():
    settings = InvertSettings(steps=7, spacing="trailing")
    expected = SampleSettings(steps=7, spacing="trailing", eta=0.0, clip="none")
    assert settings.decoding() == expected
    listed = InvertSettings(timesteps=[0, 4, 9])
    assert listed.steps == 3
    assert tau_of(listed.decoding(), 10) == [0, 4, 9]


def test_they_travel_as_json():
    settings = InvertSettings(steps=12, method="source", tolerance=1e-4, max_calls=9)
    assert InvertSettings.from_json(settings.to_json()) == settings
    assert settings.to_dict()["kind"] == "invert"
    listed = InvertSettings(timesteps=(1, 5))
    assert InvertSettings.from_json(listed.to_json()) == listed
    with pytest.raises(SettingsError, match="'sample'"):
        InvertSettings.from_json(SampleSettings().to_json())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0),
        ("steps", 2.5),
        ("method", "approximate"),
        ("spacing", "cubic"),
        ("timesteps", ()),
        ("timesteps", (3, 3)),
        ("tolerance", 0.0),
        ("tolerance", float("nan")),
        ("max_calls", 1),
        ("max_calls", True),
    ],
)
def test_a_bad_value_names_its_field(field, value):
    with pytest.raises(SettingsError, match=field) as caught:
        InvertSettings(**{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["eta", "clip", "seed"])
def test_what_has_no_inverse_is_no_setting(name):
    assert name not in {field.name for field in dataclasses.fields(InvertSettings)}
    with pytest.raises(SettingsError, match="Unknown setting"):
        InvertSettings.from_dict({name: 0})
