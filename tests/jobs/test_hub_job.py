"""Looking up and downloading as jobs: what they tell, and that they stop when asked."""

import itertools

from hub_server import TINY

from ddim_studio.jobs.events import Ended, Progress
from ddim_studio.jobs.hub import (
    CachedOrder,
    DownloadOrder,
    LookUpOrder,
    cached_job,
    download_job,
    look_up_job,
)
from ddim_studio.jobs.hub_events import CachedFound, Downloaded, HubFound, Waiting
from ddim_studio.jobs.models import ModelCache, open_job
from ddim_studio.jobs.runner import Runner, run
from ddim_studio.models.hub import hub_info


def test_a_look_up_finds_what_the_hub_says_and_fetches_nothing(hub):
    *waiting, found, ended = run(look_up_job(LookUpOrder(TINY)))
    assert set(waiting) <= {Waiting()}
    assert found == HubFound(hub_info(TINY))
    assert ended == Ended("finished")
    assert hub.asked("/resolve/") == []


def test_a_download_tells_of_every_byte_and_the_model_opens(hub):
    info = hub_info(TINY)
    *progress, downloaded, ended = run(download_job(DownloadOrder(info)))
    assert downloaded == Downloaded(TINY)
    assert ended == Ended("finished")
    assert [p.done for p in progress] == sorted(p.done for p in progress)
    assert (progress[-1].done, progress[-1].total) == (info.nbytes, info.nbytes)
    *_, opened, _measured = open_job(TINY, "cpu", ModelCache())
    assert opened.info.source == TINY


def test_the_cache_is_searched_without_the_network(hub):
    assert list(cached_job(CachedOrder())) == [CachedFound(())]
    assert hub.requests == []
    list(download_job(DownloadOrder(hub_info(TINY))))
    asked = len(hub.requests)
    assert list(cached_job(CachedOrder())) == [CachedFound((TINY,))]
    assert len(hub.requests) == asked
    (found,) = [e for e in look_up_job(LookUpOrder(TINY)) if isinstance(e, HubFound)]
    assert found.here


def test_what_was_there_before_does_not_count_as_speed(hub):
    hub.cut_after = [2000, 0]
    list(run(download_job(DownloadOrder(hub_info(TINY)))))
    info = hub_info(TINY)
    assert info.cached > 2000
    first = next(iter(download_job(DownloadOrder(info))))
    assert first.before == min(info.cached, first.done)
    assert Progress(30, 100, 2.0, "B", before=10).rate == 10
    assert Progress(30, 100, 2.0, "B", before=10).remaining == 7


def test_a_failure_is_told_with_its_advice(hub):
    hub.repos.clear()
    *_, ended = run(look_up_job(LookUpOrder(TINY)))
    assert ended.outcome == "failed"
    assert "There is no model 'a/tiny'" in ended.failure.message
    assert "HF_TOKEN" in ended.failure.advice


def test_a_silent_hub_keeps_nobody_from_cancelling(hub):
    """The answer never comes; the runner's thread is free nevertheless."""
    hub.hold_after = 0
    info = hub_info(TINY)
    runner = Runner("test")
    ticket = runner.submit("Downloading", lambda: download_job(DownloadOrder(info)))
    assert hub.held.wait(20)
    ticket.cancel()
    events = itertools.takewhile(
        lambda event: not isinstance(event, Ended),
        (runner.mailbox.get(timeout=5)[1] for _ in [0] * 999),
    )
    assert all(isinstance(event, Progress) for event in events)
    assert runner.close(timeout=5)
    assert not hub.go.is_set()
