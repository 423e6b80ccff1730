"""Files are written whole or not at all, with the user's own permissions, in the user's place."""

import os
import signal
import stat
import subprocess
import sys
import threading

import platformdirs
import pytest

from ddim_studio import storage
from ddim_studio.storage import atomic_path, resources, user_folder


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "out" / "settings.json"
    path.parent.mkdir()
    path.write_text("old")
    return path


def names(path):
    return sorted(entry.name for entry in path.parent.iterdir())


def test_the_file_changes_at_the_end_and_not_before(target):
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".json"
        assert temporary.name.startswith(".")
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert names(target) == ["settings.json"]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt(), ValueError()])
def test_an_error_leaves_the_old_file_and_nothing_else(target, error):
    def write():
        with atomic_path(target) as temporary:
            temporary.write_text("half of the n")
            raise error

    with pytest.raises(type(error)):
        write()
    assert target.read_text() == "old"
    assert names(target) == ["settings.json"]


def test_a_block_that_removes_its_file_is_an_error(target):
    def write():
        with atomic_path(target) as temporary:
            temporary.unlink()  # as an encoder may that fails without saying so

    with pytest.raises(FileNotFoundError):
        write()
    assert target.read_text() == "old"


def test_a_folder_in_the_way_stays(target):
    target.unlink()
    target.mkdir()

    def write():
        with atomic_path(target) as temporary:
            temporary.write_text("new")

    with pytest.raises(OSError, match=r"settings\.json"):
        write()
    assert names(target) == ["settings.json"]
    assert target.is_dir()


def test_missing_folders_are_made(tmp_path):
    with atomic_path(tmp_path / "a" / "b" / "c.txt") as temporary:
        temporary.write_text("deep")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "deep"


@pytest.mark.parametrize(
    "name", ["n" * 250 + ".png", "ü" * 120 + ".png", "plain", ".hidden", "a.b.c"]
)
def test_any_name_that_the_disk_takes(tmp_path, name):
    with atomic_path(tmp_path / name) as temporary:
        temporary.write_text("x")
    assert names(tmp_path / name) == [name]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077, 0o027])
def test_permissions_follow_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("x")
    finally:
        left = os.umask(before)
    assert left == mask
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o666 & ~mask


def test_threads_that_write_the_same_file_never_mix(target):
    texts = {str(number) * 10_000 for number in range(8)}
    seen = set()

    def write(text):
        for _ in range(25):
            with atomic_path(target) as temporary:
                temporary.write_text(text)
            seen.add(target.read_text())

    mask = os.umask(0o022)
    os.umask(mask)
    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen <= texts
    assert names(target) == ["settings.json"]
    left = os.umask(mask)
    os.umask(left)
    assert left == mask


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX")
def test_a_kill_while_writing_loses_nothing(target):
    code = """
import os, signal, sys
from pathlib import Path
from ddim_studio.storage import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("half of the n")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_text() == "old"


@pytest.mark.parametrize("purpose", ["config", "data", "cache"])
def test_the_home_variable_decides(tmp_path, monkeypatch, purpose):
    monkeypatch.setenv(storage.HOME_VARIABLE, str(tmp_path / "own"))
    folder = user_folder(purpose)
    assert folder == tmp_path / "own" / purpose
    assert folder.is_dir()
    assert user_folder(purpose) == folder


@pytest.mark.parametrize("purpose", ["config", "data", "cache"])
def test_without_it_the_platform_does(tmp_path, monkeypatch, purpose):
    monkeypatch.delenv(storage.HOME_VARIABLE)
    place = tmp_path / "platform"
    monkeypatch.setattr(
        platformdirs, f"user_{purpose}_path", lambda name, appauthor: place / name / str(appauthor)
    )
    assert user_folder(purpose) == place / "ddim-studio" / "False"
    assert user_folder(purpose).is_dir()


def test_resources_are_found():
    assert (resources() / "models" / "fashion-28" / "unet" / "config.json").is_file()


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_never_takes_the_place_of_one_that_came_meanwhile(tmp_path, monkeypatch, links):
    def no_links(*_):
        raise PermissionError(1, "this file system has no hard links")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "journal.json"

    def write(text, meanwhile=None):
        with atomic_path(path, new=True) as temporary:
            temporary.write_text(text)
            if meanwhile:
                path.write_text(meanwhile)

    with pytest.raises(FileExistsError):
        write("ours", "theirs")
    assert path.read_text() == "theirs"
    path.unlink()
    write("ours")
    assert path.read_text() == "ours"
    assert names(path) == ["journal.json"]
