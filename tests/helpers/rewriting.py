"""Files rewritten in this process, and by the real child."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.core.events import CancelToken
from app.documents import read_document
from app.documents.child_files import write_translations
from app.documents.formats.registry import rewriter_for
from app.documents.protocol import Rewrite, Rewritten, Segments, SegmentsDone, SegmentsRead
from app.documents.segments import Content, Segment, content_of, nests
from app.documents.source import FileSource, ReadingRemark, TargetLanguage

Change = Callable[[Segment], Content | None]


def reversed_words(segment: Segment) -> Content:
    """Every text with its letters the other way round and its outer spaces where they were; marks stay."""
    return content_of([turned(part) if isinstance(part, str) else part for part in segment.content])


def turned(text: str) -> str:
    """The letters the other way round."""
    inner = text.strip()
    start = len(text) - len(text.lstrip())
    return text[:start] + inner[::-1] + text[start + len(inner) :]


def upper(segment: Segment) -> Content:
    """The words in capitals."""
    return content_of([part.upper() if isinstance(part, str) else part for part in segment.content])


def backwards(segment: Segment) -> Content:
    """The parts in the opposite order, so that every mark has another place."""
    other = {"open": "close", "close": "open", "single": "single"}
    return tuple(
        part if isinstance(part, str) else part._replace(role=other[part.role]) for part in reversed(segment.content)
    )


def marked(segment: Segment) -> Content:
    """A content that can be found again in whatever it is written to."""
    return content_of([f"Zq{segment.id}x ", *segment.content])


@dataclass
class Result:
    """What a rewriter made of a file."""

    segments: list[Segment] = field(default_factory=list)
    data: bytes = b""
    remarks: list[ReadingRemark] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The words of each segment."""
        return [segment.text for segment in self.segments]

    @property
    def text(self) -> str:
        """What was written, where it is UTF-8."""
        return self.data.decode()


def run(
    format_: str,
    path: Path,
    change: Change | None = None,
    target: TargetLanguage | None = None,
    encoding: str = "",
) -> Result:
    """Finds the segments and writes the file in this process; both must number alike."""
    found = list[Segment]()
    rewriter = rewriter_for(format_)
    rewriter(FileSource(path, encoding=encoding), None, found.append, target)
    again = list[Segment]()

    def visit(segment: Segment) -> Content | None:
        again.append(segment)
        return change(segment) if change is not None else None

    out = io.BytesIO()
    source = FileSource(path, encoding=encoding)
    rewriter(source, out, visit, target)
    assert again == found
    assert [segment.id for segment in found] == list(range(1, len(found) + 1))
    for segment in found:
        assert nests(segment.content), segment
        assert segment.content == content_of(segment.content), segment
    return Result(found, out.getvalue(), source.remarks)


def run_on(format_: str, tmp_path: Path, data: bytes | str, change: Change | None = None, **more: object) -> Result:
    """The same for these bytes, or this text in UTF-8."""
    path = tmp_path / f"file.{format_}"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return run(format_, path, change, **more)  # type: ignore[arg-type]


def takes_words(format_: str, tmp_path: Path, data: bytes | str, **more: object) -> Result:
    """A file comes back as it was, and takes each segment's words exactly once; what it is then."""
    data = data.encode() if isinstance(data, str) else data
    assert run_on(format_, tmp_path, data, **more).data == data
    result = run_on(format_, tmp_path, data, marked, **more)
    for segment in result.segments:
        assert result.data.count(f"Zq{segment.id}x".encode()) == 1, segment
    return result


def by_the_child(
    path: Path, out: Path, folder: Path, change: Change, language: str = "de", **fields: str
) -> tuple[SegmentsDone, Rewritten]:
    """The whole way: segments from one child, their translations to another."""
    segments, done = list[Segment](), None
    for event in read_document.find_segments(Segments(str(path), **fields), folder=folder, cancel=CancelToken()):  # type: ignore[arg-type]
        if isinstance(event, SegmentsRead):
            segments += event.segments
        else:
            done = event
    assert done is not None
    assert len(segments) == done.segments
    changed = ((segment.id, change(segment)) for segment in segments)
    translations = folder / "translations.jsonl"
    write_translations(translations, ((id_, content) for id_, content in changed if content is not None))
    request = Rewrite(str(path), str(out), str(translations), language, False, done.sha256, **fields)  # type: ignore[arg-type]
    *_, last = read_document.rewrite(request, folder=folder, cancel=CancelToken())
    translations.unlink()
    assert isinstance(last, Rewritten)
    return done, last


class PlantedWords:
    """Numbers the words that are planted at "{m}"."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def plant(self, text: str) -> str:
        """A text with a word at every place."""
        return re.sub(r"\{m\}", lambda _: self._next(), text)

    def _next(self) -> str:
        self.all.append(f"mark{len(self.all)}end")
        return self.all[-1]


def written(result: Result) -> dict[str, str]:
    """The members of what was written."""
    with zipfile.ZipFile(io.BytesIO(result.data)) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
