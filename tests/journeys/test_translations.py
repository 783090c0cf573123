"""Three documents are dropped one after another and translated; a chat, a stop and a power cut cost no segment.

Real keys, a real drag from another program's window (XDND), the real window, its document child and its engine child.
What is saved is opened by readers that are not ours, and looked at as pictures.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pytest
from lxml import etree

from app.bootstrap import build_program
from app.core.events import CancelToken
from app.features.translate.translation_events import TranslationWish
from app.features.translate.translation_jobs import Saved, TranslationAdded
from tests.helpers.dragging import TRANSLATE, drop_with_the_mouse
from tests.helpers.models_on_disk import write_model
from tests.helpers.program import Program, is_gone, wait_until
from tests.helpers.real_files import convert, output_of, pandoc
from tests.helpers.real_files import program as installed
from tests.helpers.script import requests, write_script
from tests.helpers.web_files import write_epub
from tests.journeys.test_summaries import RESTING_PX, left_column, settled_column, title_of, widest_at_the_foot

MODEL = "Hy-MT2-1.8B-Q4_K_M.gguf"
KILNS, BARNS, BOATS = "kiln", "barn", "boat"
PORTUGUESE = {KILNS: "forno", BARNS: "celeiro", BOATS: "barco"}
PARAGRAPHS, CUES = 8, 30
TITLES = {"Notes of the valley": "Notas do vale", "The book": "O livro"}
HEADING = next(iter(TITLES))
SAVE = "Save the translation"
"""The title of a dialog."""
QUESTION, SEEN = "Are you still there while you translate?", "seen"
"""Its answer waits in its middle for a file of this name beside the script."""
TRANSLATIONS = "SELECT state FROM jobs WHERE kind = 'translation' AND deleted_at IS NULL ORDER BY id"
EDITED = "Escrevi isto sozinho"


def source(thing: str, number: int) -> str:
    """A sentence that stands nowhere else."""
    return f"The {thing} {number} stands beside the river and was built by the people of the town."


def target(thing: str, number: int) -> str:
    """Its translation."""
    return f"O {PORTUGUESE[thing]} {number} fica ao lado do rio e foi construído pelas pessoas da cidade."


def write_documents(folder: Path) -> tuple[Path, Path, Path]:
    """A Word document as python-docx makes it, a book of two chapters, and subtitles."""
    word, book, film = folder / "kilns.docx", folder / "barns.epub", folder / "boats.srt"
    document = docx.Document()
    document.add_heading(HEADING, 1)
    for number in range(1, PARAGRAPHS):
        before, after = source(KILNS, number).split(f"kiln {number}")
        paragraph = document.add_paragraph(before)
        paragraph.add_run(f"kiln {number}").bold = True
        paragraph.add_run(after)
    document.add_table(1, 1).cell(0, 0).text = source(KILNS, PARAGRAPHS)
    document.core_properties.comments = ""
    document.save(str(word))
    halves = (range(1, PARAGRAPHS // 2 + 1), range(PARAGRAPHS // 2 + 1, PARAGRAPHS + 1))
    texts = ["".join(f"<p>{source(BARNS, number)}</p>" for number in half) for half in halves]
    head = '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en"><head><title/></head><body>'
    write_epub(book, {f"chapter{number}.xhtml": f"{head}{text}</body></html>" for number, text in enumerate(texts, 1)})
    cues = (f"{number}\n{cue_time(number)}\n{source(BOATS, number)}\n" for number in range(1, CUES + 1))
    film.write_text("\n".join(cues), "utf-8")
    return word, book, film


def cue_time(number: int) -> str:
    """When a cue is shown."""
    return f"00:00:{number:02},000 --> 00:00:{number:02},900"


def answers(*, is_slow: bool) -> Iterator[dict[str, Any]]:
    """What the scripted model writes; slow, the subtitles take long."""
    yield {"when": "^Are you", "text": "Yes, I am. " * 8, "held_after": 4, "until": SEEN}
    for title, translated in TITLES.items():
        yield {"when": asks_for(title), "text": translated}
    for number in range(1, PARAGRAPHS + 1):
        bold = target(KILNS, number).replace(f"forno {number}", f"<g1>forno {number}</g1>")
        yield {"when": asks_for(f"The <g1>kiln {number}</g1> "), "text": bold, "delay_s": 0.01}
        for thing in (KILNS, BARNS):
            yield {"when": asks_for(f"The {thing} {number} "), "text": target(thing, number), "delay_s": 0.01}
    for number in range(1, CUES + 1):
        slowly = {"delay_s": 0.05} if is_slow else {}
        yield {"when": asks_for(f"The boat {number} "), "text": target(BOATS, number)} | slowly


def asks_for(beginning: str) -> str:
    """A pattern for prompts whose text begins so: it is named, or it is the last line. Others are told as context."""
    return rf"\[Source Text\]\n{beginning}|\n\n{beginning}[^\n]*\Z"


def asked(script: Path) -> list[str]:
    """Every segment that was asked for, oldest first."""
    prompts = [str(one["messages"][-1][1]) for one in requests(script) if one["background"]]
    texts = [prompt.rpartition("[Source Text]\n")[2].partition("\n\n[") for prompt in prompts]
    return [re.sub(r"</?g\d+>", "", text.rpartition("\n")[2]) for text, _, _ in texts]


def prepare(home: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home of a person who has a model that translates, and translated into Portuguese before."""
    write_model(model, **{"tokenizer.chat_template": "{{ messages }}"})
    with monkeypatch.context() as environment:
        environment.setenv("FIRESIDE_HOME", str(home))
        app = build_program()
        app.change_settings("engine", model_path=str(model), known_models=(str(model),))
        app.change_settings("translations", target="pt-BR")
        app.close()


