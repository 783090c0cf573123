"""Text recognition by an installed tesseract: pixels go in by a pipe, lines come out."""

from __future__ import annotations

import locale
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core.lazy_dataclasses import dataclass
from app.documents.blocks import TESSERACT, BlockKind, BlockPiece, BlockPlace, LineBox, table_text
from app.documents.source import ReadingRemark

if TYPE_CHECKING:
    import numpy as np


MOST_S = 60.0
LIST_S = 10.0
MOST_LANGUAGES = 6
"""Limit: a second language takes a quarter more time, each further one a twentieth; none cost a word of an English
page.
"""
LEAST_CONFIDENCE = 30.0  # below it are mostly dust and frames
"""Of 100; words below it are mostly dust and frames."""
LONG_WORD = 8
"""Letters and digits of a word that dust does not make: addresses of pages, of which tesseract is never sure."""
# tesseract names languages by ISO 639-2; a locale has the code of two letters.
_LANGUAGES = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng",
    "es": "spa", "et": "est", "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hr": "hrv",
    "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "ko": "kor", "lt": "lit", "lv": "lav", "nb": "nor",
    "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv",
    "sr": "srp", "sv": "swe", "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "chi_sim",
}  # fmt: skip


@dataclass(frozen=True)
class RgbPicture:
    """Rows of RGB without padding, and how many pixels a point has on the page it was drawn from."""

    width: int
    height: int
    pixels: bytes
    scale: float


@dataclass(slots=True)
class _OcrLine:
    """A line as tesseract has it: its words, from where to where each goes, and its box; all in pixels."""

    page: int
    paragraph: tuple[int, int]
    words: list[str]
    spans: list[tuple[int, int]]
    left: int
    top: int
    right: int
    bottom: int

    def cells(self) -> list[_LineCell]:
        """Return its words, divided where the gap between them is wider than any of a text; frames are none."""
        found: list[_LineCell] = []
        for word, (left, right) in zip(self.words, self.spans, strict=True):
            # Rules of a table are read as bars and brackets.
            if word in _FRAMES:
                continue
            before = found[-1] if found else None
            # In a right-to-left line the next word stands at the left.
            if before and max(left - before.right, before.left - right) <= CELL_GAP * (self.bottom - self.top):
                found[-1] = _LineCell(min(before.left, left), max(before.right, right), [*before.words, word])
            else:
                found.append(_LineCell(left, right, [word]))
        return found


class _LineCell(NamedTuple):
    """Words close together in a line, with left and right edge."""

    left: int
    right: int
    words: list[str]


class Tesseract:
    """The installed program and the languages it is asked for."""

    def __init__(self, program: str, languages: str, *, sees_turned: bool = False) -> None:
        self._program, self._languages = program, languages
        # Several locales may share one of tesseract's names; reversed, the first of them wins.
        codes = {name: code for code, name in reversed(_LANGUAGES.items())}
        self.languages = tuple(codes.get(name, name) for name in languages.split("+"))
        """Their codes; tesseract's own name where a language has none of two letters."""
        self._layout = "1" if sees_turned else "3"  # page segmentation: 1 asks OSD which way up the page is, 3 does not
        """With what tells which way up a page is, or without."""

    @property
    def remark(self) -> ReadingRemark:
        """The languages it reads, as a remark that a person can correct (more can be installed)."""
        return ReadingRemark("read_in", {"languages": "+".join(self.languages)})

    def pieces(self, picture: RgbPicture, page: int) -> list[BlockPiece]:
        """Return the paragraphs of a picture, with a box for each line in points of the page; [] where it cannot be
        read.
        """
        header = b"P6\n%d %d\n255\n" % (picture.width, picture.height)
        # tesseract takes 70 for the least it accepts, and guesses without any.
        dots = str(max(70, round(72 * picture.scale)))
        arguments = [
            self._program,
            "stdin",
            "stdout",
            "-l",
            self._languages,
            "--dpi",
            dots,
            "--psm",
            self._layout,
            "tsv",
        ]
        output = _run_program(arguments, header + picture.pixels, MOST_S)
        return [] if output is None else list(_iterate_pieces(_parse_lines(output), page, picture.scale))

    def pages(self, file: bytes) -> dict[int, list[BlockPiece]]:
        """Return the paragraphs of a file of pictures by its pages from 1, without boxes; {} where it cannot be
        read.
        """
        arguments = [self._program, "stdin", "stdout", "-l", self._languages, "--psm", self._layout, "tsv"]
        # A file of several pictures goes in as it is: tesseract splits a TIFF itself.
        output = _run_program(arguments, file, MOST_S)
        found: dict[int, list[_OcrLine]] = {}
        for line in _parse_lines(output or ""):
            found.setdefault(line.page, []).append(line)
        return {
            page: [piece._replace(place=BlockPlace()) for piece in _iterate_pieces(iter(lines), page, 1.0)]
            for page, lines in found.items()
        }


