"""Inside beside a chat: opens and closes with keys, shows tokens and probabilities, lets an answer go on elsewhere."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors.exchange_errors import TextFileUnreadable
from app.features.chat import session_messages as m
from app.features.error_messages import sentence_for
from app.ui.chat.actions import PREVIOUS_VERSION
from app.ui.chat.chat_inside import ANSWER_PROMPT, THE_ANSWER
from app.ui.chat.chat_view import ChatView
from app.ui.inside import flow
from app.ui.inside.attention import LOOKS_AT, AttentionView
from app.ui.inside.flow import SHOW_MORE_TOKENS
from app.ui.inside.inside_panel import LEAVE_FILE, NAME_AND_CHARACTERS, OWN_TEXT, InsidePanel
from app.ui.inside.layers import LayerGrid
from app.ui.inside.look import CANCELLED, WAITING_FOR_ANSWER
from app.ui.inside.tokens import (
    CHARACTER_RANGE,
    LEVELS,
    PERPLEXITY_FIGURES,
    RECORDED_SCORES,
    SCORED_AGAIN,
    TOKENS,
    TOKENS_AND_CHARACTERS,
    ground_of,
)
from app.ui.models.compare_results import BITS_PER_BYTE
from app.ui.models.model_facts import LAYERS
from app.ui.shared_labels import ATTENTION, WHAT_IS_SELECTED
from app.ui.shell.main_window import LOOK_INSIDE
from app.ui.theme import Theme
from app.ui.widgets.layouts import InsideSplitter
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.inside import InsideDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.program import ROOT
from tests.helpers.script import requests, write_script
from tests.helpers.summaries import store_document
from tests.ui.test_theme import contrast


class Looker:
    """A person with a chat, who can look inside."""

    def __init__(self, frame: Frame, script: Path) -> None:
        self.frame, self.script = frame, script
        self.chat = ChatDesk(frame.chat, frame.app, frame.notify, frame.theme, script)

    @property
    def beside(self) -> InsideSplitter:
        return self.frame.find_step(InsideSplitter)

    @property
    def inside(self) -> InsideDesk:
        return InsideDesk(self.frame.find_step(InsidePanel), self.frame.app, self.frame.notify)

    def press_keys(self) -> None:
        """Ctrl+I, wherever the keyboard is."""
        self.frame.key(Qt.Key.Key_I)

    @property
    def focus(self) -> QWidget:
        return self.frame.focus


Begin = Callable[..., Looker]


@pytest.fixture
def begin(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Opens the window with a real chat, whose model answers by these rules."""
    with ExitStack() as stack:

        def make(*rules: dict[str, Any], is_loaded: bool = True, **keys: Any) -> Looker:
            script = write_script(tmp_path / "script", *rules, **keys)
            monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
            frame = stack.enter_context(open_window(qapp, make_chat=ChatView))
            frame.window.resize(1280, 800)
            if is_loaded:
                frame.loader.load(tmp_path / "model.gguf")
                frame.wait(lambda: frame.loader.state == "ready")
            frame.activate()
            return Looker(frame, script)

        yield make


def test_keys_open_it_and_escape_gives_the_keyboard_back_also_where_it_takes_the_chats_place(begin: Begin) -> None:
    person = begin()
    person.chat.ask("What is new?")
    assert not person.frame.every(InsidePanel)
    person.press_keys()
    assert person.inside.root.isVisible()
    assert person.inside.root.isAncestorOf(person.focus)
    assert person.frame.button(LOOK_INSIDE).isChecked()
    QTest.keyClick(person.focus, Qt.Key.Key_Escape)
    assert not person.inside.root.isVisible()
    assert person.focus is person.chat.field
    assert not person.frame.button(LOOK_INSIDE).isChecked()
    person.frame.window.resize(900, 600)
    person.press_keys()
    assert person.inside.root.isVisible()
    assert not person.frame.chat.isVisible()
    QTest.keyClick(person.focus, Qt.Key.Key_Escape)
    assert person.frame.chat.isVisible()
    assert person.focus is person.chat.field


