"""Content of a page: its text, the generated ranges at each step of undo, and a growing continuation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument

from app.core.lazy_dataclasses import dataclass
from app.ui.text.formats import cursor_over, selected_text

LINE_PERCENT, CODE_LINE_PERCENT = 148, 114
EDGE_OF_LETTERS_PX = 2

Ranges = tuple[tuple[int, int], ...]
"""Start and end positions, sorted and disjoint; ends are exclusive."""


@dataclass(frozen=True)
class PageContent:
    """Text, ranges and cursor of a page in characters; see `app.features.write_pages.WrittenPage`."""

    text: str = ""
    written: Ranges = ()
    cursor: int = 0


class PageDocument(QTextDocument):
    """Document of a page; positions are UTF-16 units. A continuation is one step of undo."""

    edited = Signal()
    """The text changed, by the user or the model."""
    touched = Signal()
    """The user changed the text."""

    def __init__(self, state: PageContent, before: QTextDocument, parent: QObject, *, is_code: bool = False) -> None:
        """Create the document with the font of the previous one."""
        super().__init__(parent)
        self.setUndoRedoEnabled(False)
        self.setDefaultFont(before.defaultFont())
        self.setDocumentMargin(EDGE_OF_LETTERS_PX)  # later it would be a step of undo
        self.setDefaultTextOption(before.defaultTextOption())
        cursor = QTextCursor(self)
        cursor.setBlockFormat(_line_look(is_code=is_code))
        cursor.insertText(state.text)
        self.setUndoRedoEnabled(True)
        self.ranges: Ranges = ()
        """Generated text that hasn't been edited since."""
        self._ranges_at: dict[int, Ranges] = {}
        """`ranges` at each step of undo."""
        self._is_ours = False
        """True while this class changes the text itself."""
        self.run: QTextCursor | None = None
        """End of the continuation being inserted."""
        self._run_start = 0
        self._has_grown = False
        self._mark(state)

    def space_lines(self, *, is_code: bool) -> None:
        """Space the lines as those of code or prose, unless there are steps of undo: this would be one, too."""
        if self.isUndoAvailable() or self.isRedoAvailable():
            return
        self._is_ours = True
        self.setUndoRedoEnabled(False)
        cursor = QTextCursor(self)
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.setBlockFormat(_line_look(is_code=is_code))
        self.setUndoRedoEnabled(True)
        self._is_ours = False

    def follow_changes(self) -> None:
        """Track changes from now on; setting the document into an editor emits a change of all of it."""
        self.contentsChange.connect(self._on_contents_change)
        self.contentsChanged.connect(self._on_contents_changed)

    @property
    def text(self) -> str:
        return self.toRawText().replace("\u2029", "\n").replace("\u2028", "\n")

    @property
    def last(self) -> int:
        """Last position of the document, behind its last character."""
        return self.characterCount() - 1

    def between(self, start: int, end: int) -> str:
        """Return the text between two positions; -1 is the end."""
        return selected_text(cursor_over(self, min(start, self.last), self.last if end < 0 else min(end, self.last)))

    def state_at(self, cursor: int) -> PageContent:
        """Return the whole content and a cursor position, converted to characters."""
        text = self.text
        *places, place = places_of(text, [*(end for pair in self.ranges for end in pair), cursor])
        return PageContent(text, tuple(zip(places[::2], places[1::2], strict=True)), place)

    def rewrite(self, state: PageContent) -> None:
        """Change the text to another one in a single step of undo, writing only the difference."""
        text, other = self.text, state.text
        same = _common(text, other)
        # What is the same at the start and at the end must not overlap.
        behind = min(_common(text[::-1], other[::-1]), len(text) - same, len(other) - same)
        start, end = units_of(text, [same, len(text) - behind])
        cursor = cursor_over(self, start, end)
        self._is_ours = True
        cursor.insertText(other[same : len(other) - behind], QTextCharFormat())
        self._is_ours = False
        self.setModified(False)  # the next typing is a step of its own
        self._mark(state)

    def step(self, undo: Callable[[], None]) -> None:
        """Undo or redo a step, of the user's or the model's."""
        self.run = None
        self._is_ours = True
        undo()
        self._is_ours = False
        # Qt's undo restores text only; the ranges are found by the number of the step.
        self.ranges = self._ranges_at.get(self.availableUndoSteps(), ())
        self.edited.emit()
        self.touched.emit()

    def begin_run(self, start: int, end: int) -> None:
        """Start a continuation that replaces the given range, once its text comes."""
        self.end_run()
        self.setModified(False)  # otherwise Qt joins it to the typing before
        run = cursor_over(self, start, end)
        self.run, self._run_start, self._has_grown = run, start, False

    def grow_run(self, text: str) -> None:
        run = self.run
        assert run is not None
        # However many pieces come, a continuation is one step of undo.
        if self._has_grown:
            run.joinPreviousEditBlock()
        else:
            run.beginEditBlock()
        self._has_grown = True
        start = run.selectionStart()
        self._is_ours = True
        if run.hasSelection():
            self.ranges = after_edit(self.ranges, start, run.selectionEnd() - start, 0)
        run.insertText(text, QTextCharFormat())
        # Its own range so far is replaced by the longer one.
        others = tuple(gone_range for gone_range in self.ranges if gone_range != (self._run_start, start))
        self.ranges = with_run(after_edit(others, start, 0, run.position() - start), self._run_start, run.position())
        run.endEditBlock()
        self._is_ours = False
        self._remember()
        self.edited.emit()

    def end_run(self) -> tuple[int, int]:
        """Finish the continuation and return its range; (0, 0) if there was none."""
        run, self.run = self.run, None
        if run is None:
            return 0, 0
        self.setModified(False)  # the next typing is a step of its own
        return self._run_start, run.position() if self._has_grown else self._run_start

    def _mark(self, state: PageContent) -> None:
        """Take over the generated ranges of a content with the same text."""
        units = units_of(state.text, [place for pair in state.written for place in pair])
        self.ranges = tuple(zip(units[::2], units[1::2], strict=True))
        self._remember()

    def _on_contents_change(self, position: int, removed: int, added: int) -> None:
        if not self._is_ours:
            self.ranges = after_edit(self.ranges, position, removed, added)

    def _on_contents_changed(self) -> None:
        if not self._is_ours:
            self._remember()
            self.edited.emit()
            self.touched.emit()

    def _remember(self) -> None:
        """Record the ranges at this step of undo, and drop those of steps that can't be reached any more."""
        steps = self.availableUndoSteps()
        self._ranges_at[steps] = self.ranges
        if not self.isRedoAvailable():
            for later in [number for number in self._ranges_at if number > steps]:
                del self._ranges_at[later]