def states(program: Program) -> list[str]:
    """Of all translations, in the order in which they were dropped."""
    return [state for (state,) in program.rows(TRANSLATIONS)]


def segments(program: Program, place: int) -> list[tuple[int, str, str]]:
    """Number, words and origin of what is translated of one of them, the first being 1."""
    query = "SELECT number, target, origin FROM translation_segments WHERE target IS NOT NULL AND job_id = "
    job = f"({TRANSLATIONS.replace('state', 'id', 1)} LIMIT 1 OFFSET {place - 1})"
    found = []
    for number, fields, origin in program.rows(query + job):
        content = json.loads(fields)["content"]
        found.append((number, "".join(part for part in content if isinstance(part, str)), origin))
    return found


@pytest.mark.display
@pytest.mark.timeout(300)
def test_three_documents_are_translated_through_a_chat_a_stop_and_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word, book, film = write_documents(tmp_path)
    home = tmp_path / "home"
    prepare(home, tmp_path / MODEL, monkeypatch)
    script = write_script(tmp_path / "script", *answers(is_slow=True))
    environment = {"HOME": str(tmp_path), "FIRESIDE_ENGINE_SCRIPT": str(script)}

    program = Program(home, environment)
    try:
        for place, file in enumerate((word, book, film), 1):
            drop_and_begin(program, file, place)
        watch(program)
        chat_meanwhile(program, script)
        stop(program)
        done = {words for _, words, _ in segments(program, 3)}
        children = program.children()
    finally:
        program.kill()
    wait_until(lambda: all(is_gone(pid) for pid in children), "the children to leave")
    before = asked(script)
    assert 0 < len(done) < CUES

    write_script(script.parent, *answers(is_slow=False))
    program = Program(home, environment)
    try:
        go_on(program, tmp_path)
        assert_nothing_was_asked_twice(before, asked(script)[len(before) :], done)
        edit_the_first(program)
        saved = tmp_path / "saved.srt"
        save(program, saved)
        assert_subtitles(saved)
        for name, path in (("barns", tmp_path / "saved.epub"), ("kilns", tmp_path / "saved.docx")):
            open_listed(program, name, tmp_path)
            save(program, path)
        assert_book(tmp_path / "saved.epub")
        assert_word(tmp_path / "saved.docx")
        wait_until(lambda: program.quit() == 0, "a clean exit")
    finally:
        program.kill()


def drop_and_begin(program: Program, file: Path, place: int) -> None:
    """With the mouse from the chat, then Translate by keyboard."""
    program.press("ctrl+1")
    drop_with_the_mouse(program, file, share=TRANSLATE, arrived=f"{TRANSLATIONS} LIMIT 1 OFFSET {place - 1}")
    wait_until(lambda: title_of(program).startswith(file.stem), "the document in the window")
    wait_until(lambda: states(program)[place - 1 :] == ["draft"], "its segments")
    # The button can be pressed once the model was looked at.
    program.press_until(lambda: states(program)[-1] != "draft", "it to begin", "ctrl+3", "Tab", "space")


