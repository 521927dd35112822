"""What a child process does until it is killed, or ends."""

from multiprocessing.connection import Connection
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer

from support.studio import Studio

END = "end"


def go_through_the_folder(folder: Path, sender: Connection) -> None:
    """Begin a run over the folder, or go on with the one there is; tell of each image."""
    application = QCoreApplication([])
    studio = Studio(None)
    batch = studio.annotator.batch
    studio.open(folder)
    studio.session.show(None)
    studio.session.edited.connect(lambda edit: sender.send(edit.image_ids))
    studio.annotator.finished.connect(lambda _: (sender.send(END), application.quit()))

    def begin() -> None:
        if batch.unfinished is None:
            studio.annotator.run_folder()
        else:
            batch.go_on()

    # The file of an unfinished run is read on a lane.
    QTimer.singleShot(200, begin)
    application.exec()
    studio.close()