def _line_look(*, is_code: bool) -> QTextBlockFormat:
    look = QTextBlockFormat()
    percent = CODE_LINE_PERCENT if is_code else LINE_PERCENT
    look.setLineHeight(percent, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    return look


def after_edit(ranges: Ranges, position: int, removed: int, added: int) -> Ranges:
    """Return the ranges after an edit: edited parts become the user's, later ones shift; an edit at an edge changes
    none.
    """
    shifted: list[tuple[int, int]] = []
    for start, end in ranges:
        if position >= end:
            shifted.append((start, end))
        elif position + removed <= start:
            shifted.append((start + added - removed, end + added - removed))
    return tuple(shifted)


def with_run(ranges: Ranges, start: int, end: int) -> Ranges:
    """Return the ranges with a newly written one added, unless it is empty."""
    return tuple(sorted([*ranges, (start, end)])) if start < end else ranges


def range_at(ranges: Ranges, position: int) -> tuple[int, int] | None:
    """Return the range that contains a position, or None."""
    return next(((start, end) for start, end in ranges if start <= position < end), None)


def units_of(text: str, places: Iterable[int]) -> list[int]:
    """Convert character positions of a text to UTF-16 units, in which Qt counts."""
    places = list(places)
    return places if _is_plain(text) else [len(text[:place].encode("utf-16-le")) // 2 for place in places]


def places_of(text: str, units: Iterable[int]) -> list[int]:
    """Convert positions in UTF-16 units to characters, in which the store counts."""
    units = list(units)
    if _is_plain(text):
        return units
    data = text.encode("utf-16-le", "surrogatepass")
    # A position within a surrogate pair counts as the one before the pair.
    return [len(data[: 2 * unit].decode("utf-16-le", "ignore")) for unit in units]


def _is_plain(text: str) -> bool:
    """Return whether every character is one UTF-16 unit, so that nothing has to be converted."""
    return text.isascii() or len(text.encode("utf-16-le", "surrogatepass")) == 2 * len(text)


def _common(text: str, other: str) -> int:
    """Return the length of the common prefix, by bisection: fast for a million characters."""
    low, high = 0, min(len(text), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if text.startswith(other[:middle]):
            low = middle
        else:
            high = middle - 1
    return low
