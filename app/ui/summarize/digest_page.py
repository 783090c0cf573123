"""Preview of documents without a model: key sentences, key terms, outline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import AppError
from app.features.summarize.overview import DocumentOverview, FirstLook
from app.features.summarize.summary_messages import DIGEST_WORDS
from app.features.summarize.summary_result import SummarizedDocument, Summary, SummaryOptions
from app.ui.i18n import tr
from app.ui.shared_labels import CANCEL
from app.ui.shell.notify import Notify
from app.ui.summarize.digest_outline import SIDE_PX, WIDE_PX, DigestOutline
from app.ui.summarize.statements import WholeStatementView
from app.ui.summarize.summary_texts import Chip, ShownStatement
from app.ui.text.keyboard_walk import row_after, step_aside
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.layouts import fill_layout, name_widgets
from app.ui.work.doing import Estimating

if TYPE_CHECKING:
    from app.bootstrap import Fireside

DIGEST_PERCENT = "Finding key sentences, {percent} %"
DIGEST_CANCELLED = "Canceled. You can still summarize without key sentences."

CACHED_PREVIEWS = 4
TICK_MS = 1_000

Key = tuple[tuple[int, ...], SummaryOptions]


class FirstLooks(Estimating):
    """Compute previews on a thread and cache the last. `seen` carries the document ids and a `FirstLook`."""

    seen = Signal(tuple, object)
    moved = Signal(tuple, float)
    """Progress of a slow preview: document ids and share done, 0 to 1."""

    def __init__(self, app: Fireside, notify: Notify, parent: QWidget) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self._cache: dict[Key, FirstLook] = {}
        self._wanted: Key = ((), SummaryOptions())
        self._share = 0.0
        # The thread only stores its progress; the timer shows it at a readable rate.
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        self.estimated.connect(self._on_seen)
        self.failed.connect(self._on_not_seen)

    def look_at(self, document_ids: Sequence[int], wish: SummaryOptions) -> None:
        """Request a preview. Only the newest request is answered, at once if it is cached."""
        # Nothing else in a wish changes the sentences.
        key = tuple(document_ids), SummaryOptions(wish.length, wish.form)
        if key == self._wanted and self.is_busy:
            return
        self.stop()
        self._wanted = key
        if key in self._cache:
            self.seen.emit(key[0], self._cache[key])
        elif key[0]:
            self._share = 0.0
            self.start_estimate(lambda cancel: self._app.summaries.first_look(key[0], wish, cancel, self._note_share))
            self._tick.start()

    def stop(self) -> None:
        super().stop()
        self._tick.stop()

    def _note_share(self, share: float) -> None:
        self._share = share

    def _on_tick(self) -> None:
        if not self.is_busy:
            self._tick.stop()
        elif self._share:
            self.moved.emit(self._wanted[0], self._share)

    def _on_seen(self, found: FirstLook) -> None:
        # The oldest entry goes, or an earlier one of the same key, so that this one counts as the newest.
        self._cache.pop(next(iter(self._cache)) if len(self._cache) >= CACHED_PREVIEWS else self._wanted, None)
        self._cache[self._wanted] = found
        self.seen.emit(self._wanted[0], found)

    def _on_not_seen(self, error: BaseException) -> None:
        # Errors of a document are reported by the estimate; here only defects are.
        if not isinstance(error, AppError):
            self._notify.error(error)


class DigestPart(QWidget):
    """Preview widget, filled by `show_look`.

    `opened` carries a `Chip`; `copy_wanted` and `save_wanted` the preview as a `Summary`.
    """

    opened = Signal(object)
    left = Signal()
    """Escape was pressed."""
    copy_wanted = Signal(object)
    save_wanted = Signal(object, QPoint)
    """The `Summary`, and the position for the menu of formats."""
    moved = Signal(QRect)
    """Rectangle in this widget to scroll into view."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._summary: Summary | None = None
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.words.setProperty("kind", "muted")
        self.cancel = text_button(tr(CANCEL), "plain")
        self.look = text_button(tr("Find key sentences"), "plain")
        self.copy = IconButton(theme, "copy", tr("Copy the sentences"), size_px=18)
        self.copy.clicked.connect(lambda: self.copy_wanted.emit(self._summary))
        self.save = text_button(tr("Save…"), "plain")
        self.save.setToolTip(tr("As Markdown, a Word document, a web page, PDF or JSON"))
        self.save.clicked.connect(self._on_save)
        self.sentences = WholeStatementView(theme)
        self.sentences.setAccessibleName(tr("Sentences of the document"))
        self.terms = KeyTerms(theme)
        self._outline_head = QLabel(tr("Outline"))
        self._outline_head.setProperty("kind", "muted")
        self.outline = DigestOutline(theme)
        self._lay_out()
        for part in (self.sentences, self.terms, self.outline):
            part.opened.connect(partial(self._open, part))
            part.left.connect(self.left)
        self.sentences.moved.connect(lambda rect: self.moved.emit(self._here(self.sentences, rect)))
        # New chips are at the end of Qt's tab order.
        self.terms.written.connect(lambda: QWidget.setTabOrder(self.terms.order(self.sentences), self.outline))
        self.terms.moved.connect(lambda rect: self.moved.emit(self._here(self.terms, rect)))
        theme.changed.connect(self._arrange)
        name_widgets(digest_words=self.words, copy_digest=self.copy, save_digest=self.save, digest=self.sentences)
        name_widgets(cancel_digest=self.cancel, look_for_digest=self.look)
        self.hide()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.words, 1)
        for button in (self.cancel, self.look, self.copy, self.save):
            top.addWidget(button)
        self._side = QWidget()
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.addWidget(self.terms)
        outline = QVBoxLayout()
        fill_layout(outline, self._outline_head, self.outline)
        fill_layout(side, outline, 1)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.addWidget(self.sentences, 1, Qt.AlignmentFlag.AlignTop)
        self._row.addWidget(self._side)
        column = QVBoxLayout(self)
        fill_layout(column, top, self._row)
        theme = self._theme
        theme.dress(self.words, font=(13.5, 400))
        theme.dress(self.cancel, self.look, self.save, font=(13.5, 500))
        theme.dress(self._outline_head, font=(13, 600))
        theme.dress(column, margins=(0, 10, 0, 0), spacing=4)
        theme.dress(top, spacing=10)
        theme.dress(side, spacing=16)
        theme.dress(outline, spacing=4)
        self._arrange()

    @property
    def summary(self) -> Summary | None:
        """The preview as a summary; None before there is one."""
        return self._summary

    def show_waiting(self, words: str) -> None:
        """Show a message until the preview is there; "" hides the widget."""
        self._fill(words, None, [], (), ())

    def show_share(self, share: float) -> None:
        """Show progress from 0 to 1. A preview of another length stays visible meanwhile."""
        if self._summary is None:
            self.words.setText(tr(DIGEST_PERCENT, percent=round(share * 100)))
            self.cancel.show()

    def show_cancelled(self) -> None:
        """Say that the preview was cancelled and offer to start it again."""
        # The focused button is about to be hidden.
        had_keyboard = self.cancel.hasFocus()
        self.show_waiting(tr(DIGEST_CANCELLED))
        self.look.show()
        if had_keyboard:
            self.look.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_look(self, look: FirstLook, shown: Sequence[ShownStatement]) -> None:
        """Show a preview; `shown` are its statements with their chips."""
        has_any = bool(shown) or any(overview.terms or overview.headings for overview in look.overviews)
        words = tr(DIGEST_WORDS) if shown else tr("No key sentences found. Here are key words and headings.")
        self._fill(words if has_any else "", look.summary, shown, look.summary.documents, look.overviews)

    def forget_open(self) -> None:
        """Clear the mark on the chip whose source was open."""
        self.sentences.forget_open()
        self.terms.forget_open()

    def show_open(self) -> None:
        """Scroll to the chip whose source is open, which moved as the document panel took some width."""
        if self.terms.open_chip is not None:
            chip = self.terms.open_chip
            self.moved.emit(self._here(chip, chip.rect()))
        elif self.sentences.open_chip is not None:
            self.moved.emit(self._here(self.sentences, self.sentences.place_of(self.sentences.open_chip[0])))

    def _fill(
        self,
        words: str,
        summary: Summary | None,
        shown: Sequence[ShownStatement],
        documents: Sequence[SummarizedDocument],
        overviews: Sequence[DocumentOverview],
    ) -> None:
        self._summary = summary
        self.words.setText(words)
        form = summary.wish.form if summary is not None else SummaryOptions().form
        self.sentences.show_statements(shown, form)
        self.sentences.setVisible(bool(shown))
        self.terms.show_terms(documents, overviews)
        self.outline.show_headings(documents, overviews)
        self._outline_head.setVisible(not self.outline.isHidden())
        for button in (self.copy, self.save):
            button.setVisible(bool(shown))
        for button in (self.cancel, self.look):
            button.hide()
        self._side.setVisible(not (self.terms.isHidden() and self.outline.isHidden()))
        self.setVisible(bool(words))
        self._arrange()

    def _open(self, part: QWidget, chip: Chip) -> None:
        """Open a source and clear the mark of the one before."""
        if part is not self.sentences:
            self.sentences.forget_open()
        if part is not self.terms:
            self.terms.forget_open()
        self.opened.emit(chip)

    def _on_save(self) -> None:
        self.save_wanted.emit(self._summary, self.save.mapToGlobal(QPoint(0, self.save.height())))

    def _here(self, part: QWidget, rect: QRect) -> QRect:
        return QRect(part.mapTo(self, rect.topLeft()), rect.size())

    def _arrange(self) -> None:
        """Put terms and outline next to the sentences if there is room, else below."""
        px = self._theme.px
        is_wide = self.width() >= px(WIDE_PX) and not self.sentences.isHidden()
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)
        self._row.setSpacing(px(28 if is_wide else 18))
        # As good as no limit.
        self._side.setMaximumWidth(px(SIDE_PX) if is_wide else 1 << 20)
        self._side.setMinimumWidth(px(SIDE_PX) if is_wide else 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Enter presses the focused button; the page around it would start the summary.
        buttons = (self.cancel, self.look, self.copy, self.save)
        focused = next((button for button in buttons if button is self.focusWidget()), None)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and focused is not None:
            focused.click()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


# Key terms as chips. A click opens a term's place; further clicks step through its places.


@dataclass(frozen=True)
class _DocumentTerm:
    """A key term with the document that its places are in."""

    term: KeyTerm
    document: SummarizedDocument


class TermChip(QPushButton):
    """Chip of a key term. `wanted` asks for its next place, with Shift for the previous one."""

    wanted = Signal(int)

    def __init__(self, theme: Theme, shown: _DocumentTerm) -> None:
        super().__init__()
        self.term, self._document = shown.term, shown.document
        self.place = -1
        """Index of the place shown; -1 if there is none."""
        self.setProperty("kind", "term")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        theme.dress(self, font=(13, 400))
        self.clicked.connect(lambda: self.wanted.emit(1))
        self._show_term()

    @property
    def chip(self) -> Chip:
        """The chip that opens the term's current place in the document panel."""
        spot = self.term.spots[self.place]
        return Chip(
            self.term.text, self._where(), self._document.id, TextHighlight(spot.block_id, spot.start, spot.end)
        )

    def step(self, by: int) -> None:
        """Go to the next (1) or previous (-1) place, wrapping around."""
        first = self.place < 0
        self.place = (0 if by > 0 else len(self.term.spots) - 1) if first else (self.place + by) % len(self.term.spots)
        self._show_term()
        announce(self, self._where())

    def forget(self) -> None:
        """Remove the mark; the next click continues from the same place."""
        set_mark(self, "on", False)

    def show_open(self) -> None:
        """Mark the chip as the one whose place is open."""
        set_mark(self, "on", True)

    def _where(self) -> str:
        spot, count = self.term.spots[self.place], len(self.term.spots)
        unit = self._document.unit
        where = f"{tr(unit)} {spot.page}" if unit and spot.page else tr("paragraph {number}", number=spot.block_id)
        said = tr("place {number} of {count}, {where}", number=self.place + 1, count=count, where=where)
        return f"{self.term.text}: {said}"

    def _show_term(self) -> None:
        term, count = self.term, len(self.term.spots)
        short = term.text if len(term.text) <= MOST_TERM else term.text[: MOST_TERM - 1].rstrip() + "…"
        number = f"{self.place + 1}/{count}" if self.place >= 0 else f"{term.count:,}"
        # A single "&" would make the next letter the button's key.
        self.setText(f"{short} · {number}".replace("&", "&&") if count > 1 else short.replace("&", "&&"))
        times = tr("1 place") if count == 1 else tr("{count} places", count=count)
        self.setAccessibleName(self._where() if self.place >= 0 else f"{term.text}, {times}")
        marks = [page_mark(self._document.unit, spot.page) for spot in term.spots]
        pages = ", ".join(dict.fromkeys(filter(None, marks)))
        self.setToolTip(plain_tip("\n".join(filter(None, (term.text, term.meaning, pages)))))
        self.setAccessibleDescription(", ".join(filter(None, (tr(dict(KINDS)[term.kind]), term.meaning))))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.wanted.emit(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() in _ARROWS:
            event.ignore()  # a button would move the focus, as Tab does
        else:
            super().keyPressEvent(event)


_ARROWS = (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up)


class KeyTerms(QWidget):
    """Chips of key terms by kind, or by document if there are several. Tab enters the group, arrows move within it."""

    opened = Signal(object)
    left = Signal()
    moved = Signal(QRect)
    """The focus moved to a chip in this rectangle."""
    written = Signal()
    """The chips were replaced."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: list[tuple[str, list[_DocumentTerm]]] = []
        self.chips: list[TermChip] = []
        self.open_chip: TermChip | None = None
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self.setAccessibleName(tr("Key terms"))
        theme.dress(self._rows, spacing=12)

    def show_terms(self, documents: Sequence[SummarizedDocument], overviews: Sequence[DocumentOverview]) -> None:
        """Replace the chips by the terms of these documents."""
        groups: list[tuple[str, list[_DocumentTerm]]] = []
        if len(documents) == 1:
            for kind, word in KINDS:
                groups.append(
                    (tr(word), [_DocumentTerm(term, documents[0]) for term in overviews[0].terms if term.kind is kind])
                )
        else:
            for document, overview in zip(documents, overviews, strict=True):
                terms = [
                    key_term
                    for kind, _ in KINDS
                    for key_term in [term for term in overview.terms if term.kind is kind][:MOST_OF_SEVERAL]
                ]
                groups.append((document.title or document.name, [_DocumentTerm(term, document) for term in terms]))
        self._shown = [(word, terms) for word, terms in groups if terms]
        self._write()
        self.setVisible(bool(self._shown))

    def forget_open(self) -> None:
        """Clear the mark on the chip whose place was open."""
        if self.open_chip is not None:
            self.open_chip.forget()
            self.open_chip = None

    def _write(self) -> None:
        self.forget_open()
        self.chips = []
        while (item := self._rows.takeAt(0)) is not None:
            if (gone := item.widget()) is not None:
                # It would stay visible until the event loop deletes it.
                gone.hide()
                gone.deleteLater()
        for word, terms in self._shown:
            group = QWidget()
            column = QVBoxLayout(group)
            column.setContentsMargins(0, 0, 0, 0)
            self._theme.dress(column, spacing=5)
            head = QLabel(word, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
            head.setProperty("kind", "muted")
            self._theme.dress(head, font=(13, 600))
            column.addWidget(head)
            row = QWidget()
            flow = FlowLayout(row)
            self._theme.dress(flow, spacing=6)
            for shown in terms:
                flow.addWidget(self._new_chip(shown))
            column.addWidget(row)
            self._rows.addWidget(group)
        self._go_on_from(0)
        self.written.emit()

    def _new_chip(self, shown: _DocumentTerm) -> TermChip:
        chip = TermChip(self._theme, shown)
        chip.wanted.connect(lambda by: self._open(chip, by))
        self.chips.append(chip)
        return chip

    def _open(self, chip: TermChip, by: int) -> None:
        self.forget_open()
        chip.step(by)
        chip.show_open()
        self.open_chip = chip
        self.opened.emit(chip.chip)

    def order(self, before: QWidget) -> QWidget:
        """Put the chips after a widget in the tab order and return the last."""
        for chip in self.chips:
            # setTabOrder skips widgets that Tab can't reach, as most chips can't.
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            QWidget.setTabOrder(before, chip)
            before = chip
        self._go_on_from(0)
        return before

    def _go_on_from(self, place: int) -> None:
        """Make one chip the tab stop of the group."""
        for number, chip in enumerate(self.chips):
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus if number == place else Qt.FocusPolicy.NoFocus)

    def _go_to(self, place: int) -> None:
        chip = self.chips[place]
        chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        chip.setFocus(Qt.FocusReason.TabFocusReason)
        self._go_on_from(place)  # last: a widget that becomes unfocusable passes its focus on
        self.moved.emit(QRect(chip.mapTo(self, QPoint(0, 0)), chip.size()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        focus = self.focusWidget()
        at = next((number for number, chip in enumerate(self.chips) if chip is focus), -1)
        last, step = len(self.chips) - 1, step_aside(event, is_rtl=self.isRightToLeft())
        place = min(max(at + step, 0), last) if step else row_after(event, at, last)
        if at >= 0 and place is not None:
            self._go_to(place)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


# Outline: headings as a tree.

_CHIP = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


class DigestOutline(QTreeWidget):
    """Outline of headings. A click or Enter opens a heading's place; arrows expand and collapse."""

    opened = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("outline")
        self.setAccessibleName(tr("Outline"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("elides", True)
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)  # it has a current item only
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.viewport().setAutoFillBackground(False)
        self.itemClicked.connect(self._open)
        for signal in (self.expanded, self.collapsed):
            signal.connect(self._fit_height)
        theme.dress(self, font=(13.5, 400))
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_headings(self, documents: Sequence[SummarizedDocument], overviews: Sequence[DocumentOverview]) -> None:
        """Replace the headings, under the document's name if there are several."""
        self.clear()
        for document, overview in zip(documents, overviews, strict=True):
            root = self.invisibleRootItem()
            if len(documents) > 1 and overview.headings:
                root = self._new_item(
                    root, document.title or document.name, "", Chip("", "", document.id, TextHighlight(1))
                )
            self._add(root, document, overview)
        # Without nested headings, the room for arrows would stay empty.
        self.setRootIsDecorated(any(map(_children, _children(self.invisibleRootItem()))))
        self._open_levels()
        self._on_theme_changed()
        self.setVisible(self.topLevelItemCount() > 0)

    def _open_levels(self) -> None:
        """Expand as many levels as stay readable; at least one under a single title."""
        level = _children(self.invisibleRootItem())
        rows, depth = len(level), 0
        while level:
            level = [child for item in level for child in _children(item)]
            if rows + len(level) > OPEN_ROWS and rows > 1:
                break
            rows, depth = rows + len(level), depth + 1
        self.collapseAll()
        if depth:
            self.expandToDepth(depth - 1)

    def _add(self, root: QTreeWidgetItem, document: SummarizedDocument, overview: DocumentOverview) -> None:
        path: list[tuple[int, QTreeWidgetItem]] = [(0, root)]
        for heading in overview.headings:
            # Levels may be skipped, as from 1 to 3: the parent is the nearest heading above that has a lower one.
            while path[-1][0] >= heading.level:
                path.pop()
            mark = page_mark(document.unit, heading.page)
            chip = Chip(heading.text, heading.text, document.id, TextHighlight(heading.block_id))
            path.append((heading.level, self._new_item(path[-1][1], heading.text, mark, chip)))
        if overview.left_out:
            left = tr("{count} more headings not shown", count=f"{overview.left_out:,}")
            item = self._new_item(root, left, "", None)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)

    def _new_item(self, parent: QTreeWidgetItem, text: str, mark: str, chip: Chip | None) -> QTreeWidgetItem:
        item = QTreeWidgetItem(parent, [text, mark])
        item.setToolTip(0, plain_tip(text))
        item.setData(0, _CHIP, chip)
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, ", ".join(filter(None, (text, mark))))
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        return item

    def _open(self, item: QTreeWidgetItem | None) -> None:
        chip = item.data(0, _CHIP) if item is not None else None
        if chip is not None:
            self.opened.emit(chip)

    def _fit_height(self) -> None:
        """Fit the height to the expanded rows, up to a limit where the list scrolls."""
        rows, item = 0, self.topLevelItem(0)
        # `itemBelow` goes through the expanded rows only.
        while item is not None:
            rows, item = rows + 1, self.itemBelow(item)
        self.setFixedHeight(min(rows * self.sizeHintForRow(0) + 2, self._theme.px(MOST_TREE_PX)) if rows else 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentItem())
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        # Without a current row, arrow keys have nowhere to start from.
        if self.topLevelItemCount() and not self.currentIndex().isValid():
            self.setCurrentIndex(self.model().index(0, 0))

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        # The focus frame spans all columns; Qt's would enclose a single one.
        super().drawRow(painter, option, index)
        item = self.itemFromIndex(index)
        if self.hasFocus() and item is self.currentItem():
            row = self.visualItemRect(item).united(self.visualRect(self.indexFromItem(item, 1)))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self._theme.tokens.focus), 1.5))
            painter.drawRoundedRect(QRectF(row).adjusted(1, 1, -1, -1), self._theme.px(6), self._theme.px(6))

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(SIDE_PX), self.height())

    def _on_theme_changed(self) -> None:
        self.setIndentation(self._theme.px(16))
        muted, item = QColor(self._theme.tokens.muted), self.topLevelItem(0)
        while item is not None:
            item.setForeground(1, muted)
            item = self.itemBelow(item)
        self._fit_height()


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    return [child for number in range(item.childCount()) if (child := item.child(number)) is not None]
