"""The Write tab: page, continuations, and the column of pages, connected with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import QEvent, QModelIndex, QObject, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.core.errors.request_errors import InfillUnavailable
from app.core.visible import clean_text
from app.features.models.model_messages import short_count
from app.ui.i18n import InContext, Translatable, join_lines, tr, tr_count, translated_choices, with_key
from app.ui.icons import icon
from app.ui.locale_formats import join_facts
from app.ui.screen_reader import read_as
from app.ui.shared_labels import (
    CONTINUE,
    LAST_SEVEN_DAYS,
    OLDER,
    ONE_TOKEN,
    PIN,
    STOP,
    TODAY,
    TOKEN_COUNT,
    UNDO,
    UNPIN,
    WRITING,
    YESTERDAY,
)
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import Tab, UiContext
from app.ui.shown_texts import keep_words, rewrite_text
from app.ui.spell_check import SpellCheck, Speller
from app.ui.theme import HEADING_PX, Theme
from app.ui.widgets.buttons import ChoiceButton, IconButton, text_button
from app.ui.widgets.labels import ElidedLabel, ProgressStripe, plain_label, plain_tip
from app.ui.widgets.layouts import InsideSplitter, fill_layout, name_widgets
from app.ui.widgets.menus import Menu
from app.ui.widgets.row_list import ID_ROLE, GroupedListModel, Index
from app.ui.work.job_column import ListColumn, ListWords
from app.ui.work.job_tab import SecondModelQuestion
from app.ui.write.alternatives import Alternatives
from app.ui.write.continuing import PageContinuation
from app.ui.write.kept_page import KeptPage, PageFiles, is_code, language_of, languages_with
from app.ui.write.page_document import PageContent
from app.ui.write.page_edit import PageEdit
from app.ui.write.writing_options import PageOptions, summary_of

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.continue_page import ContextWindow, PageAsked
    from app.features.write_pages import OpenedFile, PageRow, Pages, WritingOptions

ONLY_LAST_TOKENS_READ = "The page has {all} tokens before the cursor. Only the last {some} fit the model’s context."

CONTINUE_WITHOUT_SUFFIX = "Ignore following text"


IDEAS: tuple[tuple[Translatable, str], ...] = (
    ("Deep learning is", ""),
    ("It was a dark night, and the keeper of the lighthouse", ""),
    ("def is_prime(number):\n    ", "python"),
)
"""Suggested beginnings with their languages."""
NOTE_PX = 60
"""Room for the note in a narrow window, which shows a short form."""


PINNED_PAGE = InContext("page", "Pinned")


class WriteView(QWidget):
    """View of a page; `open_id` is None until it has words."""

    shown_changed = Signal()
    """Another page was opened, or the open one was stored for the first time."""
    list_changed = Signal(int)
    """Id of a page that was created or changed."""
    at_work = Signal(str)
    """Text on the model's work; "" when idle."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._app, self._ui, self._theme = app, ui, ui.theme
        self.setObjectName("write_view")
        self._is_at_work = False
        self.options = PageOptions(app, ui, self)
        self.edit = PageEdit(ui.theme)
        self.cards = Alternatives(ui.theme)
        self.head = PageHead(ui, self.edit)
        self.first = FirstWords(ui, self.edit, choose=self._try)
        self.kept = KeptPage(lambda: app.pages, ui.notify, lambda: (self.edit.state, self.options.now), self)
        self.files = PageFiles(self.kept, lambda: app.pages, ui.notify, lambda: self.head.language.value, self)
        self.continuing = PageContinuation(self.edit, self.cards, lambda: app.writing_engines, ui.loader, self._asked)
        self.foot = PageFoot(ui, self.continuing)
        ui.notify.bar.stand_above(self.foot)
        column = QVBoxLayout(self)
        fill_layout(column, self.head, (self.edit, 1))
        self._below = QVBoxLayout()
        fill_layout(self._below, self.cards, self.foot)
        column.addLayout(self._below)
        ui.theme.dress(column, margins=(0, 0, 0, 0), spacing=0)
        ui.theme.dress(self._below, spacing=16)
        ui.theme.changed.connect(self._arrange)
        self.setFocusProxy(self.edit)
        speller = Speller(lambda: app.settings, lambda: app.spelling, app.change_settings)
        self._spelling = SpellCheck(self.edit, speller, ui.theme, ui.notify)
        self._connect()
        self.show_page(None)

    def _connect(self) -> None:
        edit, head, foot, work, kept, files = self.edit, self.head, self.foot, self.continuing, self.kept, self.files
        edit.edited.connect(self._on_edited)
        for follow in (work.on_touched, kept.save_soon, foot.update_state):
            edit.touched.connect(follow)
        edit.shown.connect(self._spelling.forget)
        edit.moved.connect(kept.save_place_soon)
        edit.moved.connect(work.counting.measure_soon)
        edit.continue_wanted.connect(work.go_on)
        edit.cancelled.connect(self._on_cancelled)
        edit.open_wanted.connect(files.ask)
        edit.save_wanted.connect(files.save)
        edit.save_as_wanted.connect(files.ask_where_to_save)
        head.open.clicked.connect(files.ask)
        head.save.clicked.connect(files.save)
        head.language.changed.connect(self.choose_language)
        foot.go_on.clicked.connect(self._on_go_on)
        foot.options.clicked.connect(lambda: self.options.show_sheet(foot.options))
        foot.where.clicked.connect(edit.reading_line.scroll_to)
        files.opened.connect(self._on_opened)
        files.saved.connect(self._show_language)
        self.options.changed.connect(self._on_options)
        work.changed.connect(self._on_work)
        work.runs.began.connect(lambda: kept.save_soon(is_step=True))
        work.ended.connect(self._ui.loader.sync_with_engine)
        work.ended.connect(kept.save_soon)
        work.failed.connect(self._on_failed)
        work.came.connect(self._ui.loader.look_during_answer)
        work.counting.measured.connect(self._show_reading)
        kept.kept.connect(self._on_kept)
        kept.page_changed.connect(lambda: head.show_page(kept.title, kept.file))

    @property
    def open_id(self) -> int | None:
        return self.kept.id

    def show_page(self, page_id: int | None, text: str = "") -> None:
        """Open a stored page, or a new one for None, which may start with a text."""
        self.kept.save_page()
        self.continuing.park(self.kept.id)
        self.kept.save_page()  # a continuation into it has just ended
        page, state, before = None, PageContent(), None
        with self._ui.notify.guard():
            page = self._app.pages.get(page_id) if page_id else None
        self.options.begin(page)
        if page is not None:
            state, before = PageContent(page.text, page.written, page.cursor), self.kept.before(page)
        self.edit.show_state(PageContent())  # or the former page would be laid out in this one's font
        self.kept.page = page  # its file determines the language
        self._show_language()
        self.edit.show_state(state, before)
        self.kept.begin(page)
        self.foot.show_options(self.options.now)
        if text:
            self.edit.textCursor().insertText(clean_text(text))
        if page is not None:
            self.continuing.resume(page.id)
        self.continuing.counting.measure_soon()
        self.shown_changed.emit()

    def close_view(self) -> None:
        """Stop all requests and save before the window closes."""
        self.continuing.stop()
        self.continuing.requests.drop_parked()
        self.continuing.forget()
        self.kept.save_page()

    def forget(self) -> None:
        """Clear the view without saving, because its page was deleted."""
        if self.kept.id is not None:
            self.continuing.requests.drop_parked(self.kept.id)
        self.continuing.forget()
        # First, or the deleted page would be saved again.
        self.kept.begin(None)
        self.edit.show_state(PageContent())
        self.show_page(None)

    def take_keyboard(self) -> None:
        if self.cards.is_open:
            self.cards.cards[0].setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_text(self, text: str) -> None:
        """Open a text from elsewhere as a new page."""
        self.show_page(None, text)
        self.kept.save_page()
        self.take_keyboard()

    def _on_opened(self, opened: OpenedFile) -> None:
        self.list_changed.emit(opened.page.id)
        self.show_page(opened.page.id)
        for remark in opened.remarks:
            self._ui.notify.mention(remark)
        self.take_keyboard()

    def _on_kept(self, page_id: int) -> None:
        is_new = self.kept.page is None
        self.kept.reload_page()
        self.list_changed.emit(page_id)
        if is_new:
            self.shown_changed.emit()

    def choose_language(self, language: str) -> None:
        self.options.choose(language=language)
        self._show_language()

    def _show_language(self) -> None:
        """Set highlighting: the language chosen by the user, else that of the page's file."""
        language = self.options.now.language or language_of(self.kept.file)
        self.head.language.offer(translated_choices(languages_with(language)))
        self.head.language.show_value(language)
        self.edit.show_language(language, is_code=is_code(language))
        self._arrange()
        self._spelling.forget()

    def _on_options(self) -> None:
        self.foot.show_options(self.options.now)
        self.kept.save_place_soon()
        self.continuing.counting.measure_soon()

    def _asked(self) -> PageAsked:
        return self.options.asked_of(self.edit.state, is_code=self.edit.is_code)

    def _on_go_on(self) -> None:
        if self.continuing.is_busy:
            self.continuing.stop()
        else:
            self.continuing.go_on()
        # The click has given the keyboard to the button.
        if not self.cards.is_open:
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_cancelled(self) -> None:
        if self.cards.is_open and not self.continuing.is_busy:
            self.continuing.decline()
        else:
            self.continuing.stop()

    def _try(self, text: str, language: str) -> None:
        self.choose_language(language)
        self.edit.textCursor().insertText(text)
        self.take_keyboard()
        self.continuing.go_on()

    def _on_failed(self, error: BaseException) -> None:
        self._ui.loader.sync_with_engine()
        if isinstance(error, InfillUnavailable):
            from app.ui.i18n import sentence_for

            notice = self._ui.notify.show_notice(sentence_for(error), lasts=True, is_error=True)
            notice.add_button(tr(CONTINUE_WITHOUT_SUFFIX), self.continuing.go_on)
        else:
            self._ui.notify.error(error)

    def _on_edited(self) -> None:
        self.first.setVisible(self.edit.page.isEmpty())
        # Text by the model doesn't emit `touched`, which saves what the user types.
        if self.edit.page.run is not None:
            self.kept.save_soon()
        self.continuing.counting.measure_soon()

    def _on_work(self) -> None:
        work = self.continuing
        if work.is_busy != self._is_at_work:  # not with each token
            self._is_at_work = work.is_busy
            self.at_work.emit(tr(WRITING) if work.is_busy else "")

    def _show_reading(self) -> None:
        reading = self.continuing.counting.reading
        self.edit.reading_line.show_at(reading.start if reading is not None else None)

    def _arrange(self) -> None:
        """Keep title, alternatives and buttons to the column of the text."""
        px, side = self._theme.px, self.edit.typeface.side_of(self.width())
        self.head.fit_side(side)
        self._below.setContentsMargins(side, px(8), side, px(12))
        self.cards.fit_height(round(self.height() * 0.5))
        self.foot.fit_room(self.width() - 2 * side)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the page's keys when they are pressed elsewhere in the tab."""
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
    """Header of a page: title, file, language, undo and file actions."""

    def __init__(self, ui: UiContext, edit: PageEdit) -> None:
        super().__init__()
        theme, self._edit = ui.theme, edit
        self._theme = theme
        self.title, self._own_title = keep_words(ElidedLabel()), ""
        self.file = ElidedLabel()
        self.file.setProperty("kind", "muted")
        languages = translated_choices(languages_with("text"))
        self.language = ChoiceButton(theme, tr("Language"), languages, shows_change=False)
        self.undo = IconButton(theme, "arrow-u-up-left", tr(UNDO), size_px=18, on_click=edit.undo_last)
        self.redo = IconButton(theme, "arrow-u-up-right", tr("Redo"), size_px=18, on_click=edit.redo_last)
        self.open = IconButton(theme, "folder-open", tr("Open text files"), size_px=18)
        self.save = IconButton(theme, "floppy-disk", tr("Save as a file"), size_px=18)
        self.open.setToolTip(tr("Open text files ({keys}), or drop them anywhere in the window", keys="Ctrl+O"))
        self.save.setToolTip(
            tr("Save as a file ({keys}); under another name: {others}", keys="Ctrl+S", others="Ctrl+Shift+S")
        )
        self.undo.setToolTip(tr("Undo ({keys})", keys="Ctrl+Z"))
        self.redo.setToolTip(tr("Redo ({keys})", keys="Ctrl+Shift+Z"))
        self._spare = (self.redo, self.undo, self.open)
        row = self._row = QHBoxLayout(self)
        fill_layout(row, self.title, (self.file, 1))
        for widget in (self.language, self.undo, self.redo, self.open, self.save):
            row.addWidget(widget)
        theme.dress(row, spacing=6)
        theme.dress(self.title, font="section", least_height=HEADING_PX)
        theme.dress(self.file, font="small")
        name_widgets(page_title=self.title, page_file=self.file, page_language=self.language)
        name_widgets(page_undo=self.undo, page_redo=self.redo, page_open=self.open, page_save=self.save)
        edit.edited.connect(self._show_undo)

    def fit_side(self, side_px: int) -> None:
        """Begin and end with the text's column; in a narrow one, buttons with well-known keys are hidden first."""
        px = self._theme.px
        self._row.setContentsMargins(side_px, px(8), max(0, side_px - px(6)), px(4))
        for count in range(len(self._spare) + 1):
            if self._least_px(*self._spare[count:]) <= self.width():
                break
        for number, button in enumerate(self._spare):
            button.setVisible(number >= count)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._least_px(), super().minimumSizeHint().height())

    def _least_px(self, *others: QWidget) -> int:
        row, widgets = self._row, (self.language, self.save, *others)
        margins = row.contentsMargins()
        labels = sum(label.minimumSizeHint().width() + row.spacing() for label in (self.title, self.file))
        buttons = sum(widget.sizeHint().width() + row.spacing() for widget in widgets)
        return margins.left() + margins.right() + labels + buttons

    def _show_undo(self) -> None:
        self.undo.setEnabled(self._edit.page.isUndoAvailable())
        self.redo.setEnabled(self._edit.page.isRedoAvailable())

    def show_page(self, title: str, file: Path | None) -> None:
        """Show title and file; a page without title is new."""
        self._own_title = title
        self._show_title()
        self.file.setText(file.name if file is not None and file.name != title else "")
        if file is not None:
            self.file.setToolTip(str(file))

    def _show_title(self) -> None:
        self.title.setText(self._own_title or tr("New page"))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._show_title()