def find_tesseract() -> Tesseract | None:
    """Return the system's tesseract if it has any language; else None."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    # Its own list of languages begins with a line about the folder.
    output = _run_program([program, "--list-langs"], b"", LIST_S)
    installed = set((output or "").splitlines()[1:])
    languages = _choose_languages(installed, _system_language())
    # "osd" is the model for orientation, which comes as a package of its own.
    return Tesseract(program, languages, sees_turned="osd" in installed) if languages else None


def tesseract_program() -> Path | None:
    """Return the system's tesseract, behind all links; None without one."""
    program = shutil.which("tesseract")
    return Path(program).resolve() if program is not None else None


def tesseract_places() -> list[Path]:
    """Return what an installed tesseract reads, wherever it is installed: itself, its libraries and its languages."""
    program = shutil.which("tesseract")
    places = [Path(data) for data in (os.environ.get("TESSDATA_PREFIX"),) if data]
    # Debian keeps the data under share/tesseract-ocr/5/tessdata, others in share/tessdata.
    if program is not None:
        place = Path(program).resolve()
        prefix = place.parent.parent
        places += [
            Path(program),
            place,
            prefix / "lib",
            prefix / "share" / "tessdata",
            prefix / "share" / "tesseract-ocr",
        ]
    return places


def _system_language() -> str:
    """Return the language of the system's locale, as two letters; "" where none is set."""
    try:
        name = locale.getlocale()[0] or ""
    except ValueError:
        return ""
    # "C" and "POSIX" name no language.
    return name[:2].lower() if re.match(r"[a-zA-Z]{2}_", name) else ""


def _choose_languages(installed: set[str], language: str) -> str:
    """Return the languages to use: the system's, English and all others installed, since a page's is unknown.

    Of very many, as a package with all languages installs, only the first two, or the first installed.
    """
    there = sorted(installed - {"osd", "equ", ""})
    found = [code for code in (_LANGUAGES.get(language, ""), "eng") if code in there] or there[:1]
    # Names with a slash are scripts ("script/Latin"), those with _vert columns of Japanese.
    others = [text for text in there if "/" not in text and not text.endswith("_vert")]
    return "+".join(dict.fromkeys([*found, *(others if len(others) <= MOST_LANGUAGES else [])]))


ONE_THREAD = {"OMP_THREAD_LIMIT": "1"}
"""Its four threads wait for each other by going round: a page of 200 dpi took three times the processor, and on two
busy cores more than twice the time. It asks for so many itself, which OMP_NUM_THREADS does not change.
"""


