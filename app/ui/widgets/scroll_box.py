"""The inside of a dialog: as large as it would like where the screen has room, and scrolled where it has not."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMargins, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.ui.shell.window_geometry import within_screen


class ScrollBox(QScrollArea):
    """`beside` is what the dialog has around it: its margins and its buttons."""

    def __init__(self, inside: QWidget, beside: QMargins) -> None:
        super().__init__(widgetResizable=True)
        self._inside, self._beside = inside, beside
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside.setObjectName("page")
        self.setWidget(inside)

    def sizeHint(self) -> QSize:
        wanted = self._inside.sizeHint()
        whole = wanted.grownBy(self._beside)
        if within_screen(self, whole).height() < whole.height():
            whole += QSize(self.verticalScrollBar().sizeHint().width(), 0)
        return within_screen(self, whole).shrunkBy(self._beside)

    def minimumSizeHint(self) -> QSize:
        return QSize(1, 1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What is inside has changed: so has what is wanted."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
