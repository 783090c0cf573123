"""Documents to summarize with scripted answers in the real engine child, and what was asked of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core.child import own_command
from app.core.events import CancelToken
from app.documents.blocks import Block, BlockKind, BlockNumbering, BlockPiece
from app.engine.client import EngineClient
from app.features.summarize.summarize import InputDocument, SectionRead, Summarized, SummaryEvent, summarize_documents
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_result import Method, Summary, SummaryOptions
from tests.helpers.engine import load
from tests.helpers.script import requests, write_script

LARGE_BYTES = 6_000_000_000
"""The size of a model that is asked for JSON with quotations."""
NARROW_TOKENS = 330
"""A context in which a section holds some 50 words: the scripted backend counts words."""


@dataclass(frozen=True)
class Scripted:
    """An engine that follows a script."""

    engine: EngineClient
    script: Path

    @property
    def asked(self) -> list[str]:
        """The last message of each prompt, in order."""
        return [str(request["messages"][-1][1]) for request in requests(self.script)]

    @property
    def sections_asked(self) -> list[str]:
        """Those that were asked to be condensed."""
        return [text for text in self.asked if "===== part =====" in text]

    @property
    def parts_asked(self) -> list[str]:
        """Which those were, such as "Part 3"."""
        return [found[0] for text in self.sections_asked if (found := re.search(r"^Part \d+", text, re.MULTILINE))]

    @property
    def write_ups_asked(self) -> list[str]:
        """Those that were asked to be written up."""
        return [text for text in self.asked if text.startswith("Text to summarize")]


@contextmanager
def scripted(folder: Path, *answers: dict[str, Any], **model: Any) -> Iterator[Scripted]:
    """A loaded model that answers so; `model` are keys of the script's load rule."""
    script = write_script(folder, *answers, load=model)
    engine = EngineClient([*own_command("--engine-worker"), "--scripted", str(script)], folder / "engine")
    try:
        load(engine, Path("scripted.gguf"))
        yield Scripted(engine, script)
    finally:
        engine.close()


def document(
    *texts: str | BlockPiece, name: str = "report.pdf", pages: bool = True, language: str = "en"
) -> InputDocument:
    """A document of these blocks, two on each page."""
    numbering = BlockNumbering()
    pieces = [text if isinstance(text, BlockPiece) else BlockPiece(BlockKind.PARAGRAPH, text) for text in texts]
    if pages:
        pieces = [piece._replace(page=place // 2 + 1) for place, piece in enumerate(pieces)]
    blocks = [numbering.block(piece) for piece in pieces]
    last = blocks[-1].page or 0 if blocks else 0
    return InputDocument(0, name, "", "page" if pages else "", last, (), language, blocks)


def heading(text: str, level: int = 1) -> BlockPiece:
    """A heading."""
    return BlockPiece(BlockKind.HEADING, text, level=level)


def long_document(sections: int = 4, name: str = "report.pdf", first: int = 1) -> InputDocument:
    """One that is cut into so many sections in a context of `NARROW_TOKENS`, each of which tells of the next kiln."""
    texts: list[str | BlockPiece] = []
    for number in range(first, first + sections):
        filler = " ".join(f"word{number}x{place}" for place in range(36))
        texts += [heading(f"Chapter {number}"), f"Kiln {number} was fired in {1900 + number}. {filler}."]
    return document(*texts, name=name)


def events_of(
    given: Scripted,
    *documents: InputDocument,
    wish: SummaryOptions | None = None,
    steps: MemorySteps | None = None,
    cancel: CancelToken | None = None,
) -> list[SummaryEvent]:
    """All that happens in one summary."""
    wish = wish or SummaryOptions(
        method=Method.MODEL
    )  # what a script says is kept, whether it stands in the document or not
    return list(summarize_documents(documents, wish, given.engine, steps or MemorySteps(), cancel or CancelToken()))


def summary_of(events: Sequence[SummaryEvent]) -> Summary:
    """What came of it."""
    assert isinstance(events[-1], Summarized)
    return events[-1].summary


def block_texts(*documents: InputDocument) -> list[str]:
    """The text of each block."""
    return [block.text for one in documents for block in one.blocks]


def all_kinds() -> list[Block]:
    """A block of each kind, and a paragraph that is longer than a section."""
    return list(
        document(
            heading("Kilns of the valley"),
            "The valley has three kilns, of which the oldest was built in 1871.",
            BlockPiece(BlockKind.LIST_ITEM, "The upper kiln burns wood.", level=1, label="•"),
            BlockPiece(BlockKind.LIST_ITEM, "The lower kiln burns gas.", level=1, label="•"),
            BlockPiece(BlockKind.TABLE, "Kiln\tHeight\tYear\nUpper\t4 m\t1871\nLower\t6 m\t1954", label="Kilns"),
            BlockPiece(BlockKind.CAPTION, "Table 1: the kilns and their heights."),
            BlockPiece(BlockKind.CODE, "for kiln in kilns:\n    fire(kiln)", label="python"),
            " ".join(f"Sentence {number} of the long paragraph tells of firing {number}." for number in range(60)),
            BlockPiece(BlockKind.NOTE, "Measured by hand in May.", label="footnote"),
            "The end of the document names no kiln.",
        ).blocks
    )


def said(number: int, **more: Any) -> dict[str, Any]:
    """What the n-th section of a long document is condensed to."""
    text = f"[{2 * number}] Kiln {number} was fired in {1900 + number}."
    return {"when": rf"Part {number} of", "text": text} | more


def points_of(events: Sequence[SummaryEvent]) -> dict[int | None, list[str]]:
    """The points of each section, by its first page."""
    return {event.first_page: [one.text for one in event.points] for event in events if isinstance(event, SectionRead)}
