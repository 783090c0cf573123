"""Text of views as it is read aloud: sentence by sentence as they show it, while more of it may come."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QScrollArea, QTextEdit, QWidget
from shiboken6 import isValid

from app.core.lazy_dataclasses import dataclass
from app.features.reading_aloud.sentence_reading import SentenceSource, SpokenSentence
from app.language.spoken_text import spoken_formula, spoken_sentences, spoken_words
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.utf16 import characters_before, utf16_length
from app.ui.widgets.input_fields import PlainEdit

CODE_WORD = "Code."
FORMULA_WORD = "formula"

SOURCE_PROPERTY = QTextFormat.Property.UserProperty.value
"""Format property of a picture in a text: the source of the formula that it shows."""
GROUND_PROPERTY = SOURCE_PROPERTY + 1
"""Format property of a paragraph, the background painted under it: CODE_GROUND, or ROW_GROUND, a table row's rule."""
CODE_GROUND, ROW_GROUND = 1, 2
UNSPOKEN_PROPERTY = SOURCE_PROPERTY + 2
"""Format property of characters that are shown in a text and no part of it, such as its flags and references."""
SPOKEN_LANGUAGE = "spoken_language"
"""Property of a view whose text is known to be in a language; any other's is found by its text."""
IS_CODE = "is_code"
"""Property of a view that shows nothing but code."""
_MARK = SOURCE_PROPERTY + 100
_PICTURE = "\ufffc"
_FENCES = ("```", "~~~")
SAMPLE_CHARACTERS = 2_000
ABOVE_PX = 90
"""Distance kept between an edge and a sentence that was scrolled to."""

TextEdit = QTextEdit | QPlainTextEdit
SpokenWidget = QLineEdit | TextEdit


class LaidOutLater:
    """Base of a view that has more text than is in its document."""

    def read_on(self, cursor: QTextCursor) -> QTextCursor | None:
        """Lay out what follows the end of the document; return where it begins, None if nothing does."""
        raise NotImplementedError

    def begin_reading(self) -> None:
        """Stop keeping anything else in view, as the sentence that is read will be."""
        raise NotImplementedError


class MarkedPlace(ABC):
    """Place of a sentence in a view that can mark it."""

    view: QWidget

    @abstractmethod
    def show_mark(self, theme: Theme) -> None:
        """Mark the sentence in place of the one that is marked in the same view."""

    @abstractmethod
    def clear_mark(self) -> None: ...

    @property
    @abstractmethod
    def is_in_sight(self) -> bool:
        """True if any of the sentence can be seen."""

    @abstractmethod
    def bring_into_view(self, above_px: int) -> None:
        """Scroll to the sentence if it can't be seen, with this distance to an edge."""


@dataclass(frozen=True)
class SpokenPlace(MarkedPlace):
    """Where a sentence is; its cursor follows what is written before it."""

    view: TextEdit
    cursor: QTextCursor

    def show_mark(self, theme: Theme) -> None:
        look = QTextCharFormat()
        look.setBackground(QColor(theme.tokens.mark))
        look.setForeground(QColor(theme.tokens.text))
        look.setProperty(_MARK, True)
        mark = QTextEdit.ExtraSelection()
        mark.cursor, mark.format = self.cursor, look
        _set_mark(self.view, mark)

    def clear_mark(self) -> None:
        _set_mark(self.view, None)

    @property
    def is_in_sight(self) -> bool:
        return self.view.viewport().visibleRegion().boundingRect().intersects(_rect_of(self).adjusted(0, 0, 1, 1))

    def bring_into_view(self, above_px: int) -> None:
        _bring_into_view(self, above_px)


class _SpokenParagraph(NamedTuple):
    """Characters of a paragraph as its sentences are found, and as each of them is said."""

    text: str
    spoken: list[str]


