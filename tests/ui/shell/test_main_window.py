"""The frame: names, tab order, zoom, drop, what comes back, right to left."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QMargins, QMetaMethod, QObject, QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QMenu,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.core.errors.saving_errors import FolderNotWritable
from app.core.settings import load_settings
from app.features.error_messages import sentence_for
from app.ui.chat.chat_view import ChatView
from app.ui.chat.composer import MESSAGE
from app.ui.chat.turn_column import OTHER_WAYS_TO_BEGIN
from app.ui.settings.dialog import SettingsDialog
from app.ui.shared_labels import (
    CHAT_LABEL,
    CHATS,
    MODEL,
    MODELS,
    NEW_CHAT,
    SEARCH_CHATS,
    SETTINGS,
    SUMMARIZE,
    TEMPORARY_CHAT,
    TODAY,
    TRANSLATE,
    WRITE_LABEL,
)
from app.ui.shell import tasks
from app.ui.shell.keyboard import ShortcutSheet
from app.ui.shell.main_window import LOOK_INSIDE, TOGGLE_LIST
from app.ui.shell.status_line import NETWORK_ON
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.helpers.texts import start_of
from tests.helpers.tiny_models import make_tiny

NOT_WRITABLE = start_of(sentence_for(FolderNotWritable("{path}")).text)


def tab_order(frame: Frame, steps: int, *, is_next: bool = True) -> list[str]:
    """Accessible names of what Tab reaches, from the message field on."""
    seen: list[str] = []
    for _ in range(steps):
        focus = QApplication.focusWidget()
        around = focus.parentWidget() if focus is not None else None  # a field for text keeps Tab where a test asks it
        (around or frame.window).focusNextPrevChild(is_next)
        widget = QApplication.focusWidget()
        assert widget is not None
        seen.append(widget.accessibleName())
    return seen


@contextmanager
def focus_passes(qapp: QApplication) -> Iterator[list[QWidget]]:
    """Every widget that gets the focus meanwhile, as a screen reader says each of them."""
    passed: list[QWidget] = []

    def note(_old: QWidget | None, now: QWidget | None) -> None:
        if now is not None:
            passed.append(now)

    qapp.focusChanged.connect(note)
    yield passed
    qapp.focusChanged.disconnect(note)


def test_focus_goes_to_another_tab_without_passing_elsewhere(frame: Frame, qapp: QApplication) -> None:
    frame.activate()
    frame.new_chat()
    for name in ("translate", "write", "chat", "models", "summarize", "chat"):
        with focus_passes(qapp) as passed:
            frame.window.show_tab(name)
        assert len(passed) == 1, (name, [widget.accessibleName() for widget in passed])


def test_tab_goes_through_the_column_then_the_top_then_the_chat(frame: Frame) -> None:
    frame.conversations.create(title="Letter")
    frame.chats.reload()
    frame.activate()
    frame.chat.focus_composer()
    expected = [
        NETWORK_ON,
        NEW_CHAT,
        OTHER_WAYS_TO_BEGIN,
        SEARCH_CHATS,
        CHATS,
        MODELS,
        SETTINGS,
        TOGGLE_LIST,
        CHAT_LABEL,
        SUMMARIZE,
        TRANSLATE,
        WRITE_LABEL,
        MODEL,
        LOOK_INSIDE,
        MESSAGE,
    ]
    assert tab_order(frame, len(expected)) == expected


def test_the_pickers_shortcut_opens_its_menu_at_the_model_in_use(frame: Frame) -> None:
    frame.do("choose_model")
    menu = frame.find_step(QMenu, "model_menu")
    assert menu.activeAction() is not None
    assert "Ctrl+Shift+M" in frame.picker.toolTip()
    menu.close()


def test_the_shortcuts_do_what_the_sheet_says(frame: Frame) -> None:
    window, actions = frame.window, frame.window.commands.actions
    frame.activate()
    frame.show_chat(frame.conversations.create(title="Letter").id)
    frame.do("new")
    assert frame.chat.conversation_id is None
    frame.do("search")
    assert frame.chats.search_text.hasFocus()
    frame.do("sidebar")
    assert frame.left.isHidden()
    frame.do("search")
    assert not frame.left.isHidden()
    for name, kind in (("settings", SettingsDialog), ("shortcuts", ShortcutSheet), ("open_model", QFileDialog)):
        frame.do(name)
        dialog = window.findChild(kind)
        assert isinstance(dialog, QDialog), name
        dialog.reject()
    assert actions["quit"].shortcut() == QKeySequence("Ctrl+Q")
    frame.do("quit")
    assert not window.isVisible()


def test_a_model_and_a_document_dropped_together_go_each_its_way(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    model = make_tiny("llama", tmp_path / "Dropped-1B.gguf")
    frame.app.change_settings("models", add_how="in_place")
    frame.drop(tmp_path / "letter.pdf", model)
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert frame.chat.files == [tmp_path / "letter.pdf"]


def test_geometry_column_and_chat_come_back(qapp: QApplication, tmp_path: Path) -> None:
    with open_window(qapp) as frame:
        chat_id = frame.conversations.create(title="Letter").id
        frame.show_chat(chat_id)
        frame.window.resize(720, 560)
        frame.drag_column(230)
    with open_window(qapp) as frame:
        QApplication.processEvents()
        assert (frame.window.width(), frame.window.height()) == (720, 560)
        assert frame.left.width() == 230
        assert frame.chat.conversation_id == chat_id
        frame.window.sizes.toggle_column()
    with open_window(qapp) as frame:
        assert frame.left.isHidden()
        frame.window.sizes.toggle_column()
        QApplication.processEvents()
        assert frame.left.width() == 230


def test_zoom_grows_window_and_column_no_further_than_the_screen_and_both_shrink_back(frame: Frame) -> None:
    window, room = frame.window, frame.window.screen().availableGeometry().size()
    window.resize(700, 500)
    frame.drag_column(230)
    sizes = []
    for zoom in (1.1, 1.25, 3.0, 1.1, 1.0):
        frame.theme.zoom = zoom
        QApplication.processEvents()
        assert window.width() <= room.width()
        assert window.height() <= room.height()
        assert frame.left.isHidden() or frame.left.width() <= 0.4 * window.width() + 1
        sizes.append((window.width(), frame.left.width() if frame.left.isVisible() else 0))
    assert sizes[0] == (704, 253)
    assert sizes[2][1] == 0, "three times as large there is no room for the column"
    assert sizes[-1] == (700, 230)
    frame.theme.zoom = 1.25
    own = window.size().grownBy(QMargins(0, 0, 0, 40))
    window.resize(own)  # the person's own size holds from now on
    frame.theme.zoom = 1.0
    QApplication.processEvents()
    assert window.size() == own
    assert window.sizes.describe()["sidebar_width"] == 230


def test_a_first_window_and_one_from_a_larger_screen_fit_with_their_frames(frame: Frame, qtbot: QtBot) -> None:
    window, screen = frame.window, frame.window.screen().availableGeometry()
    qtbot.waitUntil(lambda: screen.contains(window.frameGeometry()))
    window.resize(4000, 3000)
    window.move(300, 300)
    window.sizes.fit_screen()
    qtbot.waitUntil(lambda: screen.contains(window.frameGeometry()))


def test_what_is_in_use_is_remembered_when_it_is_chosen_not_only_at_quit(frame: Frame, qtbot: QtBot) -> None:
    def kept() -> tuple[int, str]:
        window = load_settings(frame.paths.settings)[0].window
        return window.conversation_id, window.tab

    first, second = (frame.conversations.create(title=title).id for title in ("Letter", "Garden"))
    frame.show_chat(first)
    qtbot.waitUntil(lambda: kept() == (first, "chat"))
    frame.show_chat(second)
    frame.show_tab("summarize")
    qtbot.waitUntil(lambda: kept() == (second, "summarize"))
    frame.do("temporary_chat")
    qtbot.waitUntil(lambda: kept() == (0, "chat"))
    third = frame.conversations.create(title="Bread").id
    frame.new_chat()
    frame.chat.conversation_id = third  # its first message was sent
    frame.chat.tell_title(third)
    qtbot.waitUntil(lambda: kept() == (third, "chat"))


def test_a_chat_that_was_deleted_meanwhile_does_not_come_back(qapp: QApplication) -> None:
    with open_window(qapp) as frame:
        frame.app.change_settings("window", conversation_id=4711, geometry="bm90IGEgZ2VvbWV0cnk=")
        frame.chat.conversation_id = 4711
    with open_window(qapp) as frame:
        assert frame.chat.conversation_id is None


def test_right_to_left_mirrors_the_frame(qapp: QApplication) -> None:
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        with open_window(qapp) as frame:
            assert clipped_texts(frame.window) == []
            column = frame.left.mapTo(frame.window, QPoint(0, 0)).x()
            picker = frame.picker.mapTo(frame.window, QPoint(0, 0)).x()
            assert column > frame.window.width() / 2
            assert picker < frame.window.width() / 2
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_a_disk_that_refuses_is_told_and_the_window_still_closes(frame: Frame) -> None:
    folder = frame.paths.config
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    folder.write_text("a file where the folder should be")
    frame.do("zoom_in")
    assert NOT_WRITABLE in frame.notices[0]
    frame.window.close()
    assert not frame.window.isVisible()


def test_a_temporary_chat_opens_by_key_and_by_button_and_is_no_chat_of_the_list(frame: Frame, qtbot: QtBot) -> None:
    window = frame.window
    frame.show_chat(frame.conversations.create(title="Letter").id)
    frame.chats.reload()
    frame.activate()
    frame.chat.focus_composer()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(frame.chat.composer, Qt.Key.Key_N, both)
    assert frame.chat.is_temporary
    assert window.windowTitle() == "Temporary chat – Fireside"
    assert frame.is_typing
    frame.chat.conversation_id = 1 << 30
    frame.chat.tell_title(1 << 30)
    assert frame.chats.rows == [TODAY, "Letter"]
    window.close()
    assert frame.settings.window.conversation_id == 0
    frame.show_chat(None)
    frame.choose(window.tab("chat").sidebar.more_menu(), f"{TEMPORARY_CHAT}\tCtrl+Shift+N")
    assert frame.chat.is_temporary


def test_a_deleted_chat_is_forgotten_only_when_its_answer_has_ended(frame: Frame, tmp_path: Path, qtbot: QtBot) -> None:
    list(frame.engine.load(tmp_path / "model.gguf"))
    chat = frame.conversations.create(title="Letter")
    frame.show_chat(chat.id)
    frame.chat.busy = True
    frame.chats.root.delete(chat.id)
    assert not frame.chat.busy, "its answer is stopped"
    assert len(tasks.running) == 0
    frame.chat.answer_finished.emit(7)
    log = tmp_path / "script" / "prompts.jsonl"
    qtbot.waitUntil(lambda: "ForgetSession" in log.read_text("utf-8"))
    assert log.read_text("utf-8").count("ForgetSession") == 1


def objects_of_ours() -> list[QObject]:
    """Every object of a class of the window that Qt has not deleted."""
    objects = [thing for thing in gc.get_objects() if isinstance(thing, QObject) and isValid(thing)]
    return [thing for thing in objects if type(thing).__module__.startswith("app.ui")]


def signals_without_values(thing: QObject) -> list[str]:
    """Names of a class's own signals that can be emitted as they are."""
    meta = type(thing).staticMetaObject
    methods = [meta.method(number) for number in range(QObject.staticMetaObject.methodCount(), meta.methodCount())]
    is_signal = QMetaMethod.MethodType.Signal
    bare = [method for method in methods if method.methodType() is is_signal and not method.parameterCount()]
    return [bytes(method.name().data()).decode() for method in bare]


def test_a_window_that_is_gone_hears_nothing_of_what_outlives_it(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    earlier = objects_of_ours()
    with open_window(qapp, make_chat=ChatView) as frame:
        for name in ("chat", "summarize", "translate", "write"):
            frame.window.show_tab(name).do("inside")
        for page in ("suggested", "installed", "others", "downloads", "storage", "search", "compare", "blind", "how"):
            frame.window.open_models(page)
        frame.window.open_settings()
    outliving = [thing for thing in objects_of_ours() if not any(thing is other for other in earlier)]
    assert frame.theme in outliving and frame.loader in outliving
    for thing in outliving:
        for name in signals_without_values(thing):
            getattr(thing, name).emit()
