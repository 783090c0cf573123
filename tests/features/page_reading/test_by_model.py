"""What models are asked for a page, each in its own words, and how an endless answer is told from a long one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors.app_error import AppError
from app.core.events import CANCELLED, CancelToken, Finished, FinishReason, Media, TextDelta, WaitingAnew
from app.features.page_reading.by_model import (
    PageAnswer,
    ask_for,
    ask_model,
    judge_answer,
    repeated_from,
    split_figure_answer,
    words_for,
)
from app.features.page_reading.corrections import DocumentScanner
from app.features.work.asking import TaskRests
from tests.features.page_reading.models import LOADED
from tests.helpers.picture_files import BLUE, RED, colour_at, picture


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
        assert judge_answer(text, is_whole=False) == PageAnswer(kept, "repeated")


def test_a_figures_caption_and_its_text_are_told_apart() -> None:
    assert split_figure_answer(PageAnswer("A kiln.\n\n**TEXT**\n\n900 °C", "read")) == PageAnswer(
        "900 °C", "read", "A kiln."
    )
    assert split_figure_answer(PageAnswer("A kiln without a word.", "read")) == PageAnswer(
        "", "read", "A kiln without a word."
    )


def test_a_page_that_gave_way_to_a_chat_is_what_the_second_answer_says() -> None:
    end = Finished(replace(CANCELLED, finish_reason=FinishReason.STOP))
    told = [TextDelta("The re"), WaitingAnew("interactive"), TextDelta("The rent."), end]

    class Server:
        def generate_many(self, _asks: object, **_options: object) -> Iterator[tuple[int, object]]:
            return ((0, event) for event in told)

    ask = ask_for(words_for(LOADED), Media("ab", "/x.ppm"), LOADED, is_figure=False)
    events = list(ask_model(Server(), ask, CancelToken()))  # type: ignore[arg-type]
    assert events == [TaskRests("interactive"), TaskRests(""), PageAnswer("The rent.", "read")]


def test_two_that_read_pages_in_one_folder_do_not_get_each_others(tmp_path: Path) -> None:
    """The terminal may read a file while the window does."""
    files, folder = [picture(tmp_path / f"{one[0]}.png", one) for one in (RED, BLUE)], tmp_path / "pages"
    folder.mkdir()
    old = folder / "page-left.ppm"
    old.write_bytes(b"of a run that was killed")
    os.utime(old, (1.0, 1.0))
    with ExitStack() as stack:
        scanners = [stack.enter_context(closing(DocumentScanner(file, "", folder))) for file in files]
        made = [scanner.put_upright(1, (), 100, CancelToken()) for scanner in scanners]
        shown = [Path(one[0].path) for one in made if one is not None]
        assert [colour_at(path, 5, 5) for path in shown] == [RED, BLUE]
        with pytest.raises(AppError):
            scanners[0].put_upright(9, (), 100, CancelToken())
    assert sorted(folder.glob("*.ppm")) == sorted(shown)
