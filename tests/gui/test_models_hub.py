"""The hub on the Models page: looked up, downloaded, cancelled, resumed, refused in place."""

import numpy as np
import pytest
from hand import click, find
from hub_server import TINY
from models_pages import facts, looked_up, press
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QToolButton, QWidget

import ddim_studio as ds
from ddim_studio.imaging.pixels import to_pixels


@pytest.fixture
def page(models_page):
    """The Models page, on show."""
    return models_page


def test_look_up_shows_size_and_licence_and_download_makes_it_usable(
    window, page, hub, finish, tiny
):
    assert hub.requests == []
    looked_up(page, finish)
    total = sum(len(content) for content in hub.repos["a/tiny"].files.values())
    assert facts(page).text("size") == f"{total / 1e3:.0f} kB"
    assert facts(page).text("licence") == "apache-2.0"
    assert "diffusers DDIMPipeline" in facts(page).text("kind")
    assert [request.path for request in hub.requests] == ["/api/models/a/tiny"]
    press(page, "downloadButton")
    finish()
    assert page.source() == TINY
    assert TINY in page.models.sources()
    assert facts(page).text("images") == "8×8 pixels, grey"
    asked = len(hub.requests)
    press(page, "useButton")
    finish()
    assert {p.model().source() for p in window.pages if p.model() is not None} == {TINY}
    assert facts(page).text("used") == "every page"
    window.navigation.pages.setCurrentRow(0)
    click(window.sample.panel.run_button)
    finish()
    *_, last = ds.sample(tiny, ds.seeded_noise(tiny, range(4)), ds.SampleSettings(steps=6))
    shown = window.sample.stage.shown_pixels().astype(int)
    assert np.abs(shown - to_pixels(last.x).astype(int)).max() <= 1
    assert len(hub.requests) == asked


def test_a_download_is_cancelled_and_resumed_where_it_stopped(page, hub, finish, qtbot):
    looked_up(page, finish)
    hub.hold_after = 5000
    press(page, "downloadButton")
    qtbot.waitUntil(hub.held.is_set, timeout=20_000)
    qtbot.waitUntil(lambda: "of" in page.hub.offer.state.said(), timeout=20_000)
    press(page, "downloadCancelButton")
    finish()
    assert find(page, QPushButton, "downloadButton").text().startswith("Resume")
    assert "are here already" in page.hub.offer.state.said()
    assert TINY not in page.models.sources()
    hub.go.set()
    hub.hold_after = None
    press(page, "downloadButton")
    finish()
    assert page.source() == TINY
    assert hub.asked("/store/")[-1].range == "bytes=5000-"


def test_the_job_bar_cancels_a_download_too_and_sampling_goes_on_beside_it(
    window, page, hub, finish, qtbot
):
    looked_up(page, finish)
    hub.hold_after = 5000
    press(page, "downloadButton")
    qtbot.waitUntil(hub.held.is_set, timeout=20_000)
    title = window.job_bar.findChild(QWidget, "jobTitle")
    qtbot.waitUntil(lambda: title.full_text() == "Downloading a/tiny", timeout=20_000)
    click(window.sample.panel.run_button)
    qtbot.waitUntil(lambda: window.sample.stage.timeline.position() == 6, timeout=20_000)
    qtbot.waitUntil(lambda: title.full_text() == "Downloading a/tiny", timeout=20_000)
    click(find(window, QToolButton, "jobCancel"))
    finish()
    assert title.full_text() == "Cancelled"
    assert find(page, QPushButton, "downloadButton").text().startswith("Resume")


def test_a_model_that_is_here_is_shown_and_not_fetched_again(page, hub, finish):
    looked_up(page, finish)
    press(page, "downloadButton")
    finish()
    looked_up(page, finish)
    fetched = len(hub.asked("/resolve/", "HEAD"))
    assert find(page, QPushButton, "downloadButton").text() == "Show it"
    press(page, "downloadButton")
    finish()
    assert page._stack.currentWidget() is page.card
    assert len(hub.asked("/resolve/", "HEAD")) == fetched


@pytest.mark.parametrize("name", ["a/none", "tiny", ""])
def test_what_cannot_be_looked_up_is_said_under_the_field(window, page, hub, finish, name):
    looked_up(page, finish, name)
    says = "There is no model 'a/none' on the hub" if name == "a/none" else "is not the name of a"
    assert says in page.hub.problem_said()
    assert not window.error_bar.isVisible()
    assert bool(hub.requests) == (name == "a/none")
    QTest.keyClicks(find(page, QLineEdit, "hubEdit"), "x")
    assert page.hub.problem_said() == ""


def test_a_download_that_breaks_says_so_and_can_be_resumed(page, hub, finish):
    looked_up(page, finish)
    hub.cut_after = [5000, 0]
    press(page, "downloadButton")
    finish()
    assert "The connection broke off" in page.hub.offer.state.said()
    assert "goes on where it stopped" in page.hub.offer.state.said()
    press(page, "downloadButton")
    finish()
    assert page.source() == TINY


def test_nothing_on_the_page_asks_the_hub_by_itself(page, hub, finish, tiny_pipeline):
    page.open_source(str(tiny_pipeline))
    finish()
    page.open_source(TINY)  # not downloaded
    finish()
    assert "not on this computer yet" in page.card.problem.said()
    assert hub.requests == []
