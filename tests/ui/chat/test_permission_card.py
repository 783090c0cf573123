"""The card that asks about a tool: shown below the answer, answered by mouse and keyboard, gone with Stop."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.features.chat.tool_questions import ToolCall, ToolReach
from app.features.mcp.tool_servers import FOLDER
from app.features.tools.call_words import (
    ALLOW_TOOL,
    CAN_CHANGE,
    CAN_CONNECT,
    CAN_READ,
    HOST_SEES,
    MAY_BE_KEPT,
    ONLY_OWN_FOLDER,
    ONLY_READS,
    RUNS_ELSEWHERE,
    reach_words,
)
from app.features.tools.permissions import PermissionAnswer
from app.features.tools.stored_grants import StoredGrant
from app.ui.chat.permission_card import (
    PermissionCard,
    SentArguments,
)
from app.ui.chat.tool_steps_view import SERVER_TOOL, STEP_STATES, USED_SERVER_TOOL, StepLine
from app.ui.chat.tools_choice import TOOLS_LABEL
from tests.features.tools.lent_tools import OWN_WAY, written_call
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.tool_configs import config
from tests.ui.chat.conftest import Open

WRITE = written_call("write_note", by_template=True, text="milk")
RULES = (
    {"when": "note was written", "text": "Noted."},
    {"when": "not allow", "text": "Then not."},
    {"when": "note down", "text": f"I write it down. {WRITE}"},
    {"text": "Hello."},
)


@pytest.fixture
def desk(open_chat: Open) -> ChatDesk:
    desk = open_chat(*RULES, calls=OWN_WAY)
    desk.app.tool_servers.add_servers([config("notes")])
    desk.choose_entry(TOOLS_LABEL)
    return desk


def notes_of(desk: ChatDesk) -> Path:
    return desk.app.paths.data / FOLDER / "notes" / "notes.txt"


def cards(desk: ChatDesk) -> list[PermissionCard]:
    return [card for card in desk.root.findChildren(PermissionCard) if card.isVisible()]


def ask_for_card(desk: ChatDesk) -> PermissionCard:
    """Ask what calls the tool, and wait for its card."""
    desk.type("note down milk")
    desk.press(Qt.Key.Key_Return)
    return wait_for_card(desk)


def wait_for_card(desk: ChatDesk) -> PermissionCard:
    desk.wait(lambda: len(cards(desk)) == 1 and cards(desk)[0].is_ready)
    return cards(desk)[0]


def button(card: PermissionCard, answer: PermissionAnswer | None) -> QPushButton:
    found = card.findChild(QPushButton, f"permission_{answer.value if answer is not None else 'later'}")
    assert isinstance(found, QPushButton)
    return found


def answer_card(desk: ChatDesk, answer: PermissionAnswer | None) -> None:
    with desk.hears(desk.root.answer_finished):
        desk.click(button(cards(desk)[0], answer))


def last_line(desk: ChatDesk) -> str:
    return [line for line in desk.last.findChildren(StepLine) if line.isVisible()][-1].line_words()


def test_a_call_is_asked_about_below_the_answer_and_carried_out(desk: ChatDesk) -> None:
    card = ask_for_card(desk)
    title = ALLOW_TOOL.format(tool="write_note", server="notes")
    assert card.accessibleName().startswith(f"{title} {CAN_CHANGE}")
    assert desk.last.body.geometry().bottom() <= card.geometry().top()
    assert card.geometry().bottom() <= desk.last.height()
    sent = card.findChild(SentArguments)
    assert isinstance(sent, SentArguments)
    assert sent.toPlainText() == '{\n  "text": "milk"\n}'
    names = {"tool": "write_note", "server": "notes"}
    assert last_line(desk) == f"{SERVER_TOOL.format(**names)} · {STEP_STATES['asking']}"
    assert desk.root.focusWidget() is desk.field, "what is typed on goes into the message"
    answer_card(desk, PermissionAnswer.ONCE)
    assert (desk.last_text, cards(desk)) == ("I write it down.\n\nNoted.", [])
    assert last_line(desk) == USED_SERVER_TOOL.format(**names)
    assert notes_of(desk).read_text("utf-8") == "milk\n"
    assert desk.app.tool_grants.list_grants() == ()


def test_never_is_kept_and_the_answer_goes_on_without(desk: ChatDesk) -> None:
    ask_for_card(desk)
    answer_card(desk, PermissionAnswer.NEVER)
    assert desk.last_text.endswith("Then not.")
    assert desk.app.tool_grants.list_grants() == (StoredGrant("notes", "write_note", PermissionAnswer.NEVER),)
    assert not notes_of(desk).exists()


def test_the_keyboard_reaches_the_card_and_escape_in_it_means_not_now(desk: ChatDesk) -> None:
    card = ask_for_card(desk)
    desk.press(Qt.Key.Key_Backtab, modifier=Qt.KeyboardModifier.ShiftModifier)
    focus = desk.root.focusWidget()
    assert focus is not None
    assert card.isAncestorOf(focus)
    seen = [focus.objectName()]
    while card.isAncestorOf(focus) and len(seen) < 10:
        QTest.keyClick(focus, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
        focus = desk.root.focusWidget()
        assert focus is not None
        seen.append(focus.objectName())
    assert {f"permission_{answer}" for answer in ("once", "chat", "tool", "never", "later")} <= set(seen)
    button(card, PermissionAnswer.ONCE).setFocus(Qt.FocusReason.TabFocusReason)
    with desk.hears(desk.root.answer_finished):
        QTest.keyClick(button(card, PermissionAnswer.ONCE), Qt.Key.Key_Escape)
    assert desk.last_text.endswith("Then not.")
    assert (cards(desk), notes_of(desk).exists()) == ([], False)
    assert desk.root.focusWidget() is desk.field


def test_stop_takes_the_card_away(desk: ChatDesk) -> None:
    card = ask_for_card(desk)
    with desk.hears(desk.root.answer_finished):
        desk.root.stop()
        assert not card.isVisible()
    assert not notes_of(desk).exists()


def test_a_click_that_was_meant_for_what_was_there_before_answers_nothing(desk: ChatDesk) -> None:
    desk.type("note down milk")
    desk.press(Qt.Key.Key_Return)
    desk.wait(lambda: len(cards(desk)) == 1)
    (card,) = cards(desk)
    assert not card.is_ready
    button(card, PermissionAnswer.ONCE).click()
    assert card.question.is_open
    wait_for_card(desk)
    answer_card(desk, PermissionAnswer.ONCE)
    assert notes_of(desk).exists()


def test_a_card_waits_while_another_chat_is_shown(desk: ChatDesk) -> None:
    ask_for_card(desk)
    asking = desk.chat.conversation_id
    assert desk.chat.session.state.asking_chats == {asking}
    desk.chat.show_conversation(None)
    assert cards(desk) == []
    assert desk.chat.session.state.asking_chats == {asking}
    desk.chat.show_conversation(asking)
    wait_for_card(desk)
    answer_card(desk, PermissionAnswer.CHAT)
    assert desk.chat.session.state.asking_chats == frozenset()
    assert desk.last_text.endswith("Noted.")


REACH = ToolReach(("/notes", "/a\u202eb"), (), has_network=True)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (ToolCall("t", "s", "", changes=True), [CAN_CHANGE, ONLY_OWN_FOLDER]),
        (
            ToolCall("t", "s", "", changes=False, reach=REACH),
            [ONLY_READS, CAN_READ.format(folders="/notes, /a\\u202eb"), CAN_CONNECT],
        ),
        (
            ToolCall("t", "s", "", changes=True, reach=ToolReach(host="mcp.example"), is_temporary=True),
            [CAN_CHANGE, RUNS_ELSEWHERE.format(host="mcp.example"), MAY_BE_KEPT],
        ),
        (
            ToolCall("a.example", "", "{}", changes=True, address="https://a.example/?q=1"),
            [HOST_SEES.format(host="a.example")],
        ),
    ],
)
def test_the_card_says_what_a_call_may_touch(call: ToolCall, words: list[str]) -> None:
    assert list(reach_words(call)) == words
