"""The words that the segments of a file must have: what the project's reader finds, or of data what a parser finds."""

from __future__ import annotations

import ast
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from lxml import etree, html
from markdown_it import MarkdownIt

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import Block, BlockKind
from app.documents.segments import Mark, Segment
from tests.helpers.documents import read
from tests.helpers.real_files import folded

_IDEOGRAPH = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")
_MESSAGE = re.compile(r'^(msgid|msgid_plural) +("(?:[^"\\]|\\.)*"(?:\s*\n"(?:[^"\\]|\\.)*")*)', re.MULTILINE)
_ADDRESS = re.compile(r"\S*(?:://|@|www\.)\S*")
_CODE = ("code", "kbd", "pre", "samp", "tt", "var", "script", "style", "svg")
_SLIDE = re.compile(r"ppt/slides/slide\d+\.xml")
_MOMENT = re.compile(r"opendocument:xmlns:text:1\.0\}[a-z-]*(?:date|time)$")
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_VOICE = re.compile(r"<v(?:\.[^ >]*)? ([^>]*)>")


@dataclass(frozen=True)
class Words:
    """How many were to be found, and those that are missing, as often as they are."""

    wanted: int
    missing: Counter[str]


def compared_words(path: Path, format_: str, segments: Sequence[Segment], folder: Path) -> Words:
    """What is missing in the segments, but for code, addresses, dates that are fields and the names of voices."""
    wanted = _words(_expected(path, format_, folder))
    there = _words("\n".join(_shown(segment) for segment in segments)) + _words(_code(path, format_))
    return Words(wanted.total(), wanted - there)


def _expected(path: Path, format_: str, folder: Path) -> str:
    match format_:
        case "json":
            return _prose(json.loads(path.read_text("utf-8-sig")))
        case "yaml":
            return _prose(list(yaml.load_all(path.read_text("utf-8-sig"), Loader=yaml.BaseLoader)))
        case "po":
            return "\n".join(_messages(path))
        case "markdown":
            return _plain_markdown(path.read_text("utf-8-sig"))
        case "xlsx" | "ods":  # a text that stands in many cells is one segment; the names of sheets are in formulas
            cells = "\n".join(block.text for block in _blocks(path, folder) if block.kind is not BlockKind.HEADING)
            return "\n".join(set(folded(cells)) - {"true", "false"})
        case _:
            return "\n".join(block.text for block in _blocks(path, folder) if block.kind is not BlockKind.CODE)


def _blocks(path: Path, folder: Path) -> list[Block]:
    try:
        return read(path, folder).blocks
    except DocumentUnreadable as error:
        if error.reason != "no_text":
            raise
        return []


def _words(text: str) -> Counter[str]:
    """Those of letters alone: what has digits is a name of something. Where no spaces stand, a letter is a word."""
    parted = _IDEOGRAPH.sub(r" \1 ", _ADDRESS.sub(" ", text))
    return Counter(word for word in folded(parted) if word.isalpha() and (len(word) > 1 or not word.isascii()))


def _shown(segment: Segment) -> str:
    """With what single marks stand for; a break parts words, other markup does not."""
    return "".join(part if isinstance(part, str) else _of_mark(part) for part in segment.content)


def _of_mark(mark: Mark) -> str:
    return mark.shows or (" " if mark.look in ("break", "tab", "image", "note") else "")


def _code(path: Path, format_: str) -> str:
    """What stays, and the reader does not tell from other text."""
    match format_:
        case "html":
            return _code_of_html(path.read_bytes())
        case "epub":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith((".xhtml", ".html", ".htm"))]
                return "\n".join(_code_of_html(archive.read(name)) for name in names)
        case "odt":
            with zipfile.ZipFile(path) as archive:
                root = etree.fromstring(archive.read("styles.xml"))
            return "\n".join("".join(each.itertext()) for each in root.iter() if _MOMENT.search(str(each.tag)))
        case "pptx":
            with zipfile.ZipFile(path) as archive:
                slides = [archive.read(name) for name in archive.namelist() if _SLIDE.fullmatch(name)]
            return "\n".join(map(_monospaced, slides))
        case "subtitles":
            return "\n".join(_VOICE.findall(path.read_text("utf-8", "replace")))
    return ""


def _monospaced(slide: bytes) -> str:
    """Runs in a font of a typewriter, which is how slides show code."""
    runs = etree.fromstring(slide).iter(f"{{{_DRAWING}}}r")
    fonts = ((run, run.find(f"{{{_DRAWING}}}rPr/{{{_DRAWING}}}latin")) for run in runs)
    found = (run for run, font in fonts if font is not None and "Courier" in str(font.get("typeface")))
    return "\n".join("".join(run.itertext()) for run in found)


def _code_of_html(data: bytes) -> str:
    parser = html.HTMLParser(encoding="utf-8")
    root = html.document_fromstring(data, parser)
    return "\n".join(etree.tostring(each, method="text", encoding="unicode") for each in root.iter(*_CODE))


def _plain_markdown(text: str) -> str:
    """By markdown-it, which knows nothing of front matter."""
    found = []
    for block in (
        MarkdownIt("commonmark").enable("table").parse(re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL))
    ):
        parts = block.children or ()
        texts = [" " if part.type.endswith("break") else part.content for part in parts if part.type != "html_inline"]
        found.append("".join(texts))
    return "\n".join(found)


def _prose(value: Any) -> str:
    """Values of more than one word; others are names, switches, files."""
    return "\n".join(text for text in _strings(value) if " " in text.strip())


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _strings(one)
        case dict():
            for one in value.values():
                yield from _strings(one)


def _messages(path: Path) -> Iterator[str]:
    data = path.read_bytes()
    named = re.search(rb"charset=([\w-]+)", data)
    encoding = named[1].decode() if named and named[1] != b"CHARSET" else "utf-8"
    for match in _MESSAGE.finditer(data.decode(encoding, "replace").replace("\r\n", "\n")):
        yield "".join(ast.literal_eval(line.strip()) for line in match[2].splitlines())
