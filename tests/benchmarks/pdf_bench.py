"""PDF files of our own making: reading against PDFium's bare extraction, memory, order, the first blocks, cancel."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pypdfium2 as pdfium
from comparing import ALTERNATIONS, compared, in_turns, progress, span
from run import ROOT, Row

from app.documents.blocks import BlockPiece
from app.documents.formats.pdf.pdf import read
from app.documents.source import FileSource
from tests.helpers.pdf_files import Page, column, wrapped, write_pdf

PAGES, MANY_PAGES, TWO_COLUMN_FILES = 300, 2000, 20
MOST_TIMES_BARE = 2.5
MOST_MB = 300.0
MOST_FIRST_S = 0.5
MOST_CANCEL_S = 1.0
ENOUGH_ROUNDS = 5
SYLLABLES = ["ba", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "kar", "lem", "nis", "por"]


def rows() -> Iterator[Row]:
    """The limits of the issue."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        folder = Path(name)
        manual = _manual(folder / "manual.pdf", PAGES)
        yield _against_bare(manual)
        yield _memory(manual)
        yield _order(folder)
        many = _manual(folder / "many.pdf", MANY_PAGES)
        yield _first_blocks(many)
        yield _cancel(many)


def _against_bare(path: Path) -> Row:
    progress("against bare extraction")

    def ours(_: int) -> float:
        began_s = time.process_time()
        for _item in read(FileSource(path, recognize=False)):
            pass
        return time.process_time() - began_s

    def bare(_: int) -> float:
        began_s = time.process_time()
        document = pdfium.PdfDocument(path)
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            text.get_text_bounded()
            text.close()
            page.close()
        document.close()
        return time.process_time() - began_s

    mine, theirs = in_turns([ours, bare])
    return compared(f"reading_{PAGES}_pages_of_pdf", mine, theirs, "s", at_most=MOST_TIMES_BARE)


_PEAK = """
import resource, sys
from pathlib import Path
from app.documents.formats.pdf.pdf import read
from app.documents.source import FileSource
for _ in read(FileSource(Path(sys.argv[1]), recognize=False)):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6)
"""


def _memory(path: Path) -> Row:
    peaks = [float(_fresh(_PEAK, path)) for _ in range(3)]
    return Row(
        f"memory_for_{PAGES}_pages_of_pdf", round(statistics.median(peaks), 1), "MB", MOST_MB, span(peaks), at_most=1.0
    )


def _order(folder: Path) -> Row:
    """How many blocks of two-column pages are the ones that were written, in their order."""
    right = told = 0
    for number in range(TWO_COLUMN_FILES):
        path, blocks = _two_columns(folder / f"columns-{number}.pdf", number)
        found = [item.text for item in read(FileSource(path, recognize=False)) if isinstance(item, BlockPiece)]
        told += len(blocks)
        right += sum(one == other for one, other in zip(found, blocks, strict=False)) - abs(len(found) - len(blocks))
    share = round(right / told, 4)
    return Row("blocks_of_two_columns_in_order", share, "", 1.0, f"{told} blocks", at_least=1.0)


_FIRST = """
import sys
from itertools import islice
from pathlib import Path
from app.documents.blocks import BlockPiece
from app.documents.formats.registry import reader_for
from app.documents.source import FileSource
pieces = (item for item in reader_for("pdf")(FileSource(Path(sys.argv[1]))) if isinstance(item, BlockPiece))
print(len(list(islice(pieces, 5))))
"""


def _first_blocks(path: Path) -> Row:
    taken_s = []
    for _ in range(ALTERNATIONS):
        began_s = time.monotonic()
        _fresh(_FIRST, path)
        taken_s.append(time.monotonic() - began_s)
    median_s = round(statistics.median(taken_s), 3)
    note = f"{span(taken_s)}, {ALTERNATIONS} rounds, a fresh process each"
    return Row(f"first_blocks_of_{MANY_PAGES}_pages_of_pdf", median_s, "s", MOST_FIRST_S, note, at_most=1.0)


def _cancel(path: Path) -> Row:
    """The longest wait between two items: whoever reads can stop there."""
    longest_s = []
    for _ in range(ENOUGH_ROUNDS):
        waits, began_s = [], time.monotonic()
        for _item in read(FileSource(path, recognize=False)):
            waits.append(time.monotonic() - began_s)
            began_s = time.monotonic()
        longest_s.append(max(waits))
    note = f"{span(longest_s)}, {ENOUGH_ROUNDS} rounds"
    median_s = round(statistics.median(longest_s), 3)
    return Row("longest_wait_before_a_pdf_can_be_cancelled", median_s, "s", MOST_CANCEL_S, note, at_most=1.0)


