"""The files of `summarize` on their way to documents: read one after another, told about, unlocked."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.core.errors import AppError, DocumentLocked
from app.core.events import CancelToken
from app.documents.blocks import Block
from app.documents.folder import Expanded, expand
from app.documents.protocol import BlocksRead, Done, Found, Read
from app.documents.reading import read
from app.documents.source import PageRead
from app.features.document_sentences import remark_sentence, units
from app.features.sentences import sentence_for
from app.features.summary.events import InputDocument
from app.terminal import ProgressLine, ask_password


def files_of(asked: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Each file once: how it is called and where it is. A folder becomes the documents in it and below."""
    found: dict[Path, tuple[Path, Path]] = {}
    for written in asked:
        path = written.expanduser().absolute()
        inside = expand([path]) if path.is_dir() else Expanded((path,))
        if inside.is_cut or not inside.files:
            what = f"Only {len(inside.files)} files of it are read" if inside.files else "There are no documents in it"
            print(f"{written}: {what}.", file=sys.stderr)
        for each in inside.files:
            name = written if each == path else written / each.relative_to(path)
            found.setdefault(each.resolve(), (name, each))
    return list(found.values())


@dataclass
class Inputs:
    """What one of the files meets does not keep the others from being read.

    `folder` is the reading child's own; without `password` it is asked for, for each file that needs one.
    """

    folder: Path
    password: str
    cancel: CancelToken
    documents: list[InputDocument] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)

    def read_all(self, files: Sequence[tuple[Path, Path]]) -> None:
        """Each file, as `files_of` gives them; two of the same name are told apart by what the person wrote."""
        names = Counter(path.name for _, path in files)
        line = ProgressLine()
        for written, path in files:
            name = path.name if names[path.name] == 1 else str(written)
            try:
                document = self._unlocked(path, name, line)
            except AppError as error:
                line.end()
                sentence = sentence_for(error).text
                self.errors.append({"file": name, "reason": sentence})
                print(sentence, file=sys.stderr)
                continue
            if document is None:
                break
            self.documents.append(document)
            self.paths.append(path)
        line.end()

    def _unlocked(self, path: Path, name: str, line: ProgressLine) -> InputDocument | None:
        """All of a file, whose password is asked for where none was given; None where it was cancelled."""
        password = self.password
        while True:
            try:
                return self._read(path, name, line, password)
            except DocumentLocked as error:
                if self.password:
                    raise
                line.end()
                password = ask_password(error)

    def _read(self, path: Path, name: str, line: ProgressLine, password: str) -> InputDocument | None:
        found, blocks, pictures = None, list[Block](), list[int]()
        line.show(f"Reading {name}")
        for event in read(Read(str(path), password), folder=self.folder, cancel=self.cancel):
            match event:
                case Found():
                    found = event.opened
                case BlocksRead():
                    blocks += event.blocks
                case PageRead() if found is not None and found.pages:
                    pictures += [event.page] if event.is_picture else []
                    line.show(f"Reading {name}", f"{event.page:,} of {units(found.unit, found.pages)}")
                case Done() if found is not None:
                    line.end()
                    for remark in event.remarks:
                        print(f"{name}: {remark_sentence(remark)}", file=sys.stderr)
                    title = found.title or path.stem
                    empty = event.pages_without_text
                    shown = tuple(page for page in pictures if page in empty)
                    return InputDocument(0, name, title, found.unit, event.pages, empty, event.language, blocks, shown)
        return None
