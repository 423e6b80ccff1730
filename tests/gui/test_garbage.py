import gc
import threading
import weakref

import pytest

from ddim_studio.gui.garbage import WindowCollector


class Knot:
    """A cycle that remembers which thread untied it."""

    def __init__(self, seen):
        self.myself = self
        weakref.finalize(self, lambda: seen.append(threading.current_thread().name))


@pytest.fixture
def collector():
    made = WindowCollector()
    yield made
    made.close()
    assert gc.isenabled()


def allocate_a_lot():
    return [[] for _ in range(20 * gc.get_threshold()[0])]


def test_a_worker_that_allocates_collects_nothing_and_the_window_does(collector):
    seen = []
    Knot(seen)
    worker = threading.Thread(target=allocate_a_lot, name="worker")
    worker.start()
    worker.join()
    assert seen == []
    kept = allocate_a_lot()
    for _ in range(30):
        collector.collect_if_due()
        kept.append(allocate_a_lot())
        if seen:
            break
    assert seen == [threading.current_thread().name]


def test_nothing_is_collected_before_it_is_due(collector):
    gc.collect()
    seen = []
    Knot(seen)
    collector.collect_if_due()
    assert seen == []


def test_a_window_keeps_the_collector_out_of_its_workers_until_it_closes(window):
    assert not gc.isenabled()
    window.close()
    assert gc.isenabled()
