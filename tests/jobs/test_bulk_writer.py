"""The threads that write: bounded, complete, and their errors come back."""

from __future__ import annotations

import threading

import pytest

from ddim_studio.jobs.bulk_writer import writing


def write_all(write, items, then=None):
    """Hand items to one writer, and perhaps raise."""
    with writing(write, threads=1) as put:
        for item in items:
            put(item)
        if then is not None:
            raise then


def test_everything_is_written_before_the_block_ends_also_by_an_exception():
    done = []
    with writing(done.append, threads=3) as put:
        for item in range(50):
            put(item)
    assert sorted(done) == list(range(50))
    with pytest.raises(KeyboardInterrupt):
        write_all(done.append, [50], KeyboardInterrupt())
    assert done[-1] == 50


def test_no_more_than_two_a_thread_wait():
    going, two, handed, seen = threading.Event(), threading.Event(), [], []

    def write(item):
        going.wait(60)
        seen.append(item)

    def put_all(put):
        for item in range(5):
            put(item)
            handed.append(item)
            if item == 1:
                two.set()

    with writing(write, threads=1) as put:
        thread = threading.Thread(target=put_all, args=(put,))
        thread.start()
        assert two.wait(60)
        thread.join(0.1)  # long enough for it to hand over more, if it could
        assert handed == [0, 1]
        going.set()
        thread.join(60)
    assert seen == [0, 1, 2, 3, 4]


def test_what_an_item_met_with_is_raised_where_items_are_put():
    def write(item):
        if item == 1:
            raise OSError(28, "full")

    with pytest.raises(OSError, match="full"):
        write_all(write, range(100))
    with pytest.raises(OSError, match="full"):
        write_all(write, [1])  # the last one: raised at the end
