"""The Write tab's middle: the page, what can be done with it above, and below how the model goes on with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.core.errors import InfillUnavailable
from app.core.visible import clean_text
from app.features.models.messages import short_count
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.keyboard import with_keys
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import EDGE_PX, HEADING_PX
from app.ui.widgets.buttons import ChoiceButton, IconButton, text_button
from app.ui.widgets.dialogs import DOCUMENTS, SAVED, file_dialog
from app.ui.widgets.labels import ElidedLabel, ProgressLine, plain_label
from app.ui.widgets.layouts import name_widgets
from app.ui.write.alternatives import Alternatives
from app.ui.write.continuing import Continuing
from app.ui.write.kept_page import KeptPage
from app.ui.write.language import file_name, is_code, language_of, languages_with
from app.ui.write.options import OptionsSheet, summary_of
from app.ui.write.page_document import PageState
from app.ui.write.page_edit import PageEdit

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.pages import OpenedFile, Page, Pages
    from app.features.writing import PageAsked, WritingOptions

IDEAS: tuple[tuple[str, str], ...] = (
    ("Deep learning is", ""),
    ("It was a dark night, and the keeper of the lighthouse", ""),
    ("def is_prime(number):\n    ", "python"),
)
"""What can be tried, and in which language it is."""
NOTE_PX = 60
"""What is left for the note in the narrowest window, in which it is told in short."""


class WriteView(QWidget):
    """Shows one page; `open_id` is None for one that has no words yet."""

    shown_changed = Signal()
    """Another page is open, or the one that is open has its row now."""
    list_changed = Signal(int)
    """The row of a page is another: new, or its words are others."""
    at_work = Signal(str)
    """What the model does here, in words; "" when nothing."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        from app.features.writing import WritingOptions

        self._app, self._ui, self._theme = app, ui, ui.theme
        self.setObjectName("write_view")
        self._page: Page | None = None
        self._is_at_work = False
        self.options: WritingOptions = WritingOptions()
        self.edit = PageEdit(ui.theme)
        self.cards = Alternatives(ui.theme)
        self.head = PageHead(ui)
        self.foot = PageFoot(ui)
        self.first = FirstWords(ui, self.edit)
        self.kept = KeptPage(lambda: self._pages, ui.notify, lambda: (self.edit.state, self.options), self)
        self.continuing = Continuing(self.edit, self.cards, lambda: app.writing_engines, ui.loader, self._asked)
        column = QVBoxLayout(self)
        column.addWidget(self.head)
        column.addWidget(self.edit, 1)
        self._below = QVBoxLayout()
        self._below.addWidget(self.cards)
        self._below.addWidget(self.foot)
        column.addLayout(self._below)
        ui.theme.dress(column, margins=(0, 0, 0, 0), spacing=0)
        ui.theme.dress(self._below, spacing=4)
        ui.theme.changed.connect(self._arrange)
        self.setFocusProxy(self.edit)
        self._connect()
        self.show_page(None)

    def _connect(self) -> None:
        edit, head, foot, work = self.edit, self.head, self.foot, self.continuing
        edit.edited.connect(self._on_edited)
        edit.touched.connect(work.on_touched)
        edit.touched.connect(self.kept.nudge)
        edit.touched.connect(self._show_state)
        edit.moved.connect(self._on_moved)
        edit.continue_wanted.connect(work.go_on)
        edit.cancelled.connect(self._on_cancelled)
        edit.save_wanted.connect(self.save)
        edit.save_as_wanted.connect(self.ask_where_to_save)
        head.open.clicked.connect(self.ask_for_files)
        head.save.clicked.connect(self.save)
        head.undo.clicked.connect(edit.undo_last)
        head.redo.clicked.connect(edit.redo_last)
        head.language.changed.connect(lambda language: self._choose_options(language=language))
        foot.go_on.clicked.connect(self._on_go_on)
        foot.again.clicked.connect(work.again)
        foot.options.clicked.connect(self.show_options)
        foot.where.clicked.connect(edit.reading_line.scroll_to)
        self.first.chosen.connect(self._try)
        work.changed.connect(self._show_state)
        work.runs.began.connect(lambda: self.kept.nudge(is_step=True))
        work.ended.connect(self._on_ended)
        work.failed.connect(self._on_failed)
        work.came.connect(self._ui.loader.look_during_answer)
        work.counting.measured.connect(self._show_reading)
        self.kept.kept.connect(self._on_kept)
        self._ui.loader.changed.connect(self._on_loader_changed)

    # What is open.

    @property
    def open_id(self) -> int | None:
        return self.kept.id

    @property
    def title(self) -> str:
        return self._page.title if self._page is not None else ""

    @property
    def language(self) -> str:
        """As it is highlighted: as the person said, else by the page's file."""
        return self.options.language or language_of(self._page.file if self._page is not None else None)

    def show_page(self, page_id: int | None, text: str = "") -> None:
        """One that is stored; None is a new one, which may begin with a text."""
        from app.features.writing import WritingOptions

        self.leave()
        page = None
        with self._ui.notify.guard():
            page = self._pages.get(page_id) if page_id else None
        self._page = page
        if page is not None:
            self.options = WritingOptions.from_stored(page.options)
            state, before = PageState(page.text, page.written, page.cursor), self.kept.before(page)
        else:
            last = self._app.settings.writing
            self.options = WritingOptions(max_tokens=last.max_tokens, count=last.count)
            state, before = PageState(), None
        self.edit.show_state(PageState())  # else the page before would be laid out in the letters of this one
        self._show_language()
        self.edit.show_state(state, before)
        self.kept.begin(page)
        self._show_options()
        if text:
            self.edit.textCursor().insertText(clean_text(text))
        self._show_head()
        self._show_state()
        self._show_reading()
        self.continuing.counting.measure_soon()
        self.shown_changed.emit()

    def leave(self) -> None:
        """Another page, another tab, or the window closes: nothing is asked any more, what is there is kept."""
        self.continuing.stop()
        self.continuing.forget()
        self.kept.keep()

    def forget(self) -> None:
        """The page that is open was deleted."""
        self.continuing.forget()
        self.kept.begin(None)
        self.edit.show_state(PageState())
        self.show_page(None)

    def on_renamed(self) -> None:
        """It has another title."""
        self._look_at_page()

    def take_keyboard(self) -> None:
        if self.cards.is_open:
            self.cards.cards[0].setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_text(self, text: str) -> None:
        """A text from elsewhere, as a page of its own."""
        self.show_page(None, text)
        self.kept.keep()
        self.take_keyboard()

    def on_model_changed(self) -> None:
        self.continuing.counting.on_model_changed()

    # Files.

    def ask_for_files(self) -> None:
        dialog = file_dialog(self, tr("Open text files"), DOCUMENTS)
        dialog.setObjectName("open_page_dialog")
        dialog.setNameFilters([tr("Text and source files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda files: self.add_files([Path(file) for file in files]))
        dialog.open()

    def add_files(self, files: Sequence[Path]) -> None:
        """Each becomes a page; the last one is shown."""
        for file in files:
            self._add_file(file)

    def _add_file(self, file: Path) -> None:
        pages = self._pages
        tasks.ask(lambda _cancel: pages.open_file(file), self, self._on_opened, self._ui.notify.error)

    def save(self) -> None:
        """In the file that the page has, else in one that is asked for."""
        self.kept.keep()
        self._look_at_page()
        if self.open_id is None:
            self._ui.notify.mention(tr("There is nothing on this page yet."))
        elif self._page is not None and self._page.file is not None:
            self._save_as(self._page.file)
        else:
            self.ask_where_to_save()

    def ask_where_to_save(self) -> None:
        """Also where the page has a file."""
        self.kept.keep()
        self._look_at_page()
        dialog = file_dialog(self, tr("Save the page as a file"), SAVED)
        dialog.setObjectName("save_page_dialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([tr("Text and source files (*)")])
        dialog.selectFile(file_name(self.title, self.language))
        dialog.fileSelected.connect(lambda file: self._save_as(Path(file)))
        dialog.open()

    def _save_as(self, path: Path) -> None:
        page_id, pages, notify = self.open_id, self._pages, self._ui.notify
        if page_id is None:
            return

        def told(remarks: Any) -> None:
            notify.saved(path, " ".join([tr("Saved as {name}.", name=path.name), *map(tr, remarks)]))
            self._look_at_page()
            self._show_language()

        tasks.ask(lambda _cancel: pages.export(page_id, path), self, told, notify.error)

    def _on_opened(self, opened: OpenedFile) -> None:
        self.list_changed.emit(opened.page.id)
        self.show_page(opened.page.id)
        for remark in opened.remarks:
            self._ui.notify.mention(tr(remark))
        self.take_keyboard()

    # Options.

    def show_options(self) -> None:
        sheet = OptionsSheet(self._theme, self.options, self)
        sheet.changed.connect(self._on_options)
        sheet.open_above(self.foot.options)

    def _on_options(self, options: WritingOptions) -> None:
        self.options = options
        with self._ui.notify.guard():
            self._app.change("writing", max_tokens=options.max_tokens, count=options.count)
        self._show_options()
        self.kept.nudge_place()
        self.continuing.counting.measure_soon()

    def _choose_options(self, **values: Any) -> None:
        from dataclasses import replace

        self.options = replace(self.options, **values)
        self._show_language()
        self.kept.nudge_place()

    def _show_options(self) -> None:
        self.foot.show_options(summary_of(self.options))

    def _show_language(self) -> None:
        language = self.language
        self.head.language.offer(languages_with(language))
        self.head.language.show_value(language)
        self.edit.show_language(language, is_code=is_code(language))

    # Continuing.

    def _asked(self) -> PageAsked:
        from app.features.writing import PageAsked

        state, options = self.edit.state, self.options
        behind = state.text[state.cursor :]
        fills = options.middle == "on" or (not options.middle and self.edit.is_code)
        return PageAsked(state.text, state.cursor, options, fills=fills and bool(behind.strip()))

    def _on_go_on(self) -> None:
        if self.continuing.is_busy:
            self.continuing.stop()
        else:
            self.continuing.go_on()
        if not self.cards.is_open:
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_cancelled(self) -> None:
        if self.cards.is_open and not self.continuing.is_busy:
            self.continuing.decline()
        else:
            self.continuing.stop()

    def _try(self, text: str, language: str) -> None:
        self._choose_options(language=language)
        self.edit.textCursor().insertText(text)
        self.take_keyboard()
        self.continuing.go_on()

    def _on_ended(self) -> None:
        self._ui.loader.look()
        self.kept.nudge()
        self._show_state()

    def _on_failed(self, error: BaseException) -> None:
        self._ui.loader.look()
        if isinstance(error, InfillUnavailable):
            from app.features.messages import sentence_for

            notice = self._ui.notify.tell(sentence_for(error))
            notice.add_button(tr("Continue without what follows"), self.continuing.go_on, "plain")
        else:
            self._ui.notify.error(error)
        self._show_state()

    def _on_edited(self) -> None:
        self.first.setVisible(self.edit.page.isEmpty())
        self._show_undo()
        if self.edit.page.run is not None:
            self.kept.nudge()
        self.continuing.counting.measure_soon()

    def _on_moved(self) -> None:
        self.kept.nudge_place()
        self.continuing.counting.measure_soon()

    def _on_loader_changed(self) -> None:
        self._show_state()
        if self._ui.loader.state == "ready":
            self.continuing.counting.measure_soon()

    # What is said.

    def _show_state(self) -> None:
        work = self.continuing
        self.foot.show_state(work.words, is_busy=work.is_busy, can_repeat=work.can_repeat, is_choosing=work.is_choosing)
        self.foot.show_reading(work.counting.reading, work.counting.written_tokens)
        self._show_undo()
        self.foot.fit(self._foot_px)
        if work.is_busy != self._is_at_work:  # and not with each token
            self._is_at_work = work.is_busy
            self.at_work.emit(tr("Writing") if work.is_busy else "")

    def _show_undo(self) -> None:
        document = self.edit.document()
        self.head.undo.setEnabled(document.isUndoAvailable())
        self.head.redo.setEnabled(document.isRedoAvailable())

    def _show_reading(self) -> None:
        reading = self.continuing.counting.reading
        self._show_state()
        self.edit.reading_line.show_at(reading.start if reading is not None else None)

    def _show_head(self) -> None:
        page = self._page
        self.head.show_page(self.title or tr("New page"), page.file if page is not None else None)

    def _look_at_page(self) -> None:
        """What the store says of it now."""
        with self._ui.notify.guard():
            self._page = self._pages.get(self.open_id) if self.open_id is not None else None
        self._show_head()

    def _on_kept(self, page_id: int) -> None:
        is_new = self._page is None
        self._look_at_page()
        self.list_changed.emit(page_id)
        if is_new:
            self.shown_changed.emit()

    @property
    def _pages(self) -> Pages:
        return self._app.pages

    def _arrange(self) -> None:
        px = self._theme.px
        self._below.setContentsMargins(px(EDGE_PX), px(4), px(EDGE_PX), px(12))
        self.cards.fit(round(self.height() * 0.5))
        self.foot.fit(self._foot_px)

    @property
    def _foot_px(self) -> int:
        return self.width() - 2 * self._theme.px(EDGE_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the page that were pressed elsewhere in the tab."""
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
            self.continuing.go_on()
        elif event.key() == Qt.Key.Key_Escape and (self.continuing.is_busy or self.cards.is_open):
            self._on_cancelled()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.take_keyboard()


class PageHead(QWidget):
    """Its title, the file that it has, its language, and what can be done with all of it."""

    def __init__(self, ui: UiContext) -> None:
        super().__init__()
        theme = ui.theme
        self.title = ElidedLabel()
        self.file = ElidedLabel()
        self.file.setProperty("kind", "muted")
        self.language = ChoiceButton(theme, tr("Language"), languages_with("text"), shows_change=False)
        self.undo = IconButton(theme, "arrow-counter-clockwise", tr("Undo"), size_px=18)
        self.redo = IconButton(theme, "arrow-clockwise", tr("Redo"), size_px=18)
        self.open = IconButton(theme, "folder-open", tr("Open text files"), size_px=18)
        self.save = IconButton(theme, "floppy-disk", tr("Save as a file"), size_px=18)
        self.open.setToolTip(with_keys(tr("Open text files, or drop them anywhere in the window"), "attach"))
        self.save.setToolTip(
            tr("Save as a file ({keys}); under another name: {others}", keys="Ctrl+S", others="Ctrl+Shift+S")
        )
        self.undo.setToolTip(tr("Undo ({keys})", keys="Ctrl+Z"))
        self.redo.setToolTip(tr("Redo ({keys})", keys="Ctrl+Shift+Z"))
        row = QHBoxLayout(self)
        row.addWidget(self.title)
        row.addWidget(self.file, 1)
        for widget in (self.language, self.undo, self.redo, self.open, self.save):
            row.addWidget(widget)
        theme.dress(row, margins=(EDGE_PX, 8, EDGE_PX - 6, 4), spacing=6)
        theme.dress(self.title, font=(15, 600), least_height=HEADING_PX)
        theme.dress(self.file, font=(13, 400))
        name_widgets(page_title=self.title, page_file=self.file, page_language=self.language)
        name_widgets(page_undo=self.undo, page_redo=self.redo, page_open=self.open, page_save=self.save)

    def show_page(self, title: str, file: Path | None) -> None:
        self.title.setText(title)
        self.file.setText(file.name if file is not None and file.name != title else "")
        if file is not None:
            self.file.setToolTip(str(file))


class PageFoot(QWidget):
    """Continue, Again, how; what is said; how much of the page the model reads."""

    def __init__(self, ui: UiContext) -> None:
        super().__init__()
        theme = self._theme = ui.theme
        self._said: list[str] = []
        self._room = 0
        self.go_on: QPushButton = text_button(tr("Continue"), "primary")
        self.again: QPushButton = text_button(tr("Again"), "plain")
        self.again.setToolTip(tr("Another one in the place of the last continuation"))
        self.options: QPushButton = text_button("", "quiet")
        self.note = ElidedLabel()
        self.note.setProperty("kind", "muted")
        self.count = plain_label(kind="muted")
        self.line = ProgressLine(theme)
        self.where: QPushButton = text_button(tr("Show where"), "link")
        self.cut = plain_label(kind="muted", wraps=True)
        self._row = QHBoxLayout()
        for widget in (self.go_on, self.again, self.options):
            self._row.addWidget(widget)
        self._row.addWidget(self.note, 1)
        self._row.addWidget(self.count)
        self._row.addWidget(self.line)
        self._above = QHBoxLayout()
        self._above.addWidget(self.cut, 1)
        self._above.addWidget(self.where)
        column = QVBoxLayout(self)
        column.addLayout(self._above)
        column.addLayout(self._row)
        theme.dress(column, margins=(0, 0, 0, 0), spacing=4)
        theme.dress(self._row, self._above, spacing=8)
        theme.dress(self.go_on, self.again, font=(14, 500))
        theme.dress(self.options, font=(13, 500), glyph=("sliders-horizontal", "muted", 17), glyph_size=(21, 17))
        theme.dress(self.note, self.count, self.cut, self.where, font=(12.5, 400))
        theme.dress(self.line, width=56)
        name_widgets(continue_button=self.go_on, again_button=self.again, write_options_button=self.options)
        name_widgets(write_note=self.note, write_count_tokens=self.count, write_cut=self.cut, write_where=self.where)
        self.show_state("", is_busy=False, can_repeat=False, is_choosing=False)
        self.show_reading(None)

    def show_state(self, words: str, *, is_busy: bool, can_repeat: bool, is_choosing: bool) -> None:
        label, keys = (tr("Stop"), "Esc") if is_busy else (tr("Continue"), "Ctrl+Enter")
        self.go_on.setText(label)
        self.go_on.setAccessibleName(label)
        self.go_on.setToolTip(f"{label} ({keys})")
        self.go_on.setEnabled(is_busy or not is_choosing)
        self.again.setEnabled(can_repeat)
        if self.note.text() != words:
            self.note.setText(words)

    def show_options(self, words: str) -> None:
        self._said = words.split(" · ")
        self.options.setAccessibleName(tr("How the page is gone on with: {words}", words=words))
        self.options.setToolTip(f"{words}\n{tr('Length, number, sampling, where it stops')}")
        self._say_options()

    def show_reading(self, reading: Any, written_tokens: int = 0) -> None:
        """A `Reading`, or None as long as nobody knows; and what was written since."""
        for widget in (self.count, self.line):
            widget.setVisible(reading is not None)
        is_cut = reading is not None and not reading.is_whole
        self.cut.setVisible(is_cut)
        self.where.setVisible(is_cut and reading.start > 0)
        if reading is None:
            return
        tokens = reading.tokens + written_tokens
        used, size = short_count(tokens), short_count(reading.context_tokens)
        self.count.setText(tr("{used} of {size} tokens", used=used, size=size))
        self.count.setToolTip(
            tr("What the model reads of this page, of what it can keep in mind together with what it writes")
        )
        self.line.show_share(tokens, reading.context_tokens)
        self.line.setAccessibleName(self.count.text())
        if is_cut:
            words = tr(
                "The page has {all} tokens before the cursor. The model reads only the last {some}, which fit.",
                all=short_count(reading.all_tokens),
                some=short_count(reading.tokens),
            )
            self.cut.setText(words)

    def fit(self, room: int) -> None:
        """In a narrow window the line beside the number goes, then what is said of the options, but for the first."""
        self._room = room
        self.line.setHidden(self.count.isHidden() or room < self._theme.px(560))
        self._say_options()

    def _say_options(self) -> None:
        """As much as there is room for beside all else, and a few words of the note."""
        beside = (self.go_on, self.again, self.count, self.line)
        taken = sum(one.sizeHint().width() + self._row.spacing() for one in beside if not one.isHidden())
        room = self._room - taken - self._theme.px(NOTE_PX)
        for number in range(len(self._said), 0, -1):
            words = " · ".join(self._said[:number])
            self.options.setText(words if number == len(self._said) else f"{words} …")
            if self.options.sizeHint().width() <= room:
                break


class FirstWords(QWidget):
    """What an empty page shows: that anything may be typed, and what works at once."""

    chosen = Signal(str, str)
    """A text and its language."""

    def __init__(self, ui: UiContext, edit: PageEdit) -> None:
        super().__init__(edit.viewport())
        self._edit, self._theme = edit, ui.theme
        words = plain_label(
            tr("Type something; the model goes on with it, word for word, as it stands. Or try one of these:"),
            kind="muted",
            wraps=True,
        )
        column = QVBoxLayout(self)
        column.addWidget(words)
        for text, language in IDEAS:
            button = text_button(" ".join(tr(text).split()), "idea")
            button.clicked.connect(lambda _=False, text=text, language=language: self.chosen.emit(tr(text), language))
            row = QHBoxLayout()
            row.addWidget(button)
            row.addStretch(1)
            column.addLayout(row)
            ui.theme.dress(button, font=(14, 400))
        column.addStretch(1)
        ui.theme.dress(column, margins=(2, 44, 2, 0), spacing=8)
        ui.theme.dress(words, font=(14, 400))
        edit.viewport().installEventFilter(self)
        self._fit()

    def _fit(self) -> None:
        self.setGeometry(self._edit.viewport().rect())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)
