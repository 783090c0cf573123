"""Body of an answer: stacked prose, code and table views, updated only where the answer changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import cast

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QPushButton, QWidget

from app.ui.i18n import tr
from app.ui.screen_reader import read_as
from app.ui.shared_labels import DETAILS
from app.ui.text.code_view import CodeBlock
from app.ui.text.links import HasPage, with_page_links
from app.ui.text.markdown import MarkdownBlock
from app.ui.text.pieces import Code, Fold, FoldEnd, MarkdownTable, Piece, Prose
from app.ui.text.prose import INDENT_PX, SIZES, DisplayFormulaView, ProseView, is_display_formula
from app.ui.text.table_view import TableView
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_caption

GAP_PX = 14
FORMULA_GAP_PX = 12
"""Gap above a formula of its own line: 16 px to the letters above it."""
LINES_A_VIEW = 60
CELLS_A_VIEW = 80
"""Cells per table view, since a table is laid out as a whole whenever it grows; longer tables continue in another view.
"""
LINE_PX, CARET_PX = 30, 13


class FoldView(QWidget):
    """Title of a foldable part; the body opens and closes it."""

    toggled = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.fold: Fold | None = None
        self._line: QPushButton = text_button("", "quiet", self)
        self._line.setObjectName("thinking")
        self._line.setCheckable(True)
        read_as(self._line, QAccessible.Role.Button, folds=True)
        self._line.toggled.connect(self._on_toggled)
        theme.dress(self._line, font="control")

    @property
    def is_open(self) -> bool:
        return self._line.isChecked()

    def set_fold(self, fold: Fold) -> bool:
        """Show a title; return True if it changed. A part the user opened stays open."""
        if fold == self.fold:
            return False
        if self.fold is None or fold.is_open != self.fold.is_open:
            self.set_open(fold.is_open)
        self.fold = fold
        self._update()
        return True

    def set_open(self, is_open: bool) -> None:
        """Open or close without emitting `toggled`, which stands for the user's click."""
        self._line.blockSignals(True)
        self._line.setChecked(is_open)
        self._line.blockSignals(False)
        self._update()

    def height_for(self, _width: int) -> int:
        return max(self._theme.px(LINE_PX), self._line.sizeHint().height())

    def resizeEvent(self, _event: object) -> None:
        hint = self._line.sizeHint()
        width = min(hint.width(), self.width())
        self._line.setGeometry(self.width() - width if self.isRightToLeft() else 0, 0, width, self.height())

    def _on_toggled(self) -> None:
        self._update()
        self.toggled.emit()

    def _update(self) -> None:
        title = (self.fold.title if self.fold else "") or tr(DETAILS)
        self._line.setText(plain_caption(title))
        self._line.setAccessibleName(title)
        self._line.setAccessibleDescription(tr("Collapse") if self.is_open else tr("Expand"))
        closed = "caret-left" if self.isRightToLeft() else "caret-right"
        self._theme.dress(self._line, glyph=("caret-down" if self.is_open else closed, "muted", CARET_PX))


class FoldEndView(QWidget):
    """Invisible end of a foldable part, so that views and pieces match one to one."""

    def height_for(self, _width: int) -> int:
        return 0


View = ProseView | CodeBlock | TableView | FoldView | FoldEndView
_VIEWS = {Prose: ProseView, Code: CodeBlock, MarkdownTable: TableView, Fold: FoldView, FoldEnd: FoldEndView}


