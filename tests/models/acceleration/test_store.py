"""Graphs on the disk: found whole and unharmed, or not at all; those of long ago go."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engines import keep_graph

from ddim_studio.models.acceleration import child, store
from ddim_studio.models.acceleration.store import Graph, Refusal, cache_folder, find, keep

GRAPH = Graph(b"<net>" + bytes(range(200)) + b"</net>", bytes(range(256)) * 40)


def files():
    """All that lies in the cache, by path, with its bytes."""
    found = (path for path in cache_folder().rglob("*") if path.is_file())
    return {str(path.relative_to(cache_folder())): path.read_bytes() for path in found}


def grown_old(path, seconds):
    past = time.time() - seconds
    os.utime(path, (past, past))


def test_a_graph_comes_back_as_it_was():
    assert find("a") is None
    keep_graph("a", GRAPH)
    keep_graph("b", Graph(b"other", b""))
    assert find("a") == GRAPH
    assert find("b") == Graph(b"other", b"")
    store.discard("a")
    assert find("a") is None
    assert set(files()) == {f"b/{name}" for name in (store.GRAPH, store.WEIGHTS, store.ABOUT)}


def cut(contents):
    return contents[:-1]


def flipped(contents):
    middle = len(contents) // 2
    return contents[:middle] + bytes([contents[middle] ^ 1]) + contents[middle + 1 :]


def grown(contents):
    return contents + b"\0"


@pytest.mark.parametrize("name", [store.GRAPH, store.WEIGHTS])
@pytest.mark.parametrize("harm", [cut, flipped, grown])
def test_a_graph_that_was_changed_is_removed(name, harm):
    keep_graph("a", GRAPH)
    path = cache_folder() / "a" / name
    path.write_bytes(harm(path.read_bytes()))
    assert find("a") is None
    assert files() == {}
    keep_graph("a", GRAPH)
    assert find("a") == GRAPH


@pytest.mark.parametrize(
    "about", ["", "{", "[]", "1", '"refused"', "{}", '{"sums": 1}', '{"sums": {}}', "\xff\xfe"]
)
def test_a_description_that_makes_no_sense_is_removed(about):
    keep_graph("a", GRAPH)
    (cache_folder() / "a" / store.ABOUT).write_bytes(about.encode("latin-1"))
    assert find("a") is None
    assert files() == {}


@pytest.mark.parametrize("name", [store.GRAPH, store.WEIGHTS, store.ABOUT])
def test_a_graph_of_which_a_file_is_gone_is_not_found_and_can_be_made_anew(name):
    keep_graph("a", GRAPH)
    (cache_folder() / "a" / name).unlink()
    assert find("a") is None
    keep_graph("a", GRAPH)
    assert find("a") == GRAPH
    assert len(files()) == 3


def test_a_look_removes_nothing_that_is_just_being_put_there(monkeypatch):
    with monkeypatch.context() as patch:

        def too_early(path):
            patch.undo()
            keep_graph("a", GRAPH)
            raise FileNotFoundError(path)

        patch.setattr(Path, "read_bytes", too_early)
        assert find("a") is None
    assert find("a") == GRAPH


def test_a_refusal_is_remembered_until_there_is_a_graph():
    store.refuse("a", "NotImplementedError: aten::foo")
    assert find("a") == Refusal("NotImplementedError: aten::foo")
    assert find("b") is None
    keep_graph("a", GRAPH)
    assert find("a") == GRAPH


def test_past_the_budget_those_used_longest_ago_go(monkeypatch):
    keys = ["old", "used", "older", "new"]
    for key, age in zip(keys, (30, 20, 40, 10), strict=True):
        keep_graph(key, GRAPH)
        grown_old(cache_folder() / key / store.ABOUT, age)
    store.refuse("refused", "an operation")
    grown_old(cache_folder() / "refused" / store.ABOUT, 25)
    each = sum(len(part) for name, part in files().items() if name.startswith("old/"))
    assert find("old") == GRAPH  # used now
    monkeypatch.setattr(store, "MOST_BYTES", 3 * each)
    keep_graph("newest", GRAPH)
    kept = {name.partition("/")[0] for name in files()}
    assert kept == {"old", "new", "newest"}


def test_the_newest_stays_however_large_it_is(monkeypatch):
    keep_graph("a", GRAPH)
    monkeypatch.setattr(store, "MOST_BYTES", 10)
    keep_graph("b", GRAPH)
    assert find("b") == GRAPH
    assert find("a") is None


def test_a_failure_leaves_what_was_there():
    keep_graph("a", GRAPH)
    before = files()

    def fail(folder):
        (folder / store.GRAPH).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"):
        keep("a", fail)
    assert files() == before


KILLED = """
import os, signal, sys
from ddim_studio.models.acceleration import store
def write(folder):
    (folder / store.GRAPH).write_bytes(b"half")
    if sys.argv[1] == "late":
        (folder / store.WEIGHTS).write_bytes(b"")
        store._describe = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    else:
        os.kill(os.getpid(), signal.SIGKILL)
store.keep("a", write)
"""


@pytest.mark.parametrize("moment", ["early", "late"])
def test_a_killed_conversion_leaves_nothing_that_is_read_and_is_swept_up(moment):
    done = subprocess.run([sys.executable, "-c", KILLED, moment], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = cache_folder().iterdir()
    assert find("a") is None
    keep_graph("a", GRAPH)
    assert find("a") == GRAPH
    assert left.is_dir()  # it might be of somebody who is at work
    grown_old(left, store.LONGEST + 1)
    keep_graph("b", GRAPH)
    assert not left.exists()
    assert find("a") == find("b") == GRAPH


def test_a_mark_is_respected_until_it_must_be_of_the_dead():
    mark = child._claim("a")
    assert mark == store.busy_mark("a")
    with pytest.raises(FileExistsError):
        child._claim("a")
    assert child._claim("b").exists()
    grown_old(mark, store.LONGEST - 60)
    with pytest.raises(FileExistsError):
        child._claim("a")
    grown_old(mark, store.LONGEST + 1)
    child._claim("a")
    assert time.time() - mark.stat().st_mtime < 60
    keep_graph("b", GRAPH)
    assert mark.exists()  # sweeping up leaves marks alone
