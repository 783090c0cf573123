"""Predictions after each layer as a grid of words: the logit lens (nostalgebraist, 2020)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.core.events import CancelToken, Guess, PromptProgress, TokenSeen
from app.core.lazy_dataclasses import dataclass
from app.features.inside import looks
from app.features.inside.patterns import shown_word, word_of
from app.language.scripts import is_right_to_left
from app.ui.i18n import tr, tr_count
from app.ui.inside.look import CellModel, CellTable, Index, LendEngine, LookPage, paint_frame
from app.ui.inside.plots import WORD_PERCENT, PlotButtons, percent
from app.ui.locale_formats import join_list
from app.ui.shared_labels import FIRST_TOKEN_SHOWN, FIRST_TOKENS_SHOWN
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import FontRole, Theme
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout

if TYPE_CHECKING:
    from app.engine.contract import Engine

OUTPUT_GUESSES = "The model’s output after “{word}”: {guesses}."
LAYER_GUESSES = "Layer {layer}, after “{word}”: {guesses}."
OUTPUT = "Output"

MOST_TOKENS = 64
"""Limit of tokens; each takes the output matrix once per layer."""
SURE = 0.5
"""Probability from which a word is painted in the text colour."""


@dataclass(frozen=True)
class LogitLens:
    """Predictions by layer. `guesses[layer][token]` are the most likely next tokens, first to last layer."""

    tokens: tuple[TokenSeen, ...]
    guesses: tuple[tuple[tuple[Guess, ...], ...], ...]
    is_all: bool
    """True if the text wasn't cut."""

    def is_right(self, layer: int, token: int) -> bool:
        """Return whether a layer's top guess is the token that follows."""
        # By bytes, since a token may be half a character.
        following = self.tokens[token + 1 : token + 2]
        return bool(following) and self.guesses[layer][token][0].data == following[0].data


def read_lenses(engine: Engine, text: str, cancel: CancelToken) -> Iterator[LogitLens | PromptProgress]:
    """Yield growing lenses while a text is read. Raises as `looks.layers_of` does."""
    shown = looks.text_beginning(engine, text, MOST_TOKENS, cancel=cancel)
    lens: LogitLens | None = None
    for event in looks.layers_of(engine, shown, cancel=cancel):
        if isinstance(event, PromptProgress):
            yield event
        else:
            before, rows = lens, event.layers
            # Every event brings some more tokens, for all layers at once.
            if before is not None:
                rows = tuple(guess_row + more for guess_row, more in zip(before.guesses, rows, strict=True))
            lens = LogitLens((*(before.tokens if before is not None else ()), *event.tokens), rows, shown == text)
            yield lens


class LayersView(LookPage):
    """The grid, and a description of the current cell."""

    def __init__(self, ui: UiContext, lend: LendEngine) -> None:
        super().__init__(ui, lend)
        self.setAccessibleName(tr("Layer by layer"))
        self.about = plain_label(
            tr(
                "Shows what the model would predict if it stopped at each layer. Columns are tokens; the last "
                "row is the real prediction."
            ),
            kind="muted",
            wraps=True,
        )
        self.cut = plain_label(kind="muted", wraps=True)
        self.grid = LayerGrid(
            ui.theme, point=lambda row, column: self.cell.setText(self.grid.lens.describe_cell(row, column))
        )
        self.cell = ui.theme.dress(plain_label(wraps=True), font="small")
        self.cell.setObjectName("layers_cell")
        self.buttons = PlotButtons(ui.theme, ui.notify, self.grid)
        self.top = QWidget()
        row = fill_layout(QHBoxLayout(self.top), (self.about, 1), (self.buttons, 0, Qt.AlignmentFlag.AlignTop))
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.top, self.cut):
            self.body.addWidget(widget)
        fill_layout(self.body, (self.grid, 1), self.cell)
        ui.theme.dress(self.about, self.cut, font="small")
        self.clear()

    def look_at(self, text: str) -> None:
        """Show the predictions for a text, or for as much of its start as the limit allows."""
        self.clear()
        if text.strip():
            self.begin(lambda engine, cancel: read_lenses(engine, text, cancel), self._show, lambda: None)

    def clear(self) -> None:
        super().clear()
        self.grid.show_lens(None)
        self.cell.setText("")
        for widget in (self.top, self.cut, self.grid, self.cell):
            widget.hide()

    def _show(self, event: object) -> None:
        assert isinstance(event, LogitLens)
        self.cut.setText("" if event.is_all else tr_count(FIRST_TOKEN_SHOWN, FIRST_TOKENS_SHOWN, len(event.tokens)))
        for widget in (self.top, self.grid, self.cell):
            widget.show()
        self.cut.setHidden(event.is_all)
        self.grid.show_lens(event)


