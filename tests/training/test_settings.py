import json

import pytest

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.training.rate import learning_rate
from ddim_studio.training.settings import TrainSettings, continued, expected_steps, progress


def settings(**changes):
    return TrainSettings(**{"data": "images", **changes})


@pytest.mark.parametrize(("field", "value"), [
    ("data", " "), ("data", None),
    ("size", 30), ("size", 2), ("size", 32.0), ("size", True),
    ("channels", ()), ("channels", (32, 66)), ("channels", "32"), ("channels", (4,) * 9),
    ("attention", (5,)), ("attention", ("x",)),
    ("layers_per_block", 0), ("colours", "cmyk"), ("held_out", -1),
    ("batch_size", 0), ("steps", 0), ("steps", "ten"), ("minutes", 0), ("minutes", float("nan")),
    ("learning_rate", 0), ("learning_rate", 2), ("warmup", -1), ("ema", 1.0),
    ("prediction", "x"), ("weighting", "half"), ("precision", "float8"), ("seed", -1),
    ("sample_every", 0), ("checkpoint_every", 0), ("device", "abacus"), ("threads", 0),
])  # fmt: skip
def test_a_bad_value_is_named(field, value):
    with pytest.raises(SettingsError) as caught:
        settings(**{field: value})
    assert caught.value.field == field


def test_json_gives_the_settings_back():
    before = settings(size=28, channels=(8, 16), attention=(), minutes=2.5, flip=True)
    assert TrainSettings.from_dict(json.loads(before.to_json())) == before


def test_the_last_level_has_attention_unless_said_otherwise():
    assert settings(size=32, channels=(8, 8, 8)).attention == (8,)
    assert settings(size=32, channels=(8, 8, 8), attention=()).attention == ()


def test_without_a_limit_there_are_ten_thousand_steps():
    assert settings().steps == 10_000
    assert settings(minutes=1).steps is None


def test_the_first_limit_counts():
    both = settings(steps=100, minutes=1)
    assert progress(both, 50, 15) == 0.5
    assert progress(both, 10, 45) == 0.75
    assert progress(both, 200, 0) == 1
    assert expected_steps(both, 20, 30) == 40
    assert expected_steps(both, 50, 15) == 100
    assert expected_steps(settings(steps=100), 30, 1e9) == 100


@pytest.mark.parametrize(("field", "value"), [
    ("size", 16), ("channels", (8, 8, 8)), ("layers_per_block", 1), ("attention", ()),
    ("colours", "rgb"), ("flip", True), ("held_out", 3), ("batch_size", 2), ("seed", 1),
    ("prediction", "v"), ("weighting", "none"),
])  # fmt: skip
def test_what_shapes_a_run_cannot_change_while_it_goes_on(field, value):
    with pytest.raises(SettingsError, match="another folder") as caught:
        continued(settings(), {field: value})
    assert caught.value.field == field


@pytest.mark.parametrize(("field", "value"), [("size", 64), ("channels", (8,))])
def test_what_cannot_change_is_named_even_where_the_rest_would_not_fit(field, value):
    stored = settings(size=16, channels=(8, 16))
    with pytest.raises(SettingsError, match=rf"^{field} was") as caught:
        continued(stored, {field: value})
    assert caught.value.field == field


def test_a_run_goes_on_with_what_it_began_with_and_a_new_limit():
    stored = settings(steps=100, minutes=5, seed=3)
    assert continued(stored, {}) == stored
    longer = continued(stored, {"steps": 200, "data": "elsewhere", "learning_rate": 1e-5})
    assert (longer.steps, longer.minutes, longer.seed) == (200, None, 3)
    assert (longer.data, longer.learning_rate) == ("elsewhere", 1e-5)
    assert continued(stored, {"minutes": 9}).steps is None


def test_the_learning_rate_rises_stays_and_falls():
    rates = [learning_rate(2.0, step, 4, step / 100) for step in range(100)]
    assert rates[:5] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert rates[5:81] == pytest.approx([2.0] * 76)
    assert rates[90] == pytest.approx(1.0)
    assert 0 < rates[99] < 0.11
    assert learning_rate(2.0, 0, 0, 0.0) == 2.0
