import pytest
import torch

from ddim_studio.diffusion.noise import seeded_noise
from ddim_studio.diffusion.sampling import sample
from ddim_studio.diffusion.settings import SampleSettings
from ddim_studio.diffusion.trajectory import ThinnedStore, Trajectory


@pytest.mark.parametrize("budget", [30, 100, 999, 10_000])
def test_a_store_stays_in_its_budget_and_answers_for_every_index(budget):
    store = ThinnedStore(budget)
    for i in range(1001):
        store.append(i, nbytes=10)
        assert store.nbytes <= budget
        assert store.nbytes == 10 * len(store.kept)
        assert {0, i} <= set(store.kept)
    assert all(index % store.stride == 0 for index in store.kept if index != 1000)
    for i in range(1001):
        index, item = store.nearest(i)
        assert item == index
        assert abs(index - i) <= store.stride // 2 or index in (0, 1000)
        if budget == 10_000 and i % store.stride == 0:
            assert index == i


def test_a_store_with_room_keeps_everything():
    store = ThinnedStore(10_010)
    for i in range(1001):
        store.append(i, nbytes=10)
    assert store.stride == 1
    assert store.kept == list(range(1001))


def test_first_and_newest_survive_a_budget_too_small_for_two():
    store = ThinnedStore(1)
    for i in range(5):
        store.append(str(i), nbytes=10)
    assert store.nearest(0) == (0, "0")
    assert store.nearest(4) == (4, "4")
    with pytest.raises(IndexError):
        store.nearest(5)


def test_a_trajectory_holds_the_states_of_the_run(tiny):
    x_T = seeded_noise(tiny, [1, 2])
    trajectory = Trajectory(x_T)
    states = [x_T]
    for step in sample(tiny, x_T, SampleSettings(steps=4, eta=1.0)):
        trajectory.append(step)
        states.append(step.x)
    for index, state in enumerate(states):
        assert torch.equal(trajectory.x(index), state)
