"""An answer about a document is read by the checker that was chosen; what it doubts stands below the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget

from app.features.claim_checker.conversion import convert_checker
from app.features.retrieval.support_messages import NO_SUPPORT
from app.ui.chat.answer_view import StateLine
from app.ui.chat.claim_check import CHECKING_THIS_ANSWER_WAITS_FOR_THE_MODEL, AnswerChecking
from tests.helpers.attached import notes
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.tiny_checker import make_checker
from tests.ui.chat.conftest import Open

KILN = "The old kiln by the river cools for two days before anybody opens it."
SAID = f"{KILN} It was painted blue by nuns."
DOUBTED = NO_SUPPORT.format(words="“painted blue”, “nuns.”")
LOADS: list[dict[str, Any]] = [
    {"when": r"checker\.gguf$", "can_chat": False},
    {"context_tokens": 4000},
]


def open_kiln_chat(open_chat: Open, folder: Path) -> tuple[ChatDesk, AnswerChecking]:
    """A chat about a document, with a scripted checker, which doubts words that its source lacks."""
    desk = open_chat({"text": SAID}, load=LOADS)
    desk.app.change_settings(
        "models", checker_path=str(convert_checker(make_checker(folder / "files"), folder / "checker.gguf"))
    )
    checking = AnswerChecking(desk.app, desk.notify, desk.chat)
    desk.attach(notes(folder / "kiln.txt", KILN, "It was built by Anna Lind."))
    return desk, checking


def line_of(desk: ChatDesk) -> str:
    """What is said of a checker below the last answer."""
    line = desk.last.findChild(StateLine, "answer_doubts")
    return line.text if line is not None and line.isVisible() else ""


def test_what_a_checker_doubts_stands_below_the_answer_and_is_kept(open_chat: Open, tmp_path: Path) -> None:
    desk, _ = open_kiln_chat(open_chat, tmp_path)
    desk.ask("How long does the kiln cool?")
    desk.wait(lambda: line_of(desk) == DOUBTED)
    chat = desk.chat.conversation_id
    desk.chat.show_conversation(None)
    desk.chat.show_conversation(chat)
    desk.wait(lambda: len(desk.turns) == 2)
    assert line_of(desk) == DOUBTED
    below: QWidget = desk.last.evidence.sources
    line = desk.last.findChild(StateLine, "answer_doubts")
    assert below.isVisible()
    assert line is not None
    assert line.y() >= below.geometry().bottom()


def test_the_next_question_goes_before_it(open_chat: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, checking = open_kiln_chat(open_chat, tmp_path)
    is_answering = [True]
    monkeypatch.setattr(type(desk.engine), "is_answering", property(lambda _: is_answering[0]))
    desk.ask("How long does the kiln cool?")
    desk.wait(lambda: line_of(desk) == CHECKING_THIS_ANSWER_WAITS_FOR_THE_MODEL)
    view = desk.last_views[0]
    desk.drag(view, 0, view, len(KILN))
    laid_out: list[bool] = []
    desk.last.written.on_laid_out = lambda: laid_out.append(True)
    is_answering[0] = False
    desk.wait(lambda: line_of(desk) == DOUBTED and not checking.is_running)
    assert (desk.last_views[0], laid_out) == (view, []), "a long answer takes a while to lay out"
    assert view.textCursor().selectedText() == KILN, "what somebody selected meanwhile stays selected"


def test_without_a_checker_and_with_one_that_fails_answers_are_as_they_were(open_chat: Open, tmp_path: Path) -> None:
    desk, checking = open_kiln_chat(open_chat, tmp_path)
    broken = tmp_path / "model.gguf"  # one that chats
    broken.write_bytes((tmp_path / "checker.gguf").read_bytes())
    desk.app.change_settings("models", checker_path=str(broken))
    desk.ask("How long does the kiln cool?")
    desk.wait(lambda: bool(desk.notices) and not checking.is_running)
    assert line_of(desk) == ""
    told = len(desk.notices)
    desk.ask("How long does the kiln cool?")
    assert not checking.is_running
    assert len(desk.notices) == told, "it is told once"
    desk.app.change_settings("models", checker_path="")
    desk.ask("How long does the kiln cool?")
    assert not checking.is_running
