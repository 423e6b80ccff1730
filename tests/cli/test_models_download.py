"""``models download``: shown, asked, fetched; and models of the hub in the other commands."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hub_server import TINY

from ddim_studio.models.hub import hub_info


class Terminal(io.StringIO):
    """A standard input that somebody sits at."""

    def isatty(self):
        return True


@pytest.fixture
def answers(monkeypatch):
    """Lets somebody at the terminal answer."""
    return lambda text: monkeypatch.setattr("sys.stdin", Terminal(text))


def test_yes_downloads_and_every_command_takes_it_from_the_cache(run, hub, tiny_pipeline):
    answer = run(f"models download {TINY} --yes")
    assert (answer.code, answer.err) == (0, [])
    size = f"{hub_info(TINY).nbytes / 1e6:.1f} MB in 4 files"
    assert [line for line in answer.out if size in line]
    assert [line for line in answer.out if "Licence" in line and "apache-2.0" in line]
    assert answer.out[-1] == f"Downloaded: --model {TINY}"
    asked = len(hub.requests)
    for source, name in ((TINY, "hub.npz"), (str(tiny_pipeline), "folder.npz")):
        command = ["sample", "--model", source, "--steps", "3", "--count", "2", "--device", "cpu"]
        assert run([*command, "--trajectory", "--out", name]).code == 0
    hub_x, folder_x = (np.load(name)["x"] for name in ("hub.npz", "folder.npz"))
    assert np.array_equal(hub_x, folder_x)
    assert f"Source      {TINY}" in run(f"models info {TINY}").out
    assert run("models list").out[-1].split()[0] == TINY
    cards = json.loads("\n".join(run("models list --json").out))
    assert cards[-1]["source"] == TINY
    assert len(hub.requests) == asked


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 1), ("", 1)])
def test_somebody_at_the_terminal_is_asked(run, hub, answers, typed, code):
    answers(typed)
    answer = run(f"models download {TINY}")
    assert answer.code == code
    assert "Download 0.2 MB? [y/N]" in answer.err[0]
    assert bool(hub.asked("/resolve/")) == (code == 0)
    if code:
        assert "Nothing was downloaded." in answer.err[-1]


def test_nobody_to_ask_is_a_wrong_use_and_the_network_is_not_touched(run, hub):
    answer = run(f"models download {TINY}")
    assert (answer.code, answer.out, len(answer.err)) == (2, [], 1)
    assert "--yes" in answer.err[0]
    assert hub.requests == []


def test_what_is_here_is_not_fetched_again(run, hub, answers):
    assert run(f"models download {TINY} --yes").code == 0
    fetched = len(hub.asked("/resolve/"))
    answers("")
    answer = run(f"models download {TINY}")
    assert answer.code == 0
    assert answer.out[-1] == f"It is on this computer already: --model {TINY}"
    assert len(hub.asked("/resolve/")) == fetched


def test_a_revision(run, hub):
    hub.repos["a/tiny"].branches = ("main", "v1")
    assert run(f"models download {TINY} --revision v1 --yes").code == 0
    assert run("models info hub:a/tiny@v1").code == 0
    assert run("models info hub:a/tiny").code == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("models download", "M is missing"),
        ("models download tiny", "not the name of a model on the hub"),
        ("models download hub:a/../b --yes", "not the name of a model on the hub"),
        ("models download hub:a/tiny --revision ../x --yes", "not the name of a model"),
        ("models download hub:a/tiny@v1 --revision v2", "give one of them"),
        ("models dowload hub:a/tiny", "did you mean download"),
    ],
)
def test_wrong_use_takes_one_line(run, hub, line, says):
    answer = run(line)
    assert (answer.code, answer.out, len(answer.err)) == (2, [], 1)
    assert says in answer.err[0]
    assert hub.requests == []


def test_a_failure_takes_one_line(run, hub):
    answer = run("models download hub:a/none --yes")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert "There is no model 'a/none' on the hub" in answer.err[0]


def test_a_broken_download_is_resumed_by_the_next(run, hub):
    hub.cut_after = [5000, 0]
    answer = run(f"models download {TINY} --yes")
    assert answer.code == 1
    assert "goes on where it stopped" in answer.err[-1]
    answer = run(f"models download {TINY} --yes")
    assert answer.code == 0
    assert [line for line in answer.out if "of them here already" in line]
    assert hub.asked("/store/")[-1].range == "bytes=5000-"


@pytest.mark.parametrize("command", ["sample --out a.png", "invert a.png --out b", "models info"])
def test_a_model_that_was_not_downloaded_is_asked_for_in_no_command(run, hub, command):
    model = TINY if command == "models info" else f"--model {TINY}"
    answer = run(f"{command} {model}")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert f"ddim-studio models download {TINY}" in answer.err[0]
    assert hub.requests == []


def test_help_says_what_it_does(run):
    text = "\n".join(run("models download --help").out)
    for word in ("hub:owner/name", "--revision", "--yes", "before anything is fetched"):
        assert word in text
    assert "download" in "\n".join(run("models --help").out)