class MessageBody(QWidget):
    """Body of views. Adjacent prose shares one, up to a length that is laid out quickly."""

    link_clicked = Signal(str)
    fold_toggled = Signal()
    resized = Signal()
    """A view's height changed without new text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.views: list[View] = []
        """Top to bottom."""
        self._heights: list[int] = []
        self._dirty: set[int] = set()
        self._width = 0
        self._stable: list[Piece] = []
        self._shown: list[Piece] = []
        self._taken = 0
        self._revision = -1
        self.has_page: HasPage | None = None
        """Tells which pages can be opened; None if the chat has no documents."""

    def set_blocks(self, closed: list[MarkdownBlock], still_open: list[MarkdownBlock], revision: int) -> None:
        """Show blocks; `closed` only grows as long as `revision` stays the same."""
        if revision != self._revision:
            self._revision, self._taken, self._stable = revision, 0, []
            first = 0
        else:
            # The last stable piece may still take in prose that follows.
            first = max(len(self._stable) - 1, 0)
        for block in closed[self._taken :]:
            _join(self._stable, self._with_links(block))
        self._taken = len(closed)
        segments = self._stable[first:]
        for block in still_open:
            _join(segments, self._with_links(block))
        self._shown[first:] = segments
        self._show_from(first)

    def _show_from(self, first: int) -> None:
        for index, segment in enumerate(self._shown[first:], first):
            if index < len(self.views) and not _fits(self.views[index], segment):
                self._drop_from(index)
            if index >= len(self.views):
                view = self._new_view(segment)
                before = self.views[-1] if self.views else None
                if isinstance(segment, MarkdownTable) and segment.continues and isinstance(before, TableView):
                    self._dirty.add(self.views.index(cast("TableView", view).follow_table(before)))
                self.views.append(view)
                self._heights.append(0)
                self._dirty.add(index)
            if self._fill(self.views[index], segment):
                self._dirty.add(index)
        self._drop_from(len(self._shown))

    def arrange(self, width: int, *, is_again: bool = False) -> int:
        """Place the views from the first changed one on; return the total height."""
        px = self._theme.px
        if is_again or width != self._width:
            self._dirty = set(range(len(self.views)))
        self._width = width
        first = min(self._dirty, default=len(self.views))
        is_shown = self._unfolded()
        for index in range(first, len(self.views)):
            view = self.views[index]
            view.setVisible(is_shown[index])
            y = self._bottom(index) + px(self._gap_above(index)) if self._bottom(index) else 0
            if not is_shown[index]:
                continue
            indent = _depth(view) * px(INDENT_PX)
            if index in self._dirty:
                self._heights[index] = view.height_for(width - indent)
            view.setGeometry(0 if self.isRightToLeft() else indent, y, width - indent, self._heights[index])
        self._dirty.clear()
        return self._bottom(len(self.views))

    def _gap_above(self, index: int) -> float:
        view, before = self.views[index], self.views[index - 1]
        if isinstance(view, TableView) and view.table.continues:
            return 0
        if isinstance(view, DisplayFormulaView):
            return FORMULA_GAP_PX
        if isinstance(before, DisplayFormulaView) and isinstance(view, ProseView) and view.lines:
            # A line has more room of its own above the letters than below them.
            return SIZES.gap_between(before.lines[0], view.lines[0]) - SIZES.gap + FORMULA_GAP_PX / 2
        return FORMULA_GAP_PX + 4 if isinstance(before, DisplayFormulaView) else GAP_PX

    def _bottom(self, index: int) -> int:
        """Return the bottom of the visible views before an index."""
        above = (view for view in reversed(self.views[:index]) if not view.isHidden() and view.height())
        last = next((view for view in above if not isinstance(view, FoldEndView)), None)
        return last.geometry().bottom() + 1 if last is not None else 0

    def _unfolded(self) -> list[bool]:
        opened: list[bool] = []
        shown = []
        for view in self.views:
            if isinstance(view, FoldEndView) and opened:
                opened.pop()
            shown.append(all(opened))
            # Only now, as a closed part still shows its title.
            if isinstance(view, FoldView):
                opened.append(view.is_open)
        return shown

    def _on_fold_toggled(self) -> None:
        self._dirty = set(range(len(self.views)))
        self.fold_toggled.emit()

    def _on_drawn(self, view: View) -> None:
        # Typesetting is asynchronous, so its view may have been dropped meanwhile.
        if view in self.views:
            self._dirty.add(self.views.index(view))
            self.resized.emit()

    def _with_links(self, block: MarkdownBlock) -> Iterable[Piece]:
        has_page = self.has_page
        return block.pieces if has_page is None else [with_page_links(piece, has_page) for piece in block.pieces]

    def _new_view(self, segment: Piece) -> View:
        view: View
        kind = _view_type(segment)
        view = FoldEndView(self) if kind is FoldEndView else cast("type[ProseView]", kind)(self._theme, self)
        if isinstance(view, ProseView | TableView):
            view.link_clicked.connect(self.link_clicked)
            view.drawn.connect(lambda: self._on_drawn(view))
        elif isinstance(view, CodeBlock):
            view.link_clicked.connect(self.link_clicked)
            view.resized.connect(lambda: self._on_drawn(view))
        elif isinstance(view, FoldView):
            view.toggled.connect(self._on_fold_toggled)
        # No layout does it here: a child that comes later stays hidden until it is told.
        view.show()
        return view

    def _fill(self, view: View, segment: Piece) -> bool:
        if isinstance(view, CodeBlock) and isinstance(segment, Code):
            return view.set_code(segment)
        if isinstance(view, TableView) and isinstance(segment, MarkdownTable):
            return view.set_table(segment)
        if isinstance(view, FoldView) and isinstance(segment, Fold):
            return view.set_fold(segment)
        return isinstance(view, ProseView) and isinstance(segment, Prose) and view.set_lines(segment.lines)

    def _drop_from(self, index: int) -> None:
        for view in self.views[index:]:
            # deleteLater acts when control is back in the event loop; until then the view would still be seen.
            view.hide()
            view.deleteLater()
        del self.views[index:], self._heights[index:]
        self._dirty = {number for number in self._dirty if number < index}


def _join(segments: list[Piece], pieces: Iterable[Piece]) -> None:
    """Append pieces; prose is joined with the prose before it, up to the limit."""
    for piece in _with_formulas_apart(pieces):
        last = segments[-1] if segments else None
        if (
            isinstance(piece, Prose)
            and isinstance(last, Prose)
            and len(last.lines) < LINES_A_VIEW
            and _view_type(piece) is _view_type(last) is ProseView
        ):
            segments[-1] = Prose(last.lines + piece.lines)
        elif (
            isinstance(piece, MarkdownTable) and piece.continues and isinstance(last, MarkdownTable) and _has_room(last)
        ):
            # Without the header, which each part repeats.
            segments[-1] = replace(last, rows=last.rows + piece.rows[1:])
        else:
            segments.append(piece)


def _has_room(table: MarkdownTable) -> bool:
    return len(table.rows) * len(table.aligns) < CELLS_A_VIEW


def _fits(view: View, segment: Piece) -> bool:
    return type(view) is _view_type(segment)


def _view_type(segment: Piece) -> type[View]:
    if isinstance(segment, Prose) and any(is_display_formula(line) for line in segment.lines):
        return DisplayFormulaView
    return _VIEWS[type(segment)]


def _with_formulas_apart(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces with each formula of its own line in a piece of its own."""
    for piece in pieces:
        if not isinstance(piece, Prose) or not any(map(is_display_formula, piece.lines)):
            yield piece
            continue
        for is_formula, lines in groupby(piece.lines, is_display_formula):
            if is_formula:
                yield from (Prose((line,)) for line in lines)
            else:
                yield Prose(tuple(lines))


def _depth(view: View) -> int:
    if isinstance(view, CodeBlock):
        return view.code.depth
    if isinstance(view, DisplayFormulaView):
        return view.lines[0].depth if view.lines else 0
    return view.table.depth if isinstance(view, TableView) else 0
