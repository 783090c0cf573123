"""Page of a finished or partial summary: title, coverage, statements, saving."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.core.paths import runs_elsewhere
from app.features.summarize.summaries import StoredSummary
from app.features.summarize.summary_messages import (
    DIGEST_WORDS,
    coverage_words,
    digest_words,
    language_words,
    not_given_words,
    nothing_words,
    statements_words,
    unknown_in_short,
)
from app.features.summarize.summary_result import Form, Method, Summary
from app.language.scripts import is_right_to_left
from app.ui.i18n import tr
from app.ui.locale_formats import join_list
from app.ui.screen_reader import read_as
from app.ui.shared_labels import READ_ALOUD, TRANSLATE_THIS
from app.ui.shell import tasks
from app.ui.shell.desktop import copy_text
from app.ui.shell.model_loader import model_name
from app.ui.shell.notify import Notify
from app.ui.summarize.statements import StatementView
from app.ui.summarize.summary_texts import ShownStatement, read_words, was_read
from app.ui.summarize.wish import SummaryFooter
from app.ui.theme import HEADING_PX, TOP_PX, Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import FlowLayout, fill_layout, name_widgets, scrolled
from app.ui.widgets.menus import Menu
from app.ui.work.doing import SavedFiles, file_name
from app.ui.work.job_tab import StateBar, TabColumn
from app.ui.work.picture_reading import CHANGED_SINCE

if TYPE_CHECKING:
    from app.bootstrap import Fireside

SUMMARY_FAILED = "Couldn’t make the summary."
SUMMARIZE_AGAIN = "Summarize again"
WRITTEN_BY_MODEL = "What {model} wrote"
CHOOSE_AGAIN = "Choose again"


FORMATS = (
    (".md", "Markdown"),
    (".docx", "Word document"),
    (".html", "Web page"),
    (".pdf", "PDF"),
    (".json", "JSON, with sources"),
)


class SummarySaver(SavedFiles):
    """Save and copy summaries on a thread; errors are shown as sentences."""

    def __init__(self, app: Fireside, notify: Notify, window: QWidget) -> None:
        super().__init__(notify, window)
        self._app = app

    def menu(self, summary: Summary) -> Menu:
        menu = Menu(self._window, is_temporary=True)
        for ending, name in FORMATS:
            menu.addAction(f"{tr(name)}\t{ending}", partial(self.ask, summary, ending))
        return menu

    def ask(self, summary: Summary, ending: str, name: str = "") -> QFileDialog:
        """Ask for the file and save; suggests `name`, else the title."""
        return self._ask_to_save(
            tr("Save the summary"),
            "save_summary",
            kind=tr(dict(FORMATS)[ending]),
            offered=name or file_name(summary.title, tr("Summary")) + ending,
            take=lambda path: self._on_file(summary, path, ending),
        )

    def _on_file(self, summary: Summary, path: Path, ending: str) -> None:
        # For the dialog "lease v1.2" has an ending, though none of ours: then ours is appended.
        if path.suffix.lower() not in dict(FORMATS):
            path = path.with_name(path.name + ending)
            if path.exists():  # the dialog didn't ask about overwriting this one
                self.ask(summary, ending, path.name)
                return
        self.save(summary, path)

    def save(self, summary: Summary, path: Path) -> tasks.BackgroundTask:
        """Save in the format of the file's ending, on a thread."""

        def write() -> None:
            from app.features.summarize import export  # imported only for saving

            paths = [self._path_of(document.id) for document in summary.documents]
            if path.suffix.lower() == ".pdf":
                write_pdf(export.as_html(summary, paths), summary.title, path)
            else:
                export.save_file(summary, path, paths)

        return self._write(path, write)

    def copy(self, summary: Summary) -> None:
        """Copy a summary with its pages; an extractive one says so."""
        from app.features.summarize import export

        is_digest = summary.method is Method.DIGEST
        copy_text("\n\n".join(filter(None, (export.as_text(summary), digest_words(summary) if is_digest else ""))))
        self._notify.mention(tr("Sentences copied") if is_digest else tr("Summary copied"))

    def _path_of(self, document_id: int) -> Path | None:
        document = self._app.documents.store.get(document_id)
        return document.path if document is not None else None


