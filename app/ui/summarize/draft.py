"""Page before a summary starts: drop zone, documents, reading estimate, suggestion of a better model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.core.counted_units import count_units
from app.core.errors.app_error import AppError
from app.features.files_to_read import FileToRead
from app.features.summarize.summaries import Estimate
from app.features.summarize.summary_result import Method, SummaryOptions
from app.features.work.job_draft import ChangeOptions, StartJobs
from app.ui.document.document_details import remarks_words, short_name, tokens_words
from app.ui.i18n import sentence_for, tr
from app.ui.locale_formats import join_list
from app.ui.shared_labels import COUNTING, SUMMARIZE
from app.ui.shell.notify import Notify
from app.ui.summarize.better_model import BetterModel
from app.ui.summarize.digest_page import DigestPart
from app.ui.summarize.draft_files import DraftFiles, FileChips
from app.ui.summarize.summary_texts import figures_of
from app.ui.summarize.wish import SummaryFooter
from app.ui.theme import CARD_INSET_PX, HEADING_PX, TOP_PX, FontRole, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.input_fields import SegmentedControl
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import FlowLayout, fill_layout, name_widgets, scrolled
from app.ui.work.doing import JobEstimates
from app.ui.work.job_tab import TabColumn
from app.ui.work.picture_reading import PicturesLine

if TYPE_CHECKING:
    from app.bootstrap import Fireside

DIGEST_BEGINS = "Finding key sentences…"
ONE_SUMMARY_EACH = "One summary each"
KEEP_SENTENCES = "Keep these sentences"
ADD_DOCUMENTS = "Add documents…"


MOST_REMARKS = 3


class SummaryDraftPage(QWidget):
    """Set up a summary.

    `look_at` is called with documents and options to estimate them without a model.
    """

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
        self._seen: object = None
        """What was shown last of the draft."""
        self._sent = SummaryOptions()
        """Options of the draft as the controls show them; the user may be typing others."""
        self._estimated: tuple[tuple[int, ...], SummaryOptions] | None = None
        self.estimating = JobEstimates(self)
        self.estimating.estimated.connect(self._on_estimated)
        self.estimating.failed.connect(self._on_not_estimated)
        self._head = plain_label(wraps=True)
        self.chips = FileChips(theme, files)
        self.add_button = text_button(tr(ADD_DOCUMENTS), "quiet", on_click=files.ask)
        self.add_button.setToolTip(tr("Or drop them anywhere in the window"))
        self._remarks = plain_label(kind="muted", wraps=True)
        self.pictures = PicturesLine(theme)
        self.pictures.models_wanted.connect(self.model_wanted)
        if files.pictures is not None:
            self.pictures.watch(files.pictures)
        self.figures = Figures(theme)
        self.time = plain_label(kind="muted", wraps=True)
        self.better = BetterModel(app, theme)
        self.better.download.clicked.connect(self.model_wanted)
        self.digest = DigestPart(theme)
        self.digest.moved.connect(self._bring_into_view)
        self.digest.cancel.clicked.connect(self._on_looking_cancelled)
        self.digest.look.clicked.connect(self._on_look_wanted)
        choices = (("together", tr("One for all")), ("each", tr(ONE_SUMMARY_EACH)))
        self.together = SegmentedControl(theme, tr("Several documents"), choices, "together", self._on_together)
        self.foot = SummaryFooter(theme, tr(SUMMARIZE), tr(KEEP_SENTENCES))
        self.foot.button.clicked.connect(lambda: self._start(self.foot.wish))
        self.foot.anyway.clicked.connect(lambda: self._start(replace(self.foot.wish, method=Method.MODEL)))
        self.foot.choices.changed.connect(self._on_options)
        self._lay_out()
        files.session.listen(self._on_state)
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
        fade_ends(self._scroll, self._theme)
        segments = QHBoxLayout()
        fill_layout(segments, self.together, 1)
        self.foot.rows.insertLayout(0, segments)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        fill_layout(column, (self._scroll, 1), self.foot)
        theme = self._theme
        theme.dress(self._head, font="title", least_height=HEADING_PX)
        theme.dress(self.chips, margins=(0, 0, 0, 4))
        theme.dress(self._remarks, margins=(0, 0, 0, 6))
        theme.dress(self.time, self._remarks, font="small")
        theme.dress(self.add_button, font="control", glyph=("plus", "muted", 16))
        theme.dress(*self.together.findChildren(QPushButton), font="control")
        self._order()

    def _order(self) -> None:
        """Set the tab order of the controls at the foot, top to bottom."""
        before: QWidget = self.digest.outline
        for widget in (*self.together.findChildren(QPushButton), self.foot.choices.instruction):
            QWidget.setTabOrder(before, widget)
            before = widget

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
        return [self.ids] if self._files.session.state.is_together else [[number] for number in self.ids]

    @property
    def _languages(self) -> tuple[str, ...]:
        """Known language codes of the documents and of the summary."""
        read = [str(document.info.get("language") or "") for document in self._files.documents]
        return tuple(dict.fromkeys(filter(None, [*read, self.foot.wish.language])))

    def _on_state(self) -> None:
        state = self._files.session.state
        self.chips.show_files(state.files, self._tokens())
        stages = [(file.key, file.stage, file.document, file.error) for file in state.files]
        seen = stages, state.awaited, state.scanned, state.options, state.is_together
        if seen != self._seen:
            self._seen = seen
            self._on_files()

    def _on_files(self) -> None:
        state = self._files.session.state
        if self._sent != state.options:
            self._sent = state.options
            self.foot.choices.show_wish(state.options)
        self.together.show_value("together" if state.is_together else "each")
        self.better.look_at(self._languages, self.ids)
        self.chips.show_files(state.files, self._tokens())
        self.pictures.show_documents(state.documents)
        self._show_words()
        self._preview_draft()
        self._start_estimate()

    def _on_options(self) -> None:
        session, self._sent = self._files.session, self.foot.wish
        session.dispatch(ChangeOptions(self._sent, session.state.is_together))

    def _preview_draft(self) -> None:
        """Estimate the documents, unless nothing changed since.

        The last estimate stays visible until documents of another length replace it.
        """
        before, wanted = self._previewed, (self.ids, self.foot.wish)
        if wanted == before or self._files.session.state.is_scanning:
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
        self._sent = self.foot.wish
        self._files.session.dispatch(ChangeOptions(self._sent, choice == "together"))

    def _start_estimate(self) -> None:
        wanted = (tuple(self.ids), self.foot.wish)
        if wanted == self._estimated or self._files.session.state.is_scanning:
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
        self._show_time(sentence_for(error).text)

    def _tokens(self) -> dict[int, int]:
        # The estimate is for an earlier choice of documents.
        if self._estimate is None or len(self._estimate.by_document) != len(self.ids):
            return {}
        return dict(zip(self.ids, self._estimate.by_document, strict=True))

    def _show_words(self) -> None:
        documents, files = self._files.documents, self._files.files
        name = count_units("document", len(files)) if len(files) > 1 else short_name(files[0].name) if files else ""
        self._head.setText(tr("Summarize {name}", name=name) if files else "")
        tokens = self._estimate.tokens if self._estimate is not None else None
        self.figures.show_figures(figures_of(list(documents), self._estimate), tokens_words(tokens))
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
        session = self._files.session
        session.dispatch(StartJobs(wish, session.state.is_together))

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


VALUE_ROLE: FontRole = "title"
WORD_ROLE: FontRole = "small"


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
        theme.dress(fill_layout(QVBoxLayout(self), self._cells), margins=(CARD_INSET_PX, 14, CARD_INSET_PX, 14))
        theme.dress(self._flow, spacing=40)
        theme.changed.connect(self._fit_lines)
        self._fit_lines()
        self.hide()

    @property
    def text(self) -> str:
        return join_list(f"{value} {word}" for value, word in self._shown)

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
            for text, role in ((value, VALUE_ROLE), (word, WORD_ROLE)):
                label = self._theme.dress(plain_label(text), font=role)
                if role == WORD_ROLE:
                    label.setProperty("kind", "muted")
                column.addWidget(label)
            self._flow.addWidget(cell)
            # At once: a layout shows what it is given only when the event loop runs again.
            cell.show()

    def _fit_lines(self) -> None:
        self._flow.line_gap_px = self._theme.px(10)