class LensModel(CellModel):
    """Model with a row per layer and a column per token."""

    name_font: FontRole = "caption"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.lens: LogitLens | None = None

    def show(self, lens: LogitLens | None) -> None:
        self.beginResetModel()
        self.lens = lens
        self.endResetModel()

    def guesses(self, row: int, column: int) -> tuple[Guess, ...]:
        """Return a cell's guesses, most likely first."""
        assert self.lens is not None
        return self.lens.guesses[row][column]

    def describe_cell(self, row: int, column: int) -> str:
        """Describe a cell with its other guesses."""
        if (lens := self.lens) is None:
            return ""
        said = join_list(
            tr(WORD_PERCENT, word=shown_word(guess.data), percent=percent(guess.probability))
            for guess in self.guesses(row, column)
        )
        behind = word_of(lens.tokens[column])
        # The last row is the output itself, in which no layer has a number of its own.
        if row == self.rowCount() - 1:
            words = tr(OUTPUT_GUESSES, word=behind, guesses=said)
        else:
            words = tr(LAYER_GUESSES, layer=row, word=behind, guesses=said)
        return f"{words} {tr('This is the actual next token.')}" if lens.is_right(row, column) else words

    @property
    def shape(self) -> tuple[int, int]:
        return (0, 0) if self.lens is None else (len(self.lens.guesses), len(self.lens.tokens))

    def name(self, section: int, way: Qt.Orientation) -> str:
        """Return a layer's number, named for the last as the model's output; or a token."""
        assert self.lens is not None
        if way == Qt.Orientation.Horizontal:
            return word_of(self.lens.tokens[section])
        return tr(OUTPUT) if section == self.shape[0] - 1 else str(section)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return shown_word(self.guesses(index.row(), index.column())[0].data)
        return super().data(index, role)


COLUMN_PX, ROW_PX, LAYER_PX = 76, 26, 58


