"""The job bar shows one job of those that run: a computation before a download."""

import pytest

from ddim_studio.gui.job_follower import JobFollower
from ddim_studio.gui.widgets.job_bar import JobBar
from ddim_studio.gui.words import size
from ddim_studio.jobs.events import Ended, Progress
from ddim_studio.jobs.runner import Ticket


@pytest.fixture
def bar(qtbot):
    made = JobBar()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def follower(bar):
    return JobFollower(bar)


def ticket(title, number=1):
    return Ticket(title, number, lambda: iter(()))


def title(bar):
    return bar._title.full_text()


def test_a_computation_takes_the_bar_from_a_download_and_gives_it_back(bar, follower):
    download, sampling = ticket("Downloading"), ticket("Sampling", 2)
    follower.follow(download, [Progress(5_000_000, 20_000_000, 2.0, "B", 1_000_000)], modest=True)
    assert title(bar) == "Downloading"
    assert bar._numbers.text().startswith("5.0 MB / 20.0 MB  ·  2.0 MB/s")
    follower.follow(sampling, [Progress(1, 4, 1.0)])
    follower.follow(download, [Progress(6_000_000, 20_000_000, 3.0, "B")], modest=True)
    assert title(bar) == "Sampling"
    assert bar._numbers.text().startswith("1 / 4")
    follower.end(sampling, Ended("finished"))
    assert title(bar) == "Downloading"
    follower.end(download, Ended("cancelled"))
    assert title(bar) == "Cancelled"


def test_a_download_that_begins_later_waits_for_the_bar(bar, follower):
    sampling, download = ticket("Sampling"), ticket("Downloading", 2)
    follower.follow(sampling, [])
    follower.follow(download, [Progress(1, 2, 1.0, "B")], modest=True)
    assert title(bar) == "Sampling"
    follower.end(download, Ended("finished"))
    assert title(bar) == "Sampling"
    follower.end(sampling, Ended("failed"))
    assert title(bar) == "Failed"


def test_cancel_stops_what_is_on_show(follower):
    sampling, download = ticket("Sampling"), ticket("Downloading", 2)
    follower.follow(download, [], modest=True)
    follower.follow(sampling, [])
    follower.cancel()
    assert (sampling.stop.is_set(), download.stop.is_set()) == (True, False)
    follower.end(sampling, Ended("cancelled"))
    follower.cancel()
    assert download.stop.is_set()


def test_cancel_with_nothing_to_stop_does_nothing(bar, follower):
    follower.cancel()
    follower.end(ticket("Never seen"), Ended("cancelled"))
    assert title(bar) == "Cancelled"


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [(0, "0 kB"), (340_400, "340 kB"), (15_785_516, "15.8 MB"), (1.42e9, "1.42 GB")],
)
def test_sizes(nbytes, text):
    assert size(nbytes) == text
