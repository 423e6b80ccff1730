import sys

import pytest

from ddim_studio.evaluation.team import Accelerated, Alone, end_team, is_first, join_team, launched
from ddim_studio.models.errors import ModelError


@pytest.fixture(autouse=True)
def _not_launched(monkeypatch):
    for name in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)


def test_a_process_of_its_own_is_a_team_of_one_and_needs_no_accelerate(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)  # importing it would fail
    team = join_team("cpu")
    assert isinstance(team, Alone)
    assert (team.index, team.size, team.gather("a")) == (0, 1, ["a"])
    assert is_first()
    end_team()


@pytest.mark.parametrize(("size", "rank", "several", "first"), [
    ("1", "0", False, True),
    ("2", "0", True, True),
    ("2", "1", True, False),
])  # fmt: skip
def test_the_launcher_tells_the_place(monkeypatch, size, rank, several, first):
    monkeypatch.setenv("WORLD_SIZE", size)
    monkeypatch.setenv("RANK", rank)
    assert launched() is several
    assert is_first() is first


def test_a_process_that_is_gone_is_a_sentence(monkeypatch):
    def closed(_items):
        raise RuntimeError("Connection closed by peer [127.0.0.1]:51234")

    monkeypatch.setattr("accelerate.utils.gather_object", closed)
    with pytest.raises(ModelError, match="Another process of this run has ended"):
        Accelerated(cpu=True).gather(1)


def test_a_launch_without_accelerate_is_a_sentence(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ModelError, match="package accelerate") as caught:
        join_team("cpu")
    assert "pip install" in caught.value.advice
