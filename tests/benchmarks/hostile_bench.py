"""What is made to take for ever: how long the worst of each kind takes, against what somebody would put up with.

The cases are those of the tests, which ask how each of them ends.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from comparing import progress
from run import Row

from app.documents.formats.format_detection import find_format
from app.documents.formats.markdown.read_markdown import pieces_of
from app.features.summarize.checks import verify_statement
from app.ui.models.readme import MOST_CHARACTERS, readable
from tests.documents import test_hostile_files as files
from tests.documents.formats import test_detection as detection
from tests.documents.formats.markdown import test_reading as markdown
from tests.documents.formats.pdf import test_hostile as pdf
from tests.documents.formats.web import test_pages as web
from tests.features.summarize import test_checks as checks
from tests.helpers import hostile_files as hostile
from tests.helpers.pdf_files import write_pdf
from tests.ui.models import test_readme as readme

CLAIM = "Anna Lopez paid 3.7 million euros on 3 March 2024."
Cases = dict[str, Callable[[], object]]


def rows() -> Iterator[Row]:
    """Processor time of this process, then, where a child reads, what a person would wait."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        folder = Path(name)
        yield worst("html_of_200000_levels", 15, levels(), time.process_time)
        yield worst("html_of_broken_markup", 15, broken_markup(), time.process_time)
        yield worst("markdown_marks_without_end", 15, marks(), time.process_time)
        yield worst("finding_a_format_out", 3, texts(folder), time.process_time)
        pages = write_pdf(folder / "rules.pdf", pdf.rules_and_words())
        yield worst("pdf_of_rules_and_words", 10, {"": lambda: pdf.texts_of(pages)}, time.process_time)
        yield worst("model_card_of_marks", 1, cards(), time.process_time)
        yield worst("claim_against_a_million_letters", 60, claims(), time.process_time)
        victim = files.Victim(folder)
        with closing(victim.readings):
            yield worst("small_files_that_unpack_to_gigabytes", 20, bombs(victim), time.monotonic)
            yield worst("pdf_that_lies_about_its_pages", 10, lies(victim), time.monotonic)
            yield worst("documents_nested_deeply", 15, deep(victim), time.monotonic)


def worst(name: str, most_s: float, cases: Cases, clock: Callable[[], float]) -> Row:
    """The slowest case; the spread names it."""
    progress(name)
    taken_s: dict[str, float] = {}
    for case, once in cases.items():
        began_s = clock()
        once()
        taken_s[case] = clock() - began_s
    slowest = max(taken_s, key=lambda case: taken_s[case])
    note = f"the slowest of {len(taken_s)}: {slowest!r}" if slowest else ""
    return Row(name, round(taken_s[slowest], 3), "s", most_s, note, at_most=1.0)


def levels() -> Cases:
    """Elements in elements."""
    return {
        tag: lambda tag=tag, end=end: web.pieces_in("<p>first" + tag * web.DEEP + "deep" + end * web.DEEP)
        for tag, end in web.NESTED
    }


def broken_markup() -> Cases:
    """A million letters of what begins and never ends."""
    return {
        part: lambda part=part: web.pieces_in("<table><tr>" + part * (1_000_000 // len(part))) for part in web.ENDLESS
    }


def marks() -> Cases:
    """A hundred thousand of each mark."""
    return {mark: lambda mark=mark: list(pieces_of(mark * 100_000 + " lastword")) for mark in markdown.ENDLESS}


def texts(folder: Path) -> Cases:
    """Texts that could be many things."""
    paths = {part: folder / f"{number}.txt" for number, part in enumerate(detection.ENDLESS)}
    for part, path in paths.items():
        path.write_text(part * 60_000, "utf-8")
    return {part: lambda path=path: find_format(path) for part, path in paths.items()}


def cards() -> Cases:
    """What a model's page may hold."""
    return {piece: lambda piece=piece: readable(piece * (MOST_CHARACTERS // len(piece))) for piece in readme.ENDLESS}


def claims() -> Cases:
    """A claim compared with a block of one kind of letters."""
    return {
        unit: lambda unit=unit: verify_statement(
            CLAIM, [checks.block(1, unit * (checks.LONG // len(unit)))], "paid 3.7 million euros"
        )
        for unit in checks.UNITS
    }


def bombs(victim: files.Victim) -> Cases:
    """Made before they are timed, as are those below."""
    paths = {name: getattr(hostile, name)(victim.folder / f"{name}.{ending(name)}") for name in files.BOMBS}
    return {name: lambda path=path: victim.outcome(path, memory_bytes=2_000_000_000) for name, path in paths.items()}


def lies(victim: files.Victim) -> Cases:
    """Of loops, of very many pages and of a huge one."""
    paths = {name: getattr(hostile, name)(victim.folder / f"{name}.pdf") for name in files.LYING}
    return {name: lambda path=path: victim.outcome(path) for name, path in paths.items()}


def deep(victim: files.Victim) -> Cases:
    """In every format that nests."""
    for name, content in files.DEEPLY.items():
        (victim.folder / name).write_bytes(content.encode())
    return {name: lambda name=name: victim.outcome(victim.folder / name) for name in files.DEEPLY}


def ending(name: str) -> str:
    """What a bomb pretends to be."""
    return name.split("_", maxsplit=1)[0].replace("zip", "docx")
