"""A workbench whose model is the small random one."""

import pytest


@pytest.fixture
def bench(tiny):
    """What jobs share, holding the tiny model under its name."""
    from ddim_studio.jobs.workbench import Workbench

    bench = Workbench()
    bench.models._models["tiny", "cpu"] = tiny
    return bench
