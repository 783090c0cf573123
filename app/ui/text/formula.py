"""Formulas of the program's own, typeset: drawn once on a thread, then at any size and in any colour."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.core.events import CancelToken
from app.ui.shell import tasks
from app.ui.theme import Theme

DRAWN_PX = 24
"""The size it is drawn in; what is shown is scaled."""
INK = "#010203"
"""Stands for the colour of the text."""


@dataclass(frozen=True)
class Drawing:
    """A formula as SVG; sizes in pixels at `DRAWN_PX`."""

    svg: str
    width: float
    height: float


_drawings: dict[str, Drawing] = {}
_drawing = threading.Lock()


def drawing_of(latex: str) -> Drawing:
    """Takes some 20 ms the first time, and 0.2 s more for the first formula of all: for a thread of its own."""
    with _drawing:  # the library's fonts are one for all threads
        if latex not in _drawings:
            from ziamath.config import config  # with its font, not before a formula is wanted
            from ziamath.zmath import Latex

            # WORKAROUND: Qt draws nothing of SVG 2, as https://doc.qt.io/qt-6/svgrendering.html says
            config.svg2 = False
            formula = Latex(latex, size=DRAWN_PX, color=INK)
            _drawings[latex] = Drawing(formula.svg(), *formula.getsize())
        return _drawings[latex]


class FormulaView(QWidget):
    """One formula, smaller where it has no room. Screen readers hear `spoken`."""

    def __init__(self, theme: Theme, latex: str, spoken: str, *, size_px: float = 17) -> None:
        super().__init__()
        self._theme, self._size_px = theme, size_px
        self._shown: Drawing | None = _drawings.get(latex)
        self.setAccessibleName(spoken)
        self.setToolTip(spoken)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)
        if self._shown is None:
            tasks.ask(lambda _: self._draw(latex, _), self, self._show)

    @property
    def is_drawn(self) -> bool:
        """Whether it is there to be seen."""
        return self._shown is not None

    @staticmethod
    def _draw(latex: str, _cancel: CancelToken) -> Drawing:
        return drawing_of(latex)

    def _show(self, drawing: Drawing) -> None:
        self._shown = drawing
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        scale = self._theme.px(self._size_px) / DRAWN_PX
        if self._shown is None:
            return QSize(0, round(2 * DRAWN_PX * scale))
        return QSize(round(self._shown.width * scale), round(self._shown.height * scale))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._theme.px(120), self.sizeHint().width()), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        if self._shown is None:
            return
        wanted = self.sizeHint()
        scale = min(1.0, self.width() / max(1, wanted.width()))
        width, height = wanted.width() * scale, wanted.height() * scale
        left = self.width() - width if self.layoutDirection() == Qt.LayoutDirection.RightToLeft else 0.0
        svg = self._shown.svg.replace(INK, self._theme.tokens.text)
        QSvgRenderer(QByteArray(svg.encode())).render(
            QPainter(self), QRectF(left, (self.height() - height) / 2, width, height)
        )