def write_pdf(html: str, title: str, path: Path) -> None:
    """Write a summary's HTML as PDF, on any thread; the file is replaced at the end.

    Raises DiskFull or FolderNotWritable.
    """
    from app.ui.paper.page_breaks import LaidOutText
    from app.ui.paper.pdf_file import pdf_file
    from app.ui.paper.sheets import Sheets

    with pdf_file(path, title) as writer:
        sheets = Sheets(writer, title, is_mirrored=is_right_to_left(title))
        document = sheets.new_document()
        document.setHtml(html)
        sheets.add(LaidOutText(document))
        sheets.end()


MOST_TITLE = 200
BETWEEN = "  ·  "
NARROW_PX = 560
EDGE_PX = 3
"""Inner margin of a line edit, to align the title with the content below."""

_NUMBER = re.compile(r"(?<=\d) (?=\w)")


class TitleField(QLineEdit):
    """Title that looks like a heading until edited; Enter or leaving saves, Esc cancels."""

    renamed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self.setObjectName("summary_title")
        self.setAccessibleName(tr("Title"))
        self.setMaxLength(MOST_TITLE)
        self.setAcceptDrops(False)  # dropped files are the window's
        self.setTextMargins(-EDGE_PX, 0, -EDGE_PX, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.editingFinished.connect(self._on_finished)

    def show_title(self, title: str) -> None:
        self._title = title
        if not self.hasFocus():
            self._show()

    def _show(self) -> None:
        room = self.width() - 2 * EDGE_PX
        # Before it is shown, its width isn't known.
        is_cut = not self.hasFocus() and self.isVisible()
        self.setText(
            self.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideRight, room) if is_cut else self._title
        )
        self.setCursorPosition(0)
        self.setToolTip(plain_tip(self._title))
        self.setAccessibleDescription(self._title)

    def _on_finished(self) -> None:
        title = " ".join(self.text().split())
        # What is shown may be shortened, so only typed text counts.
        if self.isModified() and title and title != self._title:
            self._title = title
            self.renamed.emit(title)
        self._show()

    def focusInEvent(self, event: QFocusEvent) -> None:
        if self.text() != self._title:  # the title was shortened
            self.setText(self._title)
        # Last, as Qt selects the text that is there.
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self.hasFocus():
            self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._show()
        super().keyPressEvent(event)