def _run_program(arguments: list[str], given: bytes, limit_s: float) -> str | None:
    """Return the program's output; None if it fails or takes too long."""
    # A list, never a shell: the languages come from a folder whose names anyone may choose.
    try:
        done = subprocess.run(
            arguments,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | ONE_THREAD,
            timeout=limit_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _parse_lines(output: str) -> Iterator[_OcrLine]:
    """Yield the lines of tesseract's table: level, page, block, paragraph, line, word, left, top, width, height,
    confidence and text; a word has level 5.
    """
    line: _OcrLine | None = None
    key: tuple[int, ...] = ()
    for row in output.splitlines():
        fields = row.split("\t")
        if len(fields) < 12 or fields[0] != "5" or not fields[11].strip():
            continue
        try:
            page, block, paragraph, number, _, left, top, width, height = map(int, fields[1:10])
            confidence = float(fields[10])
        except ValueError:
            continue
        # Addresses of pages (www.example.org/…) are never sure, but are too long to be dust.
        if confidence < LEAST_CONFIDENCE and sum(map(str.isalnum, fields[11])) < LONG_WORD:
            continue
        if line is None or key != (page, block, paragraph, number):
            if line:
                yield line
            key = (page, block, paragraph, number)
            line = _OcrLine(page, (block, paragraph), [], [], left, top, left + width, top + height)
        line.words.append(fields[11].strip())
        line.spans.append((left, left + width))
        line.left, line.top = min(line.left, left), min(line.top, top)
        line.right, line.bottom = max(line.right, left + width), max(line.bottom, top + height)
    if line:
        yield line


def _iterate_pieces(lines: Iterator[_OcrLine], page: int, scale: float) -> Iterator[BlockPiece]:
    waiting, text = list(lines), list[_OcrLine]()
    while waiting:
        # A table is looked for from each line on; what is none becomes text.
        table = _table_at(waiting)
        if table is not None:
            yield from _paragraph_pieces(text, page, scale)
            yield _table_piece(waiting[: len(table)], table, page, scale)
            text, waiting = [], waiting[len(table) :]
        else:
            text.append(waiting.pop(0))
    yield from _paragraph_pieces(text, page, scale)


def _paragraph_pieces(lines: list[_OcrLine], page: int, scale: float) -> Iterator[BlockPiece]:
    for _, paragraph in groupby(lines, key=lambda line: line.paragraph):
        yield _make_piece(list(paragraph), page, scale)


CELL_GAP = 1.3
"""Gap between cells in line heights. Words are a third apart, in justified lines hardly more than one."""
LEAST_CELLS, LEAST_ROWS = 2, 3
MOST_APART = 4.0
"""Most distance between rows, in line heights."""
MOST_WORDS = 4.0
"""Most words per cell, on average: more is text in two columns."""
_FRAMES = ("|", "||", "[", "]", "¦", "‖", "_", "—", "-")


def _table_at(lines: Sequence[_OcrLine]) -> list[list[str]] | None:
    """Return the rows of the table that begins with the first of these lines; None where none does."""
    rows: list[list[_LineCell]] = []
    columns: list[tuple[int, int]] = []
    # Rows are taken as long as each cell of each row still has a column of its own.
    for number, line in enumerate(lines):
        cells = line.cells()
        above = lines[number - 1] if number else None
        is_next = above is None or 0 < line.top - above.top <= MOST_APART * (above.bottom - above.top)
        # Columns grow as rows come: a wide cell joins two of them, and then the rows are none of a table.
        wider = _join_ranges([*columns, *((cell.left, cell.right) for cell in cells)])
        apart = all(len({_column_of(cell, wider) for cell in row}) == len(row) for row in [*rows, cells])
        if len(cells) < LEAST_CELLS or not is_next or not apart:
            break
        rows, columns = [*rows, cells], wider
    words = [len(cell.words) for row in rows for cell in row]
    # Text in two columns has as many gaps, but many words between them.
    if len(rows) < LEAST_ROWS or len(columns) < LEAST_CELLS or sum(words) > MOST_WORDS * len(words):
        return None
    table = [[""] * len(columns) for _ in rows]
    for at, row in enumerate(rows):
        for cell in row:
            table[at][_column_of(cell, columns)] = " ".join(cell.words)
    # Arabic and Hebrew tables read from the right, and tesseract lists each row in reading order.
    is_right_to_left = 2 * sum(row[0].left > row[-1].left for row in rows) > len(rows)
    return [row[::-1] for row in table] if is_right_to_left else table


def _join_ranges(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join ranges that overlap, such as words above each other in a column."""
    found: list[tuple[int, int]] = []
    for left, right in sorted(spans):
        if found and left < found[-1][1]:
            # Columns that touch in one row only are the same one, see `_table_at`.
            found[-1] = found[-1][0], max(found[-1][1], right)
        else:
            found.append((left, right))
    return found


def _column_of(cell: _LineCell, columns: Sequence[tuple[int, int]]) -> int:
    return next(at for at, (left, right) in enumerate(columns) if left <= cell.left and cell.right <= right)


# A box a row, so that a row can be marked on the page.
def _table_piece(lines: Sequence[_OcrLine], rows: list[list[str]], page: int, scale: float) -> BlockPiece:
    boxes, start = [], 0
    for line, row in zip(lines, rows, strict=True):
        end = start + len("\t".join(row))
        left, top, right, bottom = (round(edge / scale, 2) for edge in (line.left, line.top, line.right, line.bottom))
        boxes.append(LineBox(page, left, top, right, bottom, start, end))
        start = end + 1
    return BlockPiece(BlockKind.TABLE, table_text(rows), page, BlockPlace(boxes=tuple(boxes)), origin=TESSERACT)


def _make_piece(lines: list[_OcrLine], page: int, scale: float) -> BlockPiece:
    text = ""
    boxes: list[LineBox] = []
    for number, line in enumerate(lines):
        words = " ".join(line.words)
        following = lines[number + 1].words[0] if number + 1 < len(lines) else ""
        # A hyphen at a line's end goes when the word goes on in small letters; "Müller-" before "Lüdenscheidt" stays.
        is_divided = len(words) > 1 and words[-1] == "-" and words[-2].isalpha() and following[:1].islower()
        part = words[:-1] if is_divided else words
        left, top, right, bottom = (round(edge / scale, 2) for edge in (line.left, line.top, line.right, line.bottom))
        boxes.append(LineBox(page, left, top, right, bottom, len(text), len(text) + len(part)))
        text += part if is_divided or not following else f"{part} "
    return BlockPiece(BlockKind.PARAGRAPH, text, page, BlockPlace(boxes=tuple(boxes)), origin=TESSERACT)


LOOK_DPI, MOST_LOOKED_AT = 75, 2_000_000
"""Resolution that shows the lines' direction, and limit of pixels: a page twice as wide and high as letter."""
MOST_DEGREES = 8
LEAST_DEGREES = 0.3
LEAST_GAIN = 1.3
"""So much sharper the lines have to become: a photograph has a best angle, too."""


def skew_of(width: int, height: int, pixels: bytes) -> float:
    """Return the angle in degrees that makes a picture's lines horizontal or vertical.

    Turned back by the right angle, lines of text and the gaps between them are sharpest (Postl, Detection of linear
    oblique structures and skew scan in digitized documents, 1986). A small turn is a shift of each column, which costs
    a fraction of it.
    """
    import numpy as np  # not for documents without pictures

    # The green channel stands for brightness: it has most of it, and one channel costs a third.
    grey = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)[:, :, 1].astype(np.float32)
    # Against the median, which is the paper whatever its colour; lighter than paper is no ink.
    ink = np.maximum(np.median(grey) - grey, 0)
    # Lines may run down the page, too: the picture may lie on its side.
    across, down = _sharpest_angle(ink), _sharpest_angle(ink.T)
    # Transposing mirrors, so that the angle changes its sign.
    degrees, sharpness, plain = across if across[1] >= down[1] else (-down[0], *down[1:])
    is_askew = abs(degrees) >= LEAST_DEGREES and sharpness > LEAST_GAIN * plain
    return round(degrees, 2) if is_askew else 0.0


def _sharpest_angle(ink: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Return the best angle, its sharpness, and the sharpness unrotated."""
    import numpy as np

    # Sums from the left: the ink of any run of columns is then one subtraction.
    rows, columns = ink.shape
    sums = np.zeros((rows, columns + 1))
    np.cumsum(ink, axis=1, out=sums[:, 1:])
    sharpness: dict[float, float] = {}

    def of(degrees: float) -> float:
        if degrees not in sharpness:
            shift = np.round(np.tan(np.deg2rad(degrees)) * (np.arange(columns) - columns / 2)).astype(int)
            begins = np.flatnonzero(np.diff(shift, prepend=shift[0] - 1))  # neighbours that are shifted alike go as one
            alike = sums[:, np.append(begins[1:], columns)] - sums[:, begins]
            places = (np.arange(rows)[:, None] + shift[begins][None, :]) % rows
            profile = np.take_along_axis(alike, places, 0).sum(axis=1)
            sharpness[degrees] = float((np.diff(profile) ** 2).sum())
        return sharpness[degrees]

    # Whole degrees first, then fifths around the best: 28 angles instead of 81.
    coarse = max((float(number) for number in range(-MOST_DEGREES, MOST_DEGREES + 1)), key=of)
    fine = max((coarse + number / 5 for number in range(-5, 6)), key=of)
    return -fine, of(fine), of(0.0)
