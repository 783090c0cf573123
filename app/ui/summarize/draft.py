"""Page before a summary starts: drop zone, documents, reading estimate, suggestion of a better model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.core.paths import starter_model
from app.features.files_to_read import FileToRead, Stage, part_of
from app.features.summarize.summaries import Estimate
from app.features.summarize.summary_result import Method, SummaryOptions
from app.language.language_names import english_name
from app.store.document_store import StoredDocument
from app.ui.document.document_card import RING_REASONS
from app.ui.document.document_files import (
    DocumentChip,
    FileAction,
    remarks_words,
    short_name,
    size_words,
    spoken_size,
    tokens_words,
)
from app.ui.i18n import sentence_for, tr
from app.ui.shared_labels import (
    CHOOSE_PAGES,
    COUNTING,
    DOCUMENT_COUNT,
    DOCUMENTS_LABEL,
    DOWNLOAD,
    OPEN,
    OTHER_MODELS,
    REMOVE,
    STARTER_WARNING,
    SUMMARIZE,
    WAITS_LABEL,
)
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words, model_name
from app.ui.shell.notify import Notify
from app.ui.summarize.digest_page import DigestPart
from app.ui.summarize.summary_texts import figures_of
from app.ui.summarize.wish import SummaryFooter
from app.ui.theme import HEADING_PX, TOP_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import DOCUMENTS, file_dialog
from app.ui.widgets.input_fields import SegmentedControl
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import FlowLayout, name_widgets, scrolled
from app.ui.work.doing import Estimating
from app.ui.work.intake import Intake
from app.ui.work.job_tab import TabColumn
from app.ui.work.picture_reading import PicturesLine

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.model_messages import MessageTemplate
    from app.ui.shell.picture_reading import PictureReading

DIGEST_BEGINS = "Finding key sentences…"
DROP_DOCUMENTS_HERE = "Drop documents or folders here"
ONE_SUMMARY_EACH = "One summary each"
KEEP_SENTENCES = "Keep these sentences"
ADD_DOCUMENTS = "Add documents…"
NOT_MADE_FOR = "{model} isn’t made for {languages}."
CHOOSE_DOCUMENTS = "Choose documents to summarize"


MOST_REMARKS = 3


class SummaryDraftPage(QWidget):
    """Set up a summary.

    `started` carries the document ids, the `SummaryOptions`, and whether one summary is made of all documents.
    `look_at` is called with documents and options to estimate them without a model.
    """

    started = Signal(list, object, bool)
    changed = Signal()
    """Documents or options changed and should be saved."""
    model_wanted = Signal()

    def __init__(
        self,
        app: Fireside,
        theme: Theme,
        notify: Notify,
        files: DraftFiles,
        look_at: Callable[[list[int], SummaryOptions], None],
    ) -> None:
        super().__init__()
        self._theme, self._notify, self._files, self._summaries = theme, notify, files, app.summaries
        self._preview = look_at
        self._previewed: tuple[list[int], SummaryOptions] = ([], SummaryOptions())
        self._cancelled_ids: list[int] = []
        """Documents whose preview was cancelled; it only restarts on request."""
        self._estimate: Estimate | None = None
        self.is_together = True
        """True to make one summary of all documents."""
        self._estimated: tuple[tuple[int, ...], SummaryOptions] | None = None
        self.estimating = Estimating(self)
        self.estimating.estimated.connect(self._on_estimated)
        self.estimating.failed.connect(self._on_not_estimated)
        self._head = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.chips = FileChips(theme, files)
        self.add_button = text_button(tr(ADD_DOCUMENTS), "quiet")
        self.add_button.setToolTip(tr("Or drop them anywhere in the window"))
        self.add_button.clicked.connect(files.ask)
        self._remarks = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._remarks.setProperty("kind", "muted")
        self.pictures = PicturesLine(theme)
        self.pictures.models_wanted.connect(self.model_wanted)
        if files.pictures is not None:
            self.pictures.watch(files.pictures)
        self.figures = Figures(theme)
        self.time = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.time.setProperty("kind", "muted")
        self.better = BetterModel(app, theme)
        self.better.model_wanted.connect(self.model_wanted)
        self.digest = DigestPart(theme)
        self.digest.moved.connect(self._bring_into_view)
        self.digest.cancel_wanted.connect(self._on_looking_cancelled)
        self.digest.look_wanted.connect(self._on_look_wanted)
        choices = (("together", tr("One for all")), ("each", tr(ONE_SUMMARY_EACH)))
        self.together = SegmentedControl(tr("Several documents"), choices, "together", self._on_together)
        self.foot = SummaryFooter(theme, tr(SUMMARIZE), tr(KEEP_SENTENCES))
        self.foot.started.connect(lambda: self._start(self.foot.wish))
        self.foot.anyway_started.connect(lambda: self._start(replace(self.foot.wish, method=Method.MODEL)))
        self.foot.changed.connect(self._on_wish_changed)
        self._lay_out()
        files.changed.connect(self._on_files)
        files.moved.connect(self.chips.show_progress)
        name_widgets(add_documents=self.add_button)

    def _lay_out(self) -> None:
        self._inner = TabColumn(self._theme, top_px=TOP_PX, bottom_px=12)
        self.chips.add_last(self.add_button)
        rows = self._inner.rows
        remarks = (self._remarks, self.pictures)
        for widget in (self._head, self.chips, *remarks, self.figures, self.time, self.better, self.digest):
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
        theme = self._theme
        theme.dress(self._head, font=(21, 600), least_height=HEADING_PX)
        theme.dress(self.chips, margins=(0, 0, 0, 4))
        theme.dress(self._remarks, margins=(0, 0, 0, 6))
        theme.dress(self.time, self._remarks, font=(13.5, 400))
        theme.dress(self.add_button, font=(13.5, 500), glyph=("plus", "muted", 16))
        theme.dress(*self.together.findChildren(QPushButton), font=(13.5, 500))
        self._order()

    def _order(self) -> None:
        """Set the tab order of the controls at the foot, top to bottom."""
        before: QWidget = self.digest.outline
        for widget in (*self.together.findChildren(QPushButton), self.foot.choices.instruction):
            QWidget.setTabOrder(before, widget)
            before = widget

    def show_wish(self, wish: SummaryOptions, *, is_together: bool) -> None:
        """Restore saved options, and whether one summary is made of all documents."""
        self.foot.choices.show_wish(wish)
        self.is_together = is_together
        self.together.show_value("together" if is_together else "each")

    def refresh_estimates(self) -> None:
        """Repeat the estimate and the model check, because the model may have changed."""
        self._estimated, self._previewed = None, ([], SummaryOptions())
        self._on_files()
        self.check_model()

    def check_model(self) -> None:
        """Re-check on a thread whether the selected model suits the documents."""
        self.better.find_better(self._languages, self.ids)

    @property
    def ids(self) -> list[int]:
        return [document.id for document in self._files.documents]

    @property
    def groups(self) -> list[list[int]]:
        """Document ids of each summary to be made: one list, or a list per document."""
        return [self.ids] if self.is_together else [[number] for number in self.ids]

    @property
    def _languages(self) -> tuple[str, ...]:
        """Known language codes of the documents and of the summary."""
        read = [str(document.info.get("language") or "") for document in self._files.documents]
        return tuple(dict.fromkeys(filter(None, [*read, self.foot.wish.language])))

    def _on_files(self) -> None:
        self.better.look_at(self._languages, self.ids)
        self.chips.show_files(self._files.files, self._tokens())
        self.pictures.show_documents(self._files.documents)
        self._show_words()
        self._preview_draft()
        self._start_estimate()
        self.changed.emit()

    def _on_wish_changed(self) -> None:
        self.better.look_at(self._languages, self.ids)
        self._preview_draft()
        self._start_estimate()
        self.changed.emit()

    def _preview_draft(self) -> None:
        """Estimate the documents, unless nothing changed since.

        The last estimate stays visible until documents of another length replace it.
        """
        before, wanted = self._previewed, (self.ids, self.foot.wish)
        if wanted == before or self._files.are_pictures_read:
            # When its pages have been read, another document with more text takes its place.
            return
        self._previewed = wanted
        if wanted[0] and wanted[0] == self._cancelled_ids:
            return
        self._cancelled_ids = []
        if wanted[0] != before[0]:
            self.digest.show_waiting(tr(DIGEST_BEGINS) if wanted[0] else "")
        if wanted[0]:
            self._preview(*wanted)

    def _on_looking_cancelled(self) -> None:
        self._cancelled_ids = self.ids
        self.digest.show_cancelled()

    def _on_look_wanted(self) -> None:
        self._cancelled_ids, self._previewed = [], ([], SummaryOptions())
        self._preview_draft()

    def show_share(self, document_ids: tuple[int, ...], share: float) -> None:
        """Show the progress of an estimate, from 0 to 1, if it is for the current documents."""
        if list(document_ids) == self.ids:
            self.digest.show_share(share)

    def _bring_into_view(self, rect: QRect) -> None:
        """Scroll to a part of the preview; to its top if it is higher than the page."""
        top = self.digest.mapTo(self._inner, rect.topLeft())
        margin, bar = self._theme.px(12), self._scroll.verticalScrollBar()
        page = self._scroll.viewport().height()
        if top.y() < bar.value() or rect.height() > page:
            bar.setValue(top.y() - margin)
        elif top.y() + rect.height() > bar.value() + page:
            bar.setValue(top.y() + rect.height() - page + margin)

    def _on_together(self, choice: str) -> None:
        self.is_together = choice == "together"
        self.changed.emit()

    def _start_estimate(self) -> None:
        wanted = (tuple(self.ids), self.foot.wish)
        if wanted == self._estimated or self._files.are_pictures_read:
            return
        # Other options keep the last figures until new ones are there; other documents don't.
        if self._estimated is not None and wanted[0] != self._estimated[0]:
            self._estimate = None
        self._estimated = wanted
        ids, wish = wanted
        if ids:
            self.estimating.start_estimate(lambda cancel: self._summaries.estimate(ids, wish, cancel))
        else:
            self.estimating.stop()
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
        self._show_time(tr(sentence_for(error).text))

    def _tokens(self) -> dict[int, int]:
        # The estimate is for an earlier choice of documents.
        if self._estimate is None or len(self._estimate.by_document) != len(self.ids):
            return {}
        return dict(zip(self.ids, self._estimate.by_document, strict=True))

    def _show_words(self) -> None:
        documents, files = self._files.documents, self._files.files
        name = short_name(files[0].name) if len(files) == 1 else tr(DOCUMENT_COUNT, count=len(files))
        self._head.setText(tr("Summarize {name}", name=name) if files else "")
        tokens = self._estimate.tokens if self._estimate is not None else None
        self.figures.show_figures(figures_of(documents, self._estimate), tokens_words(tokens))
        words = ""
        if self._files.is_reading:
            words = tr("Reading the documents…")
        elif self.estimating.is_busy and self._estimate is None:
            words = tr(COUNTING)
        elif self._estimate is not None and self._estimate.seconds is None:
            words = tr("A time estimate appears after the first section.")
        self._show_time(words)
        remarked = [file for file in files if file.document is not None and remarks_words(file.document)]
        lines = [_remark_line(file, is_alone=len(files) == 1) for file in remarked[:MOST_REMARKS]]
        self._remarks.setText("\n".join(lines))
        self._remarks.setVisible(bool(lines))
        self.together.setVisible(len(files) > 1)
        for button in (self.foot.button, self.foot.anyway):
            button.setEnabled(bool(documents) and not self._files.is_reading)

    def _show_time(self, words: str) -> None:
        self.time.setText(words)
        self.time.setVisible(bool(words))

    def _start(self, wish: SummaryOptions) -> None:
        self.estimating.stop()
        # With one document the switch is hidden, and what it says must not matter.
        self.started.emit(self.ids, wish, self.is_together or len(self.ids) < 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Start on Enter wherever the focus is; widgets that use Enter themselves consume it before."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.foot.button.isEnabled():
            self.foot.button.click()
        else:
            super().keyPressEvent(event)


def _remark_line(file: FileToRead, *, is_alone: bool) -> str:
    assert file.document is not None
    words = remarks_words(file.document)
    return words if is_alone else f"{short_name(file.name)}: {words}"


# Summarize tab without documents: a large drop zone.


class EmptyPage(QWidget):
    """Introduction and drop zone, shown while there are no documents to summarize."""

    def __init__(self, app: Fireside, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._head = QLabel(tr("What would you like summarized?"), wordWrap=True)
        self._words = QLabel(
            tr("Reads every page and links each statement to the sentence it’s based on."), wordWrap=True
        )
        self._words.setProperty("kind", "muted")
        self.zone = SummaryDropZone(theme)
        self.better = BetterModel(app, theme)
        inside = TabColumn(theme, top_px=TOP_PX, bottom_px=20)
        inside.setObjectName("page")
        for widget in (self._head, self._words):
            inside.rows.addWidget(widget)
        inside.rows.addWidget(self.zone, 1)
        inside.rows.addWidget(self.better)
        inside.rows.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolled(inside))
        theme.dress(self._head, font=(21, 600), least_height=HEADING_PX)
        theme.dress(self._words, font=(14, 400), margins=(0, 0, 0, 6))
        name_widgets(empty_head=self._head)


# Large drop zone; by keyboard, Enter chooses files and Ctrl+V pastes them.


ICON_PX = 44
LEAST_PX, MOST_PX = 250, 360


class SummaryDropZone(QFrame):
    """Visual drop target. The window takes the drops; this only invites them."""

    files_wanted = Signal()
    folder_wanted = Signal()
    pasted = Signal(list)
    """Paths of files pasted from the clipboard."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._has_ring = False
        self.setObjectName("drop_zone")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._head = QLabel(tr(DROP_DOCUMENTS_HERE), alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._formats = QLabel(
            tr("PDF, Word, PowerPoint, Excel, OpenDocument, e-books, web pages, e-mails, Markdown and plain text"),
            alignment=Qt.AlignmentFlag.AlignCenter,
            wordWrap=True,
        )
        self._formats.setProperty("kind", "muted")
        self.setAccessibleName(tr("Drop documents or folders here, or press Enter to choose files"))
        self.setAccessibleDescription(self._formats.text())
        self.browse = text_button(tr("Browse…"), "primary")
        self.browse.clicked.connect(self.files_wanted)
        self.folder = text_button(tr("Choose a folder…"), "plain")
        self.folder.clicked.connect(self.folder_wanted)
        self._lay_out()
        name_widgets(browse=self.browse)

    def _lay_out(self) -> None:
        buttons, column, theme = QHBoxLayout(), QVBoxLayout(self), self._theme
        buttons.addStretch(1)
        buttons.addWidget(self.browse)
        buttons.addWidget(self.folder)
        buttons.addStretch(1)
        column.addStretch(1)
        for widget in (self._icon, self._head, self._formats):
            column.addWidget(widget)
        column.addLayout(buttons)
        column.addStretch(1)
        theme.dress(self._icon, picture=("files", "accent", ICON_PX))
        theme.dress(self._head, font=(17, 600))
        theme.dress(self._formats, font=(13.5, 400))
        theme.dress(self.browse, self.folder, font=(14, 500))
        theme.dress(column, margins=(24, 28, 24, 28), spacing=8)
        theme.dress(buttons, margins=(0, 12, 0, 0), spacing=8)
        theme.dress(self, least_height=LEAST_PX, most_height=MOST_PX)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px, painter = self._theme.tokens, self._theme.px, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(tokens.surface))
        if self._has_ring:
            painter.setPen(QPen(QColor(tokens.focus), 2))
        else:
            painter.setPen(QPen(QColor(tokens.outline), 1.4, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), px(12), px(12))

    def focusInEvent(self, event: QFocusEvent) -> None:
        # After a click nobody needs to see where the focus is.
        self._has_ring = event.reason() in RING_REASONS
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._has_ring = False
        super().focusOutEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.files_wanted.emit()
        elif event.matches(QKeySequence.StandardKey.Paste):
            urls = QGuiApplication.clipboard().mimeData().urls()
            self.pasted.emit([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.files_wanted.emit()


# Amount of reading as a few large numbers with labels.


VALUE_PX, WORD_PX = 20, 13


class Figures(QFrame):
    """Numbers with labels, wrapped into rows; read as one text by screen readers."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[tuple[str, str], ...] = ()
        self.setProperty("kind", "card")
        self.setObjectName("figures")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._cells = QWidget()
        self._flow = FlowLayout(self._cells)
        column = QVBoxLayout(self)
        column.addWidget(self._cells)
        theme.dress(column, margins=(20, 14, 20, 14))
        theme.dress(self._flow, spacing=40)
        theme.changed.connect(self._fit_lines)
        self._fit_lines()
        self.hide()

    @property
    def text(self) -> str:
        return ", ".join(f"{value} {word}" for value, word in self._shown)

    def show_figures(self, figures: Sequence[tuple[str, str]], tip: str = "") -> None:
        """Show (number, label) pairs, with `tip` as tooltip; hide if there are none."""
        self.setToolTip(plain_tip(tip) if tip else "")
        self.setAccessibleDescription(tip)
        if tuple(figures) == self._shown:
            return
        self._shown = tuple(figures)
        self._write()
        self.setAccessibleName(self.text)
        self.setVisible(bool(figures))

    def _write(self) -> None:
        self._flow.clear()
        for value, word in self._shown:
            cell = QWidget()
            column = QVBoxLayout(cell)
            column.setContentsMargins(0, 0, 0, 0)
            self._theme.dress(column, spacing=1)
            for text, size, weight in ((value, VALUE_PX, 600), (word, WORD_PX, 400)):
                label = QLabel(text, textFormat=Qt.TextFormat.PlainText)
                self._theme.dress(label, font=(size, weight))
                if size == WORD_PX:
                    label.setProperty("kind", "muted")
                column.addWidget(label)
            self._flow.addWidget(cell)
            # At once: a layout shows what it is given only when the event loop runs again.
            cell.show()

    def _fit_lines(self) -> None:
        self._flow.line_gap_px = self._theme.px(10)


# Documents of the draft, a chip each.


class FileChips(QWidget):
    """Chips of the chosen files, wrapped into rows; Delete removes one."""

    def __init__(self, theme: Theme, files: DraftFiles) -> None:
        super().__init__()
        self._theme, self._files = theme, files
        self._chips: dict[FileToRead, DocumentChip] = {}
        self._tokens: Mapping[int, int] = {}
        self._last: QWidget | None = None
        self._flow = FlowLayout(self)
        self.setAccessibleName(tr(DOCUMENTS_LABEL))
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.dress(self._flow, spacing=8)

    def add_last(self, widget: QWidget) -> None:
        """Place a widget after the last chip, also when chips come and go."""
        self._last = widget
        self._flow.addWidget(widget)

    @property
    def chips(self) -> list[DocumentChip]:
        return list(self._chips.values())

    def show_files(self, files: Sequence[FileToRead], tokens: Mapping[int, int]) -> None:
        """Show files in order, with token counts of documents where known."""
        self._tokens = tokens
        if list(self._chips) != list(files):
            for gone in [to_read for to_read in self._chips if to_read not in files]:
                self._take_out(self._chips.pop(gone))
            # Chips of files that remain are used again, so that they keep the focus.
            self._chips = {file: self._chips.get(file) or self._new_chip(file) for file in files}
            for chip in self._chips.values():  # in order
                self._flow.removeWidget(chip)
                self._flow.addWidget(chip)
            if self._last is not None:
                self._flow.removeWidget(self._last)
                self._flow.addWidget(self._last)
            self._order()
        for file in files:
            self.show_progress(file)

    def show_progress(self, file: FileToRead) -> None:
        chip = self._chips.get(file)
        if chip is None:
            return
        if file.stage is Stage.FAILED:
            chip.show_error(file.error)
        elif file.stage is Stage.READING:
            chip.show_progress(file.page, file.pages)
        elif file.stage is Stage.LOCKED:
            chip.show_words(tr("needs a password"))
        elif file.document is None:
            chip.show_words(tr(WAITS_LABEL))
        else:
            tokens = self._tokens.get(file.document.id)
            chip.show_words(size_words(file.document))
            said = (file.name, spoken_size(file.document))
            chip.setAccessibleName(", ".join(part for part in said if part))
            remarks = remarks_words(file.document)
            chip.setAccessibleDescription(remarks)
            chip.setToolTip(plain_tip("\n".join(part for part in (file.name, tokens_words(tokens), remarks) if part)))

    def _new_chip(self, file: FileToRead) -> DocumentChip:
        chip = DocumentChip(self._theme)
        chip.show_name(file.name)
        chip.set_removable(True)
        chip.clicked.connect(lambda: self._open(file))
        chip.remove_wanted.connect(lambda: self._remove(file))
        chip.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chip.customContextMenuRequested.connect(lambda at: self._files.show_menu(file, chip.mapToGlobal(at)))
        self._flow.addWidget(chip)
        chip.show()
        return chip

    def _order(self) -> None:
        """Set the tab order: each chip, then its remove button."""
        # Qt's own order is that of creation, which reused chips don't follow.
        before: QWidget = self
        for chip in self._chips.values():
            for widget in (chip, chip.remove):
                QWidget.setTabOrder(before, widget)
                before = widget
        if self._last is not None:
            QWidget.setTabOrder(before, self._last)

    def _take_out(self, chip: DocumentChip) -> None:
        self._flow.removeWidget(chip)
        # It would stay visible until its deletion, which the event loop does.
        chip.hide()
        chip.deleteLater()

    def _open(self, file: FileToRead) -> None:
        if file.document is not None:
            self._files.opened.emit(file.document.id)
        elif file.error:
            self._files.explain(file)

    def _remove(self, file: FileToRead) -> None:
        """Remove a file; the focus moves to the next chip."""
        # Before the chip goes, as its place is where the focus stays.
        places = list(self._chips)
        had_focus = self.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        place = places.index(file) if file in places else 0
        self._files.take_out(file)
        if had_focus and self._chips:
            self.chips[min(place, len(self._chips) - 1)].setFocus(Qt.FocusReason.OtherFocusReason)


# Offer of a better model, if the current one is the starter or doesn't know the languages.


class BetterModel(QFrame):
    """Offer of a more suitable model, hidden if there is none. `model_wanted` asks to show the models page."""

    model_wanted = Signal()

    def __init__(self, app: Fireside, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self.setProperty("kind", "card")
        self.setObjectName("better_model")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._languages: tuple[str, ...] = ()
        self._ids: tuple[int, ...] = ()
        self._task: tasks.BackgroundTask | None = None
        self._what = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._offer = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._offer.setProperty("kind", "muted")
        self.download = text_button(tr(DOWNLOAD), "plain")
        self.download.clicked.connect(self.model_wanted)
        words, row = QVBoxLayout(), QHBoxLayout(self)
        words.addWidget(self._what)
        words.addWidget(self._offer)
        row.addLayout(words, 1)
        row.addWidget(self.download)
        theme.dress(row, margins=(16, 12, 12, 12), spacing=12)
        theme.dress(words, spacing=2)
        theme.dress(self._what, self.download, font=(14, 500))
        theme.dress(self._offer, font=(13, 400))
        self.hide()
        name_widgets(better_download=self.download)

    def find_better(self, languages: Sequence[str] = (), document_ids: Sequence[int] = ()) -> None:
        """Check on a thread whether the tab's model supports the languages, and offer one that suits them and the
        length of the documents.
        """
        self._languages, self._ids = tuple(languages), tuple(document_ids)
        if self._task is not None:
            self._task.abandon()
        self._task = tasks.run(self._work, self)
        self._task.event.connect(lambda found: self._show(*found))
        self._task.failed.connect(_on_failed)

    def look_at(self, languages: Sequence[str], document_ids: Sequence[int]) -> None:
        """Call `find_better` if languages or documents changed since the last call."""
        if (tuple(languages), tuple(document_ids)) != (self._languages, self._ids):
            self.find_better(languages, document_ids)

    def _work(self, _cancel: CancelToken) -> Iterator[tuple[str, MessageTemplate | None]]:
        from app.features.summarize.summary_result import not_made_for  # it reads model headers, not needed at start

        models = self._app.models
        model = models.for_task("summarize") or self._app.model_path()
        missing = not_made_for(model, self._languages) if model is not None else ()
        is_starter = model == starter_model()
        said = tr(STARTER_WARNING) if is_starter else ""
        if missing and model is not None:
            names = tr(" and ").join(tr(english_name(code)) for code in missing)
            said = tr(NOT_MADE_FOR, model=model_name(model), languages=names)
            said = f"{said} {tr('The summary may not be useful.')}"
        is_long = is_starter and self._is_long()
        offer = models.offer_for("summarize", of_long=is_long) if is_starter else None
        yield said, offer.words_for("summarize") if offer is not None else None

    def _is_long(self) -> bool:
        try:
            return bool(self._ids) and not self._app.summaries.are_short(self._ids)
        except AppError:  # errors of a document are reported by the estimate
            return False

    def _show(self, said: str, words: MessageTemplate | None) -> None:
        self._what.setText(said)
        self._offer.setText(in_words(words) if words is not None else "")
        self._offer.setVisible(words is not None)
        self.download.setText(tr(DOWNLOAD) if words is not None else tr(OTHER_MODELS))
        self.download.setAccessibleName(self.download.text())
        self.setAccessibleName(" ".join(text for text in (said, self._offer.text()) if text))
        self.setVisible(bool(said))


def _on_failed(error: BaseException) -> None:
    # The offer was not asked for, so a failed look-up isn't reported; only defects are raised.
    if not isinstance(error, AppError):
        raise error


# Files of the draft: taken in, read, and read before.


class DraftFiles(Intake):
    """Files of the draft and the actions on them."""

    opened = Signal(int)
    """Carries the id of a document to show."""

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, window: QWidget, pictures: PictureReading | None = None
    ) -> None:
        documents = app.documents
        super().__init__(
            lambda file, cancel: documents.read_file(file.path, cancel, password=file.password, part=file.part),
            theme,
            notify,
            window,
        )
        self._documents, self._window, self.pictures = documents, window, pictures
        if pictures is not None:
            self.read.connect(lambda file: pictures.begin_by_itself(file.document))
            pictures.renewed.connect(self._on_renewed)
            pictures.changed.connect(self.changed)
        self.refused.connect(self.remove)
        self.questions.files_chosen.connect(self.add)

    @property
    def is_reading(self) -> bool:
        return super().is_reading or self.are_pictures_read

    @property
    def are_pictures_read(self) -> bool:
        """True while text recognition may still add pages to a document."""
        return self.pictures is not None and any(map(self.pictures.is_reading, self.documents))

    @property
    def documents(self) -> list[StoredDocument]:
        return [file.document for file in self.files if file.document is not None and file.stage is Stage.READ]

    def _on_renewed(self, earlier_id: int, document_id: int) -> None:
        """Replace a document by its newer version, of which more pages were read."""
        for file in self.files:
            if file.document is not None and file.document.id == earlier_id:
                file.document = self._document(document_id) or file.document
        self.changed.emit()

    def take_out(self, file: FileToRead) -> None:
        """Remove a file and offer Undo, which reads a finished file not again."""
        self.remove(file)
        self._notify.undo(tr("Left out {name}.", name=file.name), lambda: self._put_back(file))

    def _put_back(self, file: FileToRead) -> None:
        """Undo a removal: restore the file with its chosen part, without reading it again."""
        if file.stage is not Stage.READ:
            self.add_wanted(file.with_part(file.part))
        elif not self._is_here_already(file):
            self.files.append(file)
            self.changed.emit()

    def ask(self) -> None:
        self.questions.ask_for_files(tr(CHOOSE_DOCUMENTS))

    def ask_for_folder(self, take: Callable[[list[str]], object]) -> None:
        """Open the folder dialog and pass the choice to `take`."""
        dialog = file_dialog(self._window, tr("Choose a folder to summarize"), DOCUMENTS)
        dialog.setObjectName("folder_dialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.filesSelected.connect(take)
        dialog.open()

    def add_documents(self, ids: Sequence[int]) -> None:
        """Add documents already in the library; skip ids that no longer exist."""
        here = {file.document.id for file in self.files if file.document is not None}
        for number in ids:
            document = self._document(number) if number not in here else None
            # Again, as the newest version may be here where the one asked for is not.
            if document is not None and document.id not in here:
                file = FileToRead(document.path, part_of(document), stage=Stage.READ)
                file.document = document
                self.files.append(file)
        self.changed.emit()

    def clear(self) -> None:
        for file in list(self.files):
            self.drop(file)

    def show_menu(self, file: FileToRead, at: QPoint) -> None:
        if file.document is None:
            return
        open_it: Callable[[FileToRead], object] = lambda _one: self.opened.emit(file.document.id)  # type: ignore[union-attr]  # noqa: E731
        offers = [
            FileAction(tr(OPEN), open_it),
            FileAction(tr(CHOOSE_PAGES), self.questions.ask_for_pages, lambda file: file.has_pages_to_choose),
            FileAction(tr(REMOVE), self.take_out),
        ]
        self.questions.show_menu(file, at, offers)

    def _document(self, number: int) -> StoredDocument | None:
        """Return the newest version of a document, or None if it is gone or unreadable."""
        try:
            document = self._documents.store.get(number)
            return None if document is None else self._documents.current_document(document)
        except AppError as error:
            self._notify.error(error)
            return None
