"""The Translate tab: typed text with its languages, a document with its segments, and the card that names a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QRect, Qt, SignalInstance
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QFrame, QLabel, QLineEdit, QPushButton, QTextEdit, QToolButton

from app.bootstrap import Fireside
from app.documents.segments import Content, Segment
from app.features.translate.text_session import CloseText, ParagraphsFound, SaveText, TextEnded
from app.features.translate.translation_events import Translated, TranslationWish
from app.ui.shell.notify import Notify
from app.ui.text.search_row import TextSearchRow
from app.ui.translate.alternatives_card import AlternativesCard
from app.ui.translate.document_page import DocumentPage
from app.ui.translate.document_view import DocumentTranslationView
from app.ui.translate.glossary_panel import GlossaryPanel
from app.ui.translate.language_popup import LanguageButton, LanguagePopup
from app.ui.translate.language_row import LanguageChoice
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.rows import TARGET, RowsModel
from app.ui.translate.segment_editor import RowEditor
from app.ui.translate.segment_table import SegmentTable
from app.ui.translate.source_edit import SourceEdit
from app.ui.translate.target_view import TargetView
from app.ui.translate.text_page import TextPage
from app.ui.translate.text_panes import TextPanes
from app.ui.translate.text_work import PAUSE_MS
from app.ui.translate.translate_tab import TranslateView
from app.ui.translate.translation_draft import DraftFoot, FileLine
from app.ui.widgets.buttons import ChoiceButton
from app.ui.widgets.labels import ElidedLabel, ProgressStripe
from app.ui.work.job_tab import StateBar
from tests.helpers.desks.desk import Desk, Found
from tests.helpers.desks.dialogs import FileQuestions
from tests.helpers.desks.document import ReaderDesk
from tests.helpers.script import prompts


class Languages(Desk):
    """What typed text and documents both have: from which language into which, and the card that names a model."""

    formality = Found(ChoiceButton, "formality")
    swap = Found(QToolButton, "swap_languages")
    choice = Found(LanguageChoice)
    needs = Found(NeedsModel)
    needs_words = Found(QLabel, "needs_words")
    needs_state = Found(QLabel, "needs_state")
    needs_line = Found(ProgressStripe, "needs_line")
    download = Found(QPushButton, "needs_download")
    other_models = Found(QPushButton, "needs_others")
    source_language = Found(LanguageButton, "source_language")
    target_language = Found(LanguageButton, "target_language")

    @property
    def languages(self) -> tuple[str, str]:
        """What is chosen: from, and into."""
        return self.source_language.value, self.target_language.value

    @property
    def source_said(self) -> str:
        """What the button of the language to translate from says."""
        return self.source_language.findChild(QPushButton).text()

    @property
    def target_said(self) -> str:
        """What the button of the language to translate into says."""
        return self.target_language.findChild(QPushButton).text()

    def choose_source(self, code: str) -> None:
        """As from the list."""
        self.source_language.choose(code)

    def choose_target(self, code: str) -> None:
        """As from the list."""
        self.target_language.choose(code)

    def open_languages(self) -> LanguagePopup:
        """The list of languages to translate into."""
        return self.target_language.show_list()

    @property
    def needed(self) -> str:
        """What the card says of the model that is needed."""
        return self.needs_words.text().replace("\u2011", "-")


def link_rect(segments: SegmentTable, row: int, number: int) -> QRect:
    """Where a link of a row is, in the viewport."""
    laid, corner = segments.laid.row(row), segments.point_in(row, TARGET, QPoint(0, 0))
    top = laid.target.height_px
    for line in laid.flags:
        for link in line.links:
            if link is laid.links[number]:
                rect = line.cell.rect_of(link.start, link.end)[0]
                return rect.translated(-corner.x(), top - corner.y()).toRect()
        top += line.cell.height_px
    raise AssertionError(f"no link {number} in row {row}")


class DocumentDesk(Languages, FileQuestions):
    """A document in the Translate tab, from the drop to the saved file."""

    root: DocumentTranslationView

    title = Found(ElidedLabel, "translation_title")
    glossary_button = Found(QPushButton, "open_glossary")
    flagged = Found(QPushButton, "next_flagged")
    save_button = Found(QPushButton, "save")
    work_words = Found(QLabel, "work_words")
    stop = Found(QPushButton, "stop_work")
    state_bar = Found(StateBar)
    state_words = Found(QLabel, "state_words")
    go_on_button = Found(QPushButton, "go_on")
    foot = Found(DraftFoot)
    draft_words = Found(QLabel, "draft_words")
    begin_button = Found(QPushButton, "begin")
    page = Found(DocumentPage)
    card = Found(QFrame, "segments_card")
    segments = Found(SegmentTable)
    search_row = Found(TextSearchRow)
    search_field = Found(QLineEdit, "search_field")
    search_count = Found(QLabel, "search_count")
    glossary = Found(GlossaryPanel)
    add_term = Found(QPushButton, "add_term")
    apply_glossary = Found(QPushButton, "apply_glossary")
    close_glossary = Found(QToolButton, "close_glossary")

    @property
    def stored(self) -> Any:
        """The translation that is shown; None where there is none yet."""
        return self.root.job.stored

    @property
    def state(self) -> str:
        """How the one that is shown is."""
        return str(self.stored.state)

    @property
    def wish(self) -> TranslationWish:
        """How it was translated, or will be."""
        wish: TranslationWish = self.stored.wish
        return wish

    @property
    def is_done(self) -> bool:
        """Whether every segment is translated, and the window has heard of each."""
        return self.state == "done" and not self.root.runner.is_running

    @property
    def panel(self) -> ReaderDesk:
        """The document that was read, beside its segments."""
        return ReaderDesk(self.root.document.view, self.app, self.notify)

    def show_segments(self) -> None:
        """Its page in front of the files that are on their way."""
        self.root.pages.setCurrentWidget(self.page)

    # Files on their way.

    @property
    def is_reading(self) -> bool:
        """Whether a file is still being read."""
        state = self.root.drafts.session.state
        return state.is_reading or bool(state.readings)

    @property
    def is_estimating(self) -> bool:
        """Whether the time that it takes is being asked for."""
        return self.root.drafts.estimating.is_busy

    @property
    def drafts(self) -> int:
        """How many are put together."""
        return len(self.root.drafts.batch)

    @property
    def file_words(self) -> list[str]:
        """What is said of each file that is on its way or could not be read."""
        return [one.findChild(QLabel, "file_words").text() for one in self.every(FileLine)]

    @property
    def file_button(self) -> QPushButton:
        """The button of the first of them."""
        return self.find_step(QPushButton, "file_button")

    def wait_until_read(self) -> None:
        """Until it is a draft whose time was estimated."""
        self.wait(lambda: self.stored is not None and not self.root.drafts.files.is_reading)
        self.wait(lambda: self.begin_button.isEnabled() and not self.is_estimating)

    def wait_until_done(self) -> None:
        """Until it is translated."""
        self.wait(lambda: self.is_done)

    def translate(self) -> None:
        """Has it translated, to its end."""
        self.click(self.begin_button)
        self.wait_until_done()

    # Segments.

    @property
    def shown(self) -> list[str]:
        """The translations of all segments as they are seen."""
        return [self.target_of(number) for number in range(self.rows.rowCount())]

    def target_of(self, number: int) -> str:
        """The translation of a segment as it is seen; 0 is the first."""
        return str(self.segments.laid.row(number).target.written.text)

    def source_of(self, number: int) -> str:
        """A segment as it is seen."""
        return str(self.segments.laid.row(number).source.written.text)

    def links_of(self, number: int) -> list[str]:
        """What can be done about the flags of a segment."""
        return [link.words for link in self.segments.laid.row(number).links]

    def click_link(self, number: int, link: int = 0) -> None:
        """Does it."""
        self.segments.reveal(number)
        self.click_at(self.segments, link_rect(self.segments, number, link).center())

    @property
    def rows(self) -> RowsModel:
        """What the segments are shown from."""
        return self.segments.rows

    def growing(self, number: int) -> str | None:
        """What there is of a segment that is being translated."""
        return self.rows.growing(number)

    @property
    def has_keyboard(self) -> bool:
        """Whether the segments have it."""
        return self.segments.hasFocus()

    @property
    def current(self) -> int:
        """The segment that is chosen."""
        return self.segments.current

    @property
    def editor(self) -> RowEditor:
        """Where a translation is edited in its place."""
        editor: RowEditor | None = self.segments.editor
        assert editor is not None
        return editor

    def put_in_editor(self, content: Content) -> None:
        """In the place of what is edited."""
        self.editor.text.load(content)

    def edit(self, number: int) -> None:
        """Opens a segment's translation for editing, and gives it the keyboard."""
        self.segments.edit_row(number)
        assert self.segments.editor is not None

    def leave_editor(self) -> None:
        """What is edited is given up."""
        if self.segments.editor is not None:
            self.segments.editor.give_up()

    def read_again(self) -> None:
        """As when another window had changed it."""
        self.rows.forget()
        self.root.refresh()

    # Searching.

    @property
    def found(self) -> list[tuple[int, int, str, bool]]:
        """Row, column and words of each hit that is marked, and whether it is the chosen one."""
        laid = self.segments.laid
        return [
            (row, column, (laid.row(row).target if column else laid.row(row).source).written.text[start:end], chosen)
            for (row, column), hits in self.segments.hits.items()
            for start, end, chosen in hits
        ]

    # Glossary and saving.

    @property
    def save_forms(self) -> list[str]:
        """The endings in the menu of forms to save in."""
        menu = self.root.page.saving.menu(self.stored)
        endings = [action.text().partition("\t")[2] for action in menu.actions() if action.text()]
        menu.close()
        return endings

    def save_as(self, path: Path, ending: str = "", *, is_bilingual: bool = False) -> str:
        """Saves it where a person says; the name that was offered."""
        if ending:
            dialog = self.root.page.saving.ask(self.stored, ending, is_bilingual=is_bilingual)
            assert dialog is not None
        else:
            self.click(self.save_button)
        offered = self.find_step(QFileDialog, "save_translation").selectedFiles()[0]
        self.choose_file(path, "save_translation")
        return str(offered)

    def save_to(self, path: Path) -> None:
        """Saves it there without asking."""
        self.root.page.saving.save(self.stored.id, path)

    @property
    def memory_menu(self) -> list[str]:
        """What the glossary offers behind its three dots."""
        menu = self.glossary.show_menu()
        names = [action.text() for action in menu.actions()]
        menu.close()
        return names

    def export_memory(self, path: Path) -> None:
        """All translations into a file."""
        dialog = self.root.glossary.memory.ask_to_export()
        dialog.filesSelected.emit([str(path)])
        dialog.close()

    def import_memory(self, path: Path) -> None:
        """Translations from a file."""
        dialog = self.root.glossary.memory.ask_to_import()
        dialog.filesSelected.emit([str(path)])
        dialog.close()


