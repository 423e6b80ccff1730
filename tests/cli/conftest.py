"""Running the command line in this process, in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from ddim_studio.__main__ import main


class Answer(NamedTuple):
    """What a command line gave."""

    code: int
    out: list[str]
    err: list[str]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command line in ``tmp_path``: a list, or one text split at its spaces."""
    monkeypatch.chdir(tmp_path)

    def run(arguments: str | list[str]) -> Answer:
        argv = arguments.split() if isinstance(arguments, str) else arguments
        code = main(argv)
        captured = capsys.readouterr()
        return Answer(code, captured.out.splitlines(), captured.err.splitlines())

    return run


@pytest.fixture
def names():
    """Lists the names in a folder, hidden ones too, sorted."""
    return lambda folder=".": sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture
def sample(run, tiny_pipeline):
    """Runs ``sample`` with the small random model, which must succeed, and returns its answer."""

    def sample(arguments: str) -> Answer:
        answer = run(
            ["sample", "--model", str(tiny_pipeline), "--device", "cpu", *arguments.split()]
        )
        assert answer.code == 0, answer.err
        return answer

    return sample


@pytest.fixture(scope="session")
def colour_pipeline(tmp_path_factory):
    """A small random model of colour pictures."""
    from colour_model import write_colour_model

    return write_colour_model(tmp_path_factory.mktemp("models") / "tiny-colour")


@pytest.fixture
def pipelines(tiny_pipeline, colour_pipeline):
    """The folders of the small models by their number of channels."""
    return {1: tiny_pipeline, 3: colour_pipeline}


@pytest.fixture
def restore(run, pipelines):
    """Runs ``restore`` with a small random model, which must succeed, and returns its answer."""

    def restore(arguments: str, channels: int = 1) -> Answer:
        model = ["--model", str(pipelines[channels]), "--device", "cpu"]
        answer = run(["restore", *arguments.split(), *model])
        assert answer.code == 0, answer.err
        return answer

    return restore
