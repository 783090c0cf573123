"""Before the start: the documents, how much there is to read, about how long it takes, and what is wished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.features.messages import sentence_for
from app.features.summaries import Estimate
from app.features.summary.result import Wish
from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.summarize.better_model import BetterModel
from app.ui.summarize.column import Column, scrolled
from app.ui.summarize.draft_files import DraftFiles
from app.ui.summarize.estimating import Estimating
from app.ui.summarize.figures import Figures
from app.ui.summarize.file_chips import FileChips
from app.ui.summarize.foot import Foot
from app.ui.summarize.summary_texts import figures_of
from app.ui.theme import HEADING_PX, TOP_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.document_texts import remarks_words, short_name, tokens_words
from app.ui.widgets.fields import Segments
from app.ui.widgets.file_to_read import FileToRead
from app.ui.widgets.names import name_widgets

if TYPE_CHECKING:
    from app.bootstrap import Fireside

MOST_REMARKS = 3


class DraftPage(QWidget):
    """`started` carries the ids of the documents, the `Wish`, and whether one summary is made of all."""

    started = Signal(list, object, bool)
    changed = Signal()
    """Other documents, or another wish: to be kept."""
    model_wanted = Signal()

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, files: DraftFiles) -> None:
        super().__init__()
        self._theme, self._notify, self._files = theme, notify, files
        self._estimate: Estimate | None = None
        self.is_together = True
        """Whether several documents are to have one summary."""
        self._known: tuple[tuple[int, ...], Wish] | None = None
        self.estimating = Estimating(lambda: app.summaries, self)
        self.estimating.estimated.connect(self._on_estimated)
        self.estimating.failed.connect(self._on_not_estimated)
        self._head = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.chips = FileChips(theme, files)
        self.add_button = text_button(tr("Add documents…"), "quiet")
        self.add_button.setToolTip(tr("Or drop them anywhere in the window"))
        self.add_button.clicked.connect(files.ask)
        self._remarks = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._remarks.setProperty("kind", "muted")
        self.figures = Figures(theme)
        self.time = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.time.setProperty("kind", "muted")
        self.better = BetterModel(app, theme)
        self.better.model_wanted.connect(self.model_wanted)
        choices = (("together", tr("One over all")), ("each", tr("One summary each")))
        self.together = Segments(tr("Several documents"), choices, "together", self._on_together)
        self.foot = Foot(theme, tr("Summarize"))
        self.foot.started.connect(self._on_started)
        self.foot.changed.connect(self._on_wish_changed)
        self._lay_out()
        files.changed.connect(self._on_files)
        files.moved.connect(self.chips.show_progress)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(add_documents=self.add_button)

    def _lay_out(self) -> None:
        self._inner = Column(self._theme, top_px=TOP_PX, bottom_px=12)
        self.chips.add_last(self.add_button)
        rows = self._inner.rows
        for widget in (self._head, self.chips, self._remarks, self.figures, self.time, self.better):
            rows.addWidget(widget)
        rows.addStretch(1)
        self._inner.setObjectName("page")
        self._scroll = scrolled(self._inner)
        segments = QHBoxLayout()
        segments.addWidget(self.together)
        segments.addStretch(1)
        self.foot.rows.insertLayout(0, segments)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._scroll, 1)
        column.addWidget(self.foot)
        self._order()

    def _order(self) -> None:
        """Tab goes through what stands at the foot from its top on."""
        before: QWidget = self.better.download
        for widget in (*self.together.findChildren(QPushButton), self.foot.choices.instruction):
            QWidget.setTabOrder(before, widget)
            before = widget

    def show_wish(self, wish: Wish, *, is_together: bool) -> None:
        """Shows what was wished before."""
        self.foot.choices.show_wish(wish)
        self.is_together = is_together
        self.together.show_value("together" if is_together else "each")

    def look_again(self) -> None:
        """The model may be another one now."""
        self._known = None
        self._on_files()
        self.look_at_model()

    def look_at_model(self) -> None:
        """What speaks against the model is asked anew."""
        self.better.look(self._languages)

    @property
    def ids(self) -> list[int]:
        """The documents that are read."""
        return [one.id for one in self._files.documents]

    @property
    def _languages(self) -> tuple[str, ...]:
        """What is to be read and written, by its codes, as far as it is known."""
        read = [str(one.info.get("language") or "") for one in self._files.documents]
        return tuple(dict.fromkeys(filter(None, [*read, self.foot.wish.language])))

    def _on_files(self) -> None:
        self.better.look_at(self._languages)
        self.chips.show_files(self._files.files, self._tokens())
        self._show_words()
        self._ask()
        self.changed.emit()

    def _on_wish_changed(self) -> None:
        self.better.look_at(self._languages)
        self._ask()
        self.changed.emit()

    def _on_together(self, choice: str) -> None:
        self.is_together = choice == "together"
        self.changed.emit()

    def _ask(self) -> None:
        wanted = (tuple(self.ids), self.foot.wish)
        if wanted == self._known:
            return
        if self._known is not None and wanted[0] != self._known[0]:
            self._estimate = None
        self._known = wanted
        self.estimating.look(*wanted)
        self._show_words()

    def _on_estimated(self, estimate: Estimate) -> None:
        self._estimate = estimate
        self.chips.show_files(self._files.files, self._tokens())
        self._show_words()

    def _on_not_estimated(self, error: BaseException) -> None:
        self._show_words()
        if not isinstance(error, AppError):
            self._notify.error(error)
            return
        self._say(tr(sentence_for(error).text))

    def _tokens(self) -> dict[int, int]:
        if self._estimate is None or len(self._estimate.by_document) != len(self.ids):
            return {}
        return dict(zip(self.ids, self._estimate.by_document, strict=True))

    def _show_words(self) -> None:
        documents, files = self._files.documents, self._files.files
        name = short_name(files[0].name) if len(files) == 1 else tr("{count} documents", count=len(files))
        self._head.setText(tr("Summarize {name}", name=name) if files else "")
        tokens = self._estimate.tokens if self._estimate is not None else None
        self.figures.show_figures(figures_of(documents, self._estimate), tokens_words(tokens))
        words = ""
        if self._files.is_reading:
            words = tr("Reading the documents…")
        elif self.estimating.is_busy and self._estimate is None:
            words = tr("Counting…")
        elif self._estimate is not None and self._estimate.seconds is None:
            words = tr("An estimate of the time comes after the first section.")
        self._say(words)
        told = [one for one in files if one.document is not None and remarks_words(one.document)]
        lines = [_remark_line(one, is_alone=len(files) == 1) for one in told[:MOST_REMARKS]]
        self._remarks.setText("\n".join(lines))
        self._remarks.setVisible(bool(lines))
        self.together.setVisible(len(files) > 1)
        self.foot.button.setEnabled(bool(documents) and not self._files.is_reading)

    def _say(self, words: str) -> None:
        self.time.setText(words)
        self.time.setVisible(bool(words))

    def _on_started(self) -> None:
        self.estimating.stop()
        self.started.emit(self.ids, self.foot.wish, self.is_together or len(self.ids) < 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter starts, wherever in the page the keyboard is, unless it is on something that Enter means itself."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.foot.button.isEnabled():
            self.foot.button.click()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def _on_theme_changed(self) -> None:
        px, theme = self._theme.px, self._theme
        self._head.setFont(theme.font(21, 600))
        self._head.setMinimumHeight(px(HEADING_PX))
        self.chips.setContentsMargins(0, 0, 0, px(4))
        self._remarks.setContentsMargins(0, 0, 0, px(6))
        for label in (self.time, self._remarks):
            label.setFont(theme.font(13.5))
        self.add_button.setFont(theme.font(13.5, 500))
        self.add_button.setIcon(icon("plus", theme.tokens.muted))
        self.add_button.setIconSize(QSize(px(16), px(16)))
        for button in self.together.findChildren(QWidget):
            button.setFont(theme.font(13.5, 500))


def _remark_line(one: FileToRead, *, is_alone: bool) -> str:
    assert one.document is not None
    words = remarks_words(one.document)
    return words if is_alone else f"{short_name(one.name)}: {words}"
