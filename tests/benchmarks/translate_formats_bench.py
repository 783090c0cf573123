"""A backend that reverses every text: in every format its words stand in every segment of what is written.

Each file goes through the real document child twice, as a translation does. What came of it is looked at in three ways:
the segments found in the output are the reversed ones; every planted word stands in it reversed, once, as a
reader of its own finds it (XML of all members, or the bytes); no planted word is left as it was.
"""

from __future__ import annotations

import html
import json
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lxml import etree
from run import Row
from translate_samples import KEPT, PLANTED, REVERSED, Sample, samples

from app.core.events import CancelToken
from app.documents import read_document
from app.documents.formats.registry import formats
from app.documents.protocol import Segments, SegmentsRead
from app.documents.segments import Content, Segment, plain
from tests.helpers.rewriting import by_the_child, reversed_words


def rows() -> Iterator[Row]:
    """One a format: how many segments of the output are reversed, of those of the source."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        folder = Path(name)
        made = samples(folder)
        if missing := {each.name for each in formats() if each.rewrite} - set(made):
            raise AssertionError(f"no sample for {missing}")
        for format_, sample in made.items():
            yield reversed_row(format_, sample, folder)


def reversed_row(format_: str, sample: Sample, folder: Path) -> Row:
    """Reverses a file, and looks at what came of it."""
    out = folder / f"out-{sample.path.name}"
    found: list[Segment] = []

    def change(segment: Segment) -> Content:
        found.append(segment)
        return reversed_words(segment)

    done, written = by_the_child(sample.path, out, folder, change, "")
    if done.format != format_ or written.refused:
        raise AssertionError(f"{format_}: read as {done.format}, refused {written.refused}")
    there = Counter(letters(one.translated or one.content) for one in segments_of(out, folder))
    wanted = [letters(reversed_words(segment)) for segment in found]
    right = sum((Counter(wanted) & there).values())
    text = words_in(out)
    expected, seen = Counter(word[::-1] for word in sample.planted), Counter(REVERSED.findall(text))
    is_beside = format_ == "po"  # which keeps its source, and may have a text in each form of a plural
    problems = {
        "left": [] if is_beside else PLANTED.findall(text),
        "not there": expected - seen,
        "doubled": {} if is_beside else seen - expected,
        "code gone": Counter(sample.kept) - Counter(KEPT.findall(text)),
    }
    if told := [f"{what}: {list(which)[:4]}" for what, which in problems.items() if which]:
        raise AssertionError(f"{format_}: {'; '.join(told)}")
    note = f"{len(sample.planted)} planted words reversed once, {len(sample.kept)} of code kept"
    return Row(f"reversed_{format_}", right, "segments", len(wanted), note, at_least=1.0, at_most=1.0)


def letters(content: Content) -> str:
    """The text without spaces, which may be others where lines are wrapped or broken."""
    return "".join(plain(content).split())


def segments_of(path: Path, folder: Path) -> list[Segment]:
    """As the document child finds them."""
    events = read_document.find_segments(Segments(str(path)), folder=folder, cancel=CancelToken())
    return [segment for event in events if isinstance(event, SegmentsRead) for segment in event.segments]


def words_in(path: Path) -> str:
    """All text of a file, read without the program: of each XML member by lxml, otherwise the file's own."""
    if not zipfile.is_zipfile(path):
        text = path.read_text("utf-8")
        return json.dumps(json.loads(text), ensure_ascii=False) if path.suffix == ".json" else html.unescape(text)
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise AssertionError(f"{path.name}: a member is damaged")
        members = [archive.read(name) for name in archive.namelist() if not name.endswith("mimetype")]
    return "\n".join(_words_of_xml(data) for data in members)


def _words_of_xml(data: bytes) -> str:
    """Texts, as far as they belong together, and attributes."""
    root = etree.fromstring(data)
    texts = "".join(root.itertext())
    return "\n".join([texts, *(str(value) for element in root.iter() for value in element.attrib.values())])
