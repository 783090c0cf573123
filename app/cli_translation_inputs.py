"""What `translate` is given: a text on standard input, or a file whose segments the document child finds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import DocumentLocked, DocumentUnreadable
from app.core.events import CancelToken
from app.core.visible import clean_text
from app.documents.blocks import Block, Kind
from app.documents.protocol import BlocksRead, Done, Found, Read, Segments, SegmentsDone, SegmentsRead
from app.documents.reading import find_segments, read
from app.documents.segments import Content, Segment
from app.documents.source import Remark
from app.features.document_sentences import remark_sentence
from app.features.translation.capability import can_translate, knows
from app.features.translation.languages import base, english_name, language
from app.features.translation.live import joined, segments_of
from app.features.translation.marked_text import shown_text
from app.features.translation.recomposed import recomposed
from app.features.translation.recomposed import segments_of as segments_of_blocks
from app.features.translation.result import Translated
from app.features.translation.saving import (
    ENDINGS_OF_NEW,
    Original,
    check_target,
    compose,
    rewrite,
)
from app.features.translation.stored import Row, Saved
from app.features.whole_file import written
from app.terminal import ProgressLine, ask_password


def language_code(text: str) -> str:
    """The code of a language that is known here; "" stays."""
    found = language(text)
    if not text:
        return ""
    if found is None:
        raise argparse.ArgumentTypeError("must be the code of a language, such as de or pt-BR")
    return found.code


def warn(model: Path, source: str, target: str) -> None:
    """Says where a model was not made for a language."""
    known = knows(model)
    if can_translate(known, source, target):
        return
    able = {base(code) for code in known.languages}
    names = [english_name(code) for code in (source, target) if code and base(code) not in able]
    said = " and ".join(names) or "these languages"
    print(f"{model.name} was not made for {said}. The translation will hardly be of use.", file=sys.stderr)


@dataclass(frozen=True)
class Input:
    """Something to translate. `text` is typed text; `original` a file that is written again; `blocks` those of one
    that is not. `language` is what was found, "" where that is not known."""

    name: str
    segments: Sequence[Segment]
    language: str = ""
    text: str = ""
    original: Original | None = None
    blocks: Sequence[Block] = ()
    path: Path | None = None
    unit: str = ""

    def endings(self) -> tuple[str, ...]:
        """What its translation can be saved as; nothing where every name will do."""
        if self.path is None:
            return ()
        return (self.path.suffix,) if self.original is not None else ENDINGS_OF_NEW

    def as_text(self, done: Mapping[int, Translated]) -> str:
        """The translation as plain text; what is not translated stays."""
        contents = {id_: one.content for id_, one in done.items()}
        if self.path is None:
            return joined(self.text, contents)
        if self.blocks:
            return "\n\n".join(_block_text(self.blocks, contents))
        return "\n\n".join(shown_text(contents.get(one.id, one.content)) for one in self.segments)

    def save(
        self, out: Path, rows: Sequence[Row], target: str, cancel: CancelToken, child_folder: Path
    ) -> Saved | None:
        """Writes the translation; None where that was cancelled. Raises what writing meets."""
        if self.path is None:
            with written(out) as file:
                done = {row.segment.id: row.translated for row in rows if row.translated is not None}
                file.write(self.as_text(done).encode("utf-8", "replace"))
            return Saved(out)
        check_target(out, self.path)
        if self.original is None:
            return compose(self.blocks, rows, target, out, title=self.path.stem, unit=self.unit)
        saved = None
        for event in rewrite(self.original, rows, target, out, cancel, child_folder=child_folder):
            saved = event if isinstance(event, Saved) else saved
        return saved


def text_input() -> Input:
    """What is on standard input; raises DocumentUnreadable where it is nothing."""
    text = clean_text(sys.stdin.read())
    segments = segments_of(text)
    if not segments:
        raise DocumentUnreadable("standard input", "no_text")
    return Input("-", segments, text=text)


@dataclass
class Files:
    """Reads files; `folder` is the child's own. Without `password` it is asked for, where a file needs one."""

    folder: Path
    password: str
    cancel: CancelToken

    def read(self, path: Path) -> Input | None:
        """What there is to translate in a file; None where it was cancelled. Raises what the child met."""
        password = self.password
        while True:
            line = ProgressLine()
            try:
                found = self._segments(path, password, line)
            except DocumentLocked as error:
                if self.password:
                    raise
                line.end()
                password = ask_password(error)
                continue
            finally:
                line.end()
            if found is not None and not found.segments:
                raise DocumentUnreadable(str(path), "no_text")
            return found

    def _segments(self, path: Path, password: str, line: ProgressLine) -> Input | None:
        line.show(f"Reading {path.name}")
        segments: list[Segment] = []
        try:
            for event in find_segments(Segments(str(path), password), folder=self.folder, cancel=self.cancel):
                if isinstance(event, SegmentsRead):
                    segments += event.segments
                    line.show(f"Reading {path.name}", f"({len(segments):,} segments)" if segments else "")
                else:
                    line.end()
                    return self._found(path, password, segments, event)
        except DocumentUnreadable as error:
            if error.reason != "not_rewritable":
                raise
            return self._blocks(path, password, line)
        return None

    def _found(self, path: Path, password: str, segments: list[Segment], done: SegmentsDone) -> Input:
        _tell(path, done.remarks)
        original = Original(path, done.format, done.sha256, password)
        return Input(path.name, segments, _code(done.language), original=original, path=path)

    def _blocks(self, path: Path, password: str, line: ProgressLine) -> Input | None:
        blocks, unit = list[Block](), ""
        for event in read(Read(str(path), password), folder=self.folder, cancel=self.cancel):
            match event:
                case Found():
                    unit = event.opened.unit
                case BlocksRead():
                    blocks += event.blocks
                case Done():
                    line.end()
                    _tell(path, event.remarks)
                    segments = list(segments_of_blocks(blocks))
                    return Input(path.name, segments, _code(event.language), blocks=blocks, path=path, unit=unit)
        return None


def _block_text(blocks: Sequence[Block], contents: Mapping[int, Content]) -> Iterator[str]:
    for one in recomposed(blocks, contents):
        is_table = one.block.kind is Kind.TABLE
        yield "\n".join("\t".join(row) for row in one.rows) if is_table else one.text


def _tell(path: Path, remarks: Sequence[Remark]) -> None:
    for remark in remarks:
        print(f"{path.name}: {remark_sentence(remark)}", file=sys.stderr)


def _code(found: str) -> str:
    known = language(found) if found else None
    return known.code if known else found
