"""Stored translations through the program's own pipeline: a document there and back, and what a kill costs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from docx import Document

from app.bootstrap import Fireside, build_program
from app.core.events import CancelToken
from app.features.translate.translation_events import Formality, GlossaryTerm, TranslationSource, TranslationWish
from app.features.translate.translation_jobs import Saved
from tests.helpers.counting import generators_passed
from tests.helpers.script import prompts, write_script
from tests.helpers.translations import begin, stored, text_file, work_off

MODEL = Path("/any/hy-mt2-scripted.gguf")
GERMAN = TranslationWish("de", "en")
SEGMENTS = 200
ANSWERS = [
    {"when": rf"kiln {number}\.", "text": f"Absatz {number} handelt vom Brennofen {number}.", "delay_s": 0.002}
    for number in range(SEGMENTS, 0, -1)
]
"""The last one first: a prompt tells what stands in front of its text."""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rent = {"when": "The rent is", "text": "Die Miete beträgt <g1>960 Euro</g1>."}
    path = write_script(tmp_path / "script", rent, *ANSWERS)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


@pytest.fixture
def app(script: Path) -> Iterator[Fireside]:
    with running() as app:
        yield app


@contextmanager
def running() -> Iterator[Fireside]:
    """The program with its model loaded."""
    app = build_program()
    try:
        list(app.engine.load(MODEL))
        yield app
    finally:
        app.close()


def asked(script: Path) -> Counter[int]:
    """How often each paragraph was asked for: the last one of those that its prompt has."""
    told = (re.findall(r"kiln (\d+)\.", str(messages[-1][1])) for messages in prompts(script))
    return Counter(max(map(int, found)) for found in told if found)


def test_a_document_comes_back_translated_with_its_formatting(app: Fireside, tmp_path: Path) -> None:
    path, made = tmp_path / "lease.docx", Document()
    made.add_heading("Paragraph 1 tells of kiln 1.", 1)
    made.add_paragraph("The rent is ").add_run("960 euros").bold = True
    made.paragraphs[-1].add_run(".")
    made.core_properties.comments = ""
    made.save(str(path))
    row = begin(app, path, GERMAN)
    with generators_passed() as passed:
        work_off(app.translations)
    assert max(passed) <= 6
    assert (stored(app.translations, row.id).state, stored(app.translations, row.id).flagged) == ("done", 0)
    *_, saved = app.translations.files.save(row.id, tmp_path / "out.docx", CancelToken())
    assert isinstance(saved, Saved)
    assert (saved.untranslated, saved.refused) == ((), ())
    heading, rent = Document(str(tmp_path / "out.docx")).paragraphs
    assert (heading.text, heading.style.name) == ("Absatz 1 handelt vom Brennofen 1.", "Heading 1")
    assert [(run.text, bool(run.bold)) for run in rent.runs] == [
        ("Die Miete beträgt ", False), ("960 Euro", True), (".", False),
    ]  # fmt: skip


def test_a_second_run_and_another_document_ask_nothing_and_a_term_asks_for_its_segments(
    app: Fireside, script: Path, tmp_path: Path
) -> None:
    row = begin(app, text_file(tmp_path, count=20), GERMAN)
    work_off(app.translations)
    assert stored(app.translations, row.id).done == 20
    app.translations.begin_translations([row.id])
    other = begin(app, text_file(tmp_path, "b.txt", count=20), GERMAN)
    work_off(app.translations)
    assert (stored(app.translations, row.id).reused, stored(app.translations, other.id).reused) == (20, 20)
    assert sum(asked(script).values()) == 20
    app.translations.change_wish(row.id, TranslationWish("de", "en", glossary=(GlossaryTerm("kiln 7", "Brennofen 7"),)))
    app.translations.begin_translations([row.id])
    work_off(app.translations)
    assert asked(script) == Counter(range(1, 21)) + Counter([7])


def test_an_edit_is_used_as_the_person_wrote_it(app: Fireside, tmp_path: Path) -> None:
    row = begin(app, text_file(tmp_path, count=3), GERMAN)
    work_off(app.translations)
    app.translations.segments.edit_segment(row.id, 2, ("Zweiter Absatz, Ofen 2.",))
    other = begin(app, text_file(tmp_path, "b.txt", count=3), TranslationWish("de", "en", Formality.FORMAL))
    app.translations.begin_translations([row.id])
    work_off(app.translations)
    first, second = (app.translations.segments.read_row(one.id, 2).translated for one in (row, other))
    assert first is not None
    assert second is not None
    assert (first.origin, first.content) == (TranslationSource.EDITED, ("Zweiter Absatz, Ofen 2.",))
    assert (second.origin, second.content) == (TranslationSource.MEMORY, first.content)


@pytest.mark.slow
def test_of_two_hundred_segments_a_kill_in_the_middle_costs_those_that_were_on_their_way(
    script: Path, tmp_path: Path
) -> None:
    app = build_program()
    row = begin(app, text_file(tmp_path, count=SEGMENTS), GERMAN)
    app.close()
    command = [sys.executable, "-m", "tests.features.translate.translating_program", str(MODEL)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as program:
        assert program.stdout is not None
        for _ in range(SEGMENTS // 2):
            assert program.stdout.readline()
        program.kill()
        done = SEGMENTS // 2 + len(program.stdout.read().splitlines())
    before, again = asked(script), build_program()
    try:
        translated = {
            one.segment.id for one in again.translations.segments.read_rows(row.id) if one.translated is not None
        }
        assert len(translated) >= done
        list(again.engine.load(MODEL))
        work_off(again.translations)
        assert (stored(again.translations, row.id).state, stored(again.translations, row.id).done) == ("done", SEGMENTS)
        times = asked(script)
        assert set(times) == set(range(1, SEGMENTS + 1))
        assert all(times[number] == before[number] == 1 for number in translated), "none is translated twice"
    finally:
        again.close()


def test_what_the_document_repeats_is_kept_with_it_until_it_is_to_be_another_text(script: Path, tmp_path: Path) -> None:
    write_script(
        script.parent,
        {"when": r"The Northern Ports know[^\n]*\Z", "text": "Die Nordhäfen kennen uns inzwischen gut."},
        {"when": r"They like[^\n]*\Z", "text": "Sie mögen die Nordhäfen sehr gern."},
        {"when": r"Northern Ports\Z", "text": "Nordhäfen"},
    )
    path = tmp_path / "ports.txt"
    texts = ("Northern Ports", "The Northern Ports know us well by now.", "They like the Northern Ports a lot.")
    path.write_text("\n\n".join(texts), "utf-8")
    found = (GlossaryTerm("Northern Ports", "Nordhäfen"),)
    with running() as app:
        row = begin(app, path, GERMAN)
        assert app.translations.repeated_terms(row.id) == ()
        work_off(app.translations)
        assert app.translations.repeated_terms(row.id) == found
    with running() as app:
        assert app.translations.repeated_terms(row.id) == found
        app.translations.begin_translations([row.id])
        work_off(app.translations)
        assert app.translations.repeated_terms(row.id) == found
        app.translations.change_wish(row.id, TranslationWish("fr", "en"))
        assert app.translations.repeated_terms(row.id) == ()


def test_what_could_not_be_translated_is_told_when_it_is_saved_until_it_is_accepted(
    script: Path, tmp_path: Path
) -> None:
    write_script(script.parent, *(one | {"text": "###"} if "kiln 2" in one["when"] else one for one in ANSWERS[-3:]))
    with running() as app:
        row = begin(app, text_file(tmp_path, count=3), GERMAN)
        work_off(app.translations)
        translated = app.translations.segments.read_row(row.id, 2).translated
        assert translated is not None
        assert translated.origin is TranslationSource.KEPT
        saved = list(app.translations.files.save(row.id, tmp_path / "out.txt", CancelToken()))[-1]
        assert isinstance(saved, Saved)
        assert (saved.kept, saved.untranslated, saved.is_marked) == ((2,), (), False)
        app.translations.segments.accept(row.id, 2)
        saved = list(app.translations.files.save(row.id, tmp_path / "out.txt", CancelToken()))[-1]
        assert isinstance(saved, Saved)
        assert saved.kept == ()
