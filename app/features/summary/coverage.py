"""What was read, by the prompts that were answered: a block counts when all of its text stood in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from app.documents.blocks import Block
from app.features.summary.apart import Apart, told_apart
from app.features.summary.events import InputDocument
from app.features.summary.result import Coverage, LeftApart
from app.features.summary.sections import Section


class Reading:
    """Collects answered prompts, and compares them with all the blocks that were given.

    A section's own list of slices is not believed: what it names must stand in the prompt, but for white space around.
    """

    def __init__(self, documents: Sequence[InputDocument]) -> None:
        self._documents = [_Document(one) for one in documents]

    def answered(self, section: Section, prompt: str) -> None:
        """A prompt with this section in it was answered."""
        document = self._documents[section.document]
        for one in section.slices:
            document.read(one.block_id, one.start, one.end, prompt)

    def coverage(self) -> tuple[Coverage, ...]:
        """Of each document."""
        return tuple(document.coverage for document in self._documents)


class _Document:
    """What is read of one of them; `unread` counts what is missing on each page."""

    def __init__(self, given: InputDocument) -> None:
        self._given = given
        self._blocks = {block.id: block for block in given.blocks}
        self._apart = told_apart(given.blocks)
        self._read: dict[int, list[tuple[int, int]]] = defaultdict(list)
        unread = [block for block in given.blocks if block.text.strip() and block.id not in self._apart]
        self._unread = {block.id: block for block in unread}
        self._unread_on = Counter(page for block in unread for page in _pages(block))
        self._begun: set[int] = set()
        self._with_text = {page for block in given.blocks for page in _pages(block)}
        self._to_read = {page for block in unread for page in _pages(block)}
        if not given.blocks or len(unread) + len(self._apart) < len(given.blocks):  # pages with empty blocks alone
            self._to_read |= self._with_text - {page for one in self._apart for page in _pages(self._blocks[one])}

    def read(self, number: int, start: int, end: int, prompt: str) -> None:
        block = self._unread.get(number)
        if block is None or block.text[start:end].strip() not in prompt:
            return
        self._read[number].append((start, end))
        self._begun |= _pages(block, start, end)
        if _is_whole(block.text, self._read[number]):
            del self._unread[number]
            self._unread_on.subtract(_pages(block))

    @property
    def coverage(self) -> Coverage:
        given = self._given
        missing = {page for page, count in self._unread_on.items() if count > 0}
        unread_pages = missing - self._begun
        known = self._with_text.union(given.pages_without_text)
        silent = 0 if self._unread else max(0, given.pages - len(known))  # only a running header or a page number
        return Coverage(
            blocks=len(given.blocks),
            blocks_read=len(given.blocks) - len(self._unread) - len(self._apart),
            pages=given.pages,
            pages_read=len(self._to_read - unread_pages) + silent,
            pages_without_text=tuple(sorted(given.pages_without_text)),
            unread_pages=tuple(sorted(unread_pages)),
            pictures=tuple(sorted(given.picture_pages)),
            partly_read=tuple(sorted(missing & self._begun)),
            apart=tuple(self._left_apart()),
        )

    def _left_apart(self) -> Iterator[LeftApart]:
        for what in Apart:
            mine = [self._blocks[number] for number, kind in self._apart.items() if kind is what]
            pages = {page for block in mine for page in _pages(block)} - self._to_read
            if mine:
                yield LeftApart(what.value, len(mine), tuple(sorted(pages)))


def _is_whole(text: str, stretches: Sequence[tuple[int, int]]) -> bool:
    """Whether they leave nothing out but white space."""
    at = 0
    for start, end in sorted(stretches):
        if text[at:start].strip():
            return False
        at = max(at, end)
    return not text[at:].strip()


def _pages(block: Block, start: int = 0, end: int | None = None) -> set[int]:
    """A block of a PDF may go on overleaf: its lines know their pages. With a stretch of it, those that have some."""
    end = len(block.text) if end is None else end
    pages = {box.page for box in block.place.boxes if box.start < end and box.end > start}
    is_begun = end - start < len(block.text) or not pages  # a statement leads to where the block begins
    return pages | ({block.page} if block.page is not None and is_begun else set())
