"""Said once of documents that are too long to be shown to the model whole, with what reads all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from app.ui.chat.draft_document import DraftDocument
from app.ui.document.files import Offer, short_name
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.layouts import FlowLayout


class TooLong(QFrame):
    """Nothing has to be decided here: the documents are background already; hidden without any."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.offers: list[Offer] = []
        """What can be done with all of those that an offer serves, one after the other."""
        self._shown: tuple[object, ...] = ()
        self.setObjectName("too_long")
        self._words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._words.setProperty("kind", "muted")
        self._buttons = QWidget()
        self._flow = FlowLayout(self._buttons)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._words)
        self._column.addWidget(self._buttons)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def text(self) -> str:
        """What is said; "" when every document is shown whole."""
        return self._words.text() if not self.isHidden() else ""

    def show_documents(self, documents: Sequence[DraftDocument]) -> None:
        """The documents that became background by themselves, in their order."""
        shown = tuple((one, one.fit) for one in documents)
        if shown == self._shown:
            return
        self._shown = shown
        self._flow.clear()
        self.setVisible(bool(documents))
        if not documents:
            return
        if len(documents) == 1:
            said = tr(
                "{name} is too long to be shown to the model whole: each question gets the passages that fit it best.",
                name=short_name(documents[0].name),
            )
        else:
            said = tr(
                "{count} documents do not fit whole: each question gets the passages of them that fit it best.",
                count=len(documents),
            )
        self._words.setText(said)
        self.setAccessibleName(said)
        for number, offer in enumerate(self.offers):
            served = [one for one in documents if offer.serves(one)]
            if len(served) == len(documents):
                self._add(offer.label, partial(_each, offer.do, served), is_first=number == 0)

    def _add(self, label: str, do: Callable[[], object], *, is_first: bool) -> None:
        button = text_button(label, "plain" if is_first else "quiet")
        button.setFont(self._theme.font(13, 500))
        button.setAccessibleDescription(self._words.text())
        button.clicked.connect(lambda _=False: do())
        self._flow.addWidget(button)
        button.show()

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(px(12), px(8), px(12), px(10))
        self._column.setSpacing(px(6))
        self._flow.gap_px = px(6)
        self._words.setFont(self._theme.font(13))
        for button in self._buttons.findChildren(QWidget):
            button.setFont(self._theme.font(13, 500))


def _each(do: Callable[[DraftDocument], object], documents: Sequence[DraftDocument]) -> None:
    for one in documents:
        do(one)
