"""A page that is gone on with in the window: streamed, chosen, stopped, again, kept, read from where it fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

from app.core.errors.request_errors import InfillUnavailable
from app.features.error_messages import sentence_for
from app.ui.locale_formats import isolate
from app.ui.sampling_fields import MORE_SAMPLING_SETTINGS, SEED
from app.ui.shared_labels import STOP, STOPPED_LABEL, TEMPERATURE
from app.ui.write.alternatives import UNDER_A_THOUSANDTH, percent
from app.ui.write.continuation_requests import WritingRequestKind
from app.ui.write.continuation_runs import WAITS_FOR_MODEL_STATE
from app.ui.write.continuing import WRITE_FIRST
from app.ui.write.write_tab import CONTINUE_WITHOUT_SUFFIX, IDEAS, ONLY_LAST_TOKENS_READ
from app.ui.write.writing_options import ABOUT_WORDS, stops_of, words_in
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.write import CTRL, SHIFT
from tests.helpers.texts import shows
from tests.helpers.window_tour import shown_in
from tests.ui.write.conftest import Open

KEY = Qt.Key
LONG = {"text": " more", "repeat": 400, "held_after": 3, "until": "never"}
HELD = {"text": " one two three four", "held_after": 2, "until": "go"}
THREE = tuple({"text": f" {word} is here", "times": 1} for word in ("first", "second", "third"))


def test_a_continuation_streams_in_tinted_and_one_undo_takes_it_back(open_page: Open) -> None:
    desk = open_page(HELD)
    desk.type("Deep learning is")
    desk.go_on()
    desk.wait(lambda: desk.text == "Deep learning is one ")
    assert desk.go_on_button.text() == STOP
    assert "token 2 of 64" in desk.note
    assert desk.script is not None
    desk.script.with_name("go").touch()
    desk.wait(lambda: not desk.is_busy)
    assert desk.text == "Deep learning is one two three four"
    assert desk.tinted == [" one two three four"]
    desk.wait(lambda: desk.shown_tints == desk.tinted)
    assert desk.asked[-1]["text"] == "Deep learning is"
    assert (desk.asked[-1]["max_tokens"], desk.asked[-1]["background"]) == (64, False)
    desk.press(KEY.Key_Z, modifier=CTRL)
    assert desk.text == "Deep learning is"


def test_three_alternatives_come_at_once_and_the_second_is_chosen_by_its_digit(open_page: Open) -> None:
    desk = open_page(*THREE)
    desk.choose_options(count=3, max_tokens=30)
    desk.type("Deep learning is")
    desk.go_on()
    desk.wait(lambda: not desk.is_busy)
    assert desk.offered == [" first is here", " second is here", " third is here"]
    assert desk.figures == ["likely"] * 3
    assert "63 %" in desk.cards[0].toolTip(), "1, 0.5 and 0.5: what the model itself held"
    assert desk.text == "Deep learning is"
    assert desk.focus is desk.cards[0]
    assert "second is here" in desk.cards[1].accessibleName()
    desk.press(KEY.Key_2)
    assert not desk.cards
    assert desk.text == "Deep learning is second is here"
    assert desk.tinted == [" second is here"]
    assert desk.focus is desk.edit
    desk.press(KEY.Key_Z, modifier=CTRL)
    assert desk.text == "Deep learning is"


@pytest.mark.parametrize("is_held", [False, True])
def test_alternatives_wait_with_their_page_also_while_they_are_written(open_page: Open, is_held: bool) -> None:
    rules = [rule | ({"held_after": 1, "until": "go"} if is_held else {}) for rule in THREE]
    desk = open_page(*rules, {"text": " there"})
    desk.choose_options(count=3, max_tokens=30)
    desk.type("Deep learning is")
    desk.go_on()
    desk.wait(lambda: any(text.strip() for text in desk.offered) if is_held else not desk.is_busy)
    desk.root.kept.save_page()
    first = desk.root.open_id
    desk.root.show_page(None)
    assert not desk.cards
    assert not desk.is_busy
    desk.type("Another page")
    if is_held:
        assert desk.script is not None
        desk.script.with_name("go").touch()
        desk.wait(lambda: not desk.root.continuing.work.is_asked(WritingRequestKind.GO_ON))
    desk.root.show_page(first)
    assert desk.text == "Deep learning is"
    assert desk.offered == [" first is here", " second is here", " third is here"]
    assert not desk.is_busy
    desk.click(desk.cards[1])
    assert desk.text == "Deep learning is second is here"
    desk.root.show_page(None)
    desk.root.show_page(first)
    assert not desk.cards, "what was chosen waits no longer"


def test_arrows_and_return_choose_escape_takes_none_and_typing_closes_them(open_page: Open) -> None:
    desk = open_page(*THREE, *THREE, {"text": " else"})
    desk.choose_options(count=3)
    desk.type("It is")
    desk.go_on()
    desk.wait(lambda: desk.cards and not desk.is_busy)
    desk.press(KEY.Key_Right, KEY.Key_Right, KEY.Key_Return)
    assert desk.text == "It is third is here"
    desk.go_on()
    desk.wait(lambda: desk.cards and not desk.is_busy)
    desk.press(KEY.Key_Escape)
    assert (desk.cards, desk.text) == ([], "It is third is here")
    desk.go_on()
    desk.wait(lambda: desk.cards and not desk.is_busy)
    desk.type(".")
    assert desk.cards == []
    assert desk.text == "It is third is here."


def test_stop_keeps_what_has_come_and_typing_takes_over(open_page: Open) -> None:
    desk = open_page(LONG)
    desk.type("Once")
    desk.go_on()
    desk.wait(lambda: " more more" in desk.text)
    desk.press(KEY.Key_Escape)
    assert not desk.is_busy
    assert desk.note == STOPPED_LABEL
    assert desk.tinted == [desk.text[len("Once") :]]
    desk.go_on()
    before = len(desk.text)
    desk.wait(lambda: len(desk.text) > before)
    desk.type("!")
    assert not desk.is_busy
    text = desk.text
    assert text.endswith("!")
    desk.wait(lambda: desk.stored is not None and desk.stored.text == text)
    assert desk.text == text, "nothing comes behind what was typed"


def test_again_writes_another_one_in_its_place_with_another_seed(open_page: Open) -> None:
    desk = open_page({"text": " this", "times": 1}, {"text": " that"})
    desk.choose_options(sampling={"seed": 5})
    desk.type("Take")
    assert not desk.again_button.isEnabled()
    desk.continue_to_end()
    assert desk.text == "Take this"
    desk.click(desk.again_button)
    desk.wait(lambda: not desk.is_busy)
    assert (desk.text, desk.tinted) == ("Take that", [" that"])
    assert [one["sampling"]["seed"] for one in desk.asked] == [5, 6]
    assert [one["text"] for one in desk.asked] == ["Take", "Take"]
    desk.press(KEY.Key_Z, modifier=CTRL)
    assert (desk.text, desk.tinted) == ("Take this", [" this"])
    assert not desk.again_button.isEnabled(), "what it would replace is not there"
    desk.continue_to_end()
    assert desk.again_button.isEnabled()
    desk.put_cursor(len(desk.text) - 1)
    desk.type("x")
    assert not desk.again_button.isEnabled(), "it is the person's now"


def test_options_are_chosen_on_the_sheet_reach_the_engine_and_stay_with_the_page(open_page: Open) -> None:
    desk = open_page({"text": " a b. c"}, size=(1400, 700))  # all words have room, also beside what was read
    sheet = desk.open_options()
    assert clipped_texts(sheet) == []
    desk.stepper("write_length").number.setValue(30)
    desk.click(desk.button(MORE_SAMPLING_SETTINGS))
    desk.knob(TEMPERATURE).number.setValue(0.4)
    desk.knob(SEED).number.setValue(9)
    stops = desk.find_step(QLineEdit, "write_stops")
    stops.setText(r"b.  \n\n")
    stops.editingFinished.emit()
    sheet.close()
    assert desk.options_button.text() == "About 20 words · temperature 0.4 · stops at b."
    desk.type("Say")
    desk.continue_to_end()
    assert desk.text == "Say a "
    asked = desk.asked[-1]
    assert (asked["max_tokens"], asked["stop"]) == (30, ["b.", "\n\n"])
    assert (asked["sampling"]["temperature"], asked["sampling"]["seed"]) == (0.4, 9)
    page = desk.open_id
    desk.root.show_page(None)
    assert desk.options_button.text() == ABOUT_WORDS.format(count=20), (
        "a new one begins with the last length and number"
    )
    desk.root.show_page(page)
    assert desk.options_button.text() == "About 20 words · temperature 0.4 · stops at b."
    assert stops_of("a  a   b ") == ("a", "b")


def test_code_is_filled_in_and_a_model_that_cannot_says_so_and_goes_on(open_page: Open) -> None:
    rule = {"when": "def", "times": 1, "error": "InfillUnavailable", "fields": {"path": "m.gguf"}}
    desk = open_page(rule, {"text": "return 1"})
    desk.language.choose("python")
    desk.type("def f():")
    desk.press(KEY.Key_Return, KEY.Key_Return)
    desk.put_cursor(13)
    desk.put_cursor(len("def f():\n    "))
    desk.type("")
    desk.edit.textCursor().insertText("\nprint(f())")
    desk.put_cursor(len("def f():\n    "))
    desk.go_on()
    desk.wait(lambda: desk.notices)
    assert shows(sentence_for(InfillUnavailable("{model}")).text, desk.notices[-1])
    assert desk.asked[-1]["suffix"].strip().startswith("print")
    desk.press_notice(CONTINUE_WITHOUT_SUFFIX)
    desk.wait(lambda: "return 1" in desk.text)
    assert desk.asked[-1]["suffix"] == ""
    assert desk.tinted == ["return 1"]


def test_what_is_typed_is_kept_and_the_page_comes_back_with_one_step_of_undo(open_page: Open) -> None:
    desk = open_page({"text": " one two"})
    desk.type("My page")
    desk.wait(lambda: desk.stored is not None and desk.stored.text == "My page")
    desk.continue_to_end()
    desk.wait(lambda: desk.stored.text == "My page one two")
    assert desk.stored.written == ((7, 15),)
    again = open_page({"text": " one two"})
    assert again.text == "My page one two"
    assert again.tinted == [" one two"]
    again.wait(lambda: again.shown_tints == [" one two"])
    assert again.cursor == 15
    assert again.title_line.text() == "My page one two"
    again.press(KEY.Key_Z, modifier=CTRL)
    assert again.text == "My page"
    again.press(KEY.Key_Z, modifier=CTRL | SHIFT)
    assert again.text == "My page one two"


def test_an_empty_page_has_things_to_try_that_work(open_page: Open) -> None:
    desk = open_page({"text": " a method"})
    assert desk.first.isVisible()
    assert desk.open_id is None
    desk.click(desk.button("Deep learning is"))
    desk.wait(lambda: desk.text == "Deep learning is a method")
    assert not desk.first.isVisible()
    desk.root.show_page(None)
    desk.go_on()
    assert shows(WRITE_FIRST, desk.note)
    desk.click(desk.button("def is_prime(number):"))
    assert desk.edit.is_code
    assert desk.language.value == "python"


def test_a_long_text_is_read_from_where_it_fits_and_says_so(open_page: Open) -> None:
    desk = open_page({"text": " end"}, load={"context_tokens": 200})
    desk.root.take_text("".join(f"Line {number} of the page.\n" for number in range(100)))
    desk.continue_to_end()
    desk.wait(desk.cut_line.isVisible)
    asked = desk.asked[-1]["text"]
    assert asked.startswith("Line ")
    assert 60 < len(asked.split()) < 200 - 64
    assert desk.text.endswith(asked + " end")
    assert shows(ONLY_LAST_TOKENS_READ, desk.cut_line.text())
    place = desk.cursor
    desk.click(desk.where_button)
    assert desk.is_seen(len(desk.text) - len(asked + " end"))
    assert desk.cursor == place
    desk.put_cursor(30)
    desk.wait(lambda: not desk.cut_line.isVisible())
    assert "of 200 tokens" in desk.count_line.text()


def test_a_model_that_sleeps_is_waited_for_and_one_that_is_missing_is_said(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_page({"text": " there"}, is_ready=False, load={"seconds": 0.1, "any_path": False})
    said = list[str]()
    desk.root.continuing.changed.connect(lambda: said.append(desk.note))
    desk.type("Is it")
    desk.go_on()
    desk.wait(lambda: desk.text == "Is it there" and not desk.is_busy)
    assert any(shows(WAITS_FOR_MODEL_STATE, one) for one in said)
    desk.engine.unload()
    (tmp_path / "model.gguf").unlink()
    desk.go_on()
    desk.wait(lambda: desk.notices)
    assert not desk.is_busy
    assert desk.text == "Is it there"


def test_a_file_is_opened_coloured_by_its_ending_and_saved_again(open_page: Open, tmp_path: Path) -> None:
    file = tmp_path / "prime.py"
    file.write_bytes(b"def f():\r\n\treturn 1\r\n")
    desk = open_page({"text": "# end"})
    desk.root.files.open([file])
    desk.wait(lambda: desk.text == "def f():\n\treturn 1\n")
    assert desk.edit.is_code
    assert desk.language.value == "python"
    assert desk.title_line.text() == "prime.py"
    desk.put_cursor(len(desk.text))
    desk.continue_to_end()
    desk.press(KEY.Key_S, modifier=CTRL)
    desk.wait(lambda: file.read_bytes() == b"def f():\r\n\treturn 1\r\n# end")
    desk.wait(lambda: any("Saved as prime.py" in one for one in desk.notices))
    QTest.keyClick(desk.edit, KEY.Key_S, CTRL | SHIFT)  # a notice without a window around it has the keyboard here
    desk.choose_file(tmp_path / "other.py", "save_page_dialog")
    desk.wait(lambda: desk.file_line.text() == "other.py")
    binary = tmp_path / "picture.png"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    desk.root.files.open([binary])
    desk.wait(lambda: any("picture.png" in one for one in desk.notices))
    assert desk.title_line.text() == "prime.py"


@pytest.mark.parametrize(
    ("share", "words"), [(0.5, "50 %"), (0.0123, "1.2 %"), (1.0, "100 %"), (1e-6, UNDER_A_THOUSANDTH)]
)
def test_a_share_is_never_told_as_nothing(share: float, words: str) -> None:
    assert percent(share) == words


def test_nothing_is_clipped(open_page: Open) -> None:
    desk = open_page(*THREE, *THREE, size=(640, 480))
    assert clipped_texts(desk.root) == []
    desk.choose_options(count=5, sampling={"temperature": 0.7})
    desk.type("Words")
    desk.go_on()
    desk.wait(lambda: desk.cards and not desk.is_busy)
    assert clipped_texts(desk.root) == []


def test_an_idea_of_code_does_not_turn_with_the_window(open_page: Open, qapp: QApplication) -> None:
    with shown_in(qapp, "ar"):
        desk = open_page()
        desk.wait(desk.first.isVisible)
        code = IDEAS[-1][0].strip()
        idea = next(one for one in desk.first.findChildren(QPushButton) if code in one.text())
        shown = idea.grab().toImage()
        idea.setText(isolate(code))
        assert idea.grab().toImage() == shown


@pytest.mark.parametrize(("tokens", "words"), [(1, 2), (10, 7), (64, 45), (400, 280), (8192, 5700)])
def test_a_length_in_tokens_is_told_in_words(tokens: int, words: int) -> None:
    assert words_in(tokens) == words
