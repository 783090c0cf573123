"""Three documents are dropped and summarized; a chat, a stop and a power cut in the middle cost no section.

Real keys, a real drag from another program's window (XDND), the real window, its reading child and its engine child.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.core.settings import Settings, save_settings
from tests.helpers.dragging import SUMMARIZE, drop_with_the_mouse
from tests.helpers.harbour import REPORT
from tests.helpers.office_files import paragraph, write_docx
from tests.helpers.pdf_files import Page, column, wrapped, write_pdf
from tests.helpers.program import Program, is_gone, wait_until, xdotool
from tests.helpers.script import requests, write_script
from tests.helpers.window_pixels import marked_pixels, window_pixels, words_at_the_foot

PARAGRAPHS = 12
CONTEXT_TOKENS = 1350
"""About half of the paragraphs make a section: the scripted backend counts words."""
CHOOSE, SAVE = "Choose documents to summarize", "Save the summary"
"""The titles of dialogs."""
QUESTION, SEEN = "Are you still there while you read?", "seen"
"""Its answer waits in its middle for a file of this name beside the script."""
STATUS_ROWS, RESTING_PX, IDLE = 26, 150, 4
"""The words "Summary paused while you chat" are wider than this, "Summarizing" is not half as wide.

Where nothing is at work there are four stretches: the sign and the word of the settings, the device, the network.
"""
LEAST_PIXELS = 100
LIST_PX = (250, 100, 300)
"""How wide the list in the left column is, and its first and last row."""
JOB = "SELECT state FROM jobs WHERE kind = 'summary' AND deleted_at IS NULL ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True)
class Told:
    """What one of the documents tells of."""

    name: str
    thing: str
    since: int

    def fact(self, number: int) -> str:
        """A sentence that stands nowhere else."""
        return f"{self.thing} {number} was built in {self.since + number} and repaired in {self.since + number + 100}."

    def paragraph(self, number: int) -> str:
        """The text of a paragraph."""
        return (
            f"{self.fact(number)} Its keeper counted {number * 37} visitors, wrote down the weather of {number} "
            f"mornings and sent the list to the town, which kept it in a chest beside the door of the old hall."
        )

    @property
    def paragraphs(self) -> list[str]:
        """All of them."""
        return [self.paragraph(number) for number in range(1, PARAGRAPHS + 1)]


KILNS, BARNS, BOATS = (
    Told("kilns.pdf", "Kiln", 1800),
    Told("barns.docx", "Barn", 1700),
    Told("boats.html", "Boat", 1600),
)


def write_documents(folder: Path) -> list[Path]:
    """A PDF of three pages, a Word document and a web page, each with a heading and its paragraphs."""
    paths = [folder / one.name for one in (KILNS, BARNS, BOATS)]
    pages = [Page() for _ in range(3)]
    pages[0].text(72, 70, "The kilns of the valley", 18, "F2")
    for place, text in enumerate(KILNS.paragraphs):
        column(pages[place // 4], 72, 110 + place % 4 * 120, wrapped(text, 440, 12), size=12, pitch=16)
    write_pdf(paths[0], pages)
    write_docx(paths[1], "".join([paragraph("The barns", "Heading1"), *map(paragraph, BARNS.paragraphs)]))
    body = "".join(f"<p>{text}</p>" for text in BOATS.paragraphs)
    paths[2].write_text(f"<!doctype html><title>The boats</title><h1>The boats</h1>{body}", "utf-8")
    return paths


def answers(*, is_slow: bool) -> Iterator[dict[str, Any]]:
    """A section is condensed to the first fact that stands in it; slow, those of the last document take very long."""
    wrong = BARNS.fact(1).replace("1801", "1817")
    yield {"when": "^Are you", "text": "Yes, I am. " * 8, "held_after": 4, "until": SEEN}
    yield {"when": "^Text to summarize", "text": f"[1] {KILNS.fact(1)}\n[3] {wrong}\n[5] {BOATS.fact(1)}\n"}
    for one in (KILNS, BARNS, BOATS):
        for number in range(1, PARAGRAPHS + 1):
            slowly: dict[str, Any] = {}
            if is_slow:  # each takes longer than the one before: whoever looks now and then sees some come first
                slowly = {"repeat": 14, "delay_s": 0.06} if one is BOATS else {"delay_s": 0.02 * number}
            when = rf"{one.thing} {number} was\s+built"
            yield {"when": when, "text": f"[{number + 1}] {one.fact(number)}\n"} | slowly


def sections_asked(script: Path) -> list[str]:
    """The prompts of all sections so far, oldest first."""
    return [text for one in requests(script) if "===== part =====" in (text := str(one["messages"][-1][1]))]


def quick_sections(script: Path) -> int:
    """How many sections of the first two documents were asked for."""
    return sum(KILNS.thing in text or BARNS.thing in text for text in sections_asked(script))


def progress(program: Program) -> dict[str, int]:
    """How far the summary is, as it is stored."""
    rows = program.rows("SELECT progress FROM jobs WHERE kind = 'summary' ORDER BY id DESC LIMIT 1")
    found: dict[str, int] = json.loads(rows[0][0] or "{}") if rows else {}
    return found


def is_in(program: Program, state: str) -> bool:
    """Whether the summary is in a state."""
    return program.rows(JOB) == [(state,)]


def title_of(program: Program) -> str:
    """What stands above the window."""
    return xdotool("getwindowname", program.window).strip()


@pytest.mark.display
@pytest.mark.timeout(240)
def test_three_documents_are_summarized_through_a_chat_a_stop_and_a_power_cut(tmp_path: Path) -> None:
    files = write_documents(tmp_path)
    load = {"context_tokens": CONTEXT_TOKENS}
    script = write_script(tmp_path / "script", *answers(is_slow=True), load=load)
    home = home_with_a_model(tmp_path)
    environment = {"HOME": str(tmp_path), "FIRESIDE_ENGINE_SCRIPT": str(script)}

    program = Program(home, environment)
    try:
        put_together(program, files)
        begin(program, script)
        chat_meanwhile(program, script)
        read = stop(program)
        children = program.children()
    finally:
        program.kill()
    wait_until(lambda: all(is_gone(pid) for pid in children), "the children to leave")
    before = sections_asked(script)
    assert len(before) == len(set(before)) == progress(program)["sections"]

    write_script(script.parent, *answers(is_slow=False), load=load)
    program = Program(home, environment)
    try:
        go_on(program, tmp_path)
        again = sections_asked(script)[len(before) :]
        assert len(again) == len(set(again)) == len(before) - read
        assert set(again) <= set(before)
        assert all(BOATS.thing in text for text in again), "what was read was asked again"
        assert_all_was_read(script)
        open_the_first_place(program, tmp_path)
        assert_saved_as_markdown(program, tmp_path / "saved.md")
        wait_until(lambda: program.quit() == 0, "a clean exit")
    finally:
        program.kill()

    asked = len(requests(script))
    program = Program(home, environment)
    try:
        find_again(program, tmp_path)
        open_the_first_place(program, tmp_path)
        assert [one for one in requests(script)[asked:] if one["background"]] == []
        wait_until(lambda: program.quit() == 0, "a clean exit")
    finally:
        program.kill()


@pytest.mark.display
@pytest.mark.model
@pytest.mark.timeout(240)
def test_the_starter_summarizes_a_short_report_and_every_statement_leads_into_it(tmp_path: Path, starter: Path) -> None:
    file = tmp_path / "harbour.md"
    file.write_text(REPORT.read_text("utf-8").partition("## People")[0], "utf-8")
    program = Program(tmp_path / "home", {"HOME": str(tmp_path)})
    try:
        program.press("ctrl+2", "ctrl+shift+o")
        program.choose_file(CHOOSE, file)
        wait_until(lambda: program.rows("SELECT document_id FROM job_documents"), "the document to be read")
        finish(program, tmp_path, "Return")
        result = result_of(program)
        blocks = dict(program.rows("SELECT number, text FROM blocks"))
        assert result["statements"]
        for anchor in (anchor for one in result["statements"] for anchor in one["anchors"]):
            assert anchor["text"] == blocks[anchor["block_id"]][anchor["start"] : anchor["end"] or None]
        coverage = result["documents"][0]["coverage"]
        assert coverage["blocks_read"] == coverage["blocks"] == len(blocks)
        open_the_first_place(program, tmp_path)
        wait_until(lambda: program.quit() == 0, "a clean exit")
    finally:
        program.kill()


def home_with_a_model(folder: Path) -> Path:
    """Whose chosen model is not the starter: that one is not asked for summaries."""
    model = folder / "model.gguf"
    model.touch()  # where a chosen model isn't there, the starter answers
    settings = Settings().changed("engine", model_path=str(model))
    save_settings(folder / "home" / "config" / "settings.json", settings)
    return folder / "home"


def put_together(program: Program, files: list[Path]) -> None:
    """Two are dropped on Summarize with the mouse, one is chosen by keyboard."""
    drop_with_the_mouse(program, *files[:2], share=SUMMARIZE)
    waiting = "SELECT d.name FROM job_documents JOIN documents d ON d.id = document_id ORDER BY position"
    wait_until(lambda: len(program.rows(waiting)) == 2, "the dropped documents to wait for the summary")
    program.press("ctrl+shift+o")
    program.choose_file(CHOOSE, files[2])
    wait_until(lambda: len(program.rows(waiting)) == 3, "the chosen one to wait with them")
    assert sorted(program.rows(waiting)) == sorted((file.name,) for file in files)


def begin(program: Program, script: Path) -> None:
    """Enter; sections come one after the other, and the stored progress tells of each."""
    program.press_until(lambda: is_in(program, "running"), "the work to begin", "Return")
    seen: set[int] = set()

    def are_two_read() -> bool:
        read = progress(program).get("sections_read", 0)
        seen.add(read)
        are_all_asked = len(sections_asked(script)) == progress(program).get("sections")
        return are_all_asked and read >= quick_sections(script)

    wait_until(are_two_read, "the sections of two documents")
    assert 6 <= progress(program)["sections"] < 3 * PARAGRAPHS
    assert len(seen) > 2, "they came all at once"


def chat_meanwhile(program: Program, script: Path) -> None:
    """The question is answered while the summary rests, which the window says."""
    folder = script.parent
    program.press("ctrl+1")
    program.ask(QUESTION)
    wait_until(lambda: len(program.messages()) == 2, "the answer's place")
    wait_until(lambda: widest_at_the_foot(program, folder) > RESTING_PX, "the words that it rests")
    read = progress(program)["sections_read"]
    script.with_name(SEEN).touch()
    wait_until(lambda: [state for _, _, state in program.messages()] == ["complete"] * 2, "the answer")
    assert (progress(program)["sections_read"], program.rows(JOB)) == (read, [("running",)])
    wait_until(lambda: widest_at_the_foot(program, folder) < RESTING_PX, "the words that it goes on")
    assert is_in(program, "running")


def widest_at_the_foot(program: Program, folder: Path) -> int:
    """How wide the words of the status line are that tell of the summary: the last but the network's switch."""
    widths = words_at_the_foot(program, folder, STATUS_ROWS)
    return widths[-2] if len(widths) > 1 else 0


