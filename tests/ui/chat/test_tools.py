"""Tools in the window: the switch in the composer, its chip, and the steps of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.errors.tool_errors import ToolServerFailed
from app.core.events import Role
from app.features.chat.session_messages import ShowDocument
from app.features.chat.tool_steps import failed_step, step_to_fields, steps_of
from app.features.tool_calls import CallWay
from app.features.tools import tool_offer
from app.features.tools.tool_offer import ToolFacts
from app.features.tools.tool_scores import ToolScore
from app.ui.chat.folded_text import ThoughtText
from app.ui.chat.tool_steps_view import (
    CHECK_SERVER,
    FEWER_TOOLS,
    NOT_OFFERED,
    STEP_LINES,
    TOOLS_LEFT_OUT,
    StepLine,
    ToolStepsView,
)
from app.ui.chat.tools_choice import TOOLS_COST, TOOLS_LABEL, WEAK_MODEL, ToolsChoice
from app.ui.theme import Theme
from app.ui.widgets.menus import Menu
from tests.features.tools.lent_tools import OWN_WAY
from tests.helpers.desks.chat import ChatDesk
from tests.ui.chat.conftest import Open

CALL = '<tool_call>\n{"name": "calculate", "arguments": {"formula": "6 * 7"}}\n</tool_call>'


def step_lines(desk: ChatDesk) -> list[StepLine]:
    return [line for line in desk.last.findChildren(StepLine) if line.isVisible()]


def test_a_question_is_answered_with_tools_step_by_step(open_chat: Open) -> None:
    rules = {"when": "= 42", "text": "It is 42."}, {"when": "mull", "text": f"Let me see. {CALL}"}
    desk = open_chat(*rules, calls=OWN_WAY)
    chip = desk.composer.tools
    assert not chip.isVisible()
    desk.choose_entry(TOOLS_LABEL)
    assert chip.isVisible()
    desk.ask("mull it over")
    assert desk.last_text == "Let me see.\n\nIt is 42."
    (line,) = step_lines(desk)
    assert line.line_words() == STEP_LINES["calculate"].format(what="6 * 7")
    assert line.parentWidget().geometry().bottom() < desk.last.body.geometry().top()
    line.set_open(True)
    text = line.findChild(ThoughtText)
    assert isinstance(text, ThoughtText)
    assert text.toPlainText().splitlines()[-1] == "6 * 7 = 42"
    shown = desk.chat.conversation_id
    desk.chat.show_conversation(None)
    assert not chip.isVisible(), "a new chat begins without"
    desk.chat.show_conversation(shown)
    desk.wait(lambda: len(step_lines(desk)) == 1)
    assert chip.isVisible()
    desk.click(chip.cross)
    desk.ask("mull it over")
    assert desk.last_text == f"Let me see. {CALL}"
    assert step_lines(desk) == []


def test_a_passage_of_another_chats_document_gets_a_chip_with_its_page(open_chat: Open) -> None:
    call = (
        '<tool_call>\n{"name": "search_documents", "arguments": {"query": "When may notice be given?"}}\n</tool_call>'
    )
    found = {"when": "three months before", "text": "Notice may be given three months before the end."}
    desk = open_chat(found, {"when": "notice", "text": call}, calls=OWN_WAY)
    store = desk.app.documents.store
    lease = store.begin_document(Path("/any/Lease 2024.pdf"), 1, 1)
    texts = ("The rent is paid in May.", "Either party may give notice three months before the end.")
    blocks = [
        {"id": page, "kind": "paragraph", "page": page, "text": text, "heading_path": (), "level": 1}
        for page, text in enumerate(texts, 1)
    ]
    store.add_blocks(lease, blocks)
    store.finish_document(lease, format_="pdf", unit="page", pages=2, sha256="", info={"language": "en"})
    other = desk.conversations.create(title="Rent").id
    message = desk.conversations.add_message(other, None, Role.USER, "Here is the lease.")
    desk.app.documents.attachments.add_background(message.id, lease)
    desk.choose_entry(TOOLS_LABEL)
    desk.ask("When may I give notice?")
    for _ in ("as it was answered", "as it was stored"):
        row = desk.last.evidence.sources
        desk.wait(row.isVisible)
        (chip,) = desk.places_in(row)
        assert chip.text() == "Lease 2024.pdf p. 2"
        opened = desk.hear_requests(ShowDocument)
        desk.click(chip)
        ((document, place),) = [(request.document_id, request.mark) for request in opened]
        assert (document, place.block_id) == (lease, 2)
        shown = desk.chat.conversation_id
        desk.chat.show_conversation(None)
        desk.chat.show_conversation(shown)
    assert store.get(lease) is not None


def test_tools_that_do_not_fit_are_one_quiet_line_that_names_them(open_chat: Open) -> None:
    desk = open_chat({"text": "Hello."}, calls=OWN_WAY, load={"context_tokens": 240})
    desk.choose_entry(TOOLS_LABEL)
    desk.ask("hello")
    (line,) = step_lines(desk)
    assert line.line_words() == TOOLS_LEFT_OUT
    line.set_open(True)
    text = line.findChild(ThoughtText)
    assert isinstance(text, ThoughtText)
    assert text.toPlainText() == "\n".join(
        [NOT_OFFERED.format(names=", ".join(line.step.result.splitlines())), FEWER_TOOLS]
    )


def test_a_failed_server_is_told_in_the_language_of_the_window(qtbot: QtBot) -> None:
    failed = failed_step(ToolServerFailed("notes", "ended", "exit code 3"))
    holder = QWidget()
    qtbot.addWidget(holder)
    view = ToolStepsView(Theme("light"), holder, on_opened=lambda: None, on_resized=lambda: None)
    use_catalogue(TextCatalogue("de", {ToolServerFailed.message.cases["ended"]: ("«{server}» hörte auf: {detail}",)}))
    try:
        view.show_steps(steps_of([step_to_fields(failed)]))
    finally:
        use_catalogue(TextCatalogue())
    (line,) = view.findChildren(StepLine)
    line.set_open(True)
    text = line.findChild(ThoughtText)
    assert isinstance(text, ThoughtText)
    assert text.toPlainText() == f"«notes» hörte auf: exit code 3\n{CHECK_SERVER}"


def test_what_tools_cost_is_looked_up_when_somebody_wants_to_know(
    open_chat: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loads every tool: a chat without them starts without."""
    find, asked = tool_offer.find_tool_facts, []

    def find_noted(*given: Any, **how: Any) -> ToolFacts | None:
        asked.append(find(*given, **how))
        return asked[-1]

    monkeypatch.setattr(tool_offer, "find_tool_facts", find_noted)
    desk = open_chat({"when": "hello", "text": "Good morning."})
    desk.ask("hello")
    assert asked == []
    menu = desk.composer.plus.make_menu()
    entry = next(action for action in menu.actions() if action.text() == TOOLS_LABEL)
    desk.wait(lambda: desk.composer.tools.facts is not None)
    assert TOOLS_COST.format(count=asked[0].count, tokens=f"{asked[0].tokens:,}") in entry.toolTip()
    desk.composer.plus.make_menu()
    desk.choose_entry(TOOLS_LABEL)
    assert len(asked) == 1, "once for a model"


def test_the_switch_tells_the_cost_and_a_weak_model(qtbot: QtBot) -> None:
    choice, menu = ToolsChoice(Theme("light")), Menu()
    qtbot.addWidget(choice)
    qtbot.addWidget(menu)
    counts = {"valid": 20, "right_arguments": 8, "valid_but_wrong": 3, "called_without_need": 1}
    choice.show_facts(ToolFacts(1234, ToolScore(24, CallWay.LAZY, right_tool=9, **counts)))
    choice.add_to_menu(menu)
    (entry,) = menu.actions()
    assert entry.text() == WEAK_MODEL.format(right=9, requests=24)
    choice.show_facts(None)
    assert entry.text() == TOOLS_LABEL, "another model is loaded while the menu is open"
    assert "1,234" not in entry.toolTip()
    choice.show_facts(ToolFacts(1234, ToolScore(24, CallWay.LAZY, right_tool=14, **counts)))
    assert entry.text() == TOOLS_LABEL
    assert "1,234" in entry.toolTip()
    assert "14 of 24" in entry.toolTip()
    menu.clear()
    choice.show_facts(None)
