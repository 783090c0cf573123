"""Text of a segment with formats, glyphs and chips for its marks, painted and edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QMimeData, QRect, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPyTextObject,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QTextEdit, QVBoxLayout, QWidget

from app.documents.segments import Content, Mark, SegmentKind, content_of, marks
from app.features.translate.marking import same_marks
from app.ui.i18n import tr
from app.ui.icons import glyph
from app.ui.shared_labels import TRANSLATION
from app.ui.text.formats import block_format, char_format, selected_text
from app.ui.text.keyboard_walk import ENTER
from app.ui.theme import Theme
from app.ui.utf16 import utf16_length
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.labels import plain_label

MISSING_MARKS = "Missing: {marks}"

LINE_PERCENT = 145.0
EDGE_PX = 22
"""Same as the cells' edge, so that words don't move when editing starts."""
BORDER_PX = 2
"""Frame width set in the style sheet."""


class MarkedText(QTextEdit):
    """Editor in which each mark is one character. `left` carries the key that ended editing."""

    ended = Signal(QKeyEvent)

    def __init__(self, theme: Theme, source: Content, *, is_rtl: bool) -> None:
        super().__init__()
        self._theme, self._marks_by_key = theme, {mark.key: mark for mark in marks(source)}
        self._labels = labels(source)
        self.setObjectName("row_text")
        self.setProperty("kind", "bare")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptRichText(False)
        self.setAcceptDrops(False)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        # Kept in an attribute: the document's layout doesn't own its handlers.
        self._chips = Chips(theme, self.document())
        self.document().documentLayout().registerHandler(CHIP_TYPE, self._chips)
        option = QTextOption()
        option.setTextDirection(Qt.LayoutDirection.RightToLeft if is_rtl else Qt.LayoutDirection.LeftToRight)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)

    @property
    def content(self) -> Content:
        return content_in(self.document(), self._marks_by_key)

    def load(self, content: Content) -> None:
        """Load a content and clear the undo history, so that Undo ends there."""
        self.setUndoRedoEnabled(False)
        self.clear()
        self.document().setDefaultFont(self._theme.font(TEXT_PX))
        self._write(QTextCursor(self.document()), content)
        self.setUndoRedoEnabled(True)
        self.moveCursor(QTextCursor.MoveOperation.End)

    def replace(self, content: Content) -> None:
        """Replace the whole content as one step of undo."""
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        self._write(cursor, content)

    def insert(self, words: str) -> None:
        self.textCursor().insertText(words, self._plain())

    def _write(self, cursor: QTextCursor, content: Content) -> None:
        base = self._plain()
        cursor.beginEditBlock()
        cursor.removeSelectedText()
        cursor.setBlockFormat(block_format(LINE_PERCENT))
        for part in content:
            if isinstance(part, str):
                cursor.insertText(as_lines(part), base)
            else:
                cursor.insertText(CHARACTER, chip(part, self._labels.get(part.key, "?"), base))
        cursor.endEditBlock()
        # What is typed next has the text's format, not that of a chip.
        self.setCurrentCharFormat(base)

    def _plain(self) -> QTextCharFormat:
        return char_format(self._theme.font(TEXT_PX), self._theme.tokens.text)

    def insertFromMimeData(self, source: QMimeData) -> None:
        # A segment is one paragraph, and a pasted object character would look like a mark.
        self.textCursor().insertText(" ".join(source.text().replace(CHARACTER, "").split("\n")), self._plain())

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(selected_text(self.textCursor()).replace(CHARACTER, ""))
        return data

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F8) or (event.key() in ENTER and not is_shifted):
            self.ended.emit(event)
            return
        # Next to a chip, typed text would take the chip's format and become one, too.
        if self.currentCharFormat().objectType() == CHIP_TYPE:
            self.setCurrentCharFormat(self._plain())
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        # Claimed before shortcuts of the window get these keys.
        is_override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_override and event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F8, *ENTER):  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)


class RowEditor(QFrame):
    """Row editor; it only closes with all marks in place, or when cancelled."""

    kept = Signal(object, bool)
    """The content, and whether to go to the next flagged segment (Ctrl+Enter, which also accepts)."""
    given_up = Signal()
    height_changed = Signal()

    def __init__(self, theme: Theme, source: Content, content: Content, *, is_rtl: bool) -> None:
        super().__init__()
        self._theme, self._source, self._before = theme, source, content
        self._is_over = False
        self.setObjectName("row_editor_frame")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.text = MarkedText(theme, source, is_rtl=is_rtl)
        self.text.setAccessibleName(tr(TRANSLATION))
        self.text.setAccessibleDescription(self._description())
        self.text.ended.connect(self._on_key)
        self.words = plain_label(wraps=True)
        self.back = text_button(tr("Put marks back"), "plain")
        self.back.clicked.connect(self.put_back)
        self.setFocusProxy(self.text)
        self._foot = QHBoxLayout()
        self._foot.addWidget(self.words, 1)
        self._foot.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.text, 1)
        self._column.addLayout(self._foot)
        side = theme.px(EDGE_PX) - BORDER_PX
        self._column.setContentsMargins(side, theme.px(6), side, theme.px(8))
        theme.dress(self._column, spacing=4)
        theme.dress(self._foot, spacing=8)
        theme.dress(self.words, font=(12.5, 400))
        theme.dress(self.back, font=(13, 500))
        self.text.load(content)
        self.text.textChanged.connect(self._on_changed)
        self.text.document().documentLayout().documentSizeChanged.connect(lambda _size: self.height_changed.emit())
        self._show_words(is_leaving=False)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            # `focusOutEvent` doesn't say where the focus goes, which decides whether editing ends.
            application.focusChanged.connect(self._on_focus_changed)

    @property
    def content(self) -> Content:
        return self.text.content

    @property
    def is_changed(self) -> bool:
        return self.content != self._before

    @property
    def is_whole(self) -> bool:
        return same_marks(self.content, self._source)

    def height_in(self, width_px: int) -> int:
        """Return the height needed at a width, with frame, margins and the line below."""
        margins = self._column.contentsMargins()
        room = max(1, width_px - margins.left() - margins.right() - 2 * BORDER_PX)
        self.text.document().setTextWidth(room)
        text = round(self.text.document().size().height()) + self._theme.px(4)
        side = self.back.sizeHint().width() + self._foot.spacing() if not self.back.isHidden() else 0
        foot = max(self.words.heightForWidth(max(1, room - side)), self.back.sizeHint().height() if side else 0)
        return text + foot + 2 * BORDER_PX + margins.top() + margins.bottom() + self._column.spacing()

    def end(self) -> None:
        """Silence the editor, which is removed next; nothing is emitted any more."""
        self._is_over = True
        # Losing the focus would emit a result.
        self.blockSignals(True)

    def put_back(self) -> None:
        """Restore missing marks at the end of the text, as a step of undo."""
        self.text.replace(put_back(self._source, self.content))
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def offer(self, words: str) -> None:
        """Append words, selected, for the user to move into place."""
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        self.text.insert(f" {words}")
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        # By cursor steps: positions count UTF-16 units, while letters may be two.
        for _ in words:
            self.text.moveCursor(QTextCursor.MoveOperation.PreviousCharacter, QTextCursor.MoveMode.KeepAnchor)

    def finish_edit(self, *, goes_on: bool = False) -> None:
        """Finish editing if all marks are in place, else show which are missing."""
        if self.is_whole:
            self.kept.emit(self.content, goes_on)
        else:
            self._show_words(is_leaving=True)

    def _on_key(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            is_plain = event.key() in ENTER and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
            self.finish_edit(goes_on=not is_plain)

    def _on_changed(self) -> None:
        self._show_words(is_leaving=False)
        self.height_changed.emit()

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if self._is_over or old is None or new is None or not self.isAncestorOf(old) or self.isAncestorOf(new):
            return
        # A menu, a dialog or another window doesn't end editing.
        if new.window() is self.window():
            self.finish_edit()

    def _show_words(self, *, is_leaving: bool) -> None:
        """Show which marks are missing, or what the keys do; `is_leaving` takes the focus back."""
        is_wrong = not self.is_whole
        words = tr("Ctrl+Enter accepts and moves on · Esc leaves it unchanged")
        if is_wrong:
            gone = missing(self._source, self.content)
            names = labels(self._source)
            words = tr("The formatting marks are in the wrong order.")
            if gone:
                words = tr(MISSING_MARKS, marks="  ".join(names[mark.key] for mark in gone))
        self.words.setText(words)
        set_mark(self.words, "kind", "warning" if is_wrong else "muted")
        self.words.setAccessibleName(words)
        self.back.setVisible(is_wrong)
        if is_leaving:
            self.text.setFocus(Qt.FocusReason.OtherFocusReason)
            self.height_changed.emit()

    def _description(self) -> str:
        names = labels(self._source)
        return tr("Marks: {marks}", marks=", ".join(names.values())) if names else ""


# A segment's content as formatted characters: bold and italic from its marks, glyphs and chips for others.


TEXT_PX = 15.0
SMALL_PX = 12.5
CODE_PX = 13.5
LINE = "\u2028"
GLYPHS = {
    "image": "image", "formula": "math-operations", "note": "asterisk", "link": "link", "code": "code",
}  # fmt: skip
OTHER_GLYPH = "dots-three"
DEEPEST_LEVEL = 2
"""Headings down to this level are larger than the text."""


@dataclass
class SegmentLayout:
    """Text to lay out: characters, formats, and the characters that are glyphs."""

    text: str
    formats: list[QTextLayout.FormatRange]
    glyphs: set[str]
    font: QFont

    def add(self, text: str, look: QTextCharFormat) -> None:
        layout_range = QTextLayout.FormatRange()
        layout_range.start, layout_range.length, layout_range.format = utf16_length(self.text), utf16_length(text), look
        self.text += text
        self.formats.append(layout_range)

    def add_glyph(self, name: str, color: str) -> None:
        character, family = glyph(name)
        look = char_format(None, color)
        if family:
            look.setFontFamilies([family])
        self.glyphs.add(character)
        self.add(character, look)

    def plain(self, start: int = 0, end: int | None = None) -> str:
        """Return the text to copy, without glyphs; positions are in characters."""
        part = self.text[start:end]
        return "".join(letter for letter in part if letter not in self.glyphs).replace(LINE, "\n")


class SegmentWriter:
    """Writes contents as text to lay out, in the theme's fonts and colours."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme

    def write(self, content: Content, kind: SegmentKind = SegmentKind.PARAGRAPH, level: int = 0) -> SegmentLayout:
        font = self.font(kind, level)
        written = SegmentLayout("", [], set(), font)
        looks: list[frozenset[str]] = [frozenset()]
        for part in content:
            if isinstance(part, str):
                self._add(written, as_lines(part), looks[-1])
            elif part.role == "open":
                looks.append(looks[-1] | frozenset(part.look.split()))
            elif part.role == "close":
                looks.pop() if len(looks) > 1 else None
            else:
                self._add_single(written, part, looks[-1])
        return written

    def write_plain(self, text: str, *, is_muted: bool = False) -> SegmentLayout:
        """Write plain text: the program's, or a translation in progress."""
        written = SegmentLayout("", [], set(), self._theme.font(TEXT_PX))
        tokens = self._theme.tokens
        if text:
            written.add(as_lines(text), char_format(None, tokens.muted if is_muted else tokens.text))
        return written

    def font(self, kind: SegmentKind, level: int) -> QFont:
        """Return the font of a kind; headings differ by weight, the top levels also by size."""
        if kind is SegmentKind.HEADING:
            return self._theme.font(16.5 if 0 < level <= DEEPEST_LEVEL else TEXT_PX, 700)
        if kind in (SegmentKind.NOTE, SegmentKind.HEADER, SegmentKind.LABEL):
            return self._theme.font(14, 400)
        return self._theme.font(TEXT_PX, 400)

    def _add(self, written: SegmentLayout, text: str, looks: frozenset[str]) -> None:
        look, theme = char_format(None, self._theme.tokens.text), self._theme
        if "code" in looks:
            look.setFont(theme.code_font(CODE_PX))
        if "small" in looks:
            look.setFont(theme.font(SMALL_PX))
        if "bold" in looks:
            look.setFontWeight(QFont.Weight.Bold)
        if "italic" in looks:
            look.setFontItalic(True)
        if "strike" in looks:
            look.setFontStrikeOut(True)
        if "underline" in looks or "link" in looks:
            look.setFontUnderline(True)
        written.add(text, look)

    def _add_single(self, written: SegmentLayout, mark: Mark, looks: frozenset[str]) -> None:
        own = mark.look.split()
        if "break" in own:
            self._add(written, LINE, looks)
        elif "tab" in own:
            self._add(written, "\t", looks)
        elif mark.shows:
            is_code = "code" in own or "formula" in own
            self._add(written, mark.shows.replace("\n", " "), looks | ({"code"} if is_code else set()))
        else:
            name = next((GLYPHS[text] for text in own if text in GLYPHS), OTHER_GLYPH)
            written.add_glyph(name, self._theme.tokens.muted)


