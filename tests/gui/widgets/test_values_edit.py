"""A line of values with a menu of choices."""

import pytest

from ddim_studio.gui.widgets.values_edit import ValuesEdit


@pytest.fixture
def edit(qtbot):
    made = ValuesEdit()
    qtbot.addWidget(made)
    made.show()
    return made


def test_the_menu_adds_and_removes_values_and_shows_which_are_there(edit):
    edit.set_choices([("Linear", "linear"), ("Quadratic", "quadratic")])
    edit.setText("linear")
    actions = edit.menu().actions()
    assert [action.isChecked() for action in actions] == [True, False]
    actions[1].trigger()
    assert edit.values() == ["linear", "quadratic"]
    edit.menu().actions()[0].trigger()
    assert edit.text() == "quadratic"


def test_a_value_is_written_once(edit):
    edit.setText(" a ,, b ")
    edit.add_value("b")
    edit.add_value("c")
    assert edit.values() == ["a", "b", "c"]


def test_without_choices_there_is_no_button(edit):
    button = next(a for a in edit.actions() if a.objectName() == "chooseValues")
    assert not button.isVisible()
    edit.set_choices((), "Add a folder…")
    assert button.isVisible()
    with_more = []
    edit.more_wanted.connect(lambda: with_more.append(True))
    edit.menu().actions()[-1].trigger()
    assert with_more == [True]
