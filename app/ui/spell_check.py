"""Spell check: underlines possible misspellings in visible text, shortly after typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtGui import QAction, QColor, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QApplication, QMenu, QTextEdit, QWidget
from shiboken6 import isValid

from app.core.lazy_dataclasses import dataclass
from app.ui.i18n import tr
from app.ui.locale_formats import join_list
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.text.formats import cursor_over, highlight, selected_text
from app.ui.theme import Theme
from app.ui.utf16 import characters_before, utf16_length
from app.ui.widgets.input_fields import STAYS, PlainEdit

if TYPE_CHECKING:
    from app.core.settings import Settings
    from app.features.spelling import SpellChecker

MISSPELLED_WORDS = "Possibly misspelled: {words}"
ADD_TO_DICTIONARY = "Add “{name}” to the dictionary"
CHECK_SPELLING = "Check spelling"

REST_MS = 350
"""Pause after the last key."""
AROUND = 300
"""Characters checked around the visible part, as whole sentences are needed to detect the language."""
WIDE = 20_000
"""Characters read around the visible part of a long text, as code fences may start or end there."""
TOLD = 5
"""Limit of words announced to screen readers."""


@dataclass(frozen=True)
class Speller:
    """Dependencies of the spell check: current settings, dictionaries, `Fireside.change`."""

    settings: Callable[[], Settings]
    spelling: Callable[[], SpellChecker]
    change: Callable[..., object]


class SpellChecks(QObject):
    """Spell checks of all fields of a kind in a view, such as the composer and message editors."""

    def __init__(self, view: QWidget, kind: type[PlainEdit], speller: Speller, theme: Theme, notify: Notify) -> None:
        super().__init__(view)
        self._view, self._kind, self._speller, self._theme, self._notify = view, kind, speller, theme, notify
        # Fields come and go, so each gets its check when it is first focused.
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        if isinstance(now, self._kind) and self._view.isAncestorOf(now) and now.findChild(SpellCheck) is None:
            SpellCheck(now, self._speller, self._theme, self._notify)


class SpellCheck(QObject):
    """Spell check of a field. It runs on a thread; results for text that has changed since are dropped."""

    def __init__(self, edit: PlainEdit, speller: Speller, theme: Theme, notify: Notify) -> None:
        super().__init__(edit)
        self._edit, self._speller, self._theme, self._notify = edit, speller, theme, notify
        self._marks: list[QTextEdit.ExtraSelection] = []
        self._task: tasks.BackgroundTask | None = None
        self._later = QTimer(self, singleShot=True, interval=REST_MS)
        self._later.timeout.connect(self._check_visible)
        for signal in (edit.textChanged, edit.cursorPositionChanged, edit.verticalScrollBar().valueChanged):
            signal.connect(self._check_later)
        edit.menu_wanted.connect(self._add_to_menu)
        theme.changed.connect(self._show_marks)

    @property
    def words(self) -> list[str]:
        return [_text_of(mark) for mark in self._marks]

    @property
    def is_wanted(self) -> bool:
        """True if the setting is on and the field holds prose."""
        return self._edit.is_prose and self._speller.settings().composer.check_spelling

    def forget(self) -> None:
        """Drop all results, because another text is shown; the next typing starts a check."""
        self._later.stop()
        self._end_task()
        self._marks = []
        self._show_marks()

    def _check_later(self) -> None:
        if self._edit.hasFocus():  # a draft that was only opened isn't checked
            self._later.start()

    def _end_task(self) -> None:
        if self._task is not None:
            self._task.abandon()
            self._task = None

    def _check_visible(self) -> None:
        self._end_task()
        document = self._edit.document()
        if not self.is_wanted or document.isEmpty():
            self.forget()
            return
        revision, find = document.revision(), self._speller.spelling
        text, begin, first, last = self._visible_text()

        def show_misspelled(found: list[tuple[int, int]]) -> None:
            self._task = None
            # The field may show another document by now, or be gone.
            if isValid(document) and self._edit.document() is document and document.revision() == revision:
                self._take_ranges(
                    document,
                    [(begin + utf16_length(text[:start]), begin + utf16_length(text[:end])) for start, end in found],
                )

        self._task = tasks.ask(
            lambda _token: find().find_misspelled(text, first, last), self, show_misspelled, self._notify.error
        )

    def _visible_text(self) -> tuple[str, int, int, int]:
        """Return the text around the visible part, its start in document units, and the range of characters to check:
        the visible part and a little more, from and to word boundaries.
        """
        edit, area = self._edit, self._edit.viewport().rect()
        top = edit.cursorForPosition(area.topLeft()).position()
        bottom = edit.cursorForPosition(area.bottomRight()).position()
        cursor = QTextCursor(edit.document())
        cursor.setPosition(max(0, top - WIDE))
        cursor.movePosition(QTextCursor.MoveOperation.StartOfBlock)
        begin = cursor.position()
        cursor.setPosition(min(bottom + WIDE, edit.document().characterCount() - 1), QTextCursor.MoveMode.KeepAnchor)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        text = selected_text(cursor)
        first = characters_before(text, top - begin) - AROUND
        last = characters_before(text, bottom - begin) + AROUND
        start = 0 if first <= 0 else max(text.rfind(" ", 0, first), text.rfind("\n", 0, first)) + 1
        ends = [place for place in (text.find(" ", last), text.find("\n", last)) if place >= 0]
        return text, begin, start, min(ends, default=len(text))

    def _take_ranges(self, document: QTextDocument, found: Sequence[tuple[int, int]]) -> None:
        """Set the underlined ranges, in the document's current units."""
        self._marks = []
        for start, end in found:
            mark = highlight(cursor_over(document, start, end), QTextCharFormat())
            if self._edit.textCursor().position() != mark.cursor.position():  # a word at the cursor may be unfinished
                self._marks.append(mark)
        self._show_marks()

    def _show_marks(self) -> None:
        for mark in self._marks:
            mark.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SpellCheckUnderline)
            mark.format.setUnderlineColor(QColor(self._theme.tokens.danger))
        self._edit.set_marks("spelling", self._marks)
        words = join_list(dict.fromkeys(self.words[:TOLD]))
        self._edit.describe("spelling", tr(MISSPELLED_WORDS, words=words) if words else "")

    def _add_to_menu(self, menu: QMenu, at: QPoint) -> None:
        position = self._edit.cursorForPosition(at).position()
        mark = next(
            (
                extra_selection
                for extra_selection in self._marks
                if _begin(extra_selection) <= position <= extra_selection.cursor.selectionEnd()
            ),
            None,
        )
        if mark is not None:
            self._offer(menu, mark)
        if not self._edit.is_prose:
            return
        menu.addSeparator()
        switch = menu.addAction(tr(CHECK_SPELLING))
        switch.setProperty(STAYS, mark is not None)
        switch.setCheckable(True)
        has_some = bool(self._speller.spelling().languages)
        switch.setChecked(self.is_wanted and has_some)
        switch.setEnabled(has_some)
        if not has_some:
            switch.setText(tr("Check spelling (no dictionary found, see Settings)"))
        switch.toggled.connect(self._switch)

    def _offer(self, menu: QMenu, mark: QTextEdit.ExtraSelection) -> None:
        word, text = _text_of(mark), mark.cursor.block().text()
        start = characters_before(text, _begin(mark) - mark.cursor.block().position())
        before = menu.actions()[0] if menu.actions() else None
        waiting = QAction(tr("Looking for suggestions…"), menu)
        waiting.setEnabled(False)
        add = QAction(tr(ADD_TO_DICTIONARY, name=word), menu)
        add.triggered.connect(lambda: self._add(word))
        line = QAction(menu)
        line.setSeparator(True)
        for action in (waiting, add):
            action.setProperty(STAYS, True)
        menu.insertActions(before, [waiting, add, line])  # type: ignore[arg-type]

        def show(found: list[str]) -> None:
            # It may be closed by now.
            if not isValid(menu):
                return
            actions = [QAction(text, menu) for text in found]
            for action in actions:
                font = action.font()
                font.setBold(True)
                action.setFont(font)
                action.triggered.connect(partial(self._replace, mark, action.text()))
            menu.insertActions(waiting, actions)
            waiting.setText(tr("No suggestions"))
            waiting.setVisible(not actions)
            room = menu.screen().availableGeometry()  # Qt doesn't move a menu that grows
            menu.move(menu.x(), max(room.top(), min(menu.y(), room.bottom() + 1 - menu.sizeHint().height())))

        find = self._speller.spelling
        tasks.ask(lambda _token: find().suggest_words(text, start, start + len(word)), menu, show, self._notify.error)

    def _replace(self, mark: QTextEdit.ExtraSelection, word: str, _checked: bool = False) -> None:
        mark.cursor.insertText(word)
        self._edit.setTextCursor(mark.cursor)
        self._check_visible()

    def _add(self, word: str) -> None:
        spelling = self._speller.spelling()
        with self._notify.guard():
            spelling.add_word(word)
            self._notify.undo(tr("Added “{name}” to your dictionary.", name=word), partial(self._take_back, word))
        self._check_visible()

    def _take_back(self, word: str) -> None:
        with self._notify.guard():
            self._speller.spelling().remove_word(word)
        self._check_visible()

    def _switch(self, wanted: bool) -> None:
        with self._notify.guard():
            self._speller.change("composer", check_spelling=wanted)
        self._check_visible()


def _text_of(mark: QTextEdit.ExtraSelection) -> str:
    return mark.cursor.selectedText()


def _begin(mark: QTextEdit.ExtraSelection) -> int:
    return mark.cursor.selectionStart()
