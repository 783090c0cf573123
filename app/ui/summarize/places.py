"""The places that a statement rests on, as chips: "p. 6", "§ Pensions", and the file's name where there are several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from app.features.document_prompt import page_mark
from app.features.documents import Documents
from app.features.shown_document import Mark
from app.features.summary.result import Anchor, Statement, SummarizedDocument
from app.ui.shell.i18n import tr

MOST_NAME = 18
MOST_HEADING = 24


@dataclass(frozen=True)
class Chip:
    """Something to click on: its words, what a screen reader says, and what opens."""

    text: str
    spoken: str
    document_id: int
    mark: Mark


class Places:
    """Makes the chips of statements about these documents."""

    def __init__(self, documents: Sequence[SummarizedDocument], source: Documents) -> None:
        self._documents, self._source = documents, source
        self._headings: dict[tuple[int, int], str] = {}

    def know(self, statements: Sequence[Statement]) -> None:
        """Looks up the headings of what has no page. Raises what the store raises."""
        for number, document in enumerate(self._documents):
            cited = {a.block_id for one in statements for a in one.anchors if a.document == number and not a.page}
            wanted = sorted(block_id for block_id in cited if (number, block_id) not in self._headings)
            for block in self._source.some_blocks(document.id, wanted) if wanted else ():
                self._headings[number, block.id] = block.heading_path[-1] if block.heading_path else ""

    def chips(self, statement: Statement) -> tuple[Chip, ...]:
        """One for each page or paragraph, in order."""
        found: dict[tuple[int, str], Chip] = {}
        for anchor in statement.anchors:
            if 0 <= anchor.document < len(self._documents):
                found.setdefault((anchor.document, self._where(anchor)), self._chip(anchor))
        return tuple(found.values())

    def where(self, statement: Statement) -> str:
        """Where it was looked, such as "p. 6, p. 30"; without the file's name where that is one and the same."""
        is_one = len({anchor.document for anchor in statement.anchors}) == 1
        words = [self._where(one) for one in statement.anchors] if is_one else [c.text for c in self.chips(statement)]
        return ", ".join(dict.fromkeys(words))

    def _where(self, anchor: Anchor) -> str:
        mark = page_mark(self._documents[anchor.document].unit, anchor.page)
        if mark:
            return mark
        heading = self._headings.get((anchor.document, anchor.block_id), "")
        return f"§ {_cut(heading, MOST_HEADING)}" if heading else f"¶ {anchor.block_id}"

    def _chip(self, anchor: Anchor) -> Chip:
        document, where = self._documents[anchor.document], self._where(anchor)
        text = f"{short_name(document.name)} {where}" if len(self._documents) > 1 else where
        unit = document.unit
        said = f"{unit} {anchor.page}" if unit and anchor.page else where.removeprefix("§ ").replace("¶", "paragraph")
        spoken = tr("{where} of {name}", where=said, name=document.name)
        return Chip(text, spoken, document.id, Mark(anchor.block_id, anchor.start, anchor.end))


def short_name(name: str) -> str:
    """A file's name for a chip: without its ending, and not too long."""
    return _cut(PurePath(name).stem or name, MOST_NAME)


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
