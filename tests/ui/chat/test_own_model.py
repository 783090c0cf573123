"""A chat with a model of its own: picker, composer and answer go by it, looking loads nothing, and gone is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.core.errors.model_errors import ModelLoadFailed
from app.core.events import Role
from app.features.error_messages import sentence_for
from app.ui.chat.chat_options import (
    ANSWERS_HERE,
    CHAT_MODEL_GONE,
    CONTINUE_WITH_MODEL,
)
from app.ui.chat.chat_view import ChatView
from app.ui.shell.model_picker import FOR_THIS_CHAT_ONLY, LOADED_WHEN_NEEDED
from app.ui.widgets.dialogs import QuestionDialog
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script


class Window(Frame):
    """A window with the real chat in it, and two models beside the starter."""

    script: Path

    @property
    def desk(self) -> ChatDesk:
        return ChatDesk(self.chat, self.app, self.notify, self.theme, self.script)

    @property
    def loads(self) -> list[str]:
        """The names of the files that were loaded, oldest first."""
        log = self.script.with_name("prompts.jsonl")
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        return [Path(one["path"]).stem for one in map(json.loads, lines) if one["type"] == "LoadModel"]

    def ready(self, path: Path) -> None:
        self.wait(lambda: self.loader.state == "ready" and self.loader.path == path)

    def chat_with(self, model: Path | None = None) -> int:
        """A stored chat with one question and its answer."""
        chat = self.conversations.create(title="Kept", model=str(model or ""))
        question = self.conversations.add_message(chat.id, None, Role.USER, "Before?")
        self.conversations.add_message(chat.id, question.id, Role.ASSISTANT, "Before.")
        number: int = chat.id
        return number


@pytest.fixture
def models(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "models" / "Small-1B-Q8_0.gguf", tmp_path / "models" / "Large-8B-Q8_0.gguf"
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"GGUF")
    return paths


@pytest.fixture
def window(
    qapp: QApplication, tmp_path: Path, models: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Window]:
    script = write_script(tmp_path / "script", {"text": "Yes."})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp, make_chat=ChatView) as frame:
        known = [(models[0], "Small"), (models[1], "Large")]
        frame.chat.models.others.known = lambda: known
        frame.__class__, frame.script = Window, script  # type: ignore[assignment, attr-defined]
        frame.loader.load(models[0])
        assert isinstance(frame, Window)
        frame.ready(models[0])
        yield frame


def test_a_chat_answers_with_its_own_model_and_the_others_with_theirs(
    window: Window, models: tuple[Path, Path]
) -> None:
    small, large = models
    own, other = window.chat_with(large), window.chat_with()
    window.show_chat(own)
    assert window.loads == ["Small-1B-Q8_0"], "looking loads nothing"
    assert window.picker.path == large
    assert LOADED_WHEN_NEEDED in window.model_said
    assert window.desk.note == ANSWERS_HERE.format(name="Large 8B")
    window.desk.ask("Now?")
    window.ready(large)
    assert window.desk.last_message.model == window.loader.name == "Large 8B", "one name for one model"
    assert (window.desk.note, window.settings.engine.model_path) == ("", str(small))
    window.show_chat(other)
    assert window.picker.path == small
    assert window.desk.note == ANSWERS_HERE.format(name="Small 1B")
    window.desk.ask("And now?")
    window.ready(small)
    assert window.loads == ["Small-1B-Q8_0", "Large-8B-Q8_0", "Small-1B-Q8_0"]


def test_the_picker_keeps_a_model_for_one_chat(window: Window, models: tuple[Path, Path]) -> None:
    small, large = models
    first, second = window.chat_with(), window.chat_with()
    window.show_chat(first)
    window.choose_model(FOR_THIS_CHAT_ONLY)
    assert window.conversations.get(first).model == str(small)
    window.picker.use(large)
    window.ready(large)
    assert window.conversations.get(first).model == str(large)
    assert window.settings.engine.model_path == str(small), "that of all chats stays"
    window.choose_model(FOR_THIS_CHAT_ONLY)
    assert window.conversations.get(first).model == ""
    window.show_chat(second)
    window.picker.use(large)
    window.wait(lambda: window.settings.engine.model_path == str(large))
    assert window.conversations.get(second).model == ""


def test_a_model_that_is_gone_is_said_and_somebody_agrees_before_another_answers(
    window: Window, models: tuple[Path, Path], tmp_path: Path
) -> None:
    desk, gone = window.desk, tmp_path / "models" / "Gone-2B.gguf"
    window.show_chat(window.chat_with(gone))
    assert desk.note == CHAT_MODEL_GONE.format(name="Gone 2B")
    desk.type("Hello?")
    desk.press(Qt.Key.Key_Return)
    desk.find_step(QuestionDialog, "model_gone").reject()
    assert (desk.message, len(desk.texts)) == ("Hello?", 2)
    desk.press(Qt.Key.Key_Return)
    with desk.hears(desk.chat.answer_finished):
        desk.click(desk.button(CONTINUE_WITH_MODEL.format(name="Small 1B")))
    assert desk.texts[2:] == ["Hello?", "Yes."]
    assert window.conversations.get(desk.chat.conversation_id).model == ""


def test_a_model_that_was_moved_or_came_with_an_import_is_found_by_its_name(
    window: Window, models: tuple[Path, Path]
) -> None:
    moved = window.chat_with(Path("/elsewhere") / models[1].name)
    window.show_chat(moved)
    assert window.conversations.get(moved).model == str(models[1])
    number = window.conversations.create(title="Imported", model=models[1].name).id
    window.show_chat(number)
    assert (window.picker.path, window.conversations.get(number).model) == (models[1], str(models[1]))
    away = window.conversations.create(title="Imported, too", model="Elsewhere-2B.gguf").id
    window.show_chat(away)
    assert (window.picker.path, window.conversations.get(away).model) == (models[0], "Elsewhere-2B.gguf")
    window.show_chat(window.conversations.create(title="Imported", model="gpt-4o").id)
    assert (window.desk.note, window.picker.path) == ("", models[0]), "no name of a file"


def test_at_start_the_open_chats_own_model_is_loaded(
    qapp: QApplication, models: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp, make_chat=ChatView) as frame:
        number = frame.conversations.create(title="Kept", model=str(models[1])).id
        frame.show_chat(number)
        frame.app.change_settings("engine", model_path=str(models[0]))
    with open_window(qapp, make_chat=ChatView) as frame:
        assert frame.loader.path == models[1]
        frame.loader.start()
        frame.wait(lambda: frame.loader.state == "ready")
        assert Path(frame.engine.loaded.path) == models[1]
        assert frame.settings.engine.model_path == str(models[0])


def test_a_model_that_cannot_be_loaded_leaves_the_question_and_says_so(
    qapp: QApplication, models: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged: dict[str, Any] = {"error": "ModelLoadFailed", "fields": {"path": "Large-8B.gguf", "detail": "x"}}
    rules: list[dict[str, Any]] = [{"times": 1}, damaged | {"times": 1}, {}]
    script = write_script(tmp_path / "script")
    script.write_text(json.dumps({"load": rules, "answers": [{"text": "Yes."}]}), "utf-8")
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp, make_chat=ChatView) as frame:
        frame.loader.load(models[0])
        frame.wait(lambda: frame.loader.state == "ready")
        number = frame.conversations.create(title="Kept", model=str(models[1])).id
        frame.show_chat(number)
        desk = ChatDesk(frame.chat, frame.app, frame.notify, frame.theme)
        desk.ask("Hello?")
        assert sentence_for(ModelLoadFailed("Large-8B.gguf", "")).text in desk.last_state
        frame.wait(lambda: (frame.loader.path, frame.loader.state) == (models[0], "ready"))
        frame.show_chat(None)
        desk.ask("Still there?")
        assert desk.last_text == "Yes."


def test_a_project_has_a_model_for_its_chats_that_have_none(window: Window, models: tuple[Path, Path]) -> None:
    small, large = models
    projects = window.app.preambles.projects
    flat = projects.create("Flat")
    projects.update(flat.id, model=str(large))
    inside, own, outside = window.chat_with(), window.chat_with(small), window.chat_with()
    for number in (inside, own):
        window.conversations.update(number, project_id=flat.id)
    window.show_chat(own)
    assert window.picker.path == small, "its own goes before"
    window.show_chat(inside)
    assert window.picker.path == large
    window.desk.ask("Now?")
    window.ready(large)
    assert (window.conversations.get(inside).model, window.settings.engine.model_path) == ("", str(small))
    window.picker.use(small)
    window.ready(small)
    assert window.conversations.get(inside).model == str(small), "chosen here, it is this chat's"
    window.picker.use(large)
    window.ready(large)
    assert window.conversations.get(inside).model == ""
    window.show_chat(outside)
    assert window.picker.path == small
    window.chats.reload()
    window.chats.root.folders.move_into(outside, flat.id)
    assert window.picker.path == large, "moved, it has the project's"
    large.unlink()
    window.show_chat(inside)
    assert window.picker.path == small, "where that is gone, that of all chats answers"
