"""What stands at a question beside its words: its documents above it, and below it what the model was shown of them."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtWidgets import QWidget

from app.features.messages import units
from app.store.conversations import Use
from app.store.documents import StoredDocument
from app.ui.chat.branch_documents import BranchDocuments
from app.ui.chat.source_row import SourceRow
from app.ui.document.files import DocumentChip, size_words, spoken_size, tokens_words
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import FlowLayout

GAP_PX = 6


class QuestionDocuments(QObject):
    """Placed by the question's view: `above` first, then `below` once the bubble has its place."""

    place_wanted = Signal(int, object)

    def __init__(self, theme: Theme, turn: QWidget) -> None:
        super().__init__(turn)
        self._theme, self._turn = theme, turn
        self._above: QWidget | None = None
        self._below: list[SourceRow] = []
        self._shown: object = None

    @property
    def chips(self) -> list[DocumentChip]:
        """The documents of the question."""
        return self._above.findChildren(DocumentChip) if self._above is not None else []

    @property
    def rows(self) -> list[SourceRow]:
        """What was shown of them, a row for each."""
        return list(self._below)

    def show_documents(self, documents: BranchDocuments, message_id: int) -> bool:
        """Fills it anew where something changed; whether it did."""
        attached, passages = documents.attached(message_id), documents.passages(message_id)
        shown = (attached, passages)
        if shown == self._shown or (self._shown is None and not attached and not passages):
            return False
        self._shown = shown
        for widget in [self._above, *self._below]:
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._above, self._below = None, []
        if attached:
            self._above = QWidget(self._turn)
            flow = FlowLayout(self._above, is_at_end=True, gap_px=self._theme.px(GAP_PX))
            for one in attached:
                flow.addWidget(self._chip(one.document, one.tokens, is_background=one.attachment.use is Use.BACKGROUND))
            self._above.show()
        for document, places, more in passages:
            row = SourceRow(self._theme, self._turn, is_at_end=True)
            lead = tr("Shown to the model:")
            if len(documents.ids) > 1:
                lead = tr("Shown to the model of {name}:", name=document.name)
            is_all = documents.is_all_shown(document, message_id)
            row.show_places(lead, places, tail_of(document, more, is_all=is_all))
            row.place_wanted.connect(self.place_wanted)
            self._below.append(row)
        return True

    def place_above(self, width: int) -> int:
        """Puts the chips at the top; returns where the bubble begins."""
        flow = self._above.layout() if self._above is not None else None
        if self._above is None or flow is None:
            return 0
        height = flow.heightForWidth(width)
        self._above.setGeometry(0, 0, width, height)
        return height + self._theme.px(GAP_PX)

    def place_below(self, width: int, top: int) -> int:
        """Puts the rows below the bubble; returns where they end."""
        for row in self._below:
            top += self._theme.px(GAP_PX)
            height = row.height_for(width)
            row.setGeometry(QRect(0, top, width, height))
            top += height
        return top

    def _chip(self, document: StoredDocument, tokens: int | None, *, is_background: bool) -> DocumentChip:
        chip = DocumentChip(self._theme, self._above)
        chip.show_name(document.name)
        chip.set_removable(False)
        background = tr("background") if is_background else ""
        chip.show_words(" · ".join(part for part in (size_words(document), background) if part))
        said = (document.name, spoken_size(document), background, tr("attached"))
        chip.setAccessibleName(", ".join(part for part in said if part))
        chip.setToolTip(plain_tip("\n".join(part for part in (document.name, tokens_words(tokens)) if part)))
        chip.clicked.connect(lambda: self.place_wanted.emit(document.id, None))
        return chip


def tail_of(document: StoredDocument, more: int, *, is_all: bool) -> str:
    """What follows the chips: how many places more, and what was not read."""
    words = [tr("and {count} more", count=more)] if more > 0 else []
    if not is_all and document.unit and document.pages:
        words.append(
            tr("only parts of the {pages} were read for this question", pages=units(document.unit, document.pages))
        )
    elif not is_all:
        words.append(tr("only parts were read for this question"))
    return " · ".join(words) if more > 0 else "".join(f"· {one}" for one in words)
