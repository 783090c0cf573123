"""A small window from which files can be dragged, as from a file manager: `python drag_source.py FILE...`."""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

TITLE = "A file to drag"
SIZE_PX = (120, 60)


class FileLabel(QLabel):
    """Pressed and moved, they are dragged together."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(TITLE)
        self._paths = paths
        self.setWindowTitle(TITLE)
        self.setWindowFlags(Qt.WindowType.X11BypassWindowManagerHint | Qt.WindowType.WindowStaysOnTopHint)
        self.setGeometry(0, 0, *SIZE_PX)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        drag, data = QDrag(self), QMimeData()
        data.setUrls([QUrl.fromLocalFile(path) for path in self._paths])
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)  # the window stays: what was dropped is asked of it afterwards


def main() -> None:
    application = QApplication(sys.argv[:1])
    label = FileLabel(sys.argv[1:])
    label.show()
    application.exec()


if __name__ == "__main__":
    main()