class LayerGrid(CellTable):
    """Grid of layers; arrows move between cells, Tab leaves."""

    def __init__(self, theme: Theme, *, point: Callable[[int, int], object]) -> None:
        self.lens = LensModel(theme)
        words = tr("Predictions after each layer, from the first layer at the top to the last")
        super().__init__(self.lens, words, select_all=tr("Select all cells"))
        self.point = point
        self._theme, self.title = theme, tr("Layer by layer")
        self.setItemDelegate(LensDelegate(theme, self.lens, self))
        self.setObjectName("layer_grid")
        self.setWordWrap(False)
        self.setProperty("elides", True)
        self.entered.connect(lambda index: self.point(index.row(), index.column()))
        theme.dress(self, least_height=200)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_lens(self, lens: LogitLens | None) -> None:
        """Show a lens with the final output as current cell."""
        self.lens.show(lens)
        if lens is not None:
            # Joined before decoding, as a token may be half a character.
            is_mirrored = is_right_to_left(b"".join(token.data for token in lens.tokens).decode("utf-8", "replace"))
            ways = Qt.LayoutDirection
            self.setLayoutDirection(ways.RightToLeft if is_mirrored else ways.LeftToRight)  # as the text is read
            self.setCurrentIndex(self.lens.index(len(lens.guesses) - 1, len(lens.tokens) - 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Columns have a fixed width, so a narrower panel may leave the current cell outside.
        self.scrollTo(self.currentIndex())

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if current.isValid():
            self.point(current.row(), current.column())

    def table(self) -> list[list[str | float]]:
        """Return a row for each layer, token and guess."""
        found: list[list[str | float]] = [["layer", "token", "behind", "text", "probability"]]
        lens = self.lens.lens
        assert lens is not None
        for row in range(self.lens.rowCount()):
            # In the CSV the word is not translated, as programs read it.
            layer = "output" if row == self.lens.rowCount() - 1 else str(row)
            for column, token in enumerate(lens.tokens):
                for guess in self.lens.guesses(row, column):
                    found.append([layer, str(column), _text(token.data), _text(guess.data), guess.probability])
        return found

    def picture_size(self) -> QSize:
        px = self._theme.px
        return QSize(px(LAYER_PX) + px(COLUMN_PX) * self.lens.columnCount(), px(ROW_PX) * (self.lens.rowCount() + 1))

    def paint_picture(self, painter: QPainter) -> None:
        theme, px = self._theme, self._theme.px
        wide, high, side = px(COLUMN_PX), px(ROW_PX), px(LAYER_PX)
        painter.fillRect(QRect(QPoint(), self.picture_size()), QColor(theme.tokens.background))
        for column in range(self.lens.columnCount()):
            self._paint_name(painter, QRect(side + column * wide, 0, wide, high), column, Qt.Orientation.Horizontal)
            for row in range(self.lens.rowCount()):
                place = QRect(side + column * wide, high + row * high, wide, high)
                paint_guess(painter, theme, place, self.lens, (row, column))
        for row in range(self.lens.rowCount()):
            self._paint_name(painter, QRect(0, high + row * high, side, high), row, Qt.Orientation.Vertical)

    def _paint_name(self, painter: QPainter, place: QRect, section: int, way: Qt.Orientation) -> None:
        painter.setFont(self._theme.font("caption"))
        painter.setPen(QColor(self._theme.tokens.muted))
        name = self.lens.name(section, way)
        text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, place.width() - self._theme.px(6))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self.horizontalHeader().setDefaultSectionSize(px(COLUMN_PX))
        self.verticalHeader().setDefaultSectionSize(px(ROW_PX))
        self.verticalHeader().setFixedWidth(px(LAYER_PX))
        self.viewport().update()


class LensDelegate(QStyledItemDelegate):
    """Paint a word on a background as strong as its probability, with a frame for the focus."""

    def __init__(self, theme: Theme, lens: LensModel, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self._lens = theme, lens

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        paint_guess(painter, self._theme, option.rect, self._lens, (index.row(), index.column()))
        if option.state & (QStyle.StateFlag.State_HasFocus | QStyle.StateFlag.State_MouseOver):
            paint_frame(painter, self._theme, option)
        painter.restore()


def paint_guess(painter: QPainter, theme: Theme, rect: QRect, lens: LensModel, cell: tuple[int, int]) -> None:
    """Paint a cell. The token that really follows is underlined; a line sets off the last row."""
    guess, px, tokens = lens.guesses(*cell)[0], theme.px, theme.tokens
    inside = rect.adjusted(1, 1, -1, -1)
    painter.fillRect(inside, QColor(tokens.surface))
    back = QColor(tokens.selection)
    # The tint is the probability, so a column darkens where the model makes up its mind.
    back.setAlphaF(min(1.0, guess.probability))
    painter.fillRect(inside, back)
    if cell[0] == lens.rowCount() - 1:
        painter.fillRect(QRect(rect.left(), rect.top(), rect.width(), px(1)), QColor(tokens.outline))
    assert lens.lens is not None
    font = theme.font("group" if guess.probability >= SURE else "small")
    font.setUnderline(lens.lens.is_right(*cell))
    painter.setFont(font)
    painter.setPen(QColor(tokens.text if guess.probability >= 0.1 else tokens.muted))
    room = rect.adjusted(px(4), 0, -px(4), 0)
    word = painter.fontMetrics().elidedText(shown_word(guess.data), Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, word)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
