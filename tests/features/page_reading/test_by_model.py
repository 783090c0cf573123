"""What models are asked for a page, each in its own words, and how an endless answer is told from a long one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.events import Media
from app.features.page_reading.by_model import Said, apart, ask_for, judged, repeated_from, words_for
from tests.features.page_reading.models import LOADED


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("rednote-hilab/dots.ocr", "Please output the layout information"),
        ("PaddleOCR-VL-1.5", "OCR:"),
        ("zai-org_GLM-OCR", "Text Recognition:"),
        ("LightOnOCR-1B-1025", ""),
        ("Qwen3-VL 4B Instruct", "Copy all text of this page"),
    ],
)
def test_a_model_made_for_pages_is_asked_in_its_own_words(name: str, beginning: str) -> None:
    words = words_for(replace(LOADED, name=name))
    ask = ask_for(words, Media("ab", "/x.ppm"), LOADED, is_figure=False)
    assert ask.messages[0].text.startswith(beginning)
    assert bool(ask.messages[0].text) == bool(beginning)
    assert ask.messages[0].media == (Media("ab", "/x.ppm"),)


def test_the_files_name_tells_as_well() -> None:
    assert words_for(replace(LOADED, name="", path="/models/GLM-OCR-Q8_0.gguf")).page == "Text Recognition:"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Rent. " + "x" * 300, "Rent. x"),
        ("Rent.\n" + "| a | b |\n" * 40, "Rent.\n| a | b |"),
        ("Rent. " + "this sentence comes again and again, whoever reads it. " * 8, None),
        ("Name: " + "_" * 300 + "\n" + "." * 400, ""),
        ("".join(f"| {number} | {number * 7} |\n" for number in range(200)), ""),
        ("The rent is due on the third working day of each month. " * 3, ""),
    ],
)
def test_a_text_that_says_the_same_for_ever_is_noticed(text: str, kept: str | None) -> None:
    found = repeated_from(text)
    assert (found is not None) == (kept != "")
    if kept:
        assert judged(text, is_whole=False) == Said(kept, "repeated")


def test_a_figures_caption_and_its_text_are_told_apart() -> None:
    assert apart(Said("A kiln.\n\n**TEXT**\n\n900 °C", "read")) == Said("900 °C", "read", "A kiln.")
    assert apart(Said("A kiln without a word.", "read")) == Said("", "read", "A kiln without a word.")
