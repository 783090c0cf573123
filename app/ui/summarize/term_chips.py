"""Key terms as chips. A click opens a term's place; further clicks step through its places."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.core.counted_units import unit_name
from app.core.lazy_dataclasses import dataclass
from app.features.document_frames import page_mark
from app.features.shown_document import TextHighlight
from app.features.summarize.key_terms import KeyTerm, TermKind
from app.features.summarize.overview import DocumentOverview
from app.features.summarize.summary_result import SummarizedDocument
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number, join_list
from app.ui.summarize.summary_texts import Chip
from app.ui.text.keyboard_walk import row_after, step_aside
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark
from app.ui.widgets.labels import announce, plain_caption, plain_label, plain_tip
from app.ui.widgets.layouts import FlowLayout

MOST_TERM = 34
KINDS = (
    (TermKind.DEFINED, "Defined"),
    (TermKind.NAME, "Names"),
    (TermKind.NUMBER, "Numbers"),
    (TermKind.DATE, "Dates"),
)
MOST_OF_SEVERAL = 4
"""Terms of a kind per document, if there are several documents."""


@dataclass(frozen=True)
class _DocumentTerm:
    """A key term with the document that its places are in."""

    term: KeyTerm
    document: SummarizedDocument


class TermChip(QPushButton):
    """Chip of a key term. `wanted` asks for its next place, with Shift for the previous one."""

    def __init__(self, theme: Theme, shown: _DocumentTerm, *, open: Callable[[int], object]) -> None:
        super().__init__()
        self.open = open
        self.term, self._document = shown.term, shown.document
        self.place = -1
        """Index of the place shown; -1 if there is none."""
        self.setProperty("kind", "term")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        theme.dress(self, font="small")
        self.clicked.connect(lambda: self.open(1))
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
        where = (
            f"{unit_name(unit)} {spot.page}" if unit and spot.page else tr("paragraph {number}", number=spot.block_id)
        )
        said = tr("place {number} of {count}, {where}", number=self.place + 1, count=count, where=where)
        return f"{self.term.text}: {said}"

    def _show_term(self) -> None:
        term, count = self.term, len(self.term.spots)
        short = term.text if len(term.text) <= MOST_TERM else term.text[: MOST_TERM - 1].rstrip() + "…"
        number = f"{self.place + 1}/{count}" if self.place >= 0 else format_number(term.count)
        self.setText(plain_caption(f"{short} · {number}" if count > 1 else short))
        times = tr_count("1 place", "{count} places", count)
        self.setAccessibleName(self._where() if self.place >= 0 else f"{term.text}, {times}")
        marks = [page_mark(self._document.unit, spot.page) for spot in term.spots]
        pages = join_list(dict.fromkeys(filter(None, marks)))
        self.setToolTip(plain_tip("\n".join(filter(None, (term.text, term.meaning, pages)))))
        self.setAccessibleDescription(join_list((tr(dict(KINDS)[term.kind]), term.meaning)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() in _ARROWS:
            event.ignore()  # a button would move the focus, as Tab does
        else:
            super().keyPressEvent(event)


_ARROWS = (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up)


class KeyTerms(QWidget):
    """Chips of key terms by kind, or by document if there are several. Tab enters the group, arrows move within it."""

    opened = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme, *, on_written: Callable[[], object], on_moved: Callable[[QRect], object]) -> None:
        super().__init__()
        self.on_moved = on_moved
        """The focus moved to a chip in this rectangle."""
        self.on_written = on_written
        """The chips were replaced."""
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
            head = plain_label(word, kind="muted", wraps=True)
            self._theme.dress(head, font="group")
            column.addWidget(head)
            row = QWidget()
            flow = self._theme.dress(FlowLayout(row), spacing=6)
            for shown in terms:
                flow.addWidget(self._new_chip(shown))
            column.addWidget(row)
            self._rows.addWidget(group)
        self._go_on_from(0)
        self.on_written()

    def _new_chip(self, shown: _DocumentTerm) -> TermChip:
        chip = TermChip(self._theme, shown, open=lambda by: self._open(chip, by))
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
        self.on_moved(QRect(chip.mapTo(self, QPoint(0, 0)), chip.size()))

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
