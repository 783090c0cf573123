"""A job's thread asks whether its model may take the chat's place, and waits for the person or the window's end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.features.models.model_pool import ModelSwap
from app.ui.shared_labels import PUT_TO_SLEEP
from app.ui.theme import Theme
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.work.job_tab import NOT_NOW, SecondModelQuestion
from tests.helpers.desks.window import Frame

GB = 10**9
SWAP = ModelSwap("summarize", "Small 4B", "Big 26B", 14 * GB, 5 * GB)


class Job:
    """A thread that asks once."""

    def __init__(self, question: SecondModelQuestion) -> None:
        self.answers: list[bool] = []
        self._thread = threading.Thread(target=lambda: self.answers.append(question.ask(SWAP)))
        self._thread.start()

    def end(self) -> list[bool]:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.answers


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> Iterator[QWidget]:
    theme = Theme("light")
    theme.install(qapp)
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    yield window
    qapp.setStyleSheet("")


@pytest.fixture
def question(window: QWidget) -> Iterator[SecondModelQuestion]:
    question = SecondModelQuestion(Theme("light"), window)
    yield question
    question.close()


def asked(window: QWidget, qtbot: QtBot) -> QuestionDialog:
    qtbot.waitUntil(lambda: window.findChild(QuestionDialog) is not None)
    found = window.findChild(QuestionDialog)
    assert found is not None
    return found


@pytest.mark.parametrize(("words", "answer"), [(PUT_TO_SLEEP, True), (NOT_NOW, False)])
def test_the_thread_gets_the_answer(
    window: QWidget, question: SecondModelQuestion, qtbot: QtBot, words: str, answer: bool
) -> None:
    job = Job(question)
    dialog = asked(window, qtbot)
    assert all(fact in dialog.words.text() for fact in ("Big 26B", "14.0 GB", "5.0 GB", "Small 4B"))
    assert job.answers == [], "it waits"
    button = next(one for one in dialog.findChildren(QPushButton) if one.text() == words)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert job.end() == [answer]


def test_enter_is_yes_and_escape_is_no(window: QWidget, question: SecondModelQuestion, qtbot: QtBot) -> None:
    for key, answer in ((Qt.Key.Key_Return, True), (Qt.Key.Key_Escape, False)):
        job = Job(question)
        dialog = asked(window, qtbot)
        qtbot.keyClick(dialog, key)
        assert job.end() == [answer]
        qtbot.waitUntil(lambda: window.findChild(QuestionDialog) is None)


def test_a_window_that_closes_answers_no_and_is_not_asked_again(
    window: QWidget, question: SecondModelQuestion, qtbot: QtBot
) -> None:
    job = Job(question)
    asked(window, qtbot)
    question.close()
    assert job.end() == [False]
    assert Job(question).end() == [False]


def test_the_summaries_ask_in_the_window_that_is_open(frame: Frame, qtbot: QtBot) -> None:
    frame.show_tab("summarize")
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(frame.summaries.engines.ask(SWAP)))
    thread.start()
    asked(frame.window, qtbot)
    frame.window.close()
    thread.join(60)
    assert answers == [False]
