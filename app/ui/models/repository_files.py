"""Files of a repository: quantization in words first, then tag and size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QRadioButton, QSizePolicy, QStyle, QVBoxLayout

from app.features.models.choice import representative_files
from app.features.models.estimate import MemoryFit
from app.hub.model_files import ModelFile, Repository, quantization_words
from app.ui.focus_ring import has_ring
from app.ui.i18n import size_text, tr, tr_count
from app.ui.locale_formats import isolate, join_list
from app.ui.models.fit_column import FitWords, fit_width, paint_fit, words_of_fit
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import text_button
from app.ui.widgets.input_fields import DrawnButton
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import fill_layout, name_widgets

PARTS_CANNOT_BE_OPENED = "Can’t be opened: its parts are in an old format or incomplete"
IN_PARTS = "in {count} parts"
RECOMMENDED = "Recommended"
ROW_PX, MARK_PX = 50, 18
SIZE_PX = 76
"""Column of sizes, at the end."""
FIT_ROOM_PX = 460
"""Width below which a row has no room for its fit."""
FEW = 5
"""Up to this number, all files are shown at once."""


def file_words(model: ModelFile) -> tuple[str, str]:
    """Return a file's label: quantization in words and its tag, or its name if the tag is unknown."""
    words = tr(quantization_words(model.tag)) if model.tag else ""
    if words:
        return words[:1].upper() + words[1:], model.tag
    return PurePosixPath(model.name).name.removesuffix(".gguf"), model.tag


class FileRow(DrawnButton, QRadioButton):
    """Row of a file, read by screen readers as a radio button with all painted text."""

    def __init__(self, theme: Theme, model: ModelFile, fit: MemoryFit | None, *, is_recommended: bool) -> None:
        super().__init__()
        self._fit: FitWords | None = None
        self._theme, self.model, self.is_recommended = theme, model, is_recommended
        self._words, self._tag = file_words(model)
        parts = len(model.parts)
        self._size = size_text(model.size_bytes)
        self._note = (
            tr(PARTS_CANNOT_BE_OPENED)
            if not model.is_supported
            else tr_count("in {count} part", IN_PARTS, parts)
            if parts > 1
            else ""
        )
        said = [self._words, self._tag, self._size, tr(RECOMMENDED) if is_recommended else "", self._note]
        self.setAccessibleName(join_list(said))
        if fit is not None:
            self.show_fit(fit)
        self.setToolTip(plain_tip(model.name))
        self.setEnabled(model.is_supported)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_fit(self, fit: MemoryFit) -> None:
        self._fit = words_of_fit(fit)
        self.setAccessibleDescription(self._fit.spoken)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), self._theme.px(ROW_PX))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px = self._theme.tokens, self._theme.px
        painter = smooth_painter(self)
        around = QRectF(self.rect()).adjusted(px(4), 1, -px(4), -1)
        painter.setPen(QPen(QColor(tokens.focus), 2) if has_ring(self) else Qt.PenStyle.NoPen)
        is_lit = self.isChecked() or (self.underMouse() and self.isEnabled())
        painter.setBrush(QColor(tokens.bubble) if is_lit else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(around, px(8), px(8))
        self._paint_mark(painter)
        colour = tokens.text if self.isEnabled() else tokens.muted
        x, end = px(46), self.width() - px(18)
        font = self._theme.font
        # The size first, from the end: what is left is shared by the words.
        at_end = QRect(x, 0, end - x, self.height())
        self._write(painter, self._size, font("control"), at_end, colour, at_end=True)
        end -= px(SIZE_PX)
        if self._fit is not None and self.width() >= px(FIT_ROOM_PX):
            wide = px(fit_width(self.width() / px(100) * 100))
            column = QRect(end - wide, 0, wide, self.height())
            paint_fit(painter, self._theme, column, self._fit, around=self.rect(), direction=self.layoutDirection())
            end = column.x() - px(12)
        for text, look, tone in (
            (self._words, font("strong" if self.isChecked() else "control"), colour),
            (self._tag, font("small"), tokens.muted),
        ):
            room = QRect(x, 0, end - x, self.height())
            # Rather no tag than half of one.
            if text == self._words or QFontMetrics(look).horizontalAdvance(text) <= room.width():
                x += self._write(painter, text, look, room, tone) + px(10)
        if self.is_recommended:
            x += self._paint_chip(painter, tr(RECOMMENDED), x, end)
        if self._note:
            self._write(painter, self._note, font("small"), QRect(x, 0, end - x, self.height()), tokens.muted)

    def _paint_mark(self, painter: QPainter) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        edge = px(MARK_PX)
        mark = QRectF(self._mirrored(QRect(px(16), (self.height() - edge) // 2, edge, edge))).adjusted(
            0.5, 0.5, -0.5, -0.5
        )
        is_on = self.isChecked()
        painter.setPen(
            QPen(QColor(tokens.accent if is_on else tokens.outline if self.isEnabled() else tokens.line), 1.2)
        )
        painter.setBrush(QColor(tokens.accent if is_on else tokens.surface))
        painter.drawEllipse(mark)
        if is_on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.on_accent))
            painter.drawEllipse(QPointF(mark.center()), mark.width() * 0.2, mark.width() * 0.2)

    def _paint_chip(self, painter: QPainter, text: str, x: int, end: int) -> int:
        """Paint a chip; return its width, 0 if it doesn't fit."""
        tokens, px = self._theme.tokens, self._theme.px
        painter.setFont(self._theme.font("caption"))
        width = painter.fontMetrics().horizontalAdvance(text) + px(18)
        # Rather no chip than half a word in one.
        if x + width > end:
            return 0
        chip = self._mirrored(QRect(x, (self.height() - px(22)) // 2, width, px(22)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.chip))
        painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
        painter.setPen(QColor(tokens.accent))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
        return width + px(10)

    def _write(
        self, painter: QPainter, text: str, font: QFont, room: QRect, colour: str, *, at_end: bool = False
    ) -> int:
        """Paint a line of text, elided to the room; return its width."""
        painter.setFont(font)
        painter.setPen(QColor(colour))
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, max(0, room.width()))
        start = QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeading)
        end = QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignTrailing)
        how = (end if at_end else start) | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self._mirrored(room), how, isolate(shown))
        return metrics.horizontalAdvance(shown)

    def _mirrored(self, rect: QRect) -> QRect:
        return QStyle.visualRect(self.layoutDirection(), self.rect(), rect)


