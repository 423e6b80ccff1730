"""What a hand does on the Models page."""

from hand import click, find
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton


def press(page, name):
    """Click a button that can be clicked."""
    button = find(page, QPushButton, name)
    assert button.isEnabled(), name
    click(button)


def looked_up(page, finish, name="a/tiny"):
    """Type a model's name into the hub's field, and look it up."""
    edit = find(page, QLineEdit, "hubEdit")
    edit.clear()
    QTest.keyClicks(edit, name)
    press(page, "lookUpButton")
    finish()


def facts(page):
    """The table on show: that of the card, or that of the offer."""
    offered = page._stack.currentWidget() is page.hub.offer
    return (page.hub.offer if offered else page.card.details).facts