def watch(program: Program) -> None:
    """The first two are done one after the other; the third is on its way, segment by segment."""
    wait_until(lambda: states(program)[:2] == ["done"] * 2, "the first two")
    seen: set[int] = set()

    def is_on_its_way() -> bool:
        seen.add(len(segments(program, 3)))
        return max(seen) >= 6

    wait_until(is_on_its_way, "the first segments of the third")
    assert len(seen) > 2, "they came all at once"
    assert states(program) == ["done", "done", "running"]


def chat_meanwhile(program: Program, script: Path) -> None:
    """The question is answered while the translation rests, which the window says."""
    program.press("ctrl+1")
    program.ask(QUESTION)
    wait_until(lambda: len(program.messages()) == 2, "the answer's place")
    wait_until(lambda: widest_at_the_foot(program, script.parent) > RESTING_PX, "the words that it rests")
    count = len(segments(program, 3))
    script.with_name(SEEN).touch()
    wait_until(lambda: [state for _, _, state in program.messages()] == ["complete"] * 2, "the answer")
    assert len(segments(program, 3)) <= count + 1  # one may have been there, and not stored yet
    wait_until(lambda: len(segments(program, 3)) > count, "it to go on")


def stop(program: Program) -> None:
    """Back in its tab, Stop."""
    program.press("ctrl+3", "shift+Tab", "space")
    wait_until(lambda: states(program) == ["done", "done", "paused"], "it to stop")


def go_on(program: Program, folder: Path) -> None:
    """It is found in the left column, and its Go on is pressed; it ends."""
    assert states(program) == ["done", "done", "paused"]
    open_listed(program, "boats", folder)
    program.press("ctrl+3", "shift+Tab", "space")
    wait_until(lambda: states(program) == ["done"] * 3, "its end")


def assert_nothing_was_asked_twice(before: list[str], again: list[str], done: set[str]) -> None:
    """What was stored is not asked for again; each of the others is, once."""
    assert max(Counter(before).values()) == 1
    stored = {source(BOATS, number) for number in range(1, CUES + 1) if target(BOATS, number) in done}
    assert len(stored) == len(done)
    assert not stored & set(again), "what was translated was asked again"
    assert Counter(again) == Counter({source(BOATS, number) for number in range(1, CUES + 1)} - stored)


def edit_the_first(program: Program) -> None:
    """In place, by keyboard."""
    program.press("ctrl+3", "Home", "F2", "ctrl+a")
    program.type(EDITED)
    program.press("Return")
    wait_until(lambda: segments(program, 3)[0][1:] == (EDITED, "edited"), "the edit to be kept")


def open_listed(program: Program, name: str, folder: Path) -> None:
    """Found in the left column by its name. In a document Ctrl+F searches that, so a new text comes first."""
    program.press("ctrl+3", "ctrl+n")
    wait_until(lambda: title_of(program).startswith("Translate"), "the place for a new text")
    program.press("ctrl+f")
    listed = wait_until(lambda: settled_column(program, folder), "the list to stay as it is")
    program.type(name)
    wait_until(lambda: left_column(program, folder) != listed, "the others to leave the list")
    program.press("Tab")
    program.press_until(lambda: title_of(program).startswith(name), "the translation", "Down", "Return")


def save(program: Program, path: Path) -> None:
    """By the button above the segments and the dialog."""
    program.press("ctrl+3", *["shift+Tab"] * BACK_TO_SAVE, "space")
    program.choose_file(SAVE, path)
    wait_until(path.exists, "the file")


BACK_TO_SAVE = 5
"""Before the segments come the choices of languages and manner, then the other forms to save in, then Save."""


def assert_subtitles(path: Path) -> None:
    """Times as they were, the edit first."""
    cues = path.read_text("utf-8").strip().split("\n\n")
    wanted = [EDITED, *(target(BOATS, number) for number in range(2, CUES + 1))]
    assert [" ".join(cue.split("\n")[2:]) for cue in cues] == wanted
    assert [cue.split("\n")[:2] for cue in cues] == [[str(n), cue_time(n)] for n in range(1, CUES + 1)]