def test_closed_it_costs_a_start_and_an_answer_nothing() -> None:
    code = "import app.ui.chat.chat_tab, sys; print([name for name in sys.modules if name.startswith('app.ui.inside')])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_last_answer_is_cut_into_tokens_and_its_prompt_with_the_template(begin: Begin) -> None:
    person = begin({"text": "A house by\nthe sea"})
    person.chat.ask("Is it so?")
    person.press_keys()
    inside = person.inside
    inside.wait_for("A", "·house", "·by", "↵the", "·sea")
    assert inside.looks_at == THE_ANSWER
    assert inside.counts.startswith(TOKENS_AND_CHARACTERS.format(tokens=5, characters=18))
    inside.point_at(1)
    assert inside.detail == f"·house Token 6 · 6 bytes: 20 68 6F 75 73 65 · {CHARACTER_RANGE.format(start=1, end=7)}"
    inside.press_token(Qt.Key.Key_End)
    assert inside.flow.accessibleDescription().startswith("·sea Token")
    assert inside.copy() == "A house by\nthe sea"
    assert inside.offered == [THE_ANSWER, ANSWER_PROMPT, OWN_TEXT]
    inside.look_at(ANSWER_PROMPT)
    inside.wait_for(*["<user>"] * 4, "Is", "·it", "·so?")
    assert inside.counts.endswith("You 3 · Template 4")


def test_what_is_selected_goes_first_and_a_text_of_ones_own_stays(begin: Begin) -> None:
    person = begin({"text": "A house by the sea"})
    person.chat.ask("Where?")
    person.press_keys()
    view = person.chat.last_views[0]
    view.setFocus()
    view.selectAll()
    person.inside.wait(lambda: person.inside.looks_at == WHAT_IS_SELECTED)
    person.inside.type_own("my own words")
    person.inside.wait_for("my", "·own", "·words")
    view.setFocus()
    view.selectAll()
    assert person.inside.looks_at == OWN_TEXT


def test_while_an_answer_is_written_a_look_waits_and_says_so(begin: Begin) -> None:
    person = begin({"when": "long", "text": "one two", "held_after": 1, "until": "go"}, {"text": "Short"})
    person.chat.ask("First")
    person.chat.type("A long one")
    person.chat.press(Qt.Key.Key_Return)
    person.chat.wait(lambda: person.frame.chat.busy)
    person.press_keys()
    person.inside.type_own("my own words")
    person.inside.wait_for("my", "·own", "·words")  # tokens are counted beside an answer
    person.inside.show_page("Probabilities")
    person.inside.wait(lambda: person.inside.said == WAITING_FOR_ANSWER)
    (person.script.parent / "go").touch()
    person.inside.wait(lambda: person.inside.said == "")


def test_nothing_is_held_of_a_temporary_chat_that_was_left(begin: Begin) -> None:
    person = begin({"text": "A house"})
    person.frame.chat.show_temporary()
    person.press_keys()
    person.inside.show_page("Probabilities")
    person.chat.ask("Where?")
    person.inside.wait_for("A", "·house")
    person.inside.show_page(TOKENS)
    person.inside.look_at(ANSWER_PROMPT)
    person.inside.wait(lambda: "Template" in person.inside.counts)
    talk = weakref.ref(person.frame.chat.open_chat.talk)
    person.frame.chat.show_conversation(None)

    def is_gone() -> bool:
        gc.collect()
        return talk() is None

    person.inside.wait(is_gone)


# Probabilities.


def ask_with_probabilities(person: Looker, text: str) -> None:
    person.press_keys()
    person.inside.show_page("Probabilities")
    person.chat.ask(text)


def test_an_answer_is_tinted_while_it_is_written_and_told_with_the_number(begin: Begin) -> None:
    person = begin({"text": "A house by the sea"})
    ask_with_probabilities(person, "Where?")
    inside = person.inside
    inside.wait_for("A", "·house", "·by", "·the", "·sea")
    assert requests(person.script)[0]["alternatives"] == 8
    assert [piece.share for piece in inside.pieces] == [None, 0.5, 0.5, 0.5, 0.5]
    assert inside.note == RECORDED_SCORES
    assert not inside.is_reading_offered

    def pointed_at() -> str:
        """Again, since the end of the answer shows its tokens anew."""
        for number in (0, 1):
            inside.point_at(number)
        return inside.detail

    inside.wait(lambda: pointed_at() == "·house 50 % · the most likely token · instead: ·other 25 %")


