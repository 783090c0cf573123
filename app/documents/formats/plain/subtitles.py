"""Subtitles, SRT and WebVTT: each cue is a paragraph, and its timing a label, so that the timing is never text.

A place is in characters of the decoded text, and is where the cue's text lies, not its timing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import BinaryIO

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.encoding import after_the_text, decode, without_nuls
from app.documents.formats.plain.line_wrapping import balanced, joined, one_line, width_of
from app.documents.formats.plain.plain_lines import filled_lines
from app.documents.segments import Content, Mark, SegmentKind, SegmentTag, tagged_content
from app.documents.source import FileSource, Item, Opened, SegmentVisits, TargetLanguage, Visit
from app.documents.text_file import TextFile

_TIME = r"(?:\d+:)?\d{1,2}:\d{2}[,.:]\d{1,3}"
_TIMING = re.compile(rf"[ \t]*({_TIME})[ \t]*-->[ \t]*({_TIME})[^\r\n]*")
# WebVTT's tags and times of karaoke, and SubStation's commands in braces, which many SRT files have.
TAG = re.compile(r"</?[A-Za-z](?:[^<>\n]{0,200})>|</>|<(?:\d+:)?\d\d:\d\d\.\d{3}>|\{\\[^{}\n]{0,200}\}")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>\n]{1,200})>")
_LEFT_OUT = re.compile(r"(?:NOTE|STYLE|REGION|WEBVTT)(?:[ \t]|$)")


def read(source: FileSource) -> Iterator[Item]:
    """Yield the cues in the file's order, also where they overlap."""
    decoded = decode(source.path.read_bytes(), source.encoding)
    yield Opened(encoding=decoded.encoding)
    is_vtt = decoded.text.startswith("WEBVTT")
    for kept, timing in cues(decoded.text):
        yield _cue_piece(kept, timing, is_vtt)
    yield from after_the_text(decoded.encoding, decoded.odd_bytes + decoded.text.count("\0"))


def cues(text: str) -> Iterator[tuple[list[tuple[int, str]], str]]:
    """Yield the lines of each cue's text with their offsets, and its timing, "" for a text before the first."""
    is_vtt = text.startswith("WEBVTT")
    timing = ""
    for block in filled_lines(text, "\0 \t"):
        timings = [number for number, (_, line) in enumerate(block) if _TIMING.fullmatch(line)]
        if is_vtt and not timings and _LEFT_OUT.match(block[0][1]):
            continue
        # Several timings in a block: files that lack the empty line between cues.
        for at, until in zip([-1, *timings], [*timings, len(block)], strict=True):
            if at >= 0:
                found = _TIMING.fullmatch(block[at][1])
                timing = f"{found[1]} --> {found[2]}" if found else timing
            kept = block[at + 1 : until]
            if kept and until < len(block) and (block[until - 1][1].strip().isdecimal() or (is_vtt and at < 0)):
                del kept[-1]  # a cue's number, or its name
            if kept and not (is_vtt and at < 0 and _LEFT_OUT.match(kept[0][1])):
                yield kept, timing


def _cue_piece(kept: list[tuple[int, str]], timing: str, is_vtt: bool) -> BlockPiece:
    text = "\n".join(line.strip() for _, line in kept)
    text = TAG.sub("", _VOICE.sub(r"\1: ", text))
    place = BlockPlace("", kept[0][0], kept[-1][0] + len(kept[-1][1]))
    return BlockPiece(
        BlockKind.PARAGRAPH,
        without_nuls(html.unescape(text) if is_vtt else text),
        place=place,
        label=timing,
        # WebVTT has character references, SRT has none.
    )


