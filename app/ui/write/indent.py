"""The keys of an editor for code: Tab and Shift+Tab on what is selected, Return, Backspace in an indent."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextBlock, QTextCursor
from PySide6.QtWidgets import QTextEdit

USUAL = "    "
LINES_LOOKED_AT = 400
OPENING = (":", "{", "[", "(")
"""After one of these at its end, the next line stands further in."""


class CodeKeys:
    """Does them in an editor while they are on; after Escape (`may_leave`) Tab leaves it until something is typed."""

    def __init__(self, edit: QTextEdit) -> None:
        self._edit = edit
        self.is_on = self.may_leave = False
        self.unit = USUAL
        """One step further in."""

    @property
    def keeps_tab(self) -> bool:
        """Whether Tab is one of them now."""
        return self.is_on and not self.may_leave

    def takes(self, event: QKeyEvent) -> bool:
        """Whether it is one of them, which is then done."""
        key, cursor = event.key(), self._edit.textCursor()
        is_done = self.is_on and self._do(key, event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier, cursor)
        if is_done:
            self._edit.setTextCursor(cursor)
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._edit.ensureCursorVisible()
        elif event.text() or key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.may_leave = False
        return is_done

    def _do(self, key: int, modifiers: Qt.KeyboardModifier, cursor: QTextCursor) -> bool:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            new_line(cursor, self.unit)
        elif key == Qt.Key.Key_Backspace:
            return not modifiers and step_back(cursor, self.unit)
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab) and not modifiers & Qt.KeyboardModifier.ControlModifier:
            (outdent if key == Qt.Key.Key_Backtab else indent)(cursor, self.unit)
        else:
            return False
        return True


def unit_of(text: str) -> str:
    """What one step is in this text: a tab, or as many spaces as its least indent has, of 2 to 8."""
    spaces: set[int] = set()
    tabs = 0
    for line in text[:40_000].split("\n")[:LINES_LOOKED_AT]:
        indent = _indent_of(line)
        if not line.strip() or not indent:
            continue
        if indent[0] == "\t":
            tabs += 1
        elif len(indent) > 1:
            spaces.add(len(indent))
    if tabs > len(spaces):
        return "\t"
    least = min(spaces, default=len(USUAL))
    return " " * (least if least <= 8 and all(width % least == 0 for width in spaces) else len(USUAL))


def indent(cursor: QTextCursor, unit: str) -> None:
    """Several lines go one step further in; else what is selected is replaced by the way to the next step."""
    if _spans_lines(cursor):
        cursor.beginEditBlock()
        for block in _lines(cursor):
            if block.text().strip():
                QTextCursor(block).insertText(unit)
        cursor.endEditBlock()
        return
    column = cursor.selectionStart() - cursor.document().findBlock(cursor.selectionStart()).position()
    cursor.insertText(unit if unit == "\t" else " " * (len(unit) - column % len(unit)))


def outdent(cursor: QTextCursor, unit: str) -> None:
    """The lines go one step back, as far as they stand in."""
    cursor.beginEditBlock()
    for block in _lines(cursor):
        line = block.text()
        width = 1 if line.startswith("\t") else min(len(unit.expandtabs(4)), len(line) - len(line.lstrip(" ")))
        place = QTextCursor(block)
        place.setPosition(block.position() + width, QTextCursor.MoveMode.KeepAnchor)
        place.removeSelectedText()
    cursor.endEditBlock()


def new_line(cursor: QTextCursor, unit: str) -> None:
    """The next line stands in as far as this one, or a step further where this one opens something."""
    block = cursor.document().findBlock(cursor.selectionStart())
    before = block.text()[: cursor.selectionStart() - block.position()]
    further = unit if before.rstrip().endswith(OPENING) else ""
    cursor.beginEditBlock()
    cursor.removeSelectedText()
    cursor.insertBlock()
    cursor.insertText(_indent_of(before) + further)
    cursor.endEditBlock()


def step_back(cursor: QTextCursor, unit: str) -> bool:
    """Backspace among the spaces that a line begins with goes back one step; False where it stands elsewhere."""
    column = cursor.positionInBlock()
    before = cursor.block().text()[:column]
    if cursor.hasSelection() or not before or before.strip(" "):
        return False
    width = (column - 1) % len(unit) + 1
    cursor.setPosition(cursor.position() - width, QTextCursor.MoveMode.KeepAnchor)
    cursor.removeSelectedText()
    return True


def _indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _spans_lines(cursor: QTextCursor) -> bool:
    document = cursor.document()
    return document.findBlock(cursor.selectionStart()) != document.findBlock(cursor.selectionEnd())


def _lines(cursor: QTextCursor) -> list[QTextBlock]:
    """Those with something of the selection; where it only reaches the beginning of the last, that is not one."""
    document = cursor.document()
    block, last = document.findBlock(cursor.selectionStart()), document.findBlock(cursor.selectionEnd())
    if last != block and cursor.selectionEnd() == last.position():
        last = last.previous()
    found = [block]
    while block != last:
        block = block.next()
        found.append(block)
    return found
