import dataclasses

import numpy as np
import pytest

from ddim_studio.diffusion.noise import seeded_noise
from ddim_studio.diffusion.sampling import sample
from ddim_studio.diffusion.settings import SampleSettings, SettingsError
from ddim_studio.imaging.pixels import to_pixels
from ddim_studio.jobs.branch import branch_job
from ddim_studio.jobs.events import Ended, Frame, Started
from ddim_studio.jobs.runner import run as run_job
from ddim_studio.jobs.runs import BranchRun, SampleRun
from ddim_studio.jobs.sample import sample_job
from ddim_studio.jobs.workbench import Workbench


@pytest.fixture
def parent(tiny_pipeline):
    return SampleRun(model=str(tiny_pipeline), device="cpu", steps=8, eta=0.5, seed=7, count=3)


def frames(job):
    events = list(run_job(job))
    assert events[-1] == Ended("finished")
    return [event for event in events if isinstance(event, Frame)], events


@pytest.mark.parametrize("frame", [0, 3, 7])
def test_a_branch_with_the_same_settings_is_the_run_itself(parent, frame):
    bench = Workbench()
    whole, _ = frames(sample_job(parent, bench.models))
    branch, _ = frames(branch_job(BranchRun(parent, frame, parent), bench))
    assert [f.index for f in branch] == list(range(9))
    for one, other in zip(whole, branch, strict=True):
        assert one.numbers.t == other.numbers.t
        for view, pixels in one.views.items():
            assert np.array_equal(pixels, other.views[view]), (one.index, view)


def test_a_branch_goes_on_from_its_frame_with_its_own_settings(parent, tiny):
    other = dataclasses.replace(parent, eta=0.0, steps=4)
    branch, events = frames(branch_job(BranchRun(parent, 3, other), Workbench()))
    start = list(sample(tiny, seeded_noise(tiny, (7, 8, 9)), parent))[2]
    assert start.t_next == 500
    rest = SampleSettings(timesteps=(0, 250, 500), eta=0.0)
    *_, last = sample(tiny, start.x, rest)
    assert np.array_equal(branch[-1].views["x"], to_pixels(last.x))
    begun = next(event for event in events if isinstance(event, Started))
    assert begun.timesteps == (875, 750, 625, 500, 250, 0)
    assert len(branch) == len(begun.timesteps) + 1


def test_another_seed_changes_only_the_noise_still_to_come(parent):
    bench = Workbench()
    whole, _ = frames(sample_job(parent, bench.models))
    branch, _ = frames(branch_job(BranchRun(parent, 4, dataclasses.replace(parent, seed=1)), bench))
    for index in range(5):
        assert np.array_equal(whole[index].views["x"], branch[index].views["x"])
    assert not np.array_equal(whole[5].views["x"], branch[5].views["x"])


@pytest.mark.parametrize("frame", [-1, 8, 9])
def test_only_a_frame_before_the_last_can_be_left(parent, frame):
    with pytest.raises(SettingsError, match="0 to 7"):
        BranchRun(parent, frame, parent)
