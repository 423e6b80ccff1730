"""The settings of the Compare page: axes that check themselves, presets, models, memory."""

import pytest
from comparing import PLACES, choose, click_cell
from hand import click, find
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.matrix import PRESETS, Axis, CompareRun, Place
from ddim_studio.jobs.runs import SampleRun


def test_names_and_explanations_of_the_controls(compare_page):
    names = {
        "modelCombo": QComboBox,
        "presetCombo": QComboBox,
        "rowsCombo": QComboBox,
        "rowsEdit": QLineEdit,
        "columnsCombo": QComboBox,
        "columnsEdit": QLineEdit,
        "runButton": QPushButton,
        "cancelButton": QPushButton,
        "matrixView": QWidget,
        "metricCombo": QComboBox,
        "timelineSlider": QSlider,
    }
    assert compare_page.objectName() == "comparePage"
    found = {
        child.objectName().removeprefix("comparePage_")
        for child in compare_page.findChildren(QWidget)
    }
    assert set(names) <= found
    for kind in (QComboBox, QSpinBox, QPushButton, QToolButton, QLineEdit):
        for control in compare_page.findChildren(kind):
            named = control.objectName() and "qt_" not in control.objectName()
            if named and control.isVisibleTo(compare_page):
                assert control.accessibleName(), control.objectName()
                assert control.toolTip(), control.objectName()


@pytest.mark.parametrize(
    ("text", "words"), [("", "from 1 to 64"), ("0, x", "'x'"), ("0, 0", "twice"), ("2", "0 to 1")]
)
def test_bad_values_are_marked_where_they_are_typed(compare_page, text, words):
    edit = compare_page.panel.rows.edit
    edit.selectAll()
    edit.setText("") if not text else QTest.keyClicks(edit, text)
    section, _ = compare_page.panel.fields["rows"]
    assert words in section.error(edit)
    assert edit.property("invalid")
    assert not compare_page.panel.run_button.isEnabled()
    click(compare_page.panel.run_button)
    assert compare_page.view.record is None
    edit.setText("0, hat")
    assert section.error(edit) == ""
    assert compare_page.panel.run_button.isEnabled()


def test_a_preset_fills_the_axes_and_says_what_it_costs(compare_page):
    preset = compare_page.panel.preset
    names = list(PRESETS)
    for name, calls in zip(names, ("1 180", "900"), strict=False):
        preset.setCurrentText(name)
        preset.activated.emit(preset.currentIndex())
        run = compare_page.panel.settings()
        assert (run.rows, run.columns) == PRESETS[name]
        assert f"{calls} network calls × 3 images" in compare_page.panel.cost.said()
    compare_page.panel.columns.edit.setText("10, 20")
    assert preset.currentText() not in names


def test_a_setting_is_on_one_axis_and_no_longer_in_the_column(compare_page):
    panel = compare_page.panel
    assert not panel.steps.isVisible()
    assert panel.spacing.isVisible()
    choose(panel.rows.combo, "steps")  # which the columns had: they change places
    assert (panel.rows.field(), panel.rows.text()) == ("steps", "2, 3, 5")
    assert (panel.columns.field(), panel.columns.text()) == ("eta", "0, 1")
    choose(panel.columns.combo, "spacing")
    assert panel.eta.isEnabled()
    assert not panel.spacing.isEnabled()
    choose(panel.columns.combo, "eta")
    assert panel.columns.text() == "0, 1"
    choose(panel.rows.combo, "seed")
    run = panel.settings()
    assert (run.rows.field, run.cell_seeds(Place(1, 0))) == ("seed", (1,))
    assert "× 1 image" in panel.cost.said()


def test_models_are_chosen_from_a_list_and_a_cell_that_fails_says_why(
    compare_page, tiny_pipeline, tmp_path, monkeypatch, finish
):
    panel = compare_page.panel
    choose(panel.rows.combo, "model")
    texts = {action.text() for action in panel.rows.edit.menu().actions()}
    assert {"fashion-28", tiny_pipeline.name} <= texts
    (tmp_path / "none").mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "none"))
    panel.rows.edit.setText(str(tiny_pipeline))
    panel.rows.edit.more_wanted.emit()
    assert panel.rows.edit.values() == [str(tiny_pipeline), str(tmp_path / "none")]
    assert not panel.model.combo.isEnabled()
    click(panel.run_button)
    finish()
    record = compare_page.view.record
    assert [record.cells[place].state for place in PLACES] == ["done"] * 3 + ["failed"] * 3
    click_cell(compare_page, Place(1, 0))
    assert compare_page.view.matrix.scene.look(Place(1, 0)).captions == ("failed",)
    assert "config.json" in compare_page.view.matrix.describe(Place(1, 0))
    assert not find(compare_page, QPushButton, "makeReferenceButton").isEnabled()


def test_more_steps_than_the_model_has_fail_alone(compare_page, finish):
    compare_page.panel.columns.set_text("steps", "2, 2000, 3")
    click(compare_page.panel.run_button)
    finish()
    states = [compare_page.view.record.cells[place].state for place in PLACES]
    assert states == ["done", "failed", "done"] * 2
    assert compare_page.view.record.reference == Place(0, 2)
    assert set(compare_page.view.record.scores) == set(compare_page.view.record.done())


def test_the_page_remembers_its_settings(compare_page, qtbot, tiny_pipeline):
    from ddim_studio.gui.app import create_window

    run = CompareRun(
        base=SampleRun(model=str(tiny_pipeline), clip="clamp", spacing="quadratic", seed=7),
        rows=Axis("seed", (4, 5, 6)),
        columns=Axis("eta", (0.0, "hat")),
        seeds=(7, 8),
    )
    compare_page.panel.set_settings(run)
    choose(compare_page.readout.metrics, "psnr")
    compare_page.window().close()
    again = create_window()
    qtbot.addWidget(again)
    assert again.compare.panel.settings() == compare_page.panel.settings()
    assert again.compare.panel.rows.text() == "4-6"
    assert again.compare.readout.chosen_metric() == "psnr"
    again.controller.close()


def test_a_damaged_memory_is_passed_over(compare_page):
    before = compare_page.panel.settings()
    for damaged in ({}, {"run": {"rows": 3}}, {"run": "x"}, {"run": {"base": {"count": -1}}}):
        with pytest.raises(SettingsError):
            compare_page.recall(damaged)
    assert compare_page.panel.settings() == before