def letters(content: Content) -> str:
    """Return a content's characters as laid out, one for one; glyphs are U+FFFC."""
    return "".join(as_lines(part) if isinstance(part, str) else _letters_of(part) for part in content)


def _letters_of(mark: Mark) -> str:
    if mark.role != "single":
        return ""
    looks = mark.look.split()
    if "break" in looks:
        return LINE
    return "\t" if "tab" in looks else mark.shows.replace("\n", " ") or "\ufffc"


def as_lines(text: str) -> str:
    """Replace newlines by line separators, which start no paragraph."""
    return text.replace("\n", LINE)


# Marks in an editor: chips of one character each, which can't be broken.


CHIP_TYPE = QTextFormat.ObjectTypes.UserObject.value + 1
ROLE, NUMBER, LABEL = (QTextFormat.Property.UserProperty.value + n for n in (1, 2, 3))
CHARACTER = "\ufffc"
CHIP_PX = 12.0


class Chips(QPyTextObject):
    """Paints chips in the accent colours; Qt asks it for their sizes."""

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme

    def intrinsicSize(self, document: QTextDocument, position: int, look: QTextFormat) -> QSizeF:  # noqa: ARG002
        metrics = QFontMetricsF(self._font(look))
        px = self._theme.px
        return QSizeF(metrics.horizontalAdvance(str(look.property(LABEL))) + px(12), metrics.ascent() + px(4))

    def drawObject(
        self,
        painter: QPainter,
        rect: QRectF | QRect,
        document: QTextDocument,
        position: int,  # noqa: ARG002
        look: QTextFormat,
    ) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.chip))
        ground = QRectF(rect).adjusted(px(2), px(1), -px(2), px(3))
        painter.drawRoundedRect(ground, px(4), px(4))
        painter.setFont(self._font(look))
        painter.setPen(QColor(tokens.accent))
        painter.setLayoutDirection(document.defaultTextOption().textDirection())  # of the text, not the window
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, str(look.property(LABEL)))
        painter.restore()

    def _font(self, look: QTextFormat) -> QFont:
        is_text = look.property(ROLE) == "single"
        return self._theme.code_font(CHIP_PX) if is_text else self._theme.font(CHIP_PX, 600)


