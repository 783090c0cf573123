"""Papers of ACLSum (Takeshita et al., NAACL 2024) as real PDF files: two columns, headings, page numbers, sources."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from aclsum_data import aclsum_folder

from tests.helpers.pdf_files import A4, Page, wrapped, write_pdf

MARGIN_PT, GAP_PT = 56.0, 22.0
COLUMN_PT = (A4[0] - 2 * MARGIN_PT - GAP_PT) / 2
TOP_PT, BOTTOM_PT = 64.0, 776.0
BODY, HEADING, TITLE = (9.0, "F1"), (11.5, "F2"), (15.0, "F2")
PITCH = 1.22
LONGEST_WORD = 40  # what is longer is a formula that lost its spaces, and would run into the other column
ASPECTS = ("challenge", "approach", "outcome")


@dataclass(frozen=True)
class Section:
    """A heading and the paragraphs under it."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Paper:
    """A paper with everything that its authors wrote; `summary` is what three experts' sentences say of it."""

    name: str
    title: str
    sections: tuple[Section, ...]
    summary: str


def papers(count: int) -> list[Paper]:
    """The first so many of the test part, in the order of the data set, then those of the other parts."""
    folder = aclsum_folder()
    lines = [line for part in ("test", "val", "train") for line in (folder / f"{part}.jsonl").open(encoding="utf-8")]
    return [_paper(folder, json.loads(line)) for line in lines[:count]]


def _paper(folder: Path, entry: dict[str, dict[str, str]]) -> Paper:
    parsed = json.loads((folder / "paper_jsons" / f"{entry['id']}.json").read_text("utf-8"))
    body = [("Abstract", parsed["abstract"])]
    body += [(_heading(part), part["text"]) for part in parsed["pdf_parse"]["body_text"]]
    body += [("References", str(source["raw_text"])) for source in parsed["pdf_parse"]["bib_entries"].values()]
    cleaned = [(_plain(heading), _plain(text)) for heading, text in body]
    sections = [
        Section(heading, tuple(text for _, text in texts if text))
        for heading, texts in groupby(cleaned, key=lambda pair: pair[0])
    ]
    summary = " ".join(entry["summary"][aspect].strip() for aspect in ASPECTS)
    return Paper(str(entry["id"]), _plain(str(parsed["title"])), tuple(sections), summary)


def _heading(part: dict[str, str]) -> str:
    return f"{part['sec_num']} {part['section']}" if part["sec_num"] else part["section"]


def _plain(text: str) -> str:
    """In the letters of the fonts that every PDF reader has; Greek letters and signs of formulas fall away."""
    words = unicodedata.normalize("NFKC", text).encode("cp1252", "ignore").decode("cp1252").split()
    return " ".join(word[at : at + LONGEST_WORD] for word in words for at in range(0, len(word), LONGEST_WORD))


def write_papers(path: Path, wanted: Sequence[Paper]) -> Path:
    """One PDF of them, each beginning on a page of its own."""
    pages: list[Page] = []
    for paper in wanted:
        _Setting(pages).paper(paper)
    for number, page in enumerate(pages, 1):
        page.text(A4[0] / 2, BOTTOM_PT + 28, str(number), 8)
    return write_pdf(path, pages, title=wanted[0].title, compressed=True)


class _Setting:
    """Sets lines in two columns, page after page."""

    def __init__(self, pages: list[Page]) -> None:
        self._pages = pages
        self._top = TOP_PT
        self._next_page()

    def paper(self, paper: Paper) -> None:
        """All of it."""
        size, font = TITLE
        for line in wrapped(paper.title, 0.85 * (A4[0] - 2 * MARGIN_PT), size, font):  # bold letters are wider
            self._pages[-1].text(MARGIN_PT, self._y, line, size, font)
            self._y += size * PITCH
        self._top = self._y = self._y + 14
        for section in paper.sections:
            self._heading(section.heading)
            for paragraph in section.paragraphs:
                self._lines(wrapped(paragraph, COLUMN_PT, *BODY), *BODY)
                self._y += 5

    def _heading(self, heading: str) -> None:
        depth = heading.partition(" ")[0].count(".")
        size, font = HEADING[0] - 0.7 * depth, HEADING[1]
        lines = wrapped(heading, 0.85 * COLUMN_PT, size, font)
        if self._y + (len(lines) + 3) * size * PITCH > BOTTOM_PT:
            self._next_column()
        self._y += 5
        self._lines(lines, size, font)
        self._y += 2

    def _lines(self, lines: Sequence[str], size: float, font: str) -> None:
        for line in lines:
            if self._y > BOTTOM_PT:
                self._next_column()
            self._pages[-1].text(self._x, self._y, line, size, font)
            self._y += size * PITCH

    def _next_column(self) -> None:
        if self._x > MARGIN_PT:
            self._next_page()
        else:
            self._x, self._y = MARGIN_PT + COLUMN_PT + GAP_PT, self._top

    def _next_page(self) -> None:
        self._pages.append(Page())
        self._x, self._y = MARGIN_PT, TOP_PT
        self._top = TOP_PT


def cut(wanted: Sequence[Paper], most: int, size: Callable[[str], int]) -> list[Paper]:
    """As many papers as come to `most` by the `size` of their paragraphs; the last is cut between two of them."""
    left = most
    kept = []
    for paper in wanted:
        sections = []
        for section in paper.sections:
            paragraphs = []
            for paragraph in section.paragraphs:
                if left > 0:
                    paragraphs.append(paragraph)
                    left -= size(paragraph)
            if paragraphs:
                sections.append(Section(section.heading, tuple(paragraphs)))
        kept.append(Paper(paper.name, paper.title, tuple(sections), paper.summary))
        if left <= 0:
            return kept
    raise ValueError(f"{len(wanted)} papers are {left} too small")
