"""Folders are written whole or not at all."""

import pytest

from ddim_studio.storage import atomic_folder


def tree(path):
    return {p.relative_to(path).as_posix(): p.read_text() for p in path.rglob("*") if p.is_file()}


@pytest.mark.parametrize("there", [True, False])
def test_the_folder_changes_at_the_end_and_not_before(tmp_path, there):
    target = tmp_path / "deep" / "model"
    if there:
        target.mkdir(parents=True)
        (target / "old.txt").write_text("old")
    with atomic_folder(target) as draft:
        assert draft.parent == target.parent
        (draft / "new.txt").write_text("new")
        assert target.exists() == there
        if there:
            assert tree(target) == {"old.txt": "old"}
    assert tree(tmp_path) == {"deep/model/new.txt": "new"}


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt(), ValueError()])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old.txt").write_text("old")

    def fail():
        with atomic_folder(target) as draft:
            (draft / "new.txt").write_text("new")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert tree(tmp_path) == {"model/old.txt": "old"}


def test_what_cannot_be_renamed_leaves_what_was_there(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old.txt").write_text("old")

    def vanish():
        with atomic_folder(target) as draft:
            draft.rmdir()

    with pytest.raises(OSError, match="No such file"):
        vanish()
    assert tree(tmp_path) == {"model/old.txt": "old"}
