"""The document beside the chat: opened by chips, at the sentence; closed by Esc; alone in a narrow window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bootstrap import build
from app.ui import tasks
from app.ui.chat.chat_view import ChatView
from app.ui.chat.question_view import QuestionView
from app.ui.chat.source_row import SourceRow
from app.ui.main_window import MainWindow
from app.ui.model_loader import ModelLoader
from app.ui.notify import Notify
from app.ui.theme import Theme
from tests.helpers.attached import drop, lease_pdf
from tests.helpers.script import write_script
from tests.ui.chat.conftest import Desk

ANSWER = "The deposit is 2,400 euros, paid back within eight weeks of moving out [p. 2]. It says nothing on [p. 9]."


class Window(Desk):
    """A desk in its whole window."""

    window: MainWindow

    @property
    def panel(self) -> Any:
        return self.window.views.document


@pytest.fixture
def open_whole(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Window]]:
    """A window with the real chat, whose model answers by these rules."""
    opened: list[Window] = []

    def make(*rules: dict[str, Any], width: int = 1280) -> Window:
        script = write_script(tmp_path / "script", *rules)
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
        app, theme = build(), Theme("light")
        theme.install(qapp)
        notify = Notify(theme)
        loader = ModelLoader(app, notify)
        chat = ChatView(app, theme, notify)
        desk = Window(app, chat, notify, theme, script, qtbot)
        desk.window = MainWindow(app, theme, notify, loader, chat)
        desk.window.resize(width, 700)
        desk.window.show()
        desk.window.activateWindow()
        opened.append(desk)
        loader.load(tmp_path / "model.gguf")
        qtbot.waitUntil(lambda: loader.state == "ready", timeout=9_000)
        return desk

    yield make
    for desk in opened:
        desk.window.close()
        assert tasks.running.stop_all(10)
        tasks.running.reopen()
        desk.app.close()
        desk.window.deleteLater()
    qapp.setStyleSheet("")


def ask_about_the_lease(desk: Window, tmp_path: Path) -> None:
    drop(desk.window, lease_pdf(tmp_path / "lease.pdf"))
    desk.qtbot.waitUntil(lambda: [one.fit is not None for one in desk.chat.attaching.shown] == [True], timeout=9_000)
    desk.type("And the deposit?")
    desk.qtbot.waitUntil(desk.chat.composer.send.isEnabled, timeout=10_000)
    with desk.qtbot.waitSignal(desk.chat.answer_finished, timeout=20_000):
        desk.press(Qt.Key.Key_Return)


def sources(desk: Window) -> SourceRow:
    return desk.last.sources


def test_a_source_opens_the_document_with_its_sentence_marked_and_esc_goes_back(
    open_whole: Callable[..., Window], tmp_path: Path
) -> None:
    desk = open_whole({"text": ANSWER})
    ask_about_the_lease(desk, tmp_path)
    assert sources(desk).text == "May come from p. 2"
    (chip,) = sources(desk).chips
    assert chip.accessibleName() == "page 2 of lease.pdf"
    chip.setFocus()
    desk.qtbot.keyClick(chip, Qt.Key.Key_Space)
    view = desk.panel.view
    assert view.isVisible()
    assert desk.chat.isVisible()
    assert view.page == 2
    mark = view._mark
    (block,) = view.document.blocks(mark.block_id, 1)
    assert " ".join(block.text[mark.start : mark.end].split()).startswith("The deposit is 2,400 euros")
    desk.qtbot.waitUntil(lambda: view.area.paper.shown is not None, timeout=9_000)
    assert view.area.paper.marked_rect() is not None
    focus = QApplication.focusWidget()
    assert focus is not None
    assert view.isAncestorOf(focus)
    desk.qtbot.keyClick(focus, Qt.Key.Key_Escape)
    assert not view.isVisible()
    assert chip.hasFocus()


def test_a_page_that_the_model_names_is_a_link_where_there_is_such_a_page(
    open_whole: Callable[..., Window], tmp_path: Path
) -> None:
    desk = open_whole({"text": ANSWER})
    ask_about_the_lease(desk, tmp_path)
    prose = desk.last.body.views[0]
    spans = [span for line in prose.lines for span in line.spans]  # type: ignore[union-attr]
    links = [span for span in spans if span.href]
    assert [link.text.strip("\u2009").replace("\u00a0", " ") for link in links] == ["p. 2"]
    assert "[p. 9]" in prose.toPlainText()  # type: ignore[union-attr]
    desk.last.link_clicked.emit(links[0].href)
    assert desk.panel.view.page == 2
    assert desk.panel.view._mark.end > 0
    assert desk.texts[-1] == ANSWER, "what the model said stays as it was"


def test_a_document_of_a_question_opens_at_its_beginning_and_leaves_with_its_chat(
    open_whole: Callable[..., Window], tmp_path: Path
) -> None:
    desk = open_whole({"text": ANSWER})
    ask_about_the_lease(desk, tmp_path)
    question = desk.turns[0]
    assert isinstance(question, QuestionView)
    desk.qtbot.keyClick(question.documents.chips[0], Qt.Key.Key_Return)
    assert (desk.panel.view.page, desk.panel.view._mark) == (1, None)
    desk.window.new_chat()
    assert not desk.panel.is_open
    assert not desk.panel.view.isVisible()


def test_in_a_narrow_window_the_document_takes_the_place_of_the_chat(
    open_whole: Callable[..., Window], tmp_path: Path
) -> None:
    desk = open_whole({"text": ANSWER}, width=900)
    ask_about_the_lease(desk, tmp_path)
    desk.qtbot.mouseClick(sources(desk).chips[0], Qt.MouseButton.LeftButton)
    assert desk.panel.view.isVisible()
    assert not desk.chat.isVisible()
    desk.qtbot.mouseClick(desk.panel.view.header.close_button, Qt.MouseButton.LeftButton)
    assert desk.chat.isVisible()
    assert not desk.panel.view.isVisible()


def test_a_sent_document_stays_when_the_question_is_edited(open_whole: Callable[..., Window], tmp_path: Path) -> None:
    desk = open_whole({"text": ANSWER})
    ask_about_the_lease(desk, tmp_path)
    desk.press(Qt.Key.Key_Up)
    question = desk.turns[0]
    assert isinstance(question, QuestionView)
    assert question.editor is not None
    desk.qtbot.keyClicks(question.editor.field.edit, " Please.")
    with desk.qtbot.waitSignal(desk.chat.answer_finished, timeout=20_000):
        desk.qtbot.keyClick(question.editor.field.edit, Qt.Key.Key_Return)
    again = desk.turns[0]
    assert isinstance(again, QuestionView)
    assert len(again.documents.chips) == 1
    assert "2,400 euros" in desk.prompts()[-1][-1][1]


def test_the_sources_are_reached_by_tab_from_the_message(open_whole: Callable[..., Window], tmp_path: Path) -> None:
    desk = open_whole({"text": "The deposit is 2,400 euros, paid back within eight weeks of moving out."})
    ask_about_the_lease(desk, tmp_path)
    desk.chat.focus_composer()
    names: list[str] = []
    while "page 2 of lease.pdf" not in names and len(names) < 16:
        focus = QApplication.focusWidget()
        assert focus is not None
        desk.qtbot.keyClick(focus, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
        reached = QApplication.focusWidget()
        assert reached is not None
        names.append(reached.accessibleName())
    assert names[-1] == "page 2 of lease.pdf"
