"""Formulas: typeset once on a thread, then drawn at any size and in any colour."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterable
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.ui.shell import tasks
from app.ui.theme import Theme

DRAWN_PX = 24
"""Size at which formulas are typeset; they are scaled when shown."""
INK = "#010203"
"""Placeholder for the text colour."""
X_HEIGHT_EM = 0.47
"""Height of an x in the font of formulas."""


@dataclass(frozen=True)
class FormulaDrawing:
    """A formula as SVG; sizes in pixels at `DRAWN_PX`."""

    svg: str
    width: float
    height: float

    def extent(self, size_px: float) -> tuple[float, float, float]:
        """Return width, height above the baseline and depth below it, at a size."""
        _, top, width, height = map(float, _VIEW_BOX.findall(self.svg)[0].split())
        scale = size_px / DRAWN_PX
        return width * scale, -top * scale, (top + height) * scale


_VIEW_BOX = re.compile(r'viewBox="([^"]+)"')
_drawings: dict[tuple[str, bool], FormulaDrawing] = {}
_drawing = threading.Lock()


def drawing_of(latex: str, *, is_inline: bool = False) -> FormulaDrawing:
    """Typeset a formula.

    Takes some 20 ms, and 0.2 s more for the very first, so call it on a thread. Raises whatever the library raises for
    invalid input.
    """
    with _drawing:  # the library's fonts are shared by all threads
        if (latex, is_inline) not in _drawings:
            from ziamath.config import config  # it loads a font, so only when a formula is needed
            from ziamath.zmath import Latex

            # WORKAROUND: Qt draws nothing of SVG 2, as https://doc.qt.io/qt-6/svgrendering.html says
            config.svg2 = False
            formula = Latex(latex, size=DRAWN_PX, color=INK, inline=is_inline)
            _drawings[latex, is_inline] = FormulaDrawing(formula.svg(), *formula.getsize())
        return _drawings[latex, is_inline]


class FormulaView(QWidget):
    """Widget of a formula, shrunk to the width. Screen readers read `spoken`."""

    def __init__(self, theme: Theme, latex: str, spoken: str, *, size_px: float = 17) -> None:
        super().__init__()
        self._theme, self._size_px = theme, size_px
        self._shown: FormulaDrawing | None = _drawings.get((latex, False))
        self.setAccessibleName(spoken)
        self.setToolTip(spoken)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)
        # A formula that was typeset before is there from the first paint, so nothing below it moves.
        if self._shown is None:
            tasks.ask(lambda _: self._draw(latex, _), self, self._show)

    @property
    def is_drawn(self) -> bool:
        return self._shown is not None

    @staticmethod
    def _draw(latex: str, _cancel: CancelToken) -> FormulaDrawing:
        return drawing_of(latex)

    def _show(self, drawing: FormulaDrawing) -> None:
        self._shown = drawing
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        scale = self._theme.px(self._size_px) / DRAWN_PX
        if self._shown is None:
            # Room for about two lines until it is typeset, so that what is below moves little.
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
        # The colour is put in when painting, so another theme needs no typesetting.
        svg = self._shown.svg.replace(INK, self._theme.tokens.text)
        QSvgRenderer(QByteArray(svg.encode())).render(
            QPainter(self), QRectF(left, (self.height() - height) / 2, width, height)
        )


MOST_WORK = 4_000
"""Limit of `_work`: about a second on a slow processor. The library's time doubles with each level of nesting."""
LEVEL_TIMES = 2.2
_SOURCE = re.compile(
    r"\s*(?:\$\$(?P<dollars>.+?)\$\$|\$(?P<dollar>.+?)\$|\\\[(?P<square>.+?)\\\]|\\\((?P<round>.+?)\\\)"
    r"|(?P<begun>\\begin\{.+\\end\{[a-zA-Z]+\*?\}))(?P<after>[\s.,;:]*)",
    re.DOTALL,
)
_LEVELS = re.compile(r"\\(?:left|begin)(?![a-zA-Z])|\\(?:right|end)(?![a-zA-Z])|\\.|[{}]", re.DOTALL)
_undrawable: set[str] = set()


@dataclass(frozen=True)
class FormulaPicture:
    """Formula in a size and colour, at the screen's resolution; `ascent` in window pixels.

    A model wrote them, so the work is limited; others stay source text.
    """

    image: QImage
    ascent: float