class ResultHead(TabColumn):
    """Header of two lines: title with buttons, and facts on the reading."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent, top_px=TOP_PX, bottom_px=10)
        self.title = TitleField()
        self.ask = text_button(tr("Ask"), "plain")
        self.ask.setToolTip(tr("Open a chat about the documents"))
        self.save = read_as(text_button(tr("Save…"), "primary"), has_menu=True)
        self.save.setToolTip(tr("As Markdown, a Word document, a web page, PDF or JSON"))
        self.aloud = IconButton(theme, "speaker-high", tr(READ_ALOUD), size_px=18)
        self.aloud.hide()
        self.copy = IconButton(theme, "copy", tr("Copy the summary"), size_px=18)
        self.translate = IconButton(theme, "translate", tr(TRANSLATE_THIS), size_px=18)
        # Rich text only for the colour of warnings: `_write` escapes everything that enters it.
        self.facts = QLabel(textFormat=Qt.TextFormat.RichText, wordWrap=True)
        self.facts.setObjectName("summary_facts")
        self.facts.setProperty("kind", "muted")
        self._buttons = fill_layout(FlowLayout(), self.aloud, self.copy, self.translate, self.ask, self.save)
        self._is_narrow = False
        self._top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        fill_layout(self._top, (self.title, 1), self._buttons)
        fill_layout(self.rows, self._top, self.facts)
        self._facts: tuple[str, str, str] = ("", "", "")
        theme.dress(self.title, font="title", least_height=HEADING_PX)
        theme.dress(self.facts, font="small")
        theme.dress(self.ask, font="control", glyph=("chat-circle-text", "muted", 15), glyph_size=(24, 15))
        theme.dress(self.save, font="control")
        theme.dress(self._buttons, spacing=10)
        theme.changed.connect(self._on_colours)
        self._on_colours()
        name_widgets(save=self.save, ask=self.ask, copy_summary=self.copy, translate_summary=self.translate)
        name_widgets(read_summary=self.aloud)

    @property
    def text(self) -> str:
        """Facts on the reading as plain text, for screen readers."""
        coverage, found, attention = self._facts
        counted = join_list((found, attention))
        return BETWEEN.join(part for part in (coverage, counted) if part)

    def show_facts(self, summary: Summary | None) -> None:
        """Show coverage and results of the check; None clears them."""
        has_text = summary is not None and bool(summary.statements or nothing_words(summary))
        for button in (self.save, self.copy, self.aloud, self.translate):
            button.setEnabled(has_text)
        if summary is None:
            self._facts = ("", "", "")
        elif summary.method is Method.DIGEST:
            said = (coverage_words(summary), digest_words(summary))
            self._facts = (BETWEEN.join(said), "", not_given_words(summary))
        else:
            found, attention = statements_words(summary.statements) if summary.statements else ("", "")
            remarks = [words for words in (attention, language_words(summary), unknown_in_short(summary)) if words]
            read = coverage_words(summary)
            if runs_elsewhere(summary.model):
                made = tr("made by {model} on a server", model=model_name(Path(summary.model)))
                read = BETWEEN.join(part for part in (read, made) if part)
            self._facts = (read, found, join_list(remarks))
        self._write()

    def show_digest(self) -> None:
        """Allow copying and saving of the key sentences when no summary was written."""
        for button in (self.save, self.copy, self.aloud, self.translate):
            button.setEnabled(True)

    def _write(self) -> None:
        coverage, found, attention = map(escape, self._facts)  # the only place where text enters rich text here
        if attention:
            color = self._theme.tokens.warning
            attention = _NUMBER.sub("&nbsp;", attention)  # "1 differs" stays on one line
            attention = f'<span style="color:{color}; font-weight:600">{attention}</span>'
        counted = join_list((found, attention))
        self.facts.setText("&nbsp; · &nbsp;".join(part for part in (coverage, counted) if part))
        self.facts.setAccessibleName(self.text)
        self.facts.setVisible(bool(self.text))

    def _on_colours(self) -> None:
        self._arrange()
        self._write()

    def _arrange(self) -> None:
        """Put the title on a line of its own if it is narrow."""
        is_narrow = 0 < self.width() < self._theme.px(NARROW_PX)
        # Beside it, the buttons would leave room for a word only.
        wanted = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        self._top.setDirection(wanted)
        self._top.setSpacing(self._theme.px(6 if is_narrow else 10))
        # Below the title the row begins with a button whose edge stands where the title does.
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            for button in (self.save, self.ask, self.translate, self.copy, self.aloud)[:: 1 if is_narrow else -1]:
                self._buttons.removeWidget(button)
                self._buttons.addWidget(button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


class ResultPage(QWidget):
    """Page of a summary. Its signals concern that summary; it saves and copies by itself."""

    def __init__(
        self,
        theme: Theme,
        notify: Notify,
        saving: SummarySaver,
        *,
        begin_again: Callable[[list[Any], Any], object],
        go_on: Callable[[], object],
        ask_about: Callable[[list[Any], str], object],
        rename: Callable[[str], object],
        translate: Callable[[str], object],
    ) -> None:
        super().__init__()
        self.translate = translate
        """Text to be translated."""
        self.rename, self.ask_about = rename, ask_about
        """Document ids and a title, to start a chat about them."""
        self.go_on, self.begin_again = go_on, begin_again
        """Document ids and `SummaryOptions` for another summary."""
        self.saving = saving
        self.stored: StoredSummary | None = None
        self.summary: Summary | None = None
        self.digest: Summary | None = None
        """Key sentences shown where no summary was written."""
        self._digest: tuple[tuple[int, ...], Summary | None, list[ShownStatement]] = ((), None, [])
        self._shown: tuple[object, ...] = ()
        self._is_outdated = False
        self.head = ResultHead(theme)
        self.bar = StateBar(theme, notify)
        self._bar_row = TabColumn(theme, top_px=4, bottom_px=4)
        self._bar_row.rows.addWidget(self.bar)
        self.statements = StatementView(theme)
        self.foot = SummaryFooter(theme, tr(SUMMARIZE_AGAIN), tr(CHOOSE_AGAIN), is_primary=False)
        self._connect()
        inside = QWidget()
        inside.setObjectName("page")
        rows = QVBoxLayout(inside)
        for widget in (self.head, self._bar_row):
            rows.addWidget(widget)
        fill_layout(rows, (self.statements, 1), self.foot)
        column = QVBoxLayout(self)
        column.addWidget(scrolled(inside))  # nothing is squeezed in a low window
        for layout in (rows, column):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)

    def _connect(self) -> None:
        self.foot.button.clicked.connect(lambda: self.begin_again(self._ids, self.foot.wish))
        self.foot.anyway.clicked.connect(
            lambda: self.begin_again(self._ids, replace(self.foot.wish, method=Method.MODEL))
        )
        self.bar.go_on.clicked.connect(self._on_go_on)
        self.head.title.renamed.connect(self.rename)
        self.head.ask.clicked.connect(self._ask)
        self.head.translate.clicked.connect(lambda: self._with_summary(lambda summary: self.translate(plain(summary))))
        self.head.copy.clicked.connect(lambda: self._with_summary(self.saving.copy))
        self.head.save.clicked.connect(lambda: self._with_summary(self._show_forms))

    def offer_reading(self, read_view: Callable[[QWidget], object]) -> None:
        """Show a button that has the summary read aloud."""
        self.head.aloud.show()
        self.head.aloud.clicked.connect(lambda: read_view(self.statements))

    def show_digest(self, document_ids: tuple[int, ...], digest: Summary, shown: Sequence[ShownStatement]) -> None:
        """Show key sentences of unread parts below a stopped summary."""
        self._digest = (document_ids, digest, list(shown))
        self._show_digest()

    def _show_digest(self) -> None:
        stored, written, (document_ids, digest, shown) = self.stored, self.summary, self._digest
        is_whole = written is not None and not written.is_partial
        if stored is None or stored.state == "done" or is_whole or stored.document_ids != document_ids:
            return
        left = [
            shown_statement
            for shown_statement in shown
            if not any(was_read(written, anchor) for anchor in shown_statement.statement.anchors)
        ]
        self.statements.show_below(tr(DIGEST_WORDS), left)
        if written is None:
            self.digest = digest
            self.head.show_digest()

    @property
    def titled(self) -> Summary | None:
        """The shown summary with its current title; if none was written, the key sentences."""
        summary, stored = self.summary or self.digest, self.stored
        return replace(summary, title=stored.title) if summary is not None and stored is not None else None

    @property
    def _ids(self) -> list[int]:
        return list(self.stored.document_ids) if self.stored is not None else []

    def _on_go_on(self) -> None:
        if self._is_outdated:
            self.foot.button.click()  # the same action, offered next to the reason for it
        else:
            self.go_on()

    def _ask(self) -> None:
        if self.stored is not None:
            self.ask_about(self._ids, self.stored.title)

    def _with_summary(self, do: Callable[[Summary], object]) -> None:
        if (summary := self.titled) is not None:
            do(summary)

    def _show_forms(self, summary: Summary) -> None:
        button = self.head.save
        self.saving.menu(summary).popup_at(button)

    def show_result(
        self,
        stored: StoredSummary,
        summary: Summary | None,
        shown: Sequence[ShownStatement],
        *,
        set_aside: Sequence[ShownStatement] = (),
        is_outdated: bool = False,
    ) -> None:
        """Show a summary from the top, unless it is shown unchanged.

        `set_aside` is the model's text that key sentences replaced. `is_outdated` says that the text recognized in its
        documents has changed since.
        """
        key = (stored.id, summary.statements if summary else (), summary is None or summary.is_partial)
        is_same, self._shown = key == self._shown, key  # a new title keeps the reader's position
        self.stored, self.summary, self.digest = stored, summary, None
        self.head.title.show_title(stored.title)
        self.head.show_facts(summary)
        kept, stopped = read_words(stored, summary)
        self.bar.show_ended(stored, failed=tr(SUMMARY_FAILED), kept=kept, stopped=stopped)
        # The bar has room for one message, and why a summary ended goes first.
        self._is_outdated = is_outdated and self.bar.isHidden()
        if self._is_outdated:
            words = f"{tr(CHANGED_SINCE)} {tr('This summary is of an earlier version.')}"
            self.bar.show_words(words, tr(SUMMARIZE_AGAIN))
        self._bar_row.setVisible(not self.bar.isHidden())
        if not is_same:
            # What was read before a stop are points of sections, whatever form was asked for.
            is_written = summary is not None and (not summary.is_partial or summary.sections_read >= summary.sections)
            self.statements.show_statements(shown, stored.wish.form if is_written else Form.BULLETS)
            if summary is not None and set_aside:
                name = model_name(Path(summary.model))
                self.statements.show_below(tr(WRITTEN_BY_MODEL, model=name), set_aside)
            if summary is not None and (nothing := nothing_words(summary)):
                self.statements.show_plain(nothing)
            self.foot.choices.show_wish(stored.wish)
        self._show_digest()


def plain(summary: Summary) -> str:
    """Return title, groups and statements as plain text, a paragraph each."""
    parts, group = [summary.title], ""
    for statement in summary.statements:
        parts += [statement.group] if statement.group and statement.group != group else []
        parts.append(statement.text)
        group = statement.group
    return "\n\n".join(parts)