def _fresh(program: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return done.stdout.strip()


def _sentences(chance: random.Random, words: int) -> str:
    said: list[str] = []
    while len(said) < words:
        sentence = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 5))) for _ in range(chance.randint(5, 18))]
        sentence[len(sentence) // 2] += chance.choice([",", "", "", ";"])
        said += [sentence[0].capitalize(), *sentence[1:-1], f"{sentence[-1]}."]
    return " ".join(said)


def _manual(path: Path, pages: int) -> Path:
    """A manual: running headers, page numbers, chapters, paragraphs, lists, tables and code."""
    chance = random.Random(11)
    made = []
    for number in range(1, pages + 1):
        page = Page()
        page.text(72, 40, "A manual of nothing in particular", 9)
        page.text(500, 40, str(number), 9)
        y = 80.0
        if number % 6 == 1:
            page.text(72, y, f"{number // 6 + 1} {_sentences(chance, 3)[:40].rstrip('. ')}", 18, "F2")
            y += 36
        while y < 740:
            y = _part(page, chance, y, chance.random()) + 8
        made.append(page)
    return write_pdf(path, made, title="A manual", compressed=True)


def _part(page: Page, chance: random.Random, y: float, kind: float) -> float:
    if kind < 0.6:
        lines = wrapped(_sentences(chance, chance.randint(40, 110)), 450, hyphens=True)
        return column(page, 72, y, lines[: max(int((790 - y) / 12), 1)])
    if kind < 0.75:
        page.text(72, y + 8, _sentences(chance, 3)[:50].rstrip(". "), 12, "F2")
        return column(page, 72, y + 26, wrapped(_sentences(chance, 40), 450)[:4])
    if kind < 0.87:
        for _ in range(4):
            page.text(82, y, "•")
            y = column(page, 96, y, wrapped(_sentences(chance, 18), 420)[:2])
        return y
    if kind < 0.95:
        for _ in range(5):
            for x in (82, 220, 360):
                page.text(x, y, str(chance.randint(10, 99999)))
            y += 13
        return y
    return column(page, 90, y, [f"run --{word} now" for word in chance.sample(SYLLABLES, 4)], font="F3")


def _two_columns(path: Path, seed: int) -> tuple[Path, list[str]]:
    """Three pages of two columns under a title; the blocks in the order they are to be read."""
    chance = random.Random(seed)
    size = chance.choice([9.0, 10.0, 11.0])
    gutter = chance.uniform(1.6, 3.0) * size
    wide, pitch = (450 - gutter) / 2, chance.uniform(1.15, 1.3) * size
    by_rows = seed % 4 == 0
    blocks: list[str] = []
    made = []
    for number in range(3):
        page = Page()
        placed: list[tuple[float, float, str, float, str]] = []
        top = 90.0
        if number == 0:
            blocks.append("On columns and what is in them")
            placed.append((72, top, blocks[0], 20, "F2"))
            top += 50
        for x in (72, 72 + wide + gutter):
            _fill(placed, blocks, chance, (x, top, wide, size, pitch))
        for place in sorted(placed, key=lambda place: (place[1], place[0])) if by_rows else placed:
            page.text(*place)
        page.text(290, 815, str(number + 1), 8)
        made.append(page)
    return write_pdf(path, made), blocks


def _fill(
    placed: list[tuple[float, float, str, float, str]],
    blocks: list[str],
    chance: random.Random,
    column_: tuple[float, float, float, float, float],
) -> None:
    """One column: headings and paragraphs down to the foot of the page."""
    x, y, wide, size, pitch = column_
    while y < 640:
        if chance.random() < 0.2:
            title = _sentences(chance, 3).split(". ")[0].rstrip(".")[:24].rstrip()
            placed.append((x, y + 0.6 * size, title, size * 1.25, "F2"))
            blocks.append(title)
            y += 2.4 * size
        text = _sentences(chance, chance.randint(25, 60))
        lines = wrapped(text, wide, size, hyphens=True)
        placed += [(x, y + row * pitch, line, size, "F1") for row, line in enumerate(lines)]
        blocks.append(text)
        y += (len(lines) + 0.7) * pitch