def stop(program: Program) -> int:
    """Back in its tab, Stop; returns how many sections were read."""
    program.press("ctrl+2", "shift+Tab", "space")
    wait_until(lambda: is_in(program, "paused"), "it to stop")
    read = progress(program)["sections_read"]
    wait_until(lambda: result_of(program).get("sections_read") == read, "what is there to be kept")
    result = result_of(program)
    assert result["is_partial"]
    assert {one["text"] for one in result["statements"]} >= {KILNS.fact(1), BARNS.fact(1)}
    assert 0 < read < result["sections"]
    return read


def result_of(program: Program) -> dict[str, Any]:
    """What there is of the summary; nothing before anything was read."""
    rows = program.rows("SELECT fields FROM job_results")
    found: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
    return found


def go_on(program: Program, folder: Path) -> None:
    """It is found in the left column, and its Go on is pressed."""
    assert is_in(program, "paused")
    program.press("ctrl+2", "ctrl+f", "Tab", "Return")
    wait_until(lambda: "and 2 more" in title_of(program), "the summary from the left column")
    finish(program, folder, "ctrl+2", "shift+Tab", "space")


def finish(program: Program, folder: Path, *keys: str) -> None:
    """These keys set it to work; it ends, and the window says no more that it is at work."""
    program.press_until(lambda: is_in(program, "running") or is_in(program, "done"), "it to begin", *keys)
    wait_until(lambda: is_in(program, "done"), "its end", timeout_s=120)
    wait_until(lambda: len(words_at_the_foot(program, folder, STATUS_ROWS)) == IDLE, "the result in the window")