def chip(mark: Mark, label: str, base: QTextCharFormat) -> QTextCharFormat:
    """Return the format of the character that stands for a mark."""
    look = QTextCharFormat(base)
    look.setObjectType(CHIP_TYPE)
    look.setProperty(ROLE, mark.role)
    look.setProperty(NUMBER, mark.number)
    look.setProperty(LABEL, label)
    look.setToolTip(mark.look or mark.shows)
    return look


def content_in(document: QTextDocument, own: dict[tuple[str, int], Mark]) -> Content:
    """Convert a document's text and chips to a content, dropping marks that aren't in `own`."""
    return content_of(list(_parts(document, own)))


def _parts(document: QTextDocument, own: dict[tuple[str, int], Mark]) -> Iterator[str | Mark]:
    block = document.begin()
    while block.isValid():
        if block.blockNumber():
            yield "\n"
        walk = block.begin()
        while not walk.atEnd():
            fragment = walk.fragment()
            look, text = fragment.charFormat(), fragment.text()
            if look.objectType() == CHIP_TYPE:
                mark = own.get((str(look.property(ROLE)), int(look.property(NUMBER))))
                # Equal chips next to each other, as after Undo, are one fragment.
                yield from [mark] * text.count(CHARACTER) if mark is not None else []
            else:
                yield text.replace(LINE, "\n").replace(CHARACTER, "")
            walk += 1
        block = block.next()


