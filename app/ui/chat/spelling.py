"""Words that may be misspelled are underlined in a message, after a moment and only where it is seen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtGui import QAction, QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QApplication, QMenu, QTextEdit, QWidget
from shiboken6 import isValid

from app.ui.chat.composer import MessageEdit
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.features.chats import Chats

REST_MS = 350
"""After the last key."""
AROUND = 300
"""Characters before and behind what is seen: its sentences are whole, so that their language can be told."""
TOLD = 5
"""Words that a screen reader is told of."""


class SpellChecks(QObject):
    """In every message field of a view: the composer, and where a question, an answer or what waits is changed."""

    def __init__(self, view: QWidget, chats: Chats, theme: Theme, notify: Notify) -> None:
        super().__init__(view)
        self._view, self._chats, self._theme, self._notify = view, chats, theme, notify
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        is_new = isinstance(now, MessageEdit) and self._view.isAncestorOf(now) and now.findChild(SpellCheck) is None
        if is_new and isinstance(now, MessageEdit):
            SpellCheck(now, self._chats, self._theme, self._notify)


class SpellCheck(QObject):
    """Of one field. It asks on a thread, and what it hears of a text that has changed since it forgets."""

    def __init__(self, edit: MessageEdit, chats: Chats, theme: Theme, notify: Notify) -> None:
        super().__init__(edit)
        self._edit, self._chats, self._theme, self._notify = edit, chats, theme, notify
        self._marks: list[QTextEdit.ExtraSelection] = []
        self._task: tasks.Task | None = None
        self._later = QTimer(self, singleShot=True, interval=REST_MS)
        self._later.timeout.connect(self._look)
        for signal in (edit.textChanged, edit.cursorPositionChanged, edit.verticalScrollBar().valueChanged):
            signal.connect(self._look_later)
        edit.menu_wanted.connect(self._add_to_menu)
        theme.changed.connect(self._show_marks)

    @property
    def words(self) -> list[str]:
        """Those that are underlined, in their order."""
        return [_text_of(mark) for mark in self._marks]

    @property
    def is_wanted(self) -> bool:
        """Whether the person wants it."""
        return self._chats.settings().composer.check_spelling

    def _look_later(self) -> None:
        if self._edit.hasFocus():  # a draft that was only opened is nobody's concern
            self._later.start()

    def _look(self) -> None:
        if self._task is not None:
            self._task.abandon()
            self._task = None
        if not self.is_wanted or self._edit.document().isEmpty():
            self._take([], "", self._edit.document().revision())
            return
        text, revision = self._edit.toPlainText(), self._edit.document().revision()
        first, last = self._seen(text)
        find = self._chats.spelling

        def take(found: list[tuple[int, int]]) -> None:
            self._task = None
            self._take(found, text, revision)

        self._task = tasks.ask(lambda _token: find().misspelled(text, first, last), self, take, self._notify.error)

    def _seen(self, text: str) -> tuple[int, int]:
        """What of the text is seen, and a little around it, from the beginning of a word to the end of one."""
        area = self._edit.viewport().rect()
        first = _characters(text, self._edit.cursorForPosition(area.topLeft()).position()) - AROUND
        last = _characters(text, self._edit.cursorForPosition(area.bottomRight()).position()) + AROUND
        begin = 0 if first <= 0 else max(text.rfind(" ", 0, first), text.rfind("\n", 0, first)) + 1
        ends = [place for place in (text.find(" ", last), text.find("\n", last)) if place >= 0]
        return begin, min(ends, default=len(text))

    def _take(self, found: Sequence[tuple[int, int]], text: str, revision: int) -> None:
        if self._edit.document().revision() != revision:
            return  # it is looked at again after the next rest
        self._marks = []
        for start, end in found:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self._edit.document())
            mark.cursor.setPosition(_units(text, start))
            mark.cursor.setPosition(_units(text, end), QTextCursor.MoveMode.KeepAnchor)
            if self._edit.textCursor().position() != mark.cursor.position():  # else it may not be written to its end
                self._marks.append(mark)
        self._show_marks()

    def _show_marks(self) -> None:
        for mark in self._marks:
            mark.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SpellCheckUnderline)
            mark.format.setUnderlineColor(QColor(self._theme.tokens.danger))
        self._edit.set_marks("spelling", self._marks)
        words = ", ".join(dict.fromkeys(self.words[:TOLD]))
        self._edit.setAccessibleDescription(tr("Perhaps misspelled: {words}", words=words) if words else "")

    # The menu.

    def _add_to_menu(self, menu: QMenu, at: QPoint) -> None:
        position = self._edit.cursorForPosition(at).position()
        mark = next((one for one in self._marks if _begin(one) <= position <= one.cursor.selectionEnd()), None)
        if mark is not None:
            self._offer(menu, mark)
        menu.addSeparator()
        switch = menu.addAction(tr("Check spelling"))
        switch.setCheckable(True)
        switch.setChecked(self.is_wanted)
        switch.setEnabled(bool(self._chats.spelling().languages))
        switch.toggled.connect(self._switch)

    def _offer(self, menu: QMenu, mark: QTextEdit.ExtraSelection) -> None:
        word, text = _text_of(mark), mark.cursor.block().text()
        start = _characters(text, _begin(mark) - mark.cursor.block().position())
        before = menu.actions()[0] if menu.actions() else None
        waiting = QAction(tr("Looking for suggestions…"), menu)
        waiting.setEnabled(False)
        add = QAction(tr("Add “{name}” to the dictionary", name=word), menu)
        add.triggered.connect(lambda: self._add(word))
        line = QAction(menu)
        line.setSeparator(True)
        menu.insertActions(before, [waiting, add, line])  # type: ignore[arg-type]

        def show(found: list[str]) -> None:
            if not isValid(menu):
                return
            actions = [QAction(each, menu) for each in found]
            for action in actions:
                font = action.font()
                font.setBold(True)
                action.setFont(font)
                action.triggered.connect(partial(self._replace, mark, action.text()))
            menu.insertActions(waiting, actions)
            waiting.setText(tr("No suggestions"))
            waiting.setVisible(not actions)

        find = self._chats.spelling
        tasks.ask(lambda _token: find().suggestions(text, start, start + len(word)), menu, show, self._notify.error)

    def _replace(self, mark: QTextEdit.ExtraSelection, word: str, _checked: bool = False) -> None:
        mark.cursor.insertText(word)
        self._edit.setTextCursor(mark.cursor)
        self._look()

    def _add(self, word: str) -> None:
        spelling = self._chats.spelling()
        with self._notify.guard():
            spelling.add(word)
            self._notify.undo(tr("“{name}” is in your dictionary now.", name=word), partial(self._take_back, word))
        self._look()

    def _take_back(self, word: str) -> None:
        with self._notify.guard():
            self._chats.spelling().remove(word)
        self._look()

    def _switch(self, wanted: bool) -> None:
        with self._notify.guard():
            self._chats.change("composer", check_spelling=wanted)
        self._look()


def _text_of(mark: QTextEdit.ExtraSelection) -> str:
    return mark.cursor.selectedText()


def _begin(mark: QTextEdit.ExtraSelection) -> int:
    return mark.cursor.selectionStart()


# Qt counts in units of UTF-16, Python in characters.


def _units(text: str, characters: int) -> int:
    return len(text[:characters].encode("utf-16-le", "surrogatepass")) // 2


def _characters(text: str, units: int) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore"))