def assert_all_was_read(script: Path) -> None:
    prompts = " ".join(" ".join(sections_asked(script)).split())
    missing = [text for one in (KILNS, BARNS, BOATS) for text in one.paragraphs if text not in prompts]
    assert missing == []


def open_the_first_place(program: Program, folder: Path) -> None:
    """With the arrow and Enter; Esc closes the page again."""
    program.press("ctrl+2", "Home", "Return")
    wait_until(lambda: marked_pixels(program, folder) > LEAST_PIXELS, "the marked sentence on the page")
    program.press("Escape")
    wait_until(lambda: marked_pixels(program, folder) < LEAST_PIXELS / 2, "the summary alone")


def assert_saved_as_markdown(program: Program, path: Path) -> None:
    program.press("ctrl+2", "shift+Tab", "space")
    program.press("Down", "Return")
    program.choose_file(SAVE, path)
    text = wait_until(lambda: path.read_text("utf-8") if path.exists() else "", "the file")
    assert KILNS.fact(1) in text
    assert "kilns.pdf, p. 1" in text
    assert "the text says “1801”" in text
    assert re.search(r"3 documents read", text)


def find_again(program: Program, folder: Path) -> None:
    """Searched in the left column by a word that is not in it, then by one of its text; and opened from there."""
    program.press("ctrl+2", "ctrl+n")
    wait_until(lambda: title_of(program).startswith("Summarize"), "the empty place")
    program.press("ctrl+f")
    listed = wait_until(lambda: settled_column(program, folder), "the list to stay as it is")
    program.type("windmill")
    wait_until(lambda: left_column(program, folder) != listed, "the summary to leave the list")
    program.press("ctrl+f")
    program.type("repaired")
    wait_until(lambda: left_column(program, folder) == listed, "the summary to be found")
    program.press("Tab", "Return")
    wait_until(lambda: "and 2 more" in title_of(program), "the summary")


def settled_column(program: Program, folder: Path) -> list[bytes]:
    """The list where five looks at it show the same: the row that was open is painted once more."""
    first = left_column(program, folder)
    return first if all(left_column(program, folder) == first for _ in range(4)) else []


def left_column(program: Program, folder: Path) -> list[bytes]:
    """What stands below the search field, as rows of pixels."""
    width, pixels = window_pixels(program, folder)
    return [pixels[y * width * 3 : (y * width + LIST_PX[0]) * 3] for y in range(*LIST_PX[1:])]
