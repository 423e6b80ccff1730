"""The Invert and Interpolate pages with a controller that only plays."""


def opened(kind, qtbot, fakes):
    """A page that shows, with the bundled model known and ``desk`` in the controller's place."""
    page = kind()
    qtbot.addWidget(page)
    page.resize(1200, 760)
    page.desk = fakes.FakeController(page)
    page.show_model(fakes.INFO, "cpu")
    page.show()
    qtbot.waitExposed(page)
    return page


def decode_everything(page, qtbot):
    """Answer live orders until the strip is complete."""
    answered = 0
    stops = page.view.stops()
    while any(page.live.final(tick) is None for tick in stops):
        qtbot.waitUntil(lambda seen=answered: len(page.desk.live) > seen)
        page.desk.decode(page.desk.live[answered])
        answered += 1
