"""An answer on the clipboard: as rich text for what takes it, and as Markdown for everything else.

`html.escape` in `_spans` and `_other` is the one door by which a model's text comes into markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QFont, QTextBlock, QTextCursor, QTextFormat, QTextFragment

from app.ui.text.pieces import Code, Fold, Line, Piece, Prose, Span, Spans, Table, safe_href
from app.ui.theme import CODE_FAMILY

FORMULA = QTextFormat.Property.UserProperty.value
"""Of a picture in a text: the source of the formula that it shows."""


def mime_data(html: str, text: str) -> QMimeData:
    data = QMimeData()
    data.setHtml(f"<html><body>{html}</body></html>")
    data.setText(text)
    return data


def html_of(pieces: Iterable[Piece]) -> str:
    """Rich text without fonts and colours: they are those of wherever it is pasted."""
    parts: list[str] = []
    for is_prose, group in groupby(pieces, lambda piece: isinstance(piece, Prose)):
        if is_prose:
            parts += _prose([line for piece in group if isinstance(piece, Prose) for line in piece.lines])
        else:
            parts += [_other(piece) for piece in group]
    return "\n".join(parts)


def table_as_markdown(table: Table) -> str:
    rules = {"left": "---", "center": ":-:", "right": "--:"}
    rows = [[_plain(cell).replace("|", "\\|").replace("\u2028", "<br>") for cell in row] for row in table.rows]
    rows.insert(1, [rules.get(align, "---") for align in table.aligns])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def selection_data(selection: QTextCursor) -> QMimeData:
    """What is selected in a text of the transcript."""
    paragraphs, texts = [], []
    block = selection.document().findBlock(selection.selectionStart())
    while block.isValid() and block.position() <= selection.selectionEnd():
        spans = tuple(_selected(block, selection))
        paragraphs.append(f"<p>{_spans(spans)}</p>")
        texts.append(_plain(spans))
        block = block.next()
    return mime_data("\n".join(paragraphs), "\n".join(texts).replace("\u2028", "\n"))


def _other(piece: Piece) -> str:
    if isinstance(piece, Code):
        return f"<pre><code>{escape(piece.text)}</code></pre>"
    if isinstance(piece, Table):
        return _table(piece)
    return f"<p><b>{escape(piece.title)}</b></p>" if isinstance(piece, Fold) else ""


def _table(table: Table) -> str:
    rows = []
    for number, row in enumerate(table.rows):
        name = "td" if number else "th"
        cells = [
            f'<{name} align="{align}">{_spans(cell)}</{name}>' for cell, align in zip(row, table.aligns, strict=False)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table border="1" cellspacing="0" cellpadding="4">{"".join(rows)}</table>'


def _prose(lines: list[Line]) -> Iterator[str]:
    opened: list[str] = []
    for line in lines:
        kind = "ol" if line.marker[:-1].isdecimal() else "ul"
        lists = [name for name in opened if name != "blockquote"]
        wanted = ["blockquote"] * line.quote + [*lists, *[kind] * line.depth][: line.depth]
        if line.marker and wanted:
            wanted[-1] = kind
        same = next((i for i, (a, b) in enumerate(zip(opened, wanted, strict=False)) if a != b), None)
        keep = min(len(opened), len(wanted)) if same is None else same
        yield from (f"</{name}>" for name in reversed(opened[keep:]))
        yield from (f"<{name}>" for name in wanted[keep:])
        opened = wanted
        yield _paragraph(line)
    yield from (f"</{name}>" for name in reversed(opened))


def _paragraph(line: Line) -> str:
    text = _spans(line.spans)
    if line.kind == "rule":
        return "<hr>"
    if line.kind == "heading":
        return f"<h{line.level}>{text}</h{line.level}>"
    if line.marker[:-1].isdecimal() and line.kind != "note":
        return f'<li value="{line.marker[:-1]}">{text}</li>'
    box = line.marker + " " if line.marker in ("☐", "☑") or line.kind == "note" else ""
    return f"<li>{box}{text}</li>" if line.marker and line.kind != "note" else f"<p>{escape(box)}{text}</p>"


def _spans(spans: Spans) -> str:
    parts = []
    for span in spans:
        text = escape(span.text).replace("\u2028", "<br>").replace("\n", "<br>")
        script = "sup" if span.raised else span.script
        for name, is_on in (("code", span.code), ("b", span.bold), ("i", span.italic), ("s", span.strike)):
            text = f"<{name}>{text}</{name}>" if is_on else text
        text = f"<{script}>{text}</{script}>" if script else text
        href = safe_href(span.href)
        parts.append(f'<a href="{escape(href)}">{text}</a>' if href else text)
    return "".join(parts)


def _plain(spans: Spans) -> str:
    return "".join(span.text for span in spans)


def _selected(block: QTextBlock, selection: QTextCursor) -> Iterator[Span]:
    iterator = block.begin()
    while not iterator.atEnd():
        fragment: QTextFragment = iterator.fragment()
        begin = max(selection.selectionStart() - fragment.position(), 0)
        end = selection.selectionEnd() - fragment.position()
        style = fragment.charFormat()
        font: QFont = style.font()
        if end > begin:
            # Positions count UTF-16 units, which a character outside of the first plane has two of.
            text = fragment.text().encode("utf-16-le")[2 * begin : 2 * end].decode("utf-16-le", "ignore")
            source = style.property(FORMULA)
            is_code = bool(source) or font.family() == CODE_FAMILY or font.fixedPitch()
            if source:  # the same formula twice in a row is one fragment
                text = str(source) * len(text)
            yield Span(text, font.weight() >= 600, font.italic(), font.strikeOut(), is_code, href=style.anchorHref())
        iterator += 1
