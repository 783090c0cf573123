"""The Write tab in the window: its column, its key, what is dropped on it, what it is sent, the panel at its right."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.ui.inside.inside_panel import OWN_TEXT, InsidePanel
from app.ui.inside.look import MESSAGE
from app.ui.shared_labels import TODAY, UNDO
from app.ui.write.page_inside import PAGE, THE_LAST_CONTINUATION, PageSubjects
from tests.helpers.attached import notes
from tests.helpers.desks.inside import InsideDesk
from tests.helpers.desks.window import Frame, open_window
from tests.ui.write.conftest import Open

WRITE = "write InsideSplitter pages_column"


def write_pages(frame: Frame, *texts: str) -> list[int]:
    frame.show_tab("write")
    for text in texts:
        frame.window.tab("write").take_text(text)
    return [frame.app.pages.find(text)[0].id for text in texts]


def test_it_is_opened_by_its_key_and_a_page_gets_its_row_with_its_first_words(frame: Frame) -> None:
    frame.key(Qt.Key.Key_4)
    assert frame.shown == WRITE
    assert frame.focus is frame.write.edit
    assert frame.page_list.rows == []
    frame.write.type("A letter to Ada")
    frame.wait(lambda: frame.page_list.rows == [TODAY, "A letter to Ada"])
    assert frame.page_list.current == frame.write.open_id
    assert frame.window.windowTitle() == "A letter to Ada – Fireside"
    frame.write.edit.selectAll()
    frame.write.type("A note to Ada")
    frame.wait(lambda: frame.window.windowTitle() == "A note to Ada – Fireside")
    frame.do("new")
    assert frame.write.text == ""
    frame.write.type("Another")
    frame.wait(lambda: frame.page_list.rows == [TODAY, "Another", "A note to Ada"])


def test_pages_are_found_by_their_words_renamed_and_deleted_with_a_way_back(frame: Frame) -> None:
    boats, _ = write_pages(frame, "Boats\nThe harbour was full.", "Barns\nHay everywhere.")
    column = frame.page_list
    column.reload()
    column.find_words("harbour")
    frame.wait(lambda: column.rows == [TODAY, "Boats"])
    column.open(boats)
    assert frame.write.text.startswith("Boats")
    column.model.setData(column.index_of(boats), "My boats")
    assert frame.write.title_line.text() == "My boats"
    column.find_words("")
    frame.wait(lambda: column.rows == [TODAY, "Barns", "My boats"])
    column.press_in_list(Qt.Key.Key_Delete)
    assert frame.write.text == ""
    assert column.rows == [TODAY, "Barns"]
    frame.press_notice(UNDO)
    assert column.rows == [TODAY, "Barns", "My boats"]
    assert frame.write.text.startswith("Boats")


def test_text_files_let_go_on_the_chat_can_become_pages_and_others_are_not_offered_that(
    frame: Frame, tmp_path: Path
) -> None:
    plan, lease = notes(tmp_path / "plan.md", "# Plan"), tmp_path / "lease.pdf"
    assert frame.hint(plan) == "Ask about it, Summarize, Translate, Write"
    assert frame.hint(lease) == "Ask about it, Summarize, Translate"
    frame.drop(plan, share=0.95)
    assert frame.shown == WRITE
    frame.wait(lambda: frame.write.text.startswith("# Plan"))
    assert frame.hint(plan) == "Drop to open as a page"


def test_the_page_that_was_open_comes_back_after_a_restart(qapp: QApplication) -> None:
    with open_window(qapp) as frame:
        write_pages(frame, "The first", "The second")
        frame.wait(lambda: frame.settings.window.page_id == frame.write.open_id)
    with open_window(qapp) as frame:
        frame.wait(lambda: frame.shown == WRITE)
        assert frame.write.text == "The second"


# What the panel is told.


def test_the_panel_follows_one_continuation_after_the_other(frame: Frame) -> None:
    frame.loader.start()
    frame.wait(lambda: frame.loader.state == "ready")
    write_pages(frame, "The sea was calm")
    desk = frame.write
    desk.put_cursor(len(desk.text))
    frame.key(Qt.Key.Key_I)
    panel = InsideDesk(frame.find_step(InsidePanel), frame.app, frame.notify)
    panel.show_page("Probabilities")
    for _ in range(3):
        desk.continue_to_end()
        panel.wait(lambda: panel.looks_at == THE_LAST_CONTINUATION and panel.tokens)
    desk.root.show_page(None)
    assert panel.offered == [OWN_TEXT]


def test_a_continuation_is_told_of_token_by_token_and_goes_on_from_another_one(open_page: Open) -> None:
    desk = open_page({"text": " one two three four", "held_after": 2, "until": "go"}, {"text": " five"})
    subjects = PageSubjects(desk.edit, desk.root.continuing, desk.root)
    assert subjects.now() == []
    desk.type("Count:")
    desk.go_on()
    desk.wait(lambda: any(one.is_being_written for one in subjects.now()))
    assert desk.script is not None
    desk.script.with_name("go").touch()
    desk.wait(lambda: not desk.is_busy)
    said, page = subjects.now()
    assert (said.name, said.text) == (MESSAGE, " one two three four")
    assert (page.name, page.text) == (PAGE, "Count: one two three four")
    answer = said.answer
    assert answer is not None
    tokens = list(answer.seen)
    assert b"".join(token.data for token in tokens).decode() == said.text
    guess = tokens[2].alternatives[1]
    assert answer.can_replace(tokens, 2, guess)
    answer.go_on_with(tokens, 2, guess)
    desk.wait(lambda: not desk.is_busy)
    assert desk.text.startswith("Count: one two other")
    assert desk.asked[-1]["text"] == "Count: one two"
    assert desk.asked[-1]["forced"] == [guess.id]
    assert desk.tinted == [desk.text[len("Count:") :]]
    assert [token.data for token in list(subjects.now()[0].answer.seen)[:3]] == [b" one", b" two", b" other"]  # type: ignore[union-attr]
    desk.press(Qt.Key.Key_Z, modifier=Qt.KeyboardModifier.ControlModifier)
    assert desk.text == "Count: one two three four"