class TranslateDesk(Languages):
    """The tab: typed text is at hand here, a document is a desk of its own."""

    root: TextPage

    source = Found(SourceEdit)
    target = Found(TargetView)
    hint = Found(QLabel, "text_hint")
    count = Found(ElidedLabel, "text_count")
    state = Found(ElidedLabel, "text_state")
    back_button = Found(QToolButton, "translate_back")
    copy = Found(QToolButton, "copy_translation")
    back_text = Found(QTextEdit, "back_text")
    alternatives = Found(AlternativesCard)
    panes = Found(TextPanes)

    def __init__(self, view: TranslateView, app: Fireside, notify: Notify, script: Path | None = None) -> None:
        super().__init__(view.text, app, notify)
        self.view, self.script = view, script
        self.sent: list[str] = []
        """The pages of the models that a person would have been sent to."""

    @property
    def document(self) -> DocumentDesk:
        """The view of documents."""
        return DocumentDesk(self.view.document, self.app, self.notify)

    @property
    def is_text_shown(self) -> bool:
        """Whether typed text is in front, and no document."""
        return self.view.pages.currentWidget() is self.root

    @property
    def is_document_shown(self) -> bool:
        """Whether a document is in front."""
        return self.view.pages.currentWidget() is self.view.document

    def show_document_page(self) -> None:
        """The view of documents in front."""
        self.view.pages.setCurrentWidget(self.view.document)

    def drop(self, *paths: Path) -> DocumentDesk:
        """Drops files, and waits until they are drafts whose time was estimated."""
        self.view.add_files(paths)
        self.document.wait_until_read()
        return self.document

    def type(self, text: str) -> None:
        """Types into the source, as a person does, who pauses at the end."""
        self.root.work.pause.setInterval(PAUSE_MS)
        self.source.setFocus()
        for place, line in enumerate(text.split("\n")):
            if place:
                QTest.keyClick(self.source, Qt.Key.Key_Return)
            QTest.keyClicks(self.source, line)

    def paste(self, text: str) -> None:
        """Puts a text into the source in one step; the pause that follows is over at once."""
        self.root.work.pause.setInterval(1)
        self.source.setFocus()
        self.source.selectAll()
        QApplication.clipboard().setText(text)
        self.source.paste()

    def translated(self, *words: str) -> None:
        """Waits until all of it is there, is this, and is told to be."""
        self.wait(lambda: self.is_complete and self.shown == list(words) and not self.is_busy)

    @property
    def shown(self) -> list[str]:
        """The paragraphs of the translation as they are seen, and what is said of them."""
        document = self.target.document()
        lines, block = [], document.begin()
        while block.isValid():
            lines.append(block.text())
            block = block.next()
        return lines

    def click_words(self, words: str) -> None:
        """Clicks a word in the last line of what is shown."""
        block = self.target.document().lastBlock()
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + block.text().rindex(words) + len(words) - 1)
        self.click_at(self.target, self.target.cursorRect(cursor).center())

    def select(self, start: int, end: int) -> None:
        """Marks a part of the translation, and waits for the card that offers other wordings."""
        self.target.setFocus()
        cursor = self.target.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.target.setTextCursor(cursor)
        self.wait(self.alternatives.isVisible)

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for the typing to pause."""
        return self.root.work.pause.isActive()

    @property
    def is_busy(self) -> bool:
        """Whether a text is being translated."""
        return self.root.work.is_busy

    @property
    def is_complete(self) -> bool:
        """Whether all of it is translated."""
        return self.root.session.state.is_complete

    @property
    def is_model_known(self) -> bool:
        """Whether it is known what the model can do."""
        return self.root.capability.able is not None

    @property
    def is_typing(self) -> bool:
        """Whether the keyboard is where one types."""
        return self.source.hasFocus()

    @property
    def can_translate(self) -> bool:
        """Whether the model knows how to."""
        return self.root.session.state.able.translates

    @property
    def is_model_missing(self) -> bool:
        """Whether a model is offered in place of the translation."""
        return self.needs.isVisible()

    @property
    def text_id(self) -> int | None:
        """Under which number the text is kept."""
        return self.root.session.state.number

    def show_made(
        self, wish: TranslationWish, source: Sequence[str], done: Sequence[Translated], *, kept_as: int | None
    ) -> int | None:
        """A text as it would be after the work of a model; under which number it is kept."""
        page, text = self.root, "\n\n".join(source)
        session = page.session
        session.dispatch(CloseText())
        session.state = replace(
            session.state, text=text, run_text=text, wish=wish, is_target_chosen=True, number=kept_as, run=-1
        )
        segments = tuple(Segment(number, (words,)) for number, words in enumerate(source, 1))
        session.dispatch(ParagraphsFound(-1, segments, "en", {one.id: one for one in done}))
        session.dispatch(TextEnded(-1, is_partial=False, seconds=4.2))
        return session.state.number

    def show_back(self, text: str) -> None:
        """The translation back, as a model would have made it."""
        self.back_button.blockSignals(True)
        self.back_button.setChecked(True)
        self.back_button.blockSignals(False)
        self.panes.show_back(shown=True)
        self.panes.say_back(text)

    @property
    def is_looking_for_model(self) -> bool:
        """Whether it is being asked what the model can do."""
        return self.root.capability._task is not None

    @property
    def wish(self) -> TranslationWish:
        """What is chosen, with the glossary of the pair."""
        state = self.root.session.state
        return self.root.work.whole_wish(state.asked_wish, state.detected)

    @property
    def model_let_go(self) -> SignalInstance:
        """The tab's own model has left the memory."""
        return self.root.work.ended

    def keep_step(self) -> None:
        """As when the window is left."""
        self.root.session.dispatch(SaveText())

    @property
    def asked(self) -> list[str]:
        """The last message of everything that the model was asked, oldest first."""
        assert self.script is not None
        return [conversation[-1][1] for conversation in prompts(self.script)]
