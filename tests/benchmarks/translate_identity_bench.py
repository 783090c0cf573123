"""Real files of mixed origin, translated into themselves: everything is found, and nothing of the file is changed.

Each goes through the real document child with translations that are the source, when every byte of a plain file and
every member of an archive must be what it was; and, in this process, there and back, every letter moved by 13 places
twice, when every segment must be what it was. What must be found is what the project's reader finds, or of data what a
parser finds.
"""

from __future__ import annotations

import codecs
import tempfile
import textwrap
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from comparing import progress
from run import Row
from translate_corpus import RealFile, converted_files, real_files
from translate_words import Words, compared_words

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentUnreadable
from app.documents.segments import Content, Segment, content_of
from tests.documents.test_saved_by_programs import SOURCE
from tests.helpers.documents import read
from tests.helpers.rewriting import by_the_child, run

LEAST_FILES = 30
NOTHING = ("no_text", "empty")
"""Said of a file in which there is nothing to translate."""


@dataclass
class Counted:
    """What came of the files of one format."""

    files: int = 0
    origins: set[str] = field(default_factory=set)
    segments: int = 0
    parts: int = 0
    equal_parts: int = 0
    wanted: int = 0
    found: int = 0
    came_back: int = 0


def rows() -> Iterator[Row]:
    """Files, parts that are equal, words that were found, segments that came back; and the same by format."""
    counted: dict[str, Counted] = {}
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        folder = Path(name)
        source = folder / "source.md"
        source.write_text(textwrap.dedent(SOURCE), "utf-8")
        for file in [*real_files(), *converted_files(source, folder)]:
            try:
                count(file, folder, counted)
            except (AppError, AssertionError) as error:
                raise AssertionError(f"{file.path}: {type(error).__name__}: {error}") from error
    files = sum(one.files for one in counted.values())
    origins = sorted({origin for one in counted.values() for origin in one.origins})
    yield Row("identity_files", files, "files", LEAST_FILES, f"made by {'; '.join(origins)}", at_least=1.0)
    for format_, one in sorted(counted.items()):
        yield _share(f"identity_equal_parts_{format_}", one.equal_parts, one.parts, f"{one.files} files")
        if one.wanted:
            yield _share(f"identity_words_{format_}", one.found, one.wanted, f"in {one.segments} segments")
        yield _share(f"identity_came_back_{format_}", one.came_back, one.segments, "of all segments")


def _share(name: str, value: int, whole: int, note: str) -> Row:
    return Row(name, value, name.split("_")[1], whole, note, at_least=1.0, at_most=1.0)


def count(file: RealFile, folder: Path, counted: dict[str, Counted]) -> None:
    """Adds what comes of one file; one in which there is nothing to translate is not counted."""
    result = looked_at(file, folder)
    if result is None:
        progress(f"nothing to translate in {file.path.name}")
        return
    one = counted.setdefault(result.format, Counted())
    one.files += 1
    one.origins.add(file.origin)
    one.segments += result.segments
    one.parts += result.parts
    one.equal_parts += result.parts - len(result.changed)
    one.wanted += result.words.wanted
    one.found += result.words.wanted - sum(result.words.missing.values())
    one.came_back += result.segments - len(result.lost)


@dataclass(frozen=True)
class Looked:
    """What came of one file: parts that changed, words that are missing, segments that did not come back."""

    format: str
    segments: int
    parts: int
    changed: tuple[str, ...]
    words: Words
    lost: tuple[str, ...]


def looked_at(file: RealFile, folder: Path) -> Looked | None:
    """None for one in which there is nothing to translate."""
    same = folder / f"same-{file.path.name}"
    found: list[Segment] = []

    def kept(segment: Segment) -> Content:
        found.append(segment)
        return segment.content

    try:
        done, written = by_the_child(file.path, same, folder, kept, "")
    except DocumentUnreadable as error:
        if error.reason in NOTHING or is_refused(file.path, folder, error.reason):
            return None
        raise
    if written.replaced or written.segments != len(found):
        raise AssertionError(f"{written} for {len(found)} segments")
    lost = Counter(map(spaced, found)) - Counter(map(spaced, there_and_back(file.path, done.format, folder)))
    before, after = parts(file.path), parts(same)
    changed = tuple(name for name in before | after if before.get(name) != after.get(name))
    words = compared_words(file.path, done.format, found, folder)
    same.unlink()
    return Looked(done.format, len(found), len(before), changed, words, tuple(lost.elements()))


def there_and_back(path: Path, format_: str, folder: Path) -> list[Segment]:
    """The segments of what comes of a file when every letter is moved twice; in this process."""
    for step in ("there", "back"):
        out = folder / f"{step}{path.suffix}"
        out.write_bytes(run(format_, path, moved).data)
        path = out
    return run(format_, path).segments


def is_refused(path: Path, folder: Path, reason: str) -> bool:
    """Whether the reader says the same of a file."""
    try:
        read(path, folder)
    except DocumentUnreadable as error:
        return error.reason == reason
    return False


def moved(segment: Segment) -> Content:
    """Every letter from a to z moved by 13 places: what a text looks like (a name, a code) stays, and so do marks."""
    return content_of([codecs.encode(part, "rot13") if isinstance(part, str) else part for part in segment.content])


def spaced(segment: Segment) -> str:
    """The words; where lines were wrapped, spaces may be others."""
    return " ".join(segment.text.split())


def parts(path: Path) -> dict[str, bytes]:
    """The members of an archive in their order, or the whole file."""
    if not zipfile.is_zipfile(path):
        return {path.suffix: path.read_bytes()}
    with zipfile.ZipFile(path) as archive:
        return {f"{number} {name}": archive.read(name) for number, name in enumerate(archive.namelist())}
