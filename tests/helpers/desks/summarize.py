"""The Summarize tab: documents put together, the work, the result with its statements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QMenu, QPushButton, QToolButton

from app.bootstrap import Fireside
from app.features.summarize.summary_result import Form, Length, StoredSummary, SummaryEvent, SummaryOptions
from app.ui.document.document_chip import DocumentChip
from app.ui.document.document_view import DocumentView
from app.ui.shell.notify import Notify
from app.ui.summarize.better_model import BetterModel
from app.ui.summarize.digest_outline import DigestOutline
from app.ui.summarize.draft import Figures
from app.ui.summarize.statements import StatementView, WholeStatementView
from app.ui.summarize.summarize_tab import SummarizeView
from app.ui.summarize.summary_drop_zone import SummaryDropZone
from app.ui.summarize.summary_page import ResultHead, TitleField
from app.ui.summarize.summary_texts import SummaryProgress
from app.ui.summarize.term_chips import KeyTerms, TermChip
from app.ui.summarize.wish import WishChoices
from app.ui.widgets.buttons import ChoiceButton
from app.ui.widgets.input_fields import SegmentedControl
from app.ui.widgets.labels import ElidedLabel, ProgressStripe
from app.ui.work.job_tab import StateBar
from tests.helpers.desks.desk import Found
from tests.helpers.desks.dialogs import FileQuestions
from tests.helpers.desks.document import ReaderDesk


class SummarizeDesk(FileQuestions):
    """The middle of the tab. What stands on several of its pages is found on the one that is shown."""

    root: SummarizeView

    zone = Found(SummaryDropZone)
    empty_head = Found(QLabel, "empty_head")
    better = Found(BetterModel)
    add_button = Found(QPushButton, "add_documents")
    figures = Found(Figures)
    together = Found(SegmentedControl)
    begin_button = Found(QPushButton, "begin")
    anyway_button = Found(QPushButton, "begin_anyway")
    begin_anyway = Found(QPushButton, "begin_anyway")
    choices = Found(WishChoices)
    length = Found(ChoiceButton, "wish_length")
    form = Found(ChoiceButton, "wish_form")
    language = Found(ChoiceButton, "wish_language")
    instruction = Found(QLineEdit, "wish_instruction")
    work_title = Found(ElidedLabel, "summary_title")
    work_words = Found(QLabel, "work_words")
    work_lead = Found(QLabel, "work_lead")
    work_line = Found(ProgressStripe)
    stop = Found(QPushButton, "stop_work")
    statements = Found(StatementView)
    digest = Found(WholeStatementView, "digest")
    digest_words = Found(QLabel, "digest_words")
    cancel_digest = Found(QPushButton, "cancel_digest")
    look_for_digest = Found(QPushButton, "look_for_digest")
    copy_digest = Found(QToolButton, "copy_digest")
    read_digest = Found(QToolButton, "read_digest")
    save_digest = Found(QPushButton, "save_digest")
    key_terms = Found(KeyTerms)
    outline = Found(DigestOutline)
    head = Found(ResultHead)
    title = Found(TitleField)
    save_button = Found(QPushButton, "save")
    ask_button = Found(QPushButton, "ask")
    copy = Found(QToolButton, "copy_summary")
    translate = Found(QToolButton, "translate_summary")
    facts = Found(QLabel, "summary_facts")
    state_bar = Found(StateBar)
    state_words = Found(QLabel, "state_words")
    state_other = Found(QPushButton, "state_other")
    go_on_button = Found(QPushButton, "go_on")

    def __init__(self, view: SummarizeView, app: Fireside, notify: Notify) -> None:
        super().__init__(view, app, notify)
        self.view = view

    @property
    def page(self) -> str:
        """Which is shown: empty, draft, work or result."""
        shown = self.root.pages.currentWidget()
        return next(name for name in ("empty", "draft", "work", "result") if getattr(self.root, name) is shown)

    def show(self, number: int) -> None:
        """One of the list."""
        self.root.show_job(number)

    # Documents.

    def drop(self, *paths: Path) -> None:
        """Drops files, and waits until they are read and counted."""
        self.root.add_files(list(paths))
        self.wait(lambda: {path.name for path in paths} <= set(self.files) and not self.is_reading)
        self.wait(lambda: self.begin_button.isEnabled() and not self.is_estimating)

    @property
    def is_estimating(self) -> bool:
        """Whether the time that it takes is being asked for."""
        return self.root.draft.estimating.is_busy

    @property
    def is_reading(self) -> bool:
        """Whether a file is on its way."""
        return self.root.files.is_reading

    @property
    def files(self) -> list[str]:
        """The names of what is put together, also while it is read."""
        return [one.name for one in self.root.files.files]

    @property
    def read(self) -> list[str]:
        """The names of the documents that were read."""
        return [one.name for one in self.root.files.documents]

    @property
    def document_ids(self) -> list[int]:
        """What a summary would be made of."""
        return self.root.draft.ids

    def remove(self, place: int) -> None:
        """Takes a file out."""
        self.root.files.take_out(self.root.files.files[place])

    @property
    def chips(self) -> list[DocumentChip]:
        """One for each file."""
        return self.root.draft.chips.chips

    # Choices.

    @property
    def wish(self) -> SummaryOptions:
        """What is chosen for what is put together."""
        return self.root.draft.foot.wish

    def choose_length(self, length: Length) -> None:
        """On the page that is shown."""
        self.length.choose(length)

    def choose_form(self, form: Form) -> None:
        """On the page that is shown."""
        self.form.choose(form)

    def choose_language(self, code: str) -> None:
        """On the page that is shown."""
        self.language.choose(code)

    @property
    def together_buttons(self) -> tuple[QPushButton, QPushButton]:
        """One summary of all; one each."""
        all_, each = self.together.findChildren(QPushButton)
        return all_, each

    # The result.

    @property
    def summary_id(self) -> int | None:
        """The one that is shown."""
        return self.root.open_id

    @property
    def stored(self) -> StoredSummary | None:
        """The same, as it is kept."""
        return self.root.result.stored

    def show_progress(self, number: int, events: Sequence[SummaryEvent]) -> None:
        """As if the work had told so much of a summary."""
        progress = self.root.runner._progress[number] = SummaryProgress()
        for event in events:
            progress.take_event(event)

    def forget_progress(self, number: int) -> None:
        """As if nothing had been told of it."""
        self.root.runner._progress.pop(number, None)

    @property
    def said(self) -> str:
        """All that the statements say."""
        return self.statements.toPlainText()

    @property
    def statement_count(self) -> int:
        """How many statements are shown, without sentences of the document below them."""
        return len(self.statements.ranges) - self.statements.below

    # What is shown before a model is asked.

    @property
    def has_digest(self) -> bool:
        """Whether sentences of what is put together are shown."""
        return self.digest.isVisible() and bool(self.digest.ranges)

    @property
    def digest_said(self) -> list[str]:
        """The sentences of the document that are shown: alone, or below what a model wrote."""
        if self.page == "draft":
            return [one.shown.statement.text for one in self.digest.ranges]
        view = self.statements
        return [one.shown.statement.text for one in view.ranges[len(view.ranges) - view.below :]]

    @property
    def is_looking(self) -> bool:
        """Whether documents are being looked at."""
        return self.root.looks.is_busy

    def scroll_draft(self, down: int) -> None:
        """The page of what is put together."""
        self.root.draft._scroll.verticalScrollBar().setValue(down)

    def term(self, text: str) -> TermChip:
        """The chip of a key term."""
        return next(one for one in self.key_terms.chips if one.term.text == text)

    def open_term(self, place: int) -> None:
        """Clicks the chip of a key term."""
        self.click(self.key_terms.chips[place])

    def open_heading(self, place: int) -> None:
        """Clicks a heading of the outline."""
        outline = self.outline
        self.click_at(outline, outline.visualRect(outline.model().index(place, 0)).center())

    @property
    def headings(self) -> list[str]:
        """The highest level of the outline."""
        model = self.outline.model()
        return [str(model.index(row, 0).data()) for row in range(model.rowCount())]

    def open_sentence(self, number: int) -> None:
        """Clicks the page of a sentence of the document."""
        middle: QPointF = self.digest.ground.chip_rect(number, 0).center()
        self.click_at(self.digest, QPoint(round(middle.x()), round(middle.y())))

    def open_chip(self, number: int, chip: int = 0) -> None:
        """Clicks the chip of a statement."""
        middle: QPointF = self.statements.ground.chip_rect(number, chip).center()
        self.click_at(self.statements, QPoint(round(middle.x()), round(middle.y())))

    @property
    def reader(self) -> ReaderDesk:
        """The document beside the summary."""
        return ReaderDesk(self.find_step(DocumentView), self.app, self.notify)

    @property
    def is_reader_open(self) -> bool:
        """Whether a document is beside the summary."""
        return self.has(DocumentView)

    @property
    def save_menu(self) -> QMenu:
        """The formats to save in; a test closes it."""
        summary = self.root.result.titled
        assert summary is not None
        return self.root.result.saving.menu(summary)

    def save_as(self, ending: str, path: Path, menu: QMenu | None = None) -> None:
        """Takes a format, and names the file; from a menu that is open, or that of the result."""
        menu = menu or self.save_menu
        next(one for one in menu.actions() if one.text().endswith(ending)).trigger()
        menu.close()
        self.choose_file(path, "save_summary")

    @property
    def save_dialog(self) -> QFileDialog:
        """Where the file is named."""
        return self.find_step(QFileDialog, "save_summary")
