import numpy as np
import pytest
from teams import play

import ddim_studio as ds
from ddim_studio.evaluation.blocks import BlockStore, block_seeds
from ddim_studio.evaluation.shares import CellShare
from ddim_studio.evaluation.team import Alone

SETTINGS = ds.SampleSettings(steps=2, eta=1.0)
SEEDS = block_seeds(0, 10, 4)


def means(block):
    return block.pixels.reshape(len(block.pixels), -1).mean(1)


def measured(model, folder, team):
    """What a process of the team gathers, and how many network calls it made."""
    share = CellShare(BlockStore(folder, "tiny"), SETTINGS, SEEDS, team)
    calls = sum(1 for _ in share.draw(model))
    return np.concatenate(share.gathered(means)), calls


def test_alone_all_blocks_are_drawn_once(tiny, tmp_path):
    values, calls = measured(tiny, tmp_path, Alone())
    again, calls_again = measured(tiny, tmp_path, Alone())
    *_, last = ds.sample(tiny, ds.seeded_noise(tiny, range(10)), SETTINGS, seeds=range(10))
    expected = ((last.x + 1) * 127.5).clamp(0, 255).round().flatten(1).mean(1)
    np.testing.assert_allclose(values, expected, atol=0.05)  # other batches round otherwise
    np.testing.assert_array_equal(again, values)
    assert (calls, calls_again) == (6, 0)


@pytest.mark.parametrize("shared", [True, False], ids=["one disk", "a disk each"])
@pytest.mark.parametrize("size", [2, 3])
def test_a_team_gathers_exactly_what_one_process_measures(tiny, tmp_path, size, shared):
    expected, _ = measured(tiny, tmp_path / "alone", Alone())

    def folder(player):
        return tmp_path / ("all" if shared else str(player.index))

    found = play(size, lambda player: measured(tiny, folder(player), player))
    for values, _ in found:
        np.testing.assert_array_equal(values, expected)
    assert sum(calls for _, calls in found) == 6
    assert all(calls > 0 for _, calls in found)


def test_what_one_member_holds_nobody_draws_again(tiny, tmp_path):
    measured(tiny, tmp_path / "1", Alone())
    found = play(2, lambda player: measured(tiny, tmp_path / str(player.index), player))
    assert [calls for _, calls in found] == [0, 0]


def test_blocks_that_all_can_read_are_measured_by_one_each(tiny, tmp_path):
    measured(tiny, tmp_path, Alone())

    def count(player):
        seen = []
        share = CellShare(BlockStore(tmp_path, "tiny"), SETTINGS, SEEDS, player)
        share.gathered(lambda block: seen.append(len(block.pixels)) or means(block))
        return seen

    assert play(2, count) == [[4, 2], [4]]


def test_a_damaged_block_is_drawn_again(tiny, tmp_path):
    expected, _ = measured(tiny, tmp_path, Alone())
    (path,) = tmp_path.rglob("4-7.npz")
    path.write_bytes(b"broken")
    values, calls = measured(tiny, tmp_path, Alone())
    np.testing.assert_array_equal(values, expected)
    assert calls == 2