class SpokenViews:
    """The text of one or several views in order, from a place in the first on, or a selection of it.

    `find_views` is asked again and again, as growing answers make their views anew.
    """

    def __init__(
        self,
        find_views: Callable[[], Sequence[TextEdit]],
        start: QTextCursor | None = None,
        *,
        first: int = 0,
        is_growing: Callable[[], bool] = lambda: False,
        on_over: Callable[[], object] = lambda: None,
    ) -> None:
        self._find_views, self._is_growing, self.on_over = find_views, is_growing, on_over
        """Called when nothing of it will be read any more."""
        self.language = next((str(view.property(SPOKEN_LANGUAGE) or "") for view in find_views()), "")
        """The language of the text where that is known."""
        self._start = QTextCursor(start) if start is not None else None
        self._selection = QTextCursor(start) if start is not None and start.hasSelection() else None
        self._index = first
        self._view: TextEdit | None = None
        self._cursor = QTextCursor()
        self._position = self._start.selectionStart() if self._start is not None else 0
        self._is_fenced = self._has_said_code = False

    @property
    def is_growing(self) -> bool:
        return self._selection is None and self._is_growing()

    @property
    def is_there(self) -> bool:
        """True as long as there is any view of the text."""
        return bool(self._views)

    @property
    def sample(self) -> str:
        """Text from the beginning on, by which its language is found."""
        if self._selection is not None:
            return self._selection.selectedText()[:SAMPLE_CHARACTERS]
        parts = list[str]()
        for view in self._views[self._index :]:
            text = "" if view.property(IS_CODE) else view.toPlainText()
            parts.append(text[characters_before(text, self._position) if not parts else 0 :][:SAMPLE_CHARACTERS])
            if sum(map(len, parts)) >= SAMPLE_CHARACTERS:
                break
        return "\n".join(parts)

    @property
    def _views(self) -> list[TextEdit]:
        return [view for view in self._find_views() if isValid(view)]

    def next_sentence(self) -> SpokenSentence | None:
        """Return the sentence behind the last one; None at the end, or where the next one isn't whole yet."""
        while self._index < len(views := self._views):
            view, is_growing = views[self._index], self.is_growing and self._index == len(views) - 1
            if view is not self._view:
                self._enter_view(view)
            found = self._code_view(view) if view.property(IS_CODE) else self._sentence_in(view, is_growing=is_growing)
            if found is not None:
                self._position = self._cursor.position()
                return found
            if is_growing or self._selection is not None:
                return None
            if isinstance(view, LaidOutLater) and (onwards := view.read_on(self._cursor)) is not None:
                self._cursor, self._is_fenced = onwards, False
                continue
            self._index, self._position, self._view = self._index + 1, 0, None
        return None

    def _enter_view(self, view: TextEdit) -> None:
        self._view = view
        if isinstance(view, LaidOutLater):
            view.begin_reading()
        self._cursor = QTextCursor(view.document())
        self._cursor.setPosition(max(0, min(self._position, view.document().characterCount() - 1)))
        # Or what is appended here would count as read.
        self._cursor.setKeepPositionOnInsert(True)
        block, self._is_fenced, self._has_said_code = view.document().begin(), False, False
        while block.isValid() and block.position() + block.length() <= self._cursor.position():
            self._is_fenced ^= _is_fence(block)
            block = block.next()

    def _code_view(self, view: TextEdit) -> SpokenSentence | None:
        if self._cursor.atEnd():
            return None
        whole = QTextCursor(view.document())
        whole.select(QTextCursor.SelectionType.Document)
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        self._cursor.setKeepPositionOnInsert(False)  # more code is code, too
        return SpokenSentence(tr(CODE_WORD), SpokenPlace(view, whole))

    def _sentence_in(self, view: TextEdit, *, is_growing: bool) -> SpokenSentence | None:
        position = self._cursor.position()
        block = view.document().findBlock(position)
        while block.isValid():
            first, last = self._range_in(block)
            if first > last:
                return None
            if self._is_fenced or _is_fence(block) or _is_grounded(block):
                if (skipped := self._skip_code(view, block)) is not None:
                    return skipped
                if self._has_said_code:
                    return None
                block, position = self._cursor.block(), self._cursor.position()
                continue
            paragraph = _paragraph_of(block)
            begin, finish = characters_before(paragraph.text, first), characters_before(paragraph.text, last)
            for low, high in spoken_sentences(paragraph.text[begin:finish]):
                start, end = begin + low, begin + high
                words = spoken_words("".join(paragraph.spoken[start:end]))
                place = QTextCursor(block)
                place.setPosition(block.position() + utf16_length(paragraph.text[:start]))
                place.setPosition(
                    block.position() + utf16_length(paragraph.text[:end]), QTextCursor.MoveMode.KeepAnchor
                )
                if place.position() <= position or not words:
                    continue
                if is_growing and not block.next().isValid() and end >= len(paragraph.text.rstrip()):
                    return None
                self._cursor.setPosition(place.position())
                return SpokenSentence(words, SpokenPlace(view, place))
            block = block.next()
        if not is_growing:
            self._cursor.movePosition(QTextCursor.MoveOperation.End)
        return None

    def _range_in(self, block: QTextBlock) -> tuple[int, int]:
        """Return the part of a block that is to be read; one that ends before it begins lies behind the selection."""
        end = block.length() - 1
        if self._selection is None:
            return 0, end
        first = max(0, self._selection.selectionStart() - block.position())
        last = min(end, self._selection.selectionEnd() - block.position())
        return (first, last) if last > 0 or not end else (1, 0)

    def _skip_code(self, view: TextEdit, block: QTextBlock) -> SpokenSentence | None:
        """Go behind a run of code, and return the word for it; None if it was said already."""
        is_new = not self._has_said_code
        run = QTextCursor(block)
        if self._is_fenced or _is_fence(block):
            inside = block if self._is_fenced else block.next()
            while inside.isValid():
                block, inside = inside, inside.next()
                if _is_fence(block):
                    break
            self._is_fenced = False
        while _is_grounded(block.next()):
            block = block.next()
        run.setPosition(block.position() + block.length() - 1, QTextCursor.MoveMode.KeepAnchor)
        self._cursor.setPosition(block.next().position() if block.next().isValid() else run.position())
        self._has_said_code = not block.next().isValid()
        return SpokenSentence(tr(CODE_WORD), SpokenPlace(view, run)) if is_new else None