def test_an_answer_nobody_looked_at_is_read_again_on_a_click(begin: Begin) -> None:
    person = begin({"text": "A house by the sea"})
    person.chat.ask("Where?")
    person.press_keys()
    inside = person.inside
    inside.show_page("Probabilities")
    assert inside.is_reading_offered
    assert not inside.tokens
    inside.click(inside.read_again)
    inside.wait_for("A", "·house", "·by", "·the", "·sea")
    assert inside.note == SCORED_AGAIN
    told = requests(person.script)[-1]
    assert told["tells_last"]
    assert told["messages"][-1] == ["assistant", "A house by the sea"]


def test_another_token_makes_a_second_version_that_goes_on_from_there(begin: Begin) -> None:
    person = begin({"text": "A house by the sea"})
    ask_with_probabilities(person, "Where?")
    inside = person.inside
    inside.wait_for("A", "·house", "·by", "·the", "·sea")
    heard = inside.heard(person.frame.chat.answer_finished)
    inside.press_token(Qt.Key.Key_Home)
    inside.press_token(Qt.Key.Key_Right)
    inside.press_token(Qt.Key.Key_Return)
    assert inside.choosable == ["·other  25 %"]
    QTest.keyClick(person.focus, Qt.Key.Key_Space)
    inside.wait(lambda: heard)
    ask = requests(person.script)[-1]
    assert (ask["messages"][-1], ask["continue_last"], ask["forced"]) == (["assistant", "A"], True, [6])
    assert person.chat.last_text == "A otherA house by the sea"
    first, second = person.chat.last_message.versions
    stored = [person.chat.conversations.get_message(number).text for number in (first, second)]
    assert stored == ["A house by the sea", "A otherA house by the sea"]
    inside.wait_for("A", "·other", "A", "·house", "·by", "·the", "·sea")
    person.chat.click_action(person.chat.last, PREVIOUS_VERSION)
    assert person.chat.last_text == "A house by the sea"


def test_any_text_or_text_file_has_its_figures_and_what_is_no_text_is_refused(begin: Begin, tmp_path: Path) -> None:
    person = begin()
    person.press_keys()
    inside = person.inside
    inside.show_page("Probabilities")
    (tmp_path / "notes.txt").write_text("four words of text", "utf-8")
    inside.root._on_dropped([str(tmp_path / "notes.txt")])
    inside.wait_for("four", "·words", "·of", "·text")
    assert inside.own_file == NAME_AND_CHARACTERS.format(name="notes.txt", count=18)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    inside.root._on_dropped([str(tmp_path / "picture.png")])
    inside.wait(lambda: inside.notices)
    assert inside.notices[0].startswith(sentence_for(TextFileUnreadable("picture.png", "not_text", 0)).text)
    assert inside.own_file == NAME_AND_CHARACTERS.format(name="notes.txt", count=18)
    inside.click(inside.button(LEAVE_FILE))
    inside.wait_for()
    inside.type_own("one two three")
    inside.wait_for("one", "·two", "·three")
    assert inside.figures == PERPLEXITY_FIGURES.format(perplexity="2.00", bits="0.20", count=3)
    inside.click_token(1)
    assert inside.choosable == []
    assert inside.others == ["·two  50 %", "·other  25 %"]


def test_a_long_text_shows_its_beginning_and_more_on_a_click(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "SHOWN_AT_ONCE", 300)
    person = begin({"text": " ".join(["word"] * 700)})
    person.chat.ask("Tell me more")
    person.press_keys()
    person.inside.wait(lambda: len(person.inside.tokens) == 300)
    person.inside.click(person.inside.button(SHOW_MORE_TOKENS.format(shown=300, count=700, more=300)))
    assert len(person.inside.tokens) == 600


def test_reading_a_long_text_tells_how_far_it_is_and_stops_on_a_click(begin: Begin) -> None:
    person = begin()
    person.press_keys()
    inside = person.inside
    inside.show_page("Probabilities")
    said = list[str]()
    inside.look_at(OWN_TEXT)
    inside.own_text.setPlainText("word " * 3000)
    inside.wait(lambda: said.append(inside.said) or "tokens read" in inside.said)
    inside.press_state()
    assert inside.said == CANCELLED
    assert 0 < len(inside.tokens) < 3000
    assert BITS_PER_BYTE in inside.figures


