"""What is shown before a model is asked: sentences with pages, key terms, outline; and how a summary takes over."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu

from app.core.events import CancelToken
from app.features.reading_aloud.voice_process import TRIAL_VARIABLE
from app.features.shown_document import TextHighlight
from app.features.summarize.summarize import Merging, Planned, SectionRead, Writing
from app.features.summarize.summary_messages import DIGEST_WORDS
from app.features.summarize.summary_result import Length
from app.ui.shared_labels import SAVED_AS
from app.ui.summarize import digest_page
from app.ui.summarize.digest_page import DIGEST_CANCELLED, DIGEST_PERCENT
from app.ui.summarize.summarize_tab import MEANWHILE
from app.ui.summarize.summary_texts import STOPPED_AT_SECTION, STOPPED_BEFORE_READING
from tests.helpers.attached import lease_pdf
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import requests, write_script
from tests.helpers.summaries import put_pipeline
from tests.ui.summarize.conftest import FOUND, Desk, Open, Pipeline, differing, found

LABEL = DIGEST_WORDS
SENTENCES = (
    "The lease begins on the first of",
    "May and runs for three years without interruption.",
    "The deposit is 2,400 euros and is paid back within eight weeks of moving out.",
    "Notice is given three months before the end of a quarter and only by a signed letter.",
    "Pets such as cats and small dogs are allowed after the owner has agreed in writing.",
)
REPORT = """# Kilns

Ms Tanaka runs the kiln in Lindvik. The Key Performance Indicator (KPI) is the heat.

## Fire

In Lindvik, the KPI rose by 8 % on 3 May 2024. The kiln cost 3.7 million euros.

## Clay

Clay comes from Lindvik and from Porto.
"""
NEVER = {"seconds": 3600}
"""How long a model loads in a test that does not wait for it."""


def report(path: Path) -> Path:
    path.write_text(REPORT, "utf-8")
    return path


def look_at(desk: Desk, *paths: Path) -> tuple[int, ...]:
    """Drops files, and waits for nothing but what is shown without a model; the documents' ids."""
    desk.view.add_files(list(paths))
    desk.wait(lambda: len(desk.read) == len(paths) and not desk.is_reading)
    desk.wait(lambda: desk.has_digest and not desk.is_looking)
    return tuple(desk.document_ids)


@pytest.fixture
def window(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Frame, Pipeline]]:
    """The whole window; its model loads until that is given up, and what a summary tells is a test's own."""
    script = write_script(tmp_path / "script", load=NEVER | {"times": 1})
    rules = json.loads(script.read_text("utf-8"))
    script.write_text(json.dumps(rules | {"load": [rules["load"], {"any_path": True}]}), "utf-8")
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp) as frame:
        pipeline = Pipeline()
        put_pipeline(frame.app, pipeline)
        frame.window.resize(1280, 800)
        yield frame, pipeline


def test_the_words_say_that_no_model_was_asked() -> None:
    assert "without a model" in DIGEST_WORDS


def test_from_the_drop_to_the_stop_in_the_window(window: tuple[Frame, Pipeline], tmp_path: Path) -> None:
    frame, pipeline = window
    frame.loader.start()
    frame.click_tab("summarize")
    frame.drop(lease_pdf(tmp_path / "lease.pdf"), share=0.6)
    desk = frame.summarize
    desk.wait(lambda: desk.has_digest)
    assert frame.loader.state == "loading"
    assert desk.digest_words.text() == LABEL
    assert desk.digest_said == list(SENTENCES)
    assert requests(tmp_path / "script" / "script.json") == []

    desk.open_sentence(2)
    assert (desk.reader.page, desk.reader.marked_text) == (2, SENTENCES[2])
    desk.press(Qt.Key.Key_Escape)
    assert not desk.reader.is_visible

    desk.click(desk.begin_button)
    assert desk.page == "work"
    assert desk.digest_said == list(SENTENCES), "the same, at once"
    assert MEANWHILE in desk.said
    assert DIGEST_WORDS not in desk.said, "the model is at work"
    frame.loader.cancel()
    pipeline.says.put(Planned(4, 400))
    pipeline.says.put(SectionRead(1, 4, (found("It begins in May.", 1, 2),), 0, 1, blocks=(1, 3)))
    desk.wait(lambda: desk.statement_count == 1)
    assert desk.digest_said == list(SENTENCES[2:])
    pipeline.says.put(SectionRead(2, 4, (), 0, 4, has_failed=True, blocks=(8, 9)))
    pipeline.says.put(SectionRead(3, 4, (found(),), 0, 2, blocks=(4, 5)))
    desk.wait(lambda: desk.statement_count == 2)
    assert desk.digest_said == list(SENTENCES[3:]), "a section that gave nothing keeps its sentences"
    assert desk.said.index("It begins in May") < desk.said.index(MEANWHILE) < desk.said.index("Notice is given")

    desk.click(desk.stop)
    desk.wait(lambda: desk.page == "result" and desk.statement_count == 2)
    assert desk.state_words.text() == STOPPED_AT_SECTION.format(read=3, sections=4)
    assert FOUND[:20] in desk.said
    assert SENTENCES[4] in desk.digest_said