class SpokenLine:
    """The text of a field of one line, or what is selected of it; nothing is marked there."""

    is_growing = False
    language = ""

    def __init__(self, field: QLineEdit) -> None:
        self._field = field
        self.sample = field.selectedText() or field.text()
        self._sentences = iter([self.sample[start:end] for start, end in spoken_sentences(self.sample)])

    @property
    def is_there(self) -> bool:
        return isValid(self._field)

    def next_sentence(self) -> SpokenSentence | None:
        words = next(self._sentences, None)
        return SpokenSentence(spoken_words(words), None) if words is not None else None

    def on_over(self) -> None:
        """Do nothing: a field is there whether it is read or not."""


class SpokenText(SentenceSource, Protocol):
    """A text that a window reads: it knows how long it is there, and hears when it was read."""

    language: str

    @property
    def is_there(self) -> bool: ...

    @property
    def sample(self) -> str: ...

    def on_over(self) -> object: ...


class ReadingMark:
    """Marks the sentence that is read, and keeps it in view as long as the person doesn't look elsewhere."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._place: MarkedPlace | None = None

    def show(self, place: MarkedPlace | None) -> None:
        """Mark another sentence in place of the one before; None for none."""
        before, self._place = self._place, place
        if before is not None and isValid(before.view) and (place is None or place.view is not before.view):
            before.clear_mark()
        if place is None or not isValid(place.view):
            return
        # Asked before it moves: a person who scrolled away wants to stay there.
        is_followed = before is None or not isValid(before.view) or before.is_in_sight
        place.show_mark(self._theme)
        if is_followed:
            place.bring_into_view(self._theme.px(ABOVE_PX))

    def refresh(self) -> None:
        """Mark the same sentence in the colours of another theme."""
        self.show(self._place)


def as_spoken_view(widget: QWidget | None) -> SpokenWidget | None:
    """Return a widget if it shows text that may be read aloud: whatever can be selected and hides nothing."""
    if isinstance(widget, QLineEdit):
        return widget if widget.echoMode() is QLineEdit.EchoMode.Normal else None
    return widget if isinstance(widget, QTextEdit | QPlainTextEdit) else None


def text_from_here(view: SpokenWidget) -> SpokenText | None:
    """Return what is selected in a view, or its text from the caret on; None if there is no text.

    Behind a text's end, where the caret is after writing, all of it is meant.
    """
    if isinstance(view, QLineEdit):
        return SpokenLine(view) if view.text().strip() else None
    text, caret = view.toPlainText(), view.textCursor()
    if not text.strip():
        return None
    has_more = caret.hasSelection() or bool(text[characters_before(text, caret.position()) :].strip())
    return SpokenViews(lambda: [view], caret if has_more else None)


def _is_fence(block: QTextBlock) -> bool:
    return block.text().lstrip().startswith(_FENCES)


def _is_grounded(block: QTextBlock) -> bool:
    return block.isValid() and block.blockFormat().intProperty(GROUND_PROPERTY) == CODE_GROUND


def _paragraph_of(block: QTextBlock) -> _SpokenParagraph:
    text, spoken = "", list[str]()
    for part, look in _fragments_of(block):
        is_note = part.isdigit() and look.verticalAlignment() is QTextCharFormat.VerticalAlignment.AlignSuperScript
        if is_note or look.boolProperty(UNSPOKEN_PROPERTY):
            # As a blank, so that a sentence ends before a citation.
            text, spoken = text + " " * len(part), [*spoken, *([""] * len(part))]
            continue
        text += part
        spoken += [_formula_words(look) if character == _PICTURE else character for character in part]
    return _SpokenParagraph(text, spoken)


def _fragments_of(block: QTextBlock) -> Iterator[tuple[str, QTextCharFormat]]:
    walk = block.begin()
    while not walk.atEnd():
        fragment = walk.fragment()
        yield fragment.text(), fragment.charFormat()
        walk += 1


def _formula_words(look: QTextCharFormat) -> str:
    source = look.property(SOURCE_PROPERTY)
    return f" {spoken_formula(str(source)) or tr(FORMULA_WORD)} " if source else ""


def _set_mark(view: TextEdit, mark: QTextEdit.ExtraSelection | None) -> None:
    marks = [mark] if mark is not None else []
    if isinstance(view, PlainEdit):
        view.set_marks("reading", marks)
        return
    others = [other for other in view.extraSelections() if not other.format.property(_MARK)]
    view.setExtraSelections([*others, *marks])


def _rect_of(place: SpokenPlace) -> QRect:
    """Return the rectangle of a sentence's lines in its viewport."""
    view, start, end = place.view, QTextCursor(place.cursor), QTextCursor(place.cursor)
    start.setPosition(place.cursor.selectionStart())
    end.setPosition(place.cursor.selectionEnd())
    return view.cursorRect(start).united(view.cursorRect(end))


def _bring_into_view(place: SpokenPlace, above_px: int) -> None:
    view, rect = place.view, _rect_of(place)
    bar, room = view.verticalScrollBar(), view.viewport().height()
    if bar.maximum() and (rect.top() < 0 or rect.bottom() > room):
        # Lines are what a plain text view scrolls by.
        step = rect.top() - room // 4
        unit = view.fontMetrics().lineSpacing() if isinstance(view, QPlainTextEdit) else 1
        bar.setValue(bar.value() + step // unit)
        rect = _rect_of(place)
    parent = view.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea) and (inside := parent.widget()) is not None:
            top = view.viewport().mapTo(inside, QPoint(0, rect.top())).y()
            left = parent.horizontalScrollBar().value()
            for y in (top + rect.height(), top):
                parent.ensureVisible(left, y, 0, min(above_px, parent.viewport().height() // 3))
        parent = parent.parentWidget()
