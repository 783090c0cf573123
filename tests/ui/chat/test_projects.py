"""A project in its dialog, and chats in it: what is kept as it is typed, documents with their cost, the banner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.features.chat.session_messages import ChooseProject
from app.features.projects import ICONS, PreambleCosts
from app.store.trash import TrashStore
from app.ui.chat.chat_list import PROJECTS
from app.ui.chat.chat_projects import MOVE_TO_PROJECT, NEW_PROJECT_ITEM, OUT_OF_PROJECT
from app.ui.chat.chat_view import ChatView
from app.ui.chat.project_dialog import (
    INSTRUCTION_TOKENS,
    MODEL_NOT_THERE,
    NOTHING_IN_PROMPT,
    PROJECT_PASSAGES,
    PROJECT_TOKENS,
    IconChoice,
    ProjectDialog,
    cost_words,
)
from app.ui.shared_labels import DOCUMENT_LABEL, NEW_CHAT, UNDO
from app.ui.shell.picture_reading import PictureReading
from app.ui.work.picture_reading import FILE_IS_PICTURE, PAGES_READ_FROM_PICTURES, READ_WITH_MODEL, PicturesLine
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.scans import drawn, letter, scan
from tests.helpers.script import prompts, write_script
from tests.helpers.texts import end_of, start_of
from tests.ui.chat.conftest import Open

LEASE = "The rent is 1,450 euros, due on the third working day."


def open_dialog(
    desk: ChatDesk,
    project_id: int,
    *,
    models: tuple[tuple[str, str], ...] = (),
    on_removed: Callable[[], object] = lambda: None,
) -> ProjectDialog:
    app = desk.app
    project = app.preambles.projects.get(project_id)
    assert project is not None
    assert desk.theme is not None
    dialog = ProjectDialog(
        project,
        app.preambles,
        app.documents,
        PreambleCosts(lambda: app.engine),
        models=models,
        theme=desk.theme,
        notify=desk.notify,
        parent=desk.chat,
        on_change=lambda: None,
        on_document_removed=on_removed,
        read_on=lambda files, paths: None,
    )
    dialog.open()
    return dialog


def test_what_is_typed_is_kept_and_documents_are_counted(open_chat: Open, qtbot: QtBot, tmp_path: Path) -> None:
    desk = open_chat()
    projects = desk.app.preambles.projects
    number = projects.create("Pottery").id
    dialog = open_dialog(desk, number, models=(("/m/large.gguf", "Large"),))
    qtbot.keyClicks(dialog.name, "Kiln")
    qtbot.keyClicks(dialog.instructions, "Answer for a potter.")
    dialog.model.choose("/m/large.gguf")
    dialog.findChild(IconChoice).choose(ICONS[3])
    path = tmp_path / "kiln.txt"
    path.write_text("The kiln must cool down for two days.", "utf-8")
    dialog.documents.add([path])
    qtbot.waitUntil(
        lambda: "documents" in dialog.cost.text() and INSTRUCTION_TOKENS.format(count=4) in dialog.cost.text()
    )
    assert dialog.cost.text().startswith(start_of(PROJECT_TOKENS))
    assert "about" not in dialog.cost.text(), "a model is loaded: it is exact"
    names = [chip.accessibleName() for chip in dialog.documents.chips if chip.isVisible()]
    assert names == [DOCUMENT_LABEL.format(name="kiln.txt")]
    assert "tokens" in dialog.documents.chips[0].accessibleDescription()
    dialog.accept()
    project = projects.get(number)
    assert project is not None
    assert (project.name, project.instructions) == ("Kiln", "Answer for a potter.")
    assert (project.model, project.icon) == ("/m/large.gguf", ICONS[3])
    removed: list[bool] = []
    dialog = open_dialog(desk, number, on_removed=lambda: removed.append(True))
    assert dialog.model.button.text() == MODEL_NOT_THERE.format(name="large.gguf")
    (chip,) = dialog.documents.chips
    qtbot.keyClick(chip, Qt.Key.Key_Delete)
    assert removed == [True]
    assert desk.app.preambles.attached.list_documents(number) == []
    undo = next(one for one in dialog.documents.findChildren(QPushButton) if one.text() == UNDO)
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert len(desk.app.preambles.attached.list_documents(number)) == 1
    dialog.reject()


def test_a_scan_of_a_project_waits_where_nothing_is_read_by_itself_and_is_read_when_asked(
    open_chat: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no tesseract
    desk = open_chat({"when": "Copy all text", "text": LEASE}, load={"sees": True, "name": "Eye 2B"})
    desk.app.change_settings("documents", pictures="none")
    number = desk.app.preambles.projects.create("Flat").id
    dialog = open_dialog(desk, number)
    pictures = PictureReading(desk.app, desk.notify, dialog)
    dialog.documents.watch(pictures)
    dialog.documents.add([scan(tmp_path / "lease.pdf", drawn([letter()], tmp_path, 40), 40)])
    line = dialog.findChild(PicturesLine)
    qtbot.waitUntil(lambda: line.isVisible() and line.text == FILE_IS_PICTURE.format(name="lease.pdf"))
    for side in (Qt.LayoutDirection.RightToLeft, Qt.LayoutDirection.LeftToRight):
        dialog.setLayoutDirection(side)
        assert clipped_texts(dialog) == []
    (button,) = (one for one in line.findChildren(QPushButton) if one.text() == READ_WITH_MODEL.format(name="Eye 2B"))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: line.text == PAGES_READ_FROM_PICTURES.format(pages="1 page", name="lease.pdf", way="Eye 2B")
    )

    def words() -> list[str]:
        (attached,) = desk.app.preambles.attached.list_documents(number)
        return [block.text for block in desk.app.documents.read_blocks(attached.document_id)]

    desk.wait(lambda: words() == [LEASE])
    dialog.reject()


def test_a_chat_says_in_which_project_it_is_and_its_first_message_goes_there(open_chat: Open, qtbot: QtBot) -> None:
    desk = open_chat({"when": "Hello", "text": "Hi."})
    chat, projects = desk.chat, desk.app.preambles.projects
    banner = chat.models.project_banner
    flat = projects.create("Flat & garden " + "x" * 10_000)
    projects.update(flat.id, instructions="Answer for a tenant.")
    assert banner.isHidden()
    chat.session.dispatch(ChooseProject(flat.id))
    banner.refresh_project()
    assert banner.isVisible()
    assert banner.text().startswith("Flat && garden xx")
    assert len(banner.text()) < 60
    desk.ask("Hello")
    assert desk.script is not None
    assert prompts(desk.script)[-1][0] == ("system", "Answer for a tenant.")
    stored = desk.conversations.get(chat.conversation_id)
    assert stored is not None
    assert stored.project_id == flat.id
    with qtbot.waitSignal(banner.wanted) as told:
        banner.click()
    assert told.args == [flat.id]
    projects.delete(flat.id)
    banner.refresh_project()
    assert banner.isHidden()
    chat.show_temporary()
    assert banner.isHidden()


def test_the_words_about_a_project_without_anything_are_no_number() -> None:
    from app.features.projects import PreambleCost

    assert cost_words(PreambleCost(0, 0, {}, is_exact=True)) == NOTHING_IN_PROMPT
    words = cost_words(PreambleCost(10, 0, {1: 500, 2: 90_000}, is_exact=True, searched=(2,)))
    assert words.startswith("Each chat starts with 510 tokens: instructions 10, documents 500.")
    assert words.endswith(end_of(PROJECT_PASSAGES))


def begin_project(frame: Frame) -> None:
    frame.choose(frame.window.tab("chat").sidebar.more_menu(), NEW_PROJECT_ITEM)


def test_from_a_new_project_to_an_answer_in_it_and_out_again(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the whole window, with keys and clicks alone."""
    script = write_script(tmp_path / "script", {"text": "In writing."})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    with open_window(qapp, make_chat=ChatView) as frame:
        list(frame.app.engine.load(tmp_path / "model.gguf"))
        desk, chats = ChatDesk(frame.chat, frame.app, frame.notify), frame.chats
        begin_project(frame)
        dialog = frame.find_step(ProjectDialog)
        dialog.reject()
        assert chats.rows == [], "closed untouched, it is gone again"
        assert TrashStore(frame.app.database).list_items() == [], "and lies in no trash"
        qtbot.waitUntil(lambda: frame.window.findChild(ProjectDialog) is None)
        begin_project(frame)
        dialog = frame.find_step(ProjectDialog)
        qtbot.keyClicks(dialog.name, "The flat")
        qtbot.keyClicks(dialog.instructions, "Answer for a tenant.")
        dialog.findChild(QPushButton, "project_done").click()
        (flat,) = frame.app.preambles.projects.all()
        assert chats.rows == [PROJECTS, "The flat"]
        assert desk.chat.models.project_banner.text() == "The flat", "who has made it goes on in it"
        frame.click(frame.button(NEW_CHAT))
        assert desk.chat.models.project_banner.isHidden()
        chats.choose_for(-flat.id, NEW_CHAT)
        assert desk.chat.models.project_banner.text() == "The flat"
        desk.ask("How do I give notice?")
        (chat,) = frame.conversations.find()
        qtbot.waitUntil(lambda: chats.rows == [PROJECTS, "The flat", "How do I give notice?"])
        assert chats.current == chat.id
        assert prompts(script)[-1][0] == ("system", "Answer for a tenant.")
        into = next(one.menu() for one in chats.menu_of(chat.id).actions() if one.text() == MOVE_TO_PROJECT)
        chats.choose(into, OUT_OF_PROJECT)
        assert desk.chat.models.project_banner.isHidden()
        desk.ask("And by e-mail?")
        assert [role for role, _ in prompts(script)[-1]] == ["user", "assistant", "user"]
        frame.press_notice(UNDO)
        assert desk.chat.models.project_banner.isVisible()