def test_the_sentences_are_read_aloud_by_a_button(
    window: tuple[Frame, Pipeline], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRIAL_VARIABLE, "mock")
    frame, marked = window[0], list[str]()
    reading = frame.window.ui.reading
    assert reading is not None
    frame.click_tab("summarize")
    desk = frame.summarize
    assert not desk.read_digest.isVisible()
    frame.drop(lease_pdf(tmp_path / "lease.pdf"), share=0.6)
    desk.wait(lambda: desk.has_digest)

    def note_mark() -> None:
        marked.extend(mark.cursor.selectedText() for mark in desk.digest.extraSelections())

    reading.changed.connect(note_mark)
    desk.click(desk.read_digest)
    frame.wait(lambda: not reading.is_on)
    assert [text[:24] for text in dict.fromkeys(marked)] == [text[:24] for text in SENTENCES], "their pages are marked"


def test_a_summary_takes_the_place_of_the_sentences(desk: Desk, tmp_path: Path) -> None:
    look_at(desk, lease_pdf(tmp_path / "lease.pdf"))
    desk.click(desk.begin_button)
    desk.wait(lambda: len(desk.pipeline.asked) == 1 and len(desk.digest_said) == 5)
    desk.say(Planned(1, 100), Writing("The deposit"))
    desk.wait(lambda: desk.said == "The deposit")
    desk.say(Planned(2, 100))
    desk.wait(lambda: len(desk.digest_said) == 5)
    desk.say(SectionRead(1, 2, (found(),), 0, 1, blocks=(1, 5)), SectionRead(2, 2, (), 0, 3, blocks=(6, 9)))
    desk.wait(lambda: desk.digest_said == [])
    desk.say(Merging(0, 1))
    desk.finish(found(), differing())
    assert desk.digest_said == []
    assert MEANWHILE not in desk.said


def test_stopped_before_anything_was_read_the_sentences_can_be_copied_and_saved(desk: Desk, tmp_path: Path) -> None:
    look_at(desk, lease_pdf(tmp_path / "lease.pdf"))
    desk.click(desk.begin_button)
    desk.wait(lambda: len(desk.pipeline.asked) == 1)
    desk.click(desk.stop)
    desk.wait(lambda: desk.page == "result" and desk.digest_said == list(SENTENCES))
    assert desk.state_words.text() == STOPPED_BEFORE_READING
    assert desk.statement_count == 0
    desk.click(desk.copy)
    assert LABEL in QGuiApplication.clipboard().text()
    desk.save_as(".md", tmp_path / "saved.md")
    desk.wait(lambda: SAVED_AS.format(name="saved.md") in desk.notices)
    assert SENTENCES[4] in " ".join((tmp_path / "saved.md").read_text("utf-8").split())


def test_without_any_model_there_are_sentences_to_copy_and_save(open_tab: Open, tmp_path: Path) -> None:
    desk = open_tab(load={"any_path": False, "error": "ModelMissing", "fields": {"path": "gone.gguf"}})
    look_at(desk, lease_pdf(tmp_path / "lease.pdf"))
    desk.click(desk.copy_digest)
    copied = QGuiApplication.clipboard().text()
    assert SENTENCES[2].rstrip(".") in copied
    assert LABEL in copied
    assert "p. 2" in copied
    desk.click(desk.save_digest)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    desk.save_as(".md", tmp_path / "sentences.md", menu)
    desk.wait(lambda: SAVED_AS.format(name="sentences.md") in desk.notices)
    assert LABEL in (tmp_path / "sentences.md").read_text("utf-8")


def test_key_terms_open_their_place_and_step_through_all_of_them(open_tab: Open, tmp_path: Path) -> None:
    desk = open_tab(load=NEVER, size=(1280, 800))
    look_at(desk, report(tmp_path / "kilns.md"))
    texts = [chip.term.text for chip in desk.key_terms.chips]
    assert texts == ["KPI", "Lindvik", "Tanaka", "Porto", "8 %", "3.7 million euros", "3 May 2024"]
    kpi, lindvik = desk.term("KPI"), desk.term("Lindvik")
    assert "Key Performance Indicator (KPI)" in kpi.toolTip()
    assert (lindvik.text(), lindvik.accessibleName()) == ("Lindvik · 3", "Lindvik, 3 places")
    places = []
    for _ in range(4):
        desk.click(lindvik)
        assert desk.reader.marked_text == "Lindvik"
        mark = desk.reader.mark
        assert mark is not None
        places.append(mark.block_id)
    assert places == [2, 4, 6, 2]
    assert (lindvik.text(), lindvik.property("on")) == ("Lindvik · 1/3", True)
    assert lindvik.accessibleName() == "Lindvik: place 1 of 3, paragraph 2"
    desk.open_heading(0)
    assert not lindvik.property("on")


