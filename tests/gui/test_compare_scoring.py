"""How the Compare page has cells measured: what is new, and the newest reference."""

import numpy as np
import pytest
from inversion_pages import opened

from ddim_studio.gui.pages.compare import ComparePage
from ddim_studio.jobs.comparison_events import CellDone, CellScore, CellStarted, Scored
from ddim_studio.jobs.events import Ended
from ddim_studio.jobs.matrix import Place


@pytest.fixture
def page(qtbot, fakes):
    """A page whose run was accepted; ``sides`` has the orders to measure."""
    made = opened(ComparePage, qtbot, fakes)
    made.sides = []
    made.side_requested.connect(made.sides.append)
    made.panel.rows.set_text("eta", "0")
    made.panel.columns.set_text("steps", "2, 3, 5")
    made.panel.count.setValue(1)
    made.ask_to_run()
    return made


def complete(page, *columns):
    events = []
    for column in columns:
        place, images = Place(0, column), np.zeros((1, 1, 28, 28), np.float32)
        events += [CellStarted(place, (1, 0), (1, 28, 28), (0,)), CellDone(place, images, 0.1)]
    page.desk.send(*events)


def answer(page, order, *, outcome="finished", value=0.5):
    scores = {place: CellScore({"ssim": (value,)}) for place in order.images}
    page.receive_live([Scored(order.reference, scores), Ended(outcome)])


def test_nothing_is_measured_before_the_reference_is_there(page):
    complete(page, 0, 1)
    assert page.sides == []
    complete(page, 2)
    (order,) = page.sides
    assert order.reference == Place(0, 2)
    assert set(order.images) == {Place(0, 0), Place(0, 1), Place(0, 2)}


def test_while_cells_are_measured_no_more_orders_pile_up(page):
    page.make_reference(Place(0, 0))
    complete(page, 0)
    complete(page, 1)
    complete(page, 2)
    assert len(page.sides) == 1
    answer(page, page.sides[0])
    assert set(page.sides[1].images) == {Place(0, 0), Place(0, 1), Place(0, 2)}
    answer(page, page.sides[1])
    assert len(page.sides) == 2


def test_another_reference_does_not_wait_and_late_answers_are_passed_over(page):
    complete(page, 0, 1, 2)
    page.make_reference(Place(0, 1))
    first, second = page.sides
    assert second.reference == Place(0, 1)
    answer(page, first, outcome="cancelled", value=0.1)
    assert page.view.record.scores == {}
    answer(page, second, value=0.7)
    assert page.view.record.scores[Place(0, 0)].mean("ssim") == 0.7
    assert len(page.sides) == 2


def test_a_measurement_of_the_last_run_does_not_stand_under_the_next(page):
    complete(page, 0, 1, 2)
    (late,) = page.sides
    page.desk.finish()
    page.ask_to_run()
    answer(page, late)
    assert page.view.record.scores == {}
