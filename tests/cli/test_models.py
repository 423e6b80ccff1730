"""``models list`` and ``models info``."""

from __future__ import annotations

import json

from ddim_studio.models.catalog import bundled_models
from ddim_studio.models.loading import describe


def test_list_has_one_line_a_bundled_model(run):
    answer = run("models list")
    assert (answer.code, answer.err) == (0, [])
    assert [line.split()[0] for line in answer.out] == list(bundled_models())
    first, second = answer.out[:2]
    assert "32×32" in first
    assert f"{describe('toonheads-32').parameters / 1e6:.1f} million parameters" in first
    assert "28×28" in second


def test_list_as_json_is_the_cards(run):
    cards = json.loads("\n".join(run("models list --json").out))
    assert [card["name"] for card in cards] == list(bundled_models())
    assert cards[0]["image_shape"] == [3, 32, 32]


def test_info_tells_every_line_of_the_card(run):
    answer = run("models info fashion-28")
    assert (answer.code, answer.err) == (0, [])
    for label, text in describe("fashion-28").lines():
        assert any(line.startswith(label) and line.endswith(text) for line in answer.out)


def test_info_as_json_counts_what_the_network_has(run, tiny, tiny_pipeline):
    card = json.loads("\n".join(run(["models", "info", str(tiny_pipeline), "--json"]).out))
    assert card["parameters"] == sum(p.numel() for p in tiny.unet.parameters())
    assert card["timesteps"] == tiny.schedule.T
    assert card["image_shape"] == list(tiny.image_shape)


def test_an_unknown_model_fails_with_one_line_that_names_it(run):
    answer = run("models info nothing-28")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert "nothing-28" in answer.err[0]
    assert "fashion-28" in answer.err[0]