def test_by_keyboard_a_term_keeps_the_keyboard_and_steps_on(open_tab: Open, tmp_path: Path) -> None:
    desk = open_tab(load=NEVER, size=(1280, 800))
    look_at(desk, report(tmp_path / "kilns.md"))
    desk.save_digest.setFocus()
    desk.press(Qt.Key.Key_Tab)
    assert desk.focus is desk.digest
    desk.press(Qt.Key.Key_Tab)
    assert desk.focus is desk.term("KPI")
    desk.press(Qt.Key.Key_Right)
    assert desk.focus is desk.term("Lindvik")
    desk.press(Qt.Key.Key_Return, Qt.Key.Key_Return)
    assert desk.focus is desk.term("Lindvik")
    assert desk.reader.mark == TextHighlight(4, 3, 10)
    desk.press(Qt.Key.Key_Return, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert desk.reader.mark == TextHighlight(2, 27, 34)
    desk.press(Qt.Key.Key_Escape)
    assert not desk.reader.is_visible
    assert desk.focus is desk.term("Lindvik")
    desk.press(Qt.Key.Key_End)
    assert desk.focus is desk.key_terms.chips[-1]
    desk.press(Qt.Key.Key_Tab)
    assert desk.focus is desk.outline
    assert desk.page == "draft", "Enter was for the term"


def test_the_outline_opens_its_headings_by_click_and_by_enter(open_tab: Open, tmp_path: Path) -> None:
    desk = open_tab(load=NEVER, size=(1280, 800))
    look_at(desk, report(tmp_path / "kilns.md"))
    assert desk.headings == ["Kilns"]
    desk.open_heading(0)
    assert desk.reader.marked_text == "Kilns"
    desk.outline.setFocus(Qt.FocusReason.TabFocusReason)
    desk.press(Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert desk.reader.marked_text == "Clay"
    desk.press(Qt.Key.Key_Escape)
    assert not desk.reader.is_visible


def test_looking_that_takes_long_can_be_cancelled_and_wished_for_again(
    open_tab: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest_page, "TICK_MS", 1)
    desk, has_ended = open_tab(load=NEVER), threading.Event()

    def look_without_end(_ids: Any, _wish: Any, cancel: CancelToken, progress: Callable[[float], object]) -> None:
        progress(0.4)
        while not cancel.cancelled:
            has_ended.wait(0.01)
        has_ended.set()

    with monkeypatch.context() as slow:
        slow.setattr(desk.summaries, "first_look", look_without_end)
        desk.view.add_files([lease_pdf(tmp_path / "lease.pdf")])
        desk.wait(desk.cancel_digest.isVisible)
        assert desk.digest_words.text() == DIGEST_PERCENT.format(percent=40)
        desk.cancel_digest.setFocus()
        desk.press(Qt.Key.Key_Return)
        assert has_ended.wait(60)
    assert desk.digest_words.text() == DIGEST_CANCELLED
    assert not desk.cancel_digest.isVisible()
    assert desk.focus is desk.look_for_digest
    assert desk.begin_button.isEnabled()
    desk.choose_length(Length.SHORT)
    desk.view.show_new()
    assert not desk.is_looking, "nobody asked for it"
    assert desk.look_for_digest.isVisible()
    desk.look_for_digest.setFocus()
    desk.press(Qt.Key.Key_Return)
    desk.wait(lambda: desk.has_digest)
    assert not desk.look_for_digest.isVisible()


@pytest.mark.parametrize(("size", "zoom"), [((640, 480), 2.0), ((1280, 800), 1.0)])
def test_nothing_of_it_is_cut_off_and_everything_can_be_brought_into_view(
    open_tab: Open, tmp_path: Path, size: tuple[int, int], zoom: float
) -> None:
    desk = open_tab(load=NEVER, size=size, zoom=zoom)
    look_at(desk, report(tmp_path / "kilns.md"))
    desk.wait(lambda: clipped_texts(desk.view) == [])
    digest = desk.digest
    assert digest.height() >= digest.document().size().height()
    assert digest.document().idealWidth() <= digest.viewport().width()
    last = digest.ranges[-1]
    digest.setFocus(Qt.FocusReason.TabFocusReason)
    desk.press(Qt.Key.Key_End)
    desk.wait(lambda: not digest.visibleRegion().intersected(digest.place_of(len(digest.ranges) - 1)).isEmpty())
    assert last.shown.statement.text
