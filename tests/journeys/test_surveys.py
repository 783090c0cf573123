"""A question about a long document is answered from all of it, by keys alone, and is there after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.pdf_files import Page, column, write_pdf
from tests.helpers.program import Program, wait_until
from tests.helpers.script import prompts, write_script
from tests.helpers.window_pixels import CHIP, colored_pixels
from tests.journeys.test_documents import attach_by_keyboard

BUBBLE = (0xF1, 0xEB, 0xE3)
STOPS = 6
"""From the message field back over what is said of the document's length and its chip to the offer's first button."""
ROW_PIXELS, CHIP_PIXELS = 35_000, 500
"""A row above the message field has more of its ground, two rows twice as much."""
PAGES = 40
FILLER = "This line is about nothing in particular and says so at length."


def long_pdf(path: Path) -> Path:
    """A date on each page, and far more than fits."""
    pages = []
    for number in range(1, PAGES + 1):
        page = Page()
        page.text(72, 80, f"On {number % 28 + 1} May {1980 + number} the kiln of page {number} was opened.", 11)
        column(page, 72, 120, [FILLER] * 30, size=9, pitch=12)
        pages.append(page)
    return write_pdf(path, pages)


@pytest.mark.display
@pytest.mark.timeout(180)
def test_all_dates_of_a_long_document_are_listed_by_keys_and_kept(tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", {"text": "From the passages."}, load={"context_tokens": 4000})
    home, environment = tmp_path / "home", {"HOME": str(tmp_path), "FIRESIDE_ENGINE_SCRIPT": str(script)}
    program = Program(home, environment)
    try:
        attach_by_keyboard(program, long_pdf(tmp_path / "kilns.pdf"))
        wait_until(lambda: program.rows("SELECT id FROM attachments WHERE use = 'background'"), "the document")
        wait_until(lambda: colored_pixels(program, tmp_path, BUBBLE) > ROW_PIXELS, "what is said of its length")
        program.type("List all dates")
        wait_until(lambda: colored_pixels(program, tmp_path, BUBBLE) > 2 * ROW_PIXELS, "the offer")
        program.press(*["shift+Tab"] * STOPS, "space")
        wait_until(lambda: [state for _, _, state in program.messages()] == ["complete"] * 2, "the answer")
        _, text, _ = program.messages()[-1]
        assert text.startswith(f"**{PAGES} dates**")
        assert text.endswith(
            f"*{PAGES} of {PAGES} pages read; found on {PAGES} pages. Found and counted by Fireside, without a model.*"
        )
        assert prompts(script) == []
        wait_until(lambda: colored_pixels(program, tmp_path, CHIP) > CHIP_PIXELS, "its pages")
        wait_until(lambda: program.quit() == 0, "a clean exit")
        program = Program(home, environment)
        wait_until(lambda: colored_pixels(program, tmp_path, CHIP) > CHIP_PIXELS, "its pages after a restart")
        program.ask("When was the kiln of page 17 opened?")
        wait_until(lambda: len(program.messages()) == 4 and program.messages()[-1][2] == "complete", "the next answer")
        assert program.messages()[-1][1] == "From the passages."
        wait_until(lambda: program.quit() == 0, "a clean exit")
    finally:
        program.kill()
