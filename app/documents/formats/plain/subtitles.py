"""Subtitles, SRT and WebVTT: each cue is a paragraph, and its timing a label, so that the timing is never text.

A place is in characters of the decoded text, and is where the cue's text lies, not its timing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from app.documents.blocks import Kind, Piece, Place
from app.documents.encoding import decode
from app.documents.formats.plain.text import after_the_text, plain
from app.documents.source import Item, Opened, Source

_TIME = r"(?:\d+:)?\d{1,2}:\d{2}[,.:]\d{1,3}"
_TIMING = re.compile(rf"[ \t]*({_TIME})[ \t]*-->[ \t]*({_TIME})[^\r\n]*")
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|$)")
TAG = re.compile(r"</?[A-Za-z](?:[^<>\n]{0,200})>|</>|<(?:\d+:)?\d\d:\d\d\.\d{3}>|\{\\[^{}\n]{0,200}\}")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>\n]{1,200})>")
_LEFT_OUT = re.compile(r"(?:NOTE|STYLE|REGION|WEBVTT)(?:[ \t]|$)")


def read(source: Source) -> Iterator[Item]:
    """The cues in the file's order, also where they overlap."""
    decoded = decode(source.path.read_bytes(), source.encoding)
    yield Opened(encoding=decoded.encoding)
    is_vtt = decoded.text.startswith("WEBVTT")
    for kept, timing in cues(decoded.text):
        yield _piece(kept, timing, is_vtt)
    yield from after_the_text(decoded.encoding, decoded.odd_bytes + decoded.text.count("\0"))


def cues(text: str) -> Iterator[tuple[list[tuple[int, str]], str]]:
    """The lines of each cue's text with their offsets, and its timing, "" for a text before the first."""
    is_vtt = text.startswith("WEBVTT")
    timing = ""
    for block in _blocks(text):
        timings = [number for number, (_, line) in enumerate(block) if _TIMING.fullmatch(line)]
        if is_vtt and not timings and _LEFT_OUT.match(block[0][1]):
            continue
        for at, until in zip([-1, *timings], [*timings, len(block)], strict=True):
            if at >= 0:
                found = _TIMING.fullmatch(block[at][1])
                timing = f"{found[1]} --> {found[2]}" if found else timing
            kept = block[at + 1 : until]
            if kept and until < len(block) and (block[until - 1][1].strip().isdecimal() or (is_vtt and at < 0)):
                del kept[-1]  # a cue's number, or its name
            if kept and not (is_vtt and at < 0 and _LEFT_OUT.match(kept[0][1])):
                yield kept, timing


def _blocks(text: str) -> Iterator[list[tuple[int, str]]]:
    """Lines with their offsets, between empty ones."""
    block: list[tuple[int, str]] = []
    for found in _LINE.finditer(text):
        if found[1].strip("\0 \t"):
            block.append((found.start(), found[1]))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _piece(kept: list[tuple[int, str]], timing: str, is_vtt: bool) -> Piece:
    text = "\n".join(line.strip() for _, line in kept)
    text = TAG.sub("", _VOICE.sub(r"\1: ", text))
    place = Place("", kept[0][0], kept[-1][0] + len(kept[-1][1]))
    return Piece(Kind.PARAGRAPH, plain(html.unescape(text) if is_vtt else text), place=place, label=timing)