# Marks in an edited translation: which are missing, and how to restore them.


LETTERS = {
    "bold": "B", "italic": "I", "underline": "U", "strike": "S", "code": "<>", "link": "link", "small": "small",
    "image": "image", "formula": "formula", "break": "↵", "tab": "⇥", "note": "note", "field": "field",
}  # fmt: skip
MOST_SHOWN = 24


def missing(source: Content, content: Content) -> tuple[Mark, ...]:
    """Return marks missing from a content, in the source's order."""
    there = {mark.key for mark in marks(content)}
    return tuple(mark for mark in marks(source) if mark.key not in there)


def put_back(source: Content, content: Content) -> Content:
    """Return the content with exactly the source's marks: words stay, missing marks go to the end.

    A close mark before its open one, or across another pair, moves to where its pair must end.
    """
    own = {mark.key: mark for mark in marks(source)}
    parts: list[str | Mark] = []
    waiting: list[int] = []
    seen: set[tuple[str, int]] = set()

    def close(number: int) -> None:
        parts.append(own[("close", number)])
        seen.add(("close", number))

    for part in content:
        if isinstance(part, str):
            parts.append(part)
        elif part.key not in own or part.key in seen:
            continue
        elif part.role == "close":
            # Pairs opened inside are closed first, so that pairs never cross.
            while part.number in waiting:
                close(waiting.pop())
        else:
            parts.append(own[part.key])
            seen.add(part.key)
            waiting += [part.number] if part.role == "open" else []
    while waiting:
        close(waiting.pop())
    for mark in marks(source):
        if mark.key not in seen and mark.role != "close":
            parts.append(mark)
            seen.add(mark.key)
            if mark.role == "open":
                close(mark.number)
    return content_of(parts)


def labels(source: Content) -> dict[tuple[str, int], str]:
    """Return chip labels such as "‹B" and "B›", numbered if they would be equal."""
    paired = [mark for mark in marks(source) if mark.role == "open"]
    names = {mark.number: _name(mark) for mark in paired}
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name] = counts.get(name, 0) + 1
    found: dict[tuple[str, int], str] = {}
    for mark in marks(source):
        if mark.role == "single":
            found[mark.key] = mark.shows[:MOST_SHOWN] or _name(mark)
        else:
            name = names[mark.number]
            name = f"{name}{mark.number}" if counts[name] > 1 else name
            found[mark.key] = f"‹{name}" if mark.role == "open" else f"{name}›"
    return found


def _name(mark: Mark) -> str:
    names = [LETTERS[look] for look in mark.look.split() if look in LETTERS]
    return " ".join(names) or str(mark.number)
