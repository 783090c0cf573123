"""Reads the text of pictures with an installed tesseract: pixels go in by a pipe, lines with their boxes come out.

A picture's file goes to tesseract as it is: nothing here decodes pictures.
"""

from __future__ import annotations

import locale
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from app.documents.blocks import TESSERACT, Box, Kind, Piece, Place
from app.documents.source import Item, Opened, PageRead, Source

# A picture, or a file of several (TIFF), whose text tesseract reads where it is installed.


MOST_BYTES = 200_000_000


def read(source: Source) -> Iterator[Item]:
    """The paragraphs of each picture; raises DocumentUnreadable: picture, where nothing can read it."""
    tesseract = find_tesseract() if source.recognize else None
    if tesseract is None or source.path.stat().st_size > MOST_BYTES:
        raise source.unreadable("picture")
    found = tesseract.pages(source.path.read_bytes())
    if not found:
        raise source.unreadable("no_text")
    pages = max(found)
    yield Opened("page", pages)
    for page in filter(source.wants, range(1, pages + 1)):
        yield from found.get(page, ())
        yield PageRead(page, has_text=page in found, is_picture=True, recognized=page in found)


MOST_S = 60.0
LIST_S = 10.0
LEAST_CONFIDENCE = 30.0
"""Of 100; words below it are mostly dust and frames."""
# tesseract names languages by ISO 639-2; a locale has the code of two letters.
_LANGUAGES = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng",
    "es": "spa", "et": "est", "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hr": "hrv",
    "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "ko": "kor", "lt": "lit", "lv": "lav", "nb": "nor",
    "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv",
    "sr": "srp", "sv": "swe", "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "chi_sim",
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """Rows of RGB without padding, and how many pixels a point has on the page it was drawn from."""

    width: int
    height: int
    pixels: bytes
    scale: float


@dataclass(slots=True)
class _Line:
    """A line as tesseract has it: its words, and its box in pixels."""

    page: int
    paragraph: tuple[int, int]
    words: list[str]
    left: int
    top: int
    right: int
    bottom: int


class Tesseract:
    """The installed program and the languages it is asked for."""

    def __init__(self, program: str, languages: str, *, sees_turned: bool = False) -> None:
        self._program, self._languages = program, languages
        self._layout = "1" if sees_turned else "3"
        """With what tells which way up a page is, or without."""

    def pieces(self, picture: Picture, page: int) -> list[Piece]:
        """The paragraphs of a picture, with a box for each line in points of the page; [] where it cannot be read."""
        header = b"P6\n%d %d\n255\n" % (picture.width, picture.height)
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
        output = _said(arguments, header + picture.pixels, MOST_S)
        return [] if output is None else list(_pieces(_lines(output), page, picture.scale))

    def pages(self, file: bytes) -> dict[int, list[Piece]]:
        """The paragraphs of a file of pictures by its pages from 1, without boxes; {} where it cannot be read."""
        arguments = [self._program, "stdin", "stdout", "-l", self._languages, "--psm", self._layout, "tsv"]
        output = _said(arguments, file, MOST_S)
        found: dict[int, list[_Line]] = {}
        for line in _lines(output or ""):
            found.setdefault(line.page, []).append(line)
        return {
            page: [piece._replace(place=Place()) for piece in _pieces(iter(lines), page, 1.0)]
            for page, lines in found.items()
        }


def find_tesseract() -> Tesseract | None:
    """The tesseract of this system, if it has one and any language for it."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    output = _said([program, "--list-langs"], b"", LIST_S)
    installed = set((output or "").splitlines()[1:])
    languages = _chosen(installed, _locale())
    return Tesseract(program, languages, sees_turned="osd" in installed) if languages else None


def _locale() -> str:
    """The language of the system's locale, as two letters; "" where none is set."""
    try:
        name = locale.getlocale()[0] or ""
    except ValueError:
        return ""
    return name[:2].lower() if re.match(r"[a-zA-Z]{2}_", name) else ""


def _chosen(installed: set[str], language: str) -> str:
    """The system's language and English, of those that are there; or the first that is."""
    found = [each for each in (_LANGUAGES.get(language, ""), "eng") if each in installed]
    if not found:
        found = sorted(installed - {"osd", "equ", ""})[:1]
    return "+".join(dict.fromkeys(found))


def _said(arguments: list[str], given: bytes, limit_s: float) -> str | None:
    """What the program answers; None where it fails or takes too long."""
    try:
        done = subprocess.run(
            arguments, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=limit_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _lines(output: str) -> Iterator[_Line]:
    """The lines of tesseract's table: level, page, block, paragraph, line, word, left, top, width, height,
    confidence and text; a word has level 5.
    """
    line: _Line | None = None
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
        if confidence < LEAST_CONFIDENCE:
            continue
        if line is None or key != (page, block, paragraph, number):
            if line:
                yield line
            key = (page, block, paragraph, number)
            line = _Line(page, (block, paragraph), [], left, top, left + width, top + height)
        line.words.append(fields[11].strip())
        line.left, line.top = min(line.left, left), min(line.top, top)
        line.right, line.bottom = max(line.right, left + width), max(line.bottom, top + height)
    if line:
        yield line


def _pieces(lines: Iterator[_Line], page: int, scale: float) -> Iterator[Piece]:
    for _, paragraph in groupby(lines, key=lambda line: line.paragraph):
        yield _piece(list(paragraph), page, scale)


def _piece(lines: list[_Line], page: int, scale: float) -> Piece:
    text = ""
    boxes: list[Box] = []
    for number, line in enumerate(lines):
        words = " ".join(line.words)
        following = lines[number + 1].words[0] if number + 1 < len(lines) else ""
        is_divided = len(words) > 1 and words[-1] == "-" and words[-2].isalpha() and following[:1].islower()
        part = words[:-1] if is_divided else words
        left, top, right, bottom = (round(edge / scale, 2) for edge in (line.left, line.top, line.right, line.bottom))
        boxes.append(Box(page, left, top, right, bottom, len(text), len(text) + len(part)))
        text += part if is_divided or not following else f"{part} "
    return Piece(Kind.PARAGRAPH, text, page, Place(boxes=tuple(boxes)), origin=TESSERACT)