def size_for(x_height: float) -> float:
    """Return the size at which a formula's letters are as high as those of the text around."""
    return x_height / X_HEIGHT_EM


def draw(sources: Iterable[str]) -> None:
    """Typeset formulas given with delimiters; call it on a thread."""
    for source in sources:
        parts = _parts(source)
        try:
            if parts is not None:
                drawing_of(parts[0], is_inline=parts[1])
        except Exception:  # noqa: BLE001 - the library has no error of its own: what it stumbles over stays as written
            _undrawable.add(source)


def is_known(source: str) -> bool:
    """Return whether it is typeset, or known to be impossible."""
    parts = _parts(source)
    return source in _undrawable or parts is None or (parts[0], parts[1]) in _drawings


def known_drawing(source: str) -> FormulaDrawing | None:
    parts = _parts(source)
    return _drawings.get((parts[0], parts[1])) if parts is not None else None


def guess_extent(source: str, size_px: float) -> tuple[float, float, float]:
    """Guess width, height above the baseline and depth below it, before a formula is typeset."""
    shown = re.sub(r"\\(?:frac|left|right|begin|end|sqrt|text|math\w+|operatorname)(?![a-zA-Z])", "", source)
    shown = re.sub(r"\\[a-zA-Z]+|\\.", "a", shown)
    width = 0.55 * len(re.sub(r"[\s{}$^_&]", "", shown))
    if is_inline(source):
        return width * size_px, 0.9 * size_px, 0.3 * size_px
    rows = source.count("\\\\") + 1 if "\\begin" in source else 1
    heights = [float(rows)]
    if "\\frac" in source:
        heights.append(2.9 if "\\left" in source else 1.9)
    if re.search(r"\\(?:sum|int|prod)(?![a-zA-Z])", source):
        heights.append(2.6)
    height = max(heights)
    return width / rows * size_px, 0.6 * height * size_px, 0.4 * height * size_px


def picture_of(source: str, size_px: float, color: str, ratio: float) -> FormulaPicture | None:
    """Return a typeset formula as a picture; None if it isn't typeset. `ratio` is screen pixels per window pixel."""
    drawing = known_drawing(source)
    return None if drawing is None else _picture(drawing, size_px, color, ratio)


# Painted again whenever the text is scrolled.
@lru_cache(maxsize=256)
def _picture(drawing: FormulaDrawing, size_px: float, color: str, ratio: float) -> FormulaPicture:
    renderer = QSvgRenderer(QByteArray(drawing.svg.replace(INK, color).encode()))
    width, ascent, depth = drawing.extent(size_px)
    above = math.ceil(ascent * ratio)
    image = QImage(
        math.ceil(width * ratio), above + math.ceil(depth * ratio), QImage.Format.Format_ARGB32_Premultiplied
    )
    image.fill(Qt.GlobalColor.transparent)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, above / ratio - ascent, width, ascent + depth))
    painter.end()
    return FormulaPicture(image, above / ratio)


def is_inline(source: str) -> bool:
    """Return whether its delimiters are those of a formula in a line of text."""
    return bool(re.match(r"\s*(?:\$(?!\$)|\\\()", source))


def after(source: str) -> str:
    """Return what follows the closing delimiter of a display formula, usually a full stop."""
    found = _SOURCE.fullmatch(source)
    return found["after"].strip() if found is not None else ""


def _parts(source: str) -> tuple[str, bool] | None:
    """Return a formula without delimiters, and whether it is inline; None if it shouldn't be typeset."""
    if (found := _SOURCE.fullmatch(source)) is None or _work(source) > MOST_WORK:
        return None
    latex = next(text for name, text in found.groupdict().items() if name != "after" and text)
    return latex.strip(), found["dollar"] is not None or found["round"] is not None


def _work(source: str) -> float:
    """Estimate the work: characters, weighted exponentially by their nesting; infinite beyond twelve levels."""
    work, level, at = 0.0, 0, 0
    for found in _LEVELS.finditer(source):
        work += (found.end() - at) * LEVEL_TIMES**level
        at = found.end()
        level += found.group() in ("{", "\\left", "\\begin")
        # A single character there is already worth more than MOST_WORK.
        if (level := max(0, level - (found.group() in ("}", "\\right", "\\end")))) > 12:
            return math.inf
    return work + (len(source) - at) * LEVEL_TIMES**level