class FileList(QFrame):
    """List of files, one per quantization first; `chosen` follows the arrow keys."""

    def __init__(self, theme: Theme, *, choose: Callable[[Any], object]) -> None:
        super().__init__()
        self.choose, self._theme = choose, theme
        self.setObjectName("file_list")
        self.setProperty("kind", "card")
        self.setAccessibleName(tr("Versions"))
        self.rows: list[FileRow] = []
        self._models: tuple[ModelFile, ...] = ()
        self._recommended: ModelFile | None = None
        self._fits: dict[str, MemoryFit] = {}
        self._group = QButtonGroup(self)
        self._group.buttonToggled.connect(self._on_toggled)
        self.all = theme.dress(text_button("", "link", on_click=self._show_all), font="control")
        self._column = theme.dress(QVBoxLayout(self), margins=(4, 7, 4, 7), spacing=1)
        self._last = theme.dress(fill_layout(QHBoxLayout(), self.all, 1), margins=(41, 0, 0, 0))
        self._column.addLayout(self._last)
        name_widgets(all_files=self.all)

    def show_repository(
        self, repository: Repository, recommended: ModelFile | None, fits: Mapping[str, MemoryFit]
    ) -> None:
        """Show a repository's files and choose the recommended one, else the smallest; `fits` by a file's name."""
        self._models, self._recommended, self._fits = repository.models, recommended, dict(fits)
        few = list(repository.models) if len(repository.models) <= FEW else representative_files(repository.models)
        if recommended is not None and recommended not in few:
            # In the repository's order again.
            few = [model for model in repository.models if model in few or model == recommended]
        self._show(few, recommended or next((model for model in few if model.is_supported), None))
        self.all.setText(tr_count("Show {count} version", "Show all {count} versions", len(self._models)))
        self.all.setAccessibleName(self.all.text())
        self.all.setVisible(len(few) < len(self._models))

    def show_fit(self, model: ModelFile, fit: MemoryFit) -> None:
        """Show a better estimate of a file."""
        self._fits[model.name] = fit
        for row in self.rows:
            if row.model == model:
                row.show_fit(fit)

    def focus_chosen(self) -> None:
        for row in self.rows:
            if row.isChecked():
                row.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_all(self) -> None:
        chosen = next((row.model for row in self.rows if row.isChecked()), None)
        self._show(list(self._models), chosen)
        self.all.hide()
        self.focus_chosen()

    def _show(self, models: list[ModelFile], chosen: ModelFile | None) -> None:
        for row in self.rows:
            self._group.removeButton(row)
            # Out of the layout at once; deletion waits for the event loop.
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        for index, model in enumerate(models):
            fit = self._fits.get(model.name)
            row = FileRow(self._theme, model, fit, is_recommended=model == self._recommended)
            self.rows.append(row)
            self._group.addButton(row)
            self._column.insertWidget(index, row)
            if model == chosen:
                row.setChecked(True)

    def _on_toggled(self, row: object, checked: bool) -> None:
        # Of two rows that change, only the one that is chosen now counts.
        if checked and isinstance(row, FileRow):
            self.choose(row.model)
