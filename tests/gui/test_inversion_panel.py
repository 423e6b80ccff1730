"""The settings column of the Invert and Interpolate pages."""

import pytest

from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.gui.pages.inversion_panel import InversionPanel
from ddim_studio.jobs.runs import SampleRun


@pytest.fixture
def panel(qtbot):
    made = InversionPanel("Invert", "runButton", "Invert the images")
    qtbot.addWidget(made)
    return made


def test_auto_spacing_follows_the_method(panel):
    assert panel.settings().spacing == "quadratic"
    assert panel.spacing.currentText() == "auto (quadratic)"
    panel.method.setCurrentIndex(panel.method.findData("source"))
    assert panel.settings().spacing == "linear"
    assert panel.spacing.currentText() == "auto (linear)"
    panel.spacing.setCurrentIndex(panel.spacing.findData("trailing"))
    assert panel.settings().spacing == "trailing"


def test_a_wrong_list_is_marked_in_place(panel):
    panel.spacing.setCurrentIndex(panel.spacing.findData("own list"))
    panel.timesteps.setText("1, two")
    with pytest.raises(SettingsError):
        panel.settings()
    section, field = panel.fields["timesteps"]
    assert "whole numbers" in section.error(field)
    assert field.property("invalid")
    panel.timesteps.setText("1, 2")
    assert panel.settings().timesteps == (1, 2)
    assert section.error(field) == ""


def test_eta_and_clipping_are_overridden_in_words(panel):
    panel.adopt(SampleRun(eta=0.5, clip="clamp", steps=20))
    assert "η = 0.5 and clipping (clamp) was asked for" in panel.remark()
    assert panel.settings().steps == 20
    panel.adopt(SampleRun(eta="hat"))
    assert "η = σ̂" in panel.remark()
    panel.adopt(SampleRun(spacing="trailing", steps=7))
    assert (panel.settings().spacing, panel.settings().steps) == ("trailing", 7)


def test_a_background_of_ones_own_is_kept_and_told(panel, qtbot):
    with qtbot.waitSignal(panel.fit.changed):
        panel.fit.set_background((1, 2, 3))
    assert panel.fit.background() == (1, 2, 3)
    assert panel.fit.ground.currentText() == "#010203"
    panel.fit.set_background((255, 255, 255))
    assert panel.fit.ground.currentText() == "white"
