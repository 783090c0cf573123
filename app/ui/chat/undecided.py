"""What can be done with a document that does not fit into the model's memory, as a small list of offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from app.ui.chat.draft_document import DraftDocument
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.document_questions import Offer
from app.ui.widgets.document_words import short_name
from app.ui.widgets.flow_layout import FlowLayout


class Undecided(QFrame):
    """Shows the first of the documents that wait for a decision; hidden without one."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.offers: list[Offer] = []
        """Other parts of the program may add theirs."""
        self.for_all: Callable[[], object] = lambda: None
        """Uses everything that waits as background."""
        self._shown: tuple[object, ...] = ()
        self.setObjectName("undecided")
        self._words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._about = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._about.setText(tr("As background, the passages that fit each question best are shown to the model."))
        self._about.setProperty("kind", "muted")
        self._buttons = QWidget()
        self._flow = FlowLayout(self._buttons)
        self._column = QVBoxLayout(self)
        for widget in (self._words, self._about):
            self._column.addWidget(widget)
        self._column.addSpacing(theme.px(4))
        self._column.addWidget(self._buttons)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def text(self) -> str:
        """What is said; "" when nothing waits."""
        return self._words.text() if not self.isHidden() else ""

    def show_documents(self, waiting: Sequence[DraftDocument]) -> None:
        """The documents that wait for a decision, in their order."""
        first = waiting[0] if waiting else None
        fit = first.fit if first is not None else None
        shown = (first, fit, len(waiting))
        if shown == self._shown:
            return
        self._shown = shown
        self.setVisible(fit is not None)
        self._flow.clear()
        if first is None or fit is None:
            return
        said = tr(
            "{name} does not fit: {tokens} tokens, room for {room}.",
            name=short_name(first.name), tokens=f"{fit.tokens:,}", room=f"{fit.room_tokens:,}",
        )  # fmt: skip
        if len(waiting) > 1:
            said = f"{said} {tr('{count} more wait for a decision.', count=len(waiting) - 1)}"
        self._words.setText(said)
        self.setAccessibleName(said)
        for number, offer in enumerate(one for one in self.offers if one.serves(first)):
            self._add(offer.label, partial(offer.do, first), is_first=number == 0)
        if len(waiting) > 1:
            self._add(tr("Use all {count} as background", count=len(waiting)), self.for_all, is_first=False)

    def _add(self, label: str, do: Callable[[], object], *, is_first: bool) -> None:
        button = text_button(label, "plain" if is_first else "quiet")
        button.setFont(self._theme.font(13, 500))
        button.setAccessibleDescription(self._words.text())
        button.setToolTip(self._about.text() if is_first else "")
        button.clicked.connect(lambda _=False: do())
        self._flow.addWidget(button)
        button.show()

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(px(12), px(10), px(12), px(10))
        self._column.setSpacing(px(4))
        self._flow.gap_px = px(6)
        self._words.setFont(self._theme.font(13.5, 500))
        self._about.setFont(self._theme.font(13))
        for button in self._buttons.findChildren(QWidget):
            button.setFont(self._theme.font(13, 500))