def assert_book(path: Path) -> None:
    """By zipfile and lxml: paragraphs in their chapters, the language told."""
    found = []
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for number in (1, 2):
            root = etree.fromstring(archive.read(f"OEBPS/chapter{number}.xhtml"))
            assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "pt-BR"
            found += ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/1999/xhtml}p")]
    assert found == [target(BARNS, number) for number in range(1, PARAGRAPHS + 1)]


def assert_word(path: Path) -> None:
    """By python-docx: styles and bold words where they were."""
    document = docx.Document(str(path))
    heading, *paragraphs = [one for one in document.paragraphs if one.text]
    assert (heading.text, heading.style.name) == (TITLES[HEADING], "Heading 1")  # type: ignore[union-attr]
    assert [one.text for one in paragraphs] == [target(KILNS, number) for number in range(1, PARAGRAPHS)]
    bold = [[run.text for run in one.runs if run.bold] for one in paragraphs]
    assert bold == [[f"forno {number}"] for number in range(1, PARAGRAPHS)]
    assert document.tables[0].cell(0, 0).text == target(KILNS, PARAGRAPHS)


# Saved documents as LibreOffice shows them.

LINES = 3
WRITTEN_BY = {
    ".docx": "pandoc", ".odt": "pandoc", ".html": "pandoc", ".pptx": "pandoc", ".odp": "LibreOffice",
    ".xlsx": "LibreOffice", ".ods": "LibreOffice",
}  # fmt: skip


@pytest.mark.documents
@pytest.mark.timeout(600)
@pytest.mark.parametrize("ending", WRITTEN_BY)
def test_a_translated_document_shows_its_words_on_the_page(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Printed by LibreOffice, and read off the pictures of its pages by Tesseract."""
    script = write_script(tmp_path / "script", *answers(is_slow=False))
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    written = written_by_others(tmp_path, ending)
    saved = translated(written, tmp_path / f"saved{ending}", tmp_path / MODEL)
    shown = read_off(pages_of(saved, tmp_path))
    missing = [number for number in range(1, LINES + 1) if f"forno {number}" not in shown]
    assert (missing, "kiln" in shown) == ([], False), shown


def written_by_others(folder: Path, ending: str) -> Path:
    """A heading and a list, or a column of cells, as another program writes them."""
    lines = [source(KILNS, number) for number in range(1, LINES + 1)]
    if ending in (".xlsx", ".ods"):
        cells = folder / "cells.csv"
        cells.write_text("\n".join(f'"{line}"' for line in lines) + "\n", "utf-8")
        return convert(cells, ending[1:], folder, "CSV:44,34,76")
    text = folder / "notes.md"
    text.write_text(f"# {HEADING}\n\n" + "".join(f"- {line}\n" for line in lines), "utf-8")
    if ending == ".odp":
        return convert(pandoc(text, folder / "notes.pptx"), "odp", folder)
    return pandoc(text, folder / f"notes{ending}")


def translated(path: Path, saved: Path, model: Path) -> Path:
    """The file as the program writes it, translated by the scripted model."""
    write_model(model, **{"tokenizer.chat_template": "{{ messages }}"})
    app = build_program()
    try:
        list(app.engine.load(model))
        app.change_settings("engine", model_path=str(model), known_models=(str(model),))
        *_, last = app.translations.add(path, TranslationWish("pt-BR", "en"), CancelToken())
        assert isinstance(last, TranslationAdded)
        app.translations.begin_translations([last.translation.id])
        for _ in app.translations.run(CancelToken()):
            pass
        *_, written = app.translations.files.save(last.translation.id, saved, CancelToken())
        assert isinstance(written, Saved)
        assert (written.untranslated, written.refused) == ((), ())
    finally:
        app.close()
    return saved


def pages_of(path: Path, folder: Path) -> list[Path]:
    """The pages that LibreOffice prints, as pictures."""
    pdf = convert(path, "pdf", folder)
    output_of([installed("pdftoppm"), "-r", "150", "-png", pdf, folder / "page"])
    return sorted(folder.glob("page*.png"))


def read_off(pages: list[Path]) -> str:
    """What Tesseract reads in pictures."""
    assert pages
    return "\n".join(output_of([installed("tesseract"), page, "-"]).decode("utf-8") for page in pages)