def test_a_document_and_the_panel_take_each_others_place_where_both_have_no_room(begin: Begin) -> None:
    person = begin({"text": "Yes"})
    frame, inside = person.frame, person.beside
    stored = store_document(frame.documents.store, "a.txt", "Words.").id
    person.chat.ask("Is it?")
    person.press_keys()
    frame.chat.session.send_request(m.ShowDocument(stored))
    assert (inside.is_pane_open, frame.reader.root.isVisible()) == (False, True)
    person.press_keys()
    assert (inside.is_pane_open, frame.reader.root.isVisible()) == (True, False)
    frame.window.resize(1560, 900)
    frame.window.left.hide()
    QApplication.processEvents()
    frame.chat.session.send_request(m.ShowDocument(stored))
    assert (inside.is_pane_open, frame.reader.root.isVisible(), frame.chat.isVisible()) == (True, True, True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_are_readable_on_every_ground(qapp: QApplication, scheme: str) -> None:
    theme = Theme(scheme)
    sure = [ground_of(theme, probability) for probability in LEVELS]
    for ground in [*sure, *(flow.tint(theme.tokens, number, is_dark=theme.is_dark) for number in range(4))]:
        assert contrast(theme.tokens.text, ground) >= 4.5, ground
    steps = [contrast(theme.tokens.surface, ground) for ground in sure]
    assert steps == sorted(steps)
    assert len(set(steps)) == len(steps), "no two look alike, whatever colours one sees"


def test_what_cannot_be_seen_has_marks() -> None:
    assert flow.visible(b" a\n\t") == "·a↵⇥"
    assert flow.visible("🎉".encode()[:2]) == "F0 9F"
    assert flow.visible("\ufffd".encode()) == "\ufffd"
    assert flow.visible("a\u200b".encode()) == "aU+200B"
    assert flow.visible(b"<|im end|>", is_control=True) == "<|im end|>"


def test_attention_and_layers_of_the_answer_are_reached_by_keys(begin: Begin) -> None:
    person = begin({"text": "A house by the sea"})
    person.chat.ask("Where?")
    person.press_keys()
    person.inside.show_page(ATTENTION)
    view = person.frame.find_step(AttentionView)
    person.frame.wait(lambda: view.seen is not None)
    assert person.inside.looks_at == THE_ANSWER
    view.arcs.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(person.focus, Qt.Key.Key_Home)
    assert view.largest.text() == LOOKS_AT.format(word="A", others="itself 100 %.")
    person.inside.show_page(LAYERS)
    grid = person.frame.find_step(LayerGrid)
    person.frame.wait(lambda: grid.lens.columnCount() == 5)
    assert grid.lens.headerData(4, Qt.Orientation.Horizontal) == "sea"
    person.inside.type_own("Three small words")
    person.frame.wait(lambda: grid.lens.columnCount() == 3)
    person.inside.show_page(ATTENTION)
    person.frame.wait(lambda: view.seen is not None and len(view.seen.tokens) == 3)


def test_keys_go_from_token_to_token_and_from_line_to_line(theme: Theme, qtbot: QtBot) -> None:
    shown = flow.TokenFlow(theme, TOKENS)
    qtbot.addWidget(shown)
    shown.resize(200, 300)
    shown.show()
    shown.show_pieces([flow.TokenPiece("word", "#FFFFFF", ends_line=number % 3 == 2) for number in range(300)])
    shown.setFocus(Qt.FocusReason.TabFocusReason)
    places = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_End, Qt.Key.Key_Up):
        QTest.keyClick(shown, key)
        places.append(shown.current)
        assert shown.viewport().rect().contains(shown.rect_of(shown.current)), "it is scrolled into view"
        assert shown.index_at(shown.rect_of(shown.current).center()) == shown.current
    assert places == [1, 4, 7, 4, 299, 296]
    QTest.keyClick(shown, Qt.Key.Key_Home)
    shown.show_pieces(shown.pieces, is_mirrored=True)
    assert shown.rect_of(0).left() > shown.rect_of(1).left()
    QTest.keyClick(shown, Qt.Key.Key_Left)
    assert shown.current == 1