class PageFoot(QWidget):
    """Footer of a page: Continue, Again, options, state, and how much of the page the model reads."""

    def __init__(self, ui: UiContext, work: PageContinuation) -> None:
        super().__init__()
        theme, self._work = ui.theme, work
        self._theme = theme
        self._option_words: list[str] = []
        self._room = 0
        self._has_reading = False
        self.go_on: QPushButton = text_button(tr(CONTINUE), "primary")
        self.again: QPushButton = text_button(tr("Again"), "plain", on_click=work.again)
        self.again.setToolTip(tr("Replace the last continuation with a new one"))
        self.options: QPushButton = text_button("", "quiet")
        self.note = ElidedLabel()
        self.note.setProperty("kind", "muted")
        self.count = plain_label(kind="muted")
        self.line = ProgressStripe(theme)
        self.where: QPushButton = text_button(tr("Show where"), "link")
        self.cut = plain_label(kind="muted", wraps=True)
        self._row = QHBoxLayout()
        for widget in (self.go_on, self.again, self.options):
            self._row.addWidget(widget)
        fill_layout(self._row, (self.note, 1), self.count, self.line)
        self._above = QHBoxLayout()
        fill_layout(self._above, (self.cut, 1), self.where)
        column = QVBoxLayout(self)
        fill_layout(column, self._above, self._row)
        theme.dress(column, margins=(0, 0, 0, 0), spacing=4)
        theme.dress(self._row, self._above, spacing=8)
        theme.dress(self.go_on, self.again, font="control")
        theme.dress(self.options, font="control", glyph=("sliders-horizontal", "muted", 17), glyph_size=(21, 17))
        theme.dress(self.note, self.count, self.cut, self.where, font="small")
        theme.dress(self.line, width=56)
        read_as(self.options, has_menu=True)
        name_widgets(continue_button=self.go_on, again_button=self.again, write_options_button=self.options)
        name_widgets(write_note=self.note, write_count_tokens=self.count, write_cut=self.cut, write_where=self.where)
        for signal in (work.changed, work.counting.measured, ui.loader.changed):
            signal.connect(self.update_state)
        self.update_state()

    def update_state(self) -> None:
        """Update buttons and state after the model's work or abilities changed."""
        work = self._work
        label, keys = (tr(STOP), "Esc") if work.is_busy else (tr(CONTINUE), "Ctrl+Enter")
        self.go_on.setText(label)
        self.go_on.setAccessibleName(label)
        self.go_on.setToolTip(with_key(label, keys))
        self.go_on.setEnabled(work.is_busy or not work.is_choosing)
        self.again.setEnabled(work.can_repeat)
        if self.note.text() != work.words:
            self.note.setText(work.words)
        self._show_reading(work.counting.reading, work.counting.written_tokens)
        self.fit_room(self._room)

    def show_options(self, options: WritingOptions) -> None:
        words, tokens = summary_of(options), options.max_tokens
        self._option_words = words.split(" · ")
        self.options.setAccessibleName(tr("How to continue the page: {words}", words=words))
        length = tr_count(ONE_TOKEN, TOKEN_COUNT, tokens)
        self.options.setToolTip(join_lines([words, length, tr("Length, number, sampling and stop texts")]))
        self._say_options()

    def _show_reading(self, reading: ContextWindow | None, written_tokens: int) -> None:
        self._has_reading = reading is not None
        is_cut = reading is not None and not reading.is_whole
        self.cut.setVisible(is_cut)
        self.where.setVisible(reading is not None and is_cut and reading.start > 0)
        if reading is None:
            return
        tokens = reading.tokens + written_tokens
        used, size = short_count(tokens), short_count(reading.context_tokens)
        self.count.setText(tr("{used} of {size} tokens", used=used, size=size))
        self.count.setToolTip(tr("How much of the context this page and the continuation use"))
        self.line.show_share(tokens, reading.context_tokens)
        self.line.setAccessibleName(self.count.text())
        if is_cut:
            words = tr(ONLY_LAST_TOKENS_READ, all=short_count(reading.all_tokens), some=short_count(reading.tokens))
            self.cut.setText(words)

    def fit_room(self, room: int) -> None:
        """Hide parts in a narrow window: first the line at the count, then the count, the options' text, and finally
        the note and Again.
        """
        self._room = room
        least = self._least_px(self.again, self.count) + self.note.minimumSizeHint().width() + self._row.spacing()
        self.count.setVisible(self._has_reading and room >= least)
        self.line.setVisible(not self.count.isHidden() and room >= self._theme.px(560))
        self.note.setVisible(room >= self._least_px(self.again) + self._theme.px(NOTE_PX))
        self.again.setVisible(room >= self._least_px(self.again))
        self._say_options()

    def _least_px(self, *others: QWidget) -> int:
        """Return the width of Continue, the options button without text, and the given widgets."""
        spare = self.options.fontMetrics().horizontalAdvance(self.options.text())
        widgets = (self.go_on, self.options, *others)
        return sum(widget.sizeHint().width() + self._row.spacing() for widget in widgets) - spare

    def minimumSizeHint(self) -> QSize:
        return QSize(self._least_px(), super().minimumSizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._say_options()

    def _say_options(self) -> None:
        """Shorten the options' text to the room left by other parts and a short note."""
        neighbours = (self.go_on, self.again, self.count, self.line)  # each is hidden if it doesn't fit
        taken = sum(widget.sizeHint().width() + self._row.spacing() for widget in neighbours if not widget.isHidden())
        room = self._room - taken - self._theme.px(NOTE_PX)
        for number in range(len(self._option_words), -1, -1):
            words = join_facts(map(rewrite_text, self._option_words[:number]))
            self.options.setText(words if number in (0, len(self._option_words)) else f"{words} …")
            if self.options.sizeHint().width() <= room:
                break


class FirstWords(QWidget):
    """Content of an empty page: an invitation to type, and examples."""

    def __init__(self, ui: UiContext, edit: PageEdit, *, choose: Callable[[str, str], object]) -> None:
        super().__init__(edit.viewport())
        self.choose = choose
        """Example text and its language."""
        self._edit, self._theme = edit, ui.theme
        self._words = words = plain_label(
            tr("Type something and the model continues it. Or try one of these:"), kind="muted", wraps=True
        )
        self._ideas: list[QPushButton] = []
        self._column = column = QVBoxLayout(self)
        column.addWidget(words)
        for text, language in IDEAS:
            button = text_button(
                " ".join(tr(text).split()),
                "idea",
                on_click=lambda _=False, text=text, language=language: self.choose(tr(text), language),
                elides=True,
            )
            self._ideas.append(button)
            row = QHBoxLayout()
            fill_layout(row, button, 1)
            column.addLayout(row)
            ui.theme.dress(button, font="control")
        column.addStretch(1)
        ui.theme.dress(column, margins=(2, 44, 2, 0), spacing=8)
        ui.theme.dress(words, font="row")
        edit.viewport().installEventFilter(self)
        ui.theme.changed.connect(self._fit_ideas)
        self._fit_ideas()

    # A viewport has no layout, so its size is followed by hand.
    def _fit_ideas(self) -> None:
        """Show as many examples below each other as fit."""
        self.setGeometry(self._edit.viewport().rect())
        inner, px = self._column.contentsMargins(), self._theme.px
        room = self.width() - inner.left() - inner.right()
        below = inner.top() + self._words.heightForWidth(room)
        for idea in self._ideas:
            below += px(8) + idea.sizeHint().height()
            idea.setVisible(below <= self.height())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit_ideas()  # the wanted height is known once it is shown

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit_ideas()
        return super().eventFilter(watched, event)


PINNED_ROLE = Qt.ItemDataRole.UserRole + 1


class PageListModel(GroupedListModel[Any]):
    """Pages under headings by last change, pinned ones first."""

    groups: ClassVar[tuple[Translatable, ...]] = (PINNED_PAGE, "Today", "Yesterday", "Last 7 days", "Older")

    def group_of(self, row: PageRow, now: datetime) -> Translatable:
        if row.pinned:
            return PINNED_PAGE
        day, today = datetime.fromtimestamp(row.updated_at).date(), now.date()
        if day >= today:
            return TODAY
        if day == today - timedelta(days=1):
            return YESTERDAY
        return LAST_SEVEN_DAYS if day > today - timedelta(days=7) else OLDER

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if isinstance(row, str):
            return row if role == Qt.ItemDataRole.DisplayRole else None
        title = row.title or tr("New page")
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{title}\n{row.snippet}" if row.snippet else title)
        return {ID_ROLE: row.id, PINNED_ROLE: row.pinned}.get(role)


class PagesColumn(ListColumn):
    """Column of pages; its search covers their text, too."""

    def __init__(self, theme: Theme, pages: Callable[[], Pages], notify: Notify) -> None:
        words = ListWords(
            name="pages",
            icon="plus",
            new=tr("New page"),
            search=tr("Search pages"),
            all=tr("Pages"),
            nothing_found=tr("No pages found."),
            nothing_yet=tr("Your pages will appear here."),
        )
        self._pages = pages
        super().__init__(
            theme,
            notify,
            PageListModel(),
            words,
            stored=pages(),
            rename=lambda number, title: pages().rename(number, title),
        )

    def menu_for(self, index: QModelIndex) -> Menu:
        menu, muted, is_pinned = super().menu_for(index), self._theme.tokens.muted, bool(index.data(PINNED_ROLE))
        glyph, words = ("push-pin-slash", tr(UNPIN)) if is_pinned else ("push-pin", tr(PIN))
        number = index.data(ID_ROLE)
        pin = menu.addAction(icon(glyph, muted), words, lambda: self._pin(number, is_pinned=not is_pinned))
        menu.insertAction(menu.actions()[1], pin)
        return menu

    def _pin(self, number: int, *, is_pinned: bool) -> None:
        with self._notify.guard():
            self._pages().set_pinned(number, is_pinned)
        self.reload()


class PageListing(QObject):
    """The list of pages, kept in step with the open one: its row is marked, found and up to date."""

    def __init__(self, app: Fireside, ui: UiContext, page: WriteView, tab: WriteTab) -> None:
        super().__init__(tab)
        self._page, self._tab = page, tab
        self.column = column = PagesColumn(ui.theme, lambda: app.pages, ui.notify)
        column.new_wanted.connect(tab.show_new)
        column.new_wanted.connect(page.take_keyboard)
        column.chosen.connect(page.show_page)
        column.renamed.connect(self._on_renamed)
        column.gone.connect(self._on_gone)
        page.list_changed.connect(self._refresh)
        page.shown_changed.connect(self._on_shown)

    def _refresh(self) -> None:
        """Reload the list, unless a title is being edited in it."""
        if not self.column.list.is_editing:
            self.column.reload()

    def _on_shown(self) -> None:
        # A search that doesn't find the page would hide it in the list.
        if (number := self._page.open_id) is not None and not self.column.model.index_of(number).isValid():
            self.column.search.clear()
            self.column.reload()
        self.column.show_open(number)
        self._tab.changed.emit()

    def _on_renamed(self, number: int) -> None:
        if number == self._page.open_id:
            self._page.kept.reload_page()
            self._tab.title_changed.emit()

    def _on_gone(self, number: int) -> None:
        if number == self._page.open_id:
            self._page.forget()


class WriteTab(Tab):
    """Tab that opens pages and keeps the list in step with their text."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._app, self._ui = app, ui
        self._announced_title = ""
        self._question = SecondModelQuestion(ui.theme, ui.window)
        app.writing_engines.ask = self._question.ask

    @cached_property
    def view(self) -> InsideSplitter:
        view = InsideSplitter(self._ui.theme, self.page, self.page.take_keyboard, self._new_inside)
        view.toggled.connect(self.inside_changed)
        return view

    @cached_property
    def page(self) -> WriteView:
        """The view of a page, without Inside, built on first use."""
        view = WriteView(self._app, self._ui)
        view.at_work.connect(self.state_changed)
        view.kept.page_changed.connect(self._on_page_changed)
        self.own_engine = view.continuing.work
        view.continuing.work.state_changed.connect(self.model_changed)
        view.continuing.work.ended.connect(self._ui.loader.sync_with_engine)  # its model may have replaced the chat's
        return view

    @cached_property
    def column(self) -> PagesColumn:
        return PageListing(self._app, self._ui, self.page, self).column

    @property
    def title(self) -> str:
        return self.page.kept.title

    @property
    def open_id(self) -> int | None:
        return self.page.open_id

    @property
    def is_at_work(self) -> bool:
        # Asking must not build the view.
        return "page" in self.__dict__ and self.page.continuing.is_busy

    def restore(self, kept_id: int) -> None:
        self.column.reload()
        self.page.show_page(kept_id or None)

    def restore_list(self) -> None:
        self.column.reload()

    def show_stored(self, number: int, message_id: int = 0, words: str = "") -> None:  # noqa: ARG002 - only chats have
        self.page.show_page(number)

    def take_keyboard(self) -> None:
        self.page.take_keyboard()

    def on_shown(self, *, is_shown: bool) -> None:
        if is_shown:
            self.page.continuing.counting.measure_soon()
        else:
            self.page.kept.save_page()
            self.page.continuing.requests.rest()

    def show_new(self) -> None:
        self.page.show_page(None)

    def ask_for_files(self) -> None:
        self.page.files.ask()

    def take_files(self, files: Sequence[Path]) -> None:
        self.page.files.open(files)

    def take_text(self, text: str) -> None:
        self.page.take_text(text)

    def on_model_chosen(self) -> None:
        self.page.continuing.counting.on_model_changed()

    def do(self, command: str) -> None:
        if command == "inside":
            self.view.toggle()

    def store(self) -> None:
        if "page" in self.__dict__:
            self.page.kept.save_page()

    def close(self) -> None:
        """Answer a pending question with no and save typed text before the window closes."""
        self._question.close()
        if "page" in self.__dict__:
            self.page.close_view()

    def _new_inside(self) -> QWidget:
        from app.ui.inside.inside_panel import InsidePanel  # imported when the panel is first opened
        from app.ui.write.page_inside import PageSubjects

        app = self._app
        subjects = PageSubjects(self.page.edit, self.page.continuing, self)
        lend = partial(app.writing_engines.open_engine, may_ask=False)
        panel = InsidePanel(self._ui, lend, subjects, is_chats=False)
        panel.closed.connect(self.view.close_pane)
        return panel

    def _on_page_changed(self) -> None:
        """Update the list when the page's first words, its title, changed."""
        if self.page.kept.title != self._announced_title:
            self._announced_title = self.page.kept.title
            self.title_changed.emit()
