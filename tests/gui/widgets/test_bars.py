"""The error bar says what happened; the job bar says what runs, at one height."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QProgressBar, QPushButton, QToolButton

from ddim_studio.gui.labels import ElidedLabel
from ddim_studio.gui.widgets.error_bar import ErrorBar
from ddim_studio.gui.widgets.job_bar import JobBar


@pytest.fixture
def errors(qtbot):
    made = ErrorBar()
    qtbot.addWidget(made)
    return made


def button(bar, text):
    return next(b for b in bar.findChildren(QPushButton) if b.text() == text)


def test_an_error_can_be_read_unfolded_copied_and_closed(errors, qtbot):
    assert not errors.isVisible()
    errors.show_error("No memory.", "Take fewer.", "Traceback\nline 3")
    assert errors.isVisible()
    assert errors.findChild(QLabel, "errorMessage").text() == "No memory."
    assert errors.findChild(QLabel, "errorAdvice").isVisible()
    details = errors.findChild(QPlainTextEdit, "errorDetails")
    assert not details.isVisible()
    qtbot.mouseClick(button(errors, "Show details"), Qt.MouseButton.LeftButton)
    assert details.isVisible()
    assert details.isReadOnly()
    qtbot.mouseClick(button(errors, "Copy details"), Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    assert copied == "No memory.\n\nTake fewer.\n\nTraceback\nline 3"
    qtbot.mouseClick(errors.findChild(QToolButton, "errorClose"), Qt.MouseButton.LeftButton)
    assert not errors.isVisible()


def test_a_notice_replaces_an_error_wholly(errors):
    errors.show_error("No memory.", "Take fewer.", "Traceback")
    errors.show_notice("It runs on the CPU.")
    assert errors.message() == "It runs on the CPU."
    assert errors.property("tone") == "notice"
    assert not errors.findChild(QLabel, "errorAdvice").isVisible()
    assert not any(b.isVisible() for b in errors.findChildren(QPushButton))


def test_long_messages_wrap(errors):
    errors.resize(420, 10)
    errors.show_error("word " * 60)
    label = errors.findChild(QLabel, "errorMessage")
    assert label.heightForWidth(300) > 3 * label.fontMetrics().height()


def test_text_is_never_read_as_html(errors):
    errors.show_error("<b>x</b>")
    assert errors.findChild(QLabel, "errorMessage").textFormat() == Qt.TextFormat.PlainText


@pytest.fixture
def jobs(qtbot):
    made = JobBar()
    qtbot.addWidget(made)
    made.resize(900, 32)
    made.show()
    return made


def test_a_job_from_start_to_end_at_one_height(jobs, qtbot):
    progress = jobs.findChild(QProgressBar, "jobProgress")
    cancel = jobs.findChild(QToolButton, "jobCancel")
    numbers = jobs.findChild(QLabel, "jobNumbers")
    assert not cancel.isEnabled()
    heights = {jobs.height()}
    jobs.start("Sampling")
    jobs.set_progress(25, 50, 3.21, 7.8, "step")
    assert progress.value() / progress.maximum() == 0.5
    for part in ("25 / 50", "3.2 steps/s", "7.8 s left"):
        assert part in numbers.text()
    heights.add(jobs.height())
    with qtbot.waitSignal(jobs.cancel_requested):
        qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    jobs.finish("Done in 12.3 s")
    heights.add(jobs.height())
    assert not cancel.isEnabled()
    assert numbers.text() == ""
    assert jobs.findChild(ElidedLabel, "jobTitle").full_text() == "Done in 12.3 s"
    assert heights == {32}


def test_unknown_rate_and_total_show_no_nonsense(jobs):
    jobs.start("Loading")
    jobs.set_progress(0, 0, 0.0, float("inf"), "step")
    text = jobs.findChild(QLabel, "jobNumbers").text()
    assert "inf" not in text
    assert "left" not in text


def test_the_queue_is_counted_and_listed(jobs):
    queue = jobs.findChild(QLabel, "jobQueue")
    jobs.set_queue(["Invert", "Compare"])
    assert queue.text() == "2 waiting"
    assert "Invert\nCompare" in queue.toolTip()
    jobs.set_queue([])
    assert not queue.isVisible()


def test_a_title_too_long_is_cut_and_kept_in_the_tooltip(jobs, qtbot):
    jobs.start("A very long title " * 20)
    title = jobs.findChild(ElidedLabel, "jobTitle")
    qtbot.waitUntil(lambda: title.text().endswith("…"))
    assert title.toolTip() == title.full_text()
    assert jobs.width() == 900
