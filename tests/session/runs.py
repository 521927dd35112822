"""Runs over the folder of three pictures, for several tests."""

NAMES = ("a.png", "b.png", "sub/c.png")


def begin(studio, qtbot, count=1):
    """Begin a run over the folder, and wait until it is at its n-th image."""
    studio.model.hold.set()
    studio.annotator.run_folder()
    for _ in range(count - 1):
        studio.model.let_through()
    qtbot.waitUntil(lambda: len(studio.model.calls) == count)


def finish(studio, qtbot):
    """Let the model go on until the end of the run; return the report."""
    with qtbot.waitSignal(studio.annotator.finished):
        studio.model.release.set()
    return studio.reports[-1]


def counts(studio):
    """How many annotations stand on each image."""
    return [len(studio.on(name)) for name in NAMES]
