"""What is copied: rich text without this window's look beside Markdown, tables as tables, nothing but escaped text."""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QTextCursor, QTextDocument, QTextTable
from pytestqt.qtbot import QtBot

from app.ui.text.copied_text import html_of
from app.ui.text.markdown import read
from app.ui.text.pieces import MarkdownTable, Piece
from app.ui.text.table_view import TableView
from app.ui.theme import Theme

ANSWER = """## Head

Some **bold *both*** `co<de>` [link](https://x.org/?a=1&b=2) <script>alert(1)</script>

1. one
   - nested
2. two

> quote

| a | b |
|---|--:|
| x | **1** |

```py
if a < b: pass
```
"""


def pieces(text: str) -> list[Piece]:
    return [piece for block in read(text) for piece in block.pieces]


def test_an_answer_becomes_plain_rich_text_and_its_markup_stays_text() -> None:
    assert html_of(pieces(ANSWER)).replace("\n", "") == (
        "<h2>Head</h2>"
        "<p>Some <b>bold </b><i><b>both</b></i> <code>co&lt;de&gt;</code> "
        '<a href="https://x.org/?a=1&amp;b=2">link</a> &lt;script&gt;alert(1)&lt;/script&gt;</p>'
        '<ol><li value="1">one</li><ul><li>nested</li></ul><li value="2">two</li></ol>'
        "<blockquote><p>quote</p></blockquote>"
        '<table border="1" cellspacing="0" cellpadding="4"><tr><th align="left">a</th><th align="right">b</th></tr>'
        '<tr><td align="left">x</td><td align="right"><b>1</b></td></tr></table>'
        "<pre><code>if a &lt; b: pass</code></pre>"
    )


def test_cells_that_are_selected_are_copied_as_a_table(qtbot: QtBot, theme: Theme) -> None:
    view = TableView(theme)
    qtbot.addWidget(view)
    table = pieces("| a | b | c |\n|---|--:|---|\n| 1 | x\\|y | 3 |\n| 4 | 5 | 6 |")[0]
    assert isinstance(table, MarkdownTable)
    view.set_table(table)
    drawn = view.document().rootFrame().childFrames()[0]
    assert isinstance(drawn, QTextTable)
    cursor = drawn.cellAt(0, 0).firstCursorPosition()
    cursor.setPosition(drawn.cellAt(1, 1).lastCursorPosition().position(), QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    view.copy()
    data = QGuiApplication.clipboard().mimeData()
    assert data.text() == "| a | b |\n| --- | --: |\n| 1 | x\\|y |"
    assert cells_of(data) == [["a", "b"], ["1", "x|y"]]


def cells_of(data: QMimeData) -> list[list[str]]:
    """As a word processor reads it."""
    document = QTextDocument()
    document.setHtml(data.html())
    table = next(frame for frame in document.rootFrame().childFrames() if isinstance(frame, QTextTable))
    return [
        [table.cellAt(row, column).firstCursorPosition().block().text() for column in range(table.columns())]
        for row in range(table.rows())
    ]