_NAME = re.compile(r"<(/?)([A-Za-z]*)[^<>]*>")
_SPEAKER = re.compile(r"[-–—‐‑―]\s*\S|<v[ .]")
_LANGUAGE = re.compile(r"WEBVTT[^\r\n]*(?:\r\n|\r|\n)(?:[^\r\n]+(?:\r\n|\r|\n))*?Language:[ \t]*([\w-]+)")
"""Language in the header of a WebVTT file, as web tools write it."""
_LOOKS = {"i": "italic", "b": "bold", "u": "underline", "s": "strike"}
_PLACE = 0xF0000
"""First of the characters that replace marks while a text is wrapped; no text has them."""


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite each cue as a segment; numbers and timings stay. See `app.documents.source`."""
    file, visits = TextFile(source), SegmentVisits(visit)
    is_vtt = file.text.startswith("WEBVTT")
    language = _LANGUAGE.match(file.text)
    if target is not None and language is not None:
        file.replace(language.start(1), language.end(1), target.language)
    for lines, _ in cues(file.text):
        cue = _SubtitleCue(lines, is_vtt)
        if not any(isinstance(part, str) and not part.isspace() for part in cue.content):
            continue
        new = visits(cue.content, SegmentKind.CUE)
        if new is not None and (written := cue.lines_of(new)):
            file.replace(cue.start, cue.end, file.newline.join(written))
    if out is not None:
        file.write(out, new_mark=True)


class _SubtitleCue:
    """Text of a cue; lines are joined unless each is a different speaker's."""

    def __init__(self, lines: list[tuple[int, str]], is_vtt: bool) -> None:
        self._is_vtt = is_vtt
        self._lines = [line.strip("\0 \t") for _, line in lines]
        first, last = lines[0], lines[-1]
        self.start = first[0] + len(first[1]) - len(first[1].lstrip("\0 \t"))
        self.end = last[0] + len(last[1].rstrip("\0 \t"))
        speakers = sum(_SPEAKER.match(TAG.sub("", line) or line) is not None for line in self._lines)
        self._has_speakers = len(self._lines) > 1 and speakers == len(self._lines)
        text = "\n".join(self._lines) if self._has_speakers else joined(self._lines)
        tags = [_make_tag(found) for found in re.finditer(f"{TAG.pattern}|\n", text)]
        found = tagged_content(text, tags, html.unescape if is_vtt else str)
        self.content, self._written = found.content, found.written

    def lines_of(self, content: Content) -> list[str]:
        """Return the lines of a new text, no more than before; empty without words."""
        marks = [part for part in content if isinstance(part, Mark)]
        places = iter(range(_PLACE, _PLACE + len(marks)))
        # One private character for each mark, so that wrapping neither divides nor counts it by its tag.
        text = "".join(
            (chr(next(places)) if isinstance(part, Mark) else re.sub("[\U000f0000-\U000fffff]", " ", part))
            for part in content
        )
        # A cue of marks alone would vanish in players.
        if not re.sub("[\U000f0000-\U000fffff]", "", text).strip():
            return []
        return [line for line in self._join_lines(self._divide_lines(text, marks), marks).split("\n") if line]

    def _divide_lines(self, text: str, marks: list[Mark]) -> list[str]:
        if self._has_speakers:
            return [one_line(text)]
        widest = max(width_of(TAG.sub("", line)) for line in self._lines)
        # One line stays one as long as it is no wider than the widest was.
        is_short = width_of(text) - len(marks) <= widest
        return [one_line(text)] if is_short else balanced(text, len(self._lines))

    def _join_lines(self, lines: list[str], marks: list[Mark]) -> str:
        parts = list[str]()
        for part in re.split("([\U000f0000-\U000fffff])", "\n".join(line.strip() for line in lines)):
            if len(part) == 1 and ord(part) >= _PLACE:
                parts.append(self._written[marks[ord(part) - _PLACE].key])
            else:
                parts.append(self._escape_text(part))
        return re.sub(" *\n *", "\n", "".join(parts)).strip()

    def _escape_text(self, text: str) -> str:
        if self._is_vtt:
            return html.escape(text, quote=False).replace("\xa0", "&nbsp;")
        # An arrow would begin a timing.
        return text.replace("-->", "->")


def _make_tag(found: re.Match[str]) -> SegmentTag:
    named = _NAME.match(found[0])
    name = named[2].lower() if named is not None else ""
    look = "break" if found[0] == "\n" else _LOOKS.get(name, "other")
    return SegmentTag(*found.span(), name, named is not None and bool(named[1]), look, stands_alone=True)
