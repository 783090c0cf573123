"""The tabs and what each brings along: its column, its model, its drops, and what goes from one to the other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.features.summaries import StoredSummary
from app.features.summary.result import Wish
from app.features.work.engines import RESERVE_BYTES
from app.store.attachments import Use
from app.ui.chat.chat_view import ChatView
from app.ui.row_list import ID_ROLE
from app.ui.summarize.summarize_view import SummarizeView
from app.ui.theme import EDGE_PX
from app.ui.widgets.question_dialog import QuestionDialog
from tests.helpers.attached import lease_pdf, notes, urls_of
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.models_on_disk import write_model
from tests.helpers.program import ROOT
from tests.helpers.script import write_script
from tests.helpers.summaries import paragraphs, store_document, summaries_of

GB = 10**9
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def press(frame: Frame, qtbot: QtBot, key: Qt.Key, keys: Qt.KeyboardModifier = CTRL) -> None:
    """A key wherever the keyboard is in the window."""
    if not frame.window.isActiveWindow():
        with qtbot.waitActive(frame.window):
            frame.window.activateWindow()
    qtbot.keyClick(QApplication.focusWidget() or frame.window, key, keys)


def button(frame: Frame, name: str) -> QAbstractButton:
    found = frame.window.findChild(QAbstractButton, name)
    assert found is not None, name
    return found


def shown(frame: Frame) -> str:
    """Which of the tabs is marked, and what stands in the middle and at the left."""
    views = frame.window.views
    marked = [name for name in ("chat", "summarize", "translate") if button(frame, f"tab_{name}").isChecked()]
    middle = views.content.currentWidget()
    column = frame.window.left.views.currentWidget()
    assert middle is not None
    assert column is not None
    return " ".join([*marked, type(middle).__name__, column.objectName()])


CHAT = "chat DocumentPanel chats_column"
SUMMARIZE = "summarize SummarizeView summaries_column"


def view_of(frame: Frame) -> SummarizeView:
    found = frame.window.findChild(SummarizeView)
    assert found is not None
    return found


def summary(frame: Frame, name: str, state: str) -> StoredSummary:
    """A summary in a state, with its document."""
    document = store_document(frame.app.documents.store, name, *paragraphs(3))
    (made,) = frame.app.summaries.begin([document.id], Wish(), together=False)
    with frame.app.database.transaction() as connection:
        connection.execute("UPDATE jobs SET state = ? WHERE id = ?", (state, made.id))
    found = frame.app.summaries.get(made.id)
    assert found is not None
    return found


def drop_at(frame: Frame, share: float, *files: Path) -> None:
    """Files are let go so far across the window: 0 at the left, 1 at the right."""
    at = QPointF(frame.window.width() * share, frame.window.height() / 2)
    how = (Qt.DropAction.CopyAction, urls_of(*files), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(frame.window, QDragEnterEvent(at, *how))
    QApplication.sendEvent(frame.window, QDropEvent(at, *how, QEvent.Type.Drop))


def hint(frame: Frame, *files: Path) -> str:
    """What is said while files are held above the window."""
    how = (Qt.DropAction.CopyAction, urls_of(*files), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(frame.window, QDragEnterEvent(QPointF(5, 5), *how))
    found = frame.window.findChild(QWidget, "drop_hint")
    assert found is not None
    assert found.isVisible()
    found.hide()
    return found.accessibleName()


# The tabs.


def test_the_tabs_are_opened_by_key_and_by_click(frame: Frame, qtbot: QtBot) -> None:
    assert shown(frame) == CHAT
    press(frame, qtbot, Qt.Key.Key_2)
    assert shown(frame) == SUMMARIZE
    assert frame.window.windowTitle() == "Summarize – Fireside"
    press(frame, qtbot, Qt.Key.Key_1)
    assert shown(frame) == CHAT
    assert frame.chat.composer.hasFocus()
    qtbot.mouseClick(button(frame, "tab_summarize"), Qt.MouseButton.LeftButton)
    assert shown(frame) == SUMMARIZE
    qtbot.mouseClick(button(frame, "tab_chat"), Qt.MouseButton.LeftButton)
    assert shown(frame) == CHAT
    assert frame.window.windowTitle() == "Fireside"


def test_neither_tab_is_marked_while_the_models_are_shown_and_the_last_one_is_remembered(
    frame: Frame, qtbot: QtBot
) -> None:
    press(frame, qtbot, Qt.Key.Key_2)
    press(frame, qtbot, Qt.Key.Key_M)
    assert shown(frame) == "ModelsView models_column"
    assert frame.window.windowTitle() == "Models – Fireside"
    assert frame.window.status.gauge.isHidden()
    frame.window.close()
    assert frame.app.settings.window.tab == "summarize"


def test_nothing_of_the_summaries_is_loaded_for_the_window_to_appear() -> None:
    code = (
        "import sys, app.ui.application;"
        "print([name for name in sys.modules if 'summar' in name or name in"
        " ('rapidfuzz', 'docx', 'wakepy', 'rouge_score', 'app.features.work.engines')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() in ("[]", "['app.store.summaries']")


def test_keys_mean_the_summaries_in_their_tab(frame: Frame, qtbot: QtBot) -> None:
    done = summary(frame, "report.txt", "done")
    press(frame, qtbot, Qt.Key.Key_2)
    view_of(frame).show_summary(done.id)
    press(frame, qtbot, Qt.Key.Key_F)
    focus = QApplication.focusWidget()
    assert focus is not None
    assert focus.accessibleName() == "Search summaries"
    press(frame, qtbot, Qt.Key.Key_N)
    assert view_of(frame).summary_id is None
    assert shown(frame) == SUMMARIZE
    press(frame, qtbot, Qt.Key.Key_O, CTRL | SHIFT)
    dialog = frame.window.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.windowTitle() == "Choose documents to summarize"
    dialog.reject()
    assert frame.chat.attaching.asked == 0


def test_the_last_tab_and_the_last_summary_come_back(qapp: QApplication, qtbot: QtBot) -> None:
    with open_window(qapp) as frame:
        done = summary(frame, "report.txt", "done")
        press(frame, qtbot, Qt.Key.Key_2)
        click_row(frame, qtbot, done.id)
        assert view_of(frame).summary_id == done.id
    with open_window(qapp) as frame:
        qtbot.waitUntil(lambda: shown(frame) == SUMMARIZE)
        assert view_of(frame).summary_id == done.id
        assert frame.window.windowTitle() == f"{done.title} – Fireside"
        press(frame, qtbot, Qt.Key.Key_1)
    with open_window(qapp) as frame:
        assert shown(frame) == CHAT
        press(frame, qtbot, Qt.Key.Key_2)
        assert view_of(frame).summary_id == done.id, "though the tab was not open"
        frame.app.summaries.delete(done.id)
    with open_window(qapp) as frame:
        qtbot.waitUntil(lambda: shown(frame) == SUMMARIZE)
        assert view_of(frame).summary_id is None


def test_a_tab_that_comes_back_waits_for_the_window_and_for_a_person_who_is_quicker(
    qapp: QApplication, qtbot: QtBot
) -> None:
    with open_window(qapp) as frame:
        frame.window.views.show_summarize()
    with open_window(qapp) as frame:
        assert view_count(frame) == 0
        assert button(frame, "tab_summarize").isChecked()
        frame.window.views.show_chat()
        QApplication.processEvents()
        assert shown(frame) == CHAT
    with open_window(qapp) as frame:
        assert frame.window.views.current == "chat"
        frame.window.views.show_summarize()
        frame.window.close()
    with open_window(qapp) as frame:
        frame.window.close()
        assert frame.app.settings.window.tab == "summarize", "closed before it was built"


@pytest.mark.parametrize("zoom", [0.5, 1.0, 1.5, 3.0])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_clipped_in_the_column_and_the_frame(frame: Frame, qtbot: QtBot, zoom: float, scheme: str) -> None:
    summary(frame, "The minutes of a council that met for a long time.txt", "paused")
    frame.window.views.show_summarize()
    frame.window.status.show_work("Summary paused while you chat")
    frame.theme.zoom, frame.theme.scheme = zoom, scheme
    frame.window.resize(900, 600)
    assert clipped_texts(frame.window.left) == []
    assert clipped_texts(frame.window.picker) == []
    assert clipped_texts(frame.window.status) == []
    assert clipped_texts(frame.window.views.tabs) == []


def test_the_content_of_every_tab_begins_at_the_same_left_edge(frame: Frame, qtbot: QtBot) -> None:
    """In a window of usual width; where there is much room, what is read stands in the middle of it."""
    window, views = frame.window, frame.window.views
    window.resize(900, 700)

    def left(widget: QWidget) -> int:
        qtbot.waitUntil(widget.isVisible)
        QApplication.processEvents()
        return widget.mapTo(views.content, QPoint(0, 0)).x()

    views.show_summarize()
    lefts = {"summarize": left(view_of(frame).empty.zone)}
    views.show_translate()
    lefts["translate"] = left(views._translations().view.text.panes)
    views.show_models()
    lefts["models"] = left(views._models.currentWidget().title)
    assert lefts == dict.fromkeys(lefts, frame.theme.px(EDGE_PX)), window.size()


# The column.


def click_row(frame: Frame, qtbot: QtBot, summary_id: int) -> None:
    column = frame.window.views._summaries().column
    qtbot.waitUntil(lambda: column.model.index_of(summary_id).isValid())
    place = column.list.visualRect(column.model.index_of(summary_id)).center()
    qtbot.mouseClick(column.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_deleted_summary_leaves_the_middle_and_comes_back_with_undo(frame: Frame, qtbot: QtBot) -> None:
    done = summary(frame, "report.txt", "done")
    press(frame, qtbot, Qt.Key.Key_2)
    click_row(frame, qtbot, done.id)
    column = frame.window.views._summaries().column
    column.list.setFocus()
    qtbot.keyClick(column.list, Qt.Key.Key_Delete)
    assert view_of(frame).summary_id is None
    assert column.model.rowCount() == 0
    undo = next(one for one in frame.notify.bar.findChildren(QPushButton) if one.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert view_of(frame).summary_id == done.id
    assert column.model.rowCount() == 2


def test_a_summary_of_ten_thousand_is_found_by_a_word_in_a_moment(frame: Frame, qtbot: QtBot) -> None:
    with frame.app.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO jobs (kind, title, state, spec, created_at, updated_at, place)"
            " VALUES ('summary', ?, 'done', '{}', ?, ?, ?)",
            [(f"Report {number}", number, number, number) for number in range(10_000)],
        )
    press(frame, qtbot, Qt.Key.Key_2)
    column = frame.window.views._summaries().column
    assert column.model.rowCount() == 10_001
    column.search.setText("4711")
    qtbot.waitUntil(lambda: column.model.rowCount() == 2, timeout=1_000)
    assert column.model.index(1).data() == "Report 4711"


# Files.


def test_files_dropped_on_the_chat_ask_what_for(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    lease, plan = lease_pdf(tmp_path / "lease.pdf"), notes(tmp_path / "plan.txt", "We begin in May.")
    assert hint(frame, lease) == "Ask about it, Summarize, Translate"
    assert hint(frame, tmp_path / "model.gguf") == "Drop to add a model"
    drop_at(frame, 0.2, lease)
    assert frame.chat.attaching.files == [lease]
    assert shown(frame) == CHAT
    drop_at(frame, 0.5, lease, plan)
    assert frame.chat.attaching.files == [lease], "nothing is attached"
    assert shown(frame) == SUMMARIZE
    qtbot.waitUntil(lambda: len(view_of(frame).files.documents) == 2, timeout=10_000)


def test_files_dropped_on_the_summaries_go_there_wherever_they_are_let_go(
    frame: Frame, qtbot: QtBot, tmp_path: Path
) -> None:
    lease, plan = lease_pdf(tmp_path / "lease.pdf"), notes(tmp_path / "plan.txt", "We begin in May.")
    press(frame, qtbot, Qt.Key.Key_2)
    assert hint(frame, lease) == "Drop to summarize"
    drop_at(frame, 0.1, lease)
    qtbot.waitUntil(lambda: len(view_of(frame).files.documents) == 1, timeout=10_000)
    drop_at(frame, 0.9, plan)
    qtbot.waitUntil(lambda: len(view_of(frame).files.documents) == 2, timeout=10_000)
    assert frame.chat.attaching.files == []
    assert shown(frame) == SUMMARIZE


def test_a_model_among_the_documents_goes_its_own_way(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    lease, model = lease_pdf(tmp_path / "lease.pdf"), tmp_path / "Big-1B.gguf"
    write_model(model)
    frame.app.change("models", add_how="in_place")
    drop_at(frame, 0.5, lease, model)
    qtbot.waitUntil(lambda: len(view_of(frame).files.documents) == 1, timeout=10_000)
    qtbot.waitUntil(lambda: Path(frame.app.settings.models.summarize_path) == model, timeout=10_000)


# The model of each tab.


def test_each_tab_has_its_model_and_choosing_one_leaves_the_chats_in_memory(
    frame: Frame, qtbot: QtBot, tmp_path: Path
) -> None:
    big = tmp_path / "Big-9B-Q4_K_M.gguf"
    write_model(big)
    frame.loader.start()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    picker = frame.window.picker
    press(frame, qtbot, Qt.Key.Key_2)
    assert picker.accessibleDescription().startswith("Starter, 145 MB, ready"), "the chat's serves without another"
    frame.app.change("engine", known_models=(str(big),))
    menu = picker.menu_now()
    next(action for action in menu.actions() if action.text().startswith("Big 9B")).trigger()
    assert picker.accessibleDescription() == "Big 9B, 448 bytes, asleep, It is loaded when it is needed."
    picker.is_at_work = lambda task: task == "summarize"
    frame.window.views.work_changed.emit("Summarizing")
    assert picker.accessibleDescription() == "Big 9B, 448 bytes, at work", "never asleep while it writes"
    assert frame.app.models.for_task("summarize") == big
    assert frame.loader.name == "Starter"
    assert frame.app.engine.loaded is not None
    press(frame, qtbot, Qt.Key.Key_1)
    assert picker.accessibleDescription().startswith("Starter, 145 MB, ready")
    press(frame, qtbot, Qt.Key.Key_2)
    assert picker.accessibleDescription().startswith("Big 9B")
    texts = [action.text().split("\t")[0] for action in picker.menu_now().actions() if not action.isSeparator()]
    assert not {"Put to sleep", "Wake up", "About this model"} & set(texts), "those are about the chat's"


def test_a_model_file_opened_in_a_tab_is_that_tabs(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    other = tmp_path / "Other-3B.gguf"
    write_model(other)
    press(frame, qtbot, Qt.Key.Key_2)
    press(frame, qtbot, Qt.Key.Key_O)
    dialog = frame.window.findChild(QFileDialog, "open_model_dialog")
    assert dialog is not None
    dialog.fileSelected.emit(str(other))
    dialog.close()
    assert frame.window.picker.path == other
    assert frame.loader.state == "asleep"
    menu = frame.window.picker.menu_now()
    assert any(action.text().startswith("Other 3B") and action.isChecked() for action in menu.actions())


# The work.


def test_what_a_former_run_left_in_the_queue_goes_on_by_itself_and_is_told_in_every_tab(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", load={"any_path": True})))
    with open_window(qapp) as frame:
        waiting = summary(frame, "kiln.txt", "queued")
    with open_window(qapp) as frame:
        summaries_of(frame.app)
        told: list[str] = []
        frame.window.views.work_changed.connect(told.append)
        frame.window.views.go_on()
        qtbot.waitUntil(lambda: bool(told) and told[-1] == "", timeout=20_000)
        assert told[0].startswith("Summar")
        qtbot.waitUntil(lambda: not frame.window.views.is_at_work)
        assert shown(frame) == CHAT, "nothing jumps at the person"
        assert view_count(frame) == 0, "and nothing of it needs to be seen"
        stored = frame.app.summaries.get(waiting.id)
        assert stored is not None
        assert stored.state == "done"


def view_count(frame: Frame) -> int:
    return len(frame.window.findChildren(SummarizeView))


def test_the_list_and_the_bottom_line_follow_the_work_from_its_start_to_its_end(
    frame: Frame, qtbot: QtBot, tmp_path: Path
) -> None:
    list(frame.app.engine.load(tmp_path / "model.gguf"))
    summaries_of(frame.app)
    drop_at(frame, 0.5, notes(tmp_path / "kiln.txt", *paragraphs(6)))
    view = view_of(frame)
    qtbot.waitUntil(lambda: len(view.files.documents) == 1 and view.draft.foot.button.isEnabled(), timeout=10_000)
    told: list[str] = []
    seen: list[str] = []
    frame.window.views.work_changed.connect(told.append)
    column = frame.window.views._summaries().column
    for signal in (column.model.modelReset, column.model.dataChanged):
        signal.connect(lambda *_: seen.append(str(column.model.index(1).data())))
    qtbot.mouseClick(view.draft.foot.button, Qt.MouseButton.LeftButton)
    assert view.summary_id is not None
    qtbot.waitUntil(lambda: "kiln" in seen, timeout=15_000)
    assert column.model.index(0).data() == "Today"
    assert column.list.currentIndex().data(ID_ROLE) == view.summary_id
    assert seen[0].startswith("kiln · "), "it stood under Working before"
    assert told[0] == "Summarizing"
    qtbot.waitUntil(lambda: told[-1] == "")
    assert frame.window.windowTitle() == "kiln – Fireside"


def test_a_model_that_takes_the_chats_place_is_seen_while_it_works_and_comes_back(
    frame: Frame, qtbot: QtBot, tmp_path: Path
) -> None:
    """The person is asked, says yes, and the picker never shows a model that does not answer."""
    big = tmp_path / "Big-26B.gguf"
    write_model(big)
    script = {"load": {"any_path": True, "needed_bytes": 4 * GB}}
    (tmp_path / "script" / "script.json").write_text(json.dumps(script), "utf-8")
    frame.loader.start()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    frame.app.models.use("summarize", big)
    engines = frame.app.summaries._engines._beside
    engines._free_bytes, engines._needs = lambda: RESERVE_BYTES, lambda _path: 2 * GB
    summaries_of(frame.app)
    summary(frame, "kiln.txt", "queued")
    names: list[str] = []
    frame.loader.changed.connect(lambda: names.append(frame.window.picker.accessibleDescription().split(",")[0]))
    frame.window.views.go_on()
    qtbot.waitUntil(lambda: frame.window.findChild(QuestionDialog) is not None, timeout=10_000)
    dialog = frame.window.findChild(QuestionDialog)
    assert dialog is not None
    assert frame.window.views.is_at_work
    yes = next(one for one in dialog.findChildren(QPushButton) if one.text() == "Put to sleep")
    qtbot.mouseClick(yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: names[-1:] == ["Starter"] and "Big 26B" in names, timeout=15_000)


def test_without_a_queue_nothing_starts(frame: Frame, qtbot: QtBot) -> None:
    summary(frame, "kiln.txt", "paused")
    with qtbot.assertNotEmitted(frame.window.views.work_changed, wait=300):
        frame.window.views.go_on()
    assert frame.window.views._summarize is None


def test_what_is_at_work_stands_in_the_bottom_line(frame: Frame) -> None:
    frame.window.views.work_changed.emit("Summary paused while you chat")
    assert frame.window.status.work.isVisible()
    assert frame.window.status.work.text() == "Summary paused while you chat"
    frame.window.views.work_changed.emit("")
    assert not frame.window.status.work.isVisible()


def test_the_gauge_of_a_chats_context_is_there_where_the_chat_is(frame: Frame, qtbot: QtBot) -> None:
    frame.loader.start()
    qtbot.waitUntil(frame.window.status.gauge.isVisible)
    press(frame, qtbot, Qt.Key.Key_2)
    assert not frame.window.status.gauge.isVisible()
    press(frame, qtbot, Qt.Key.Key_1)
    assert frame.window.status.gauge.isVisible()


# From one tab to the other.


def test_ask_about_it_opens_a_chat_of_its_own_with_the_documents_and_the_title(frame: Frame, qtbot: QtBot) -> None:
    first, second = (store_document(frame.app.documents.store, name, "Words.").id for name in ("a.txt", "b.txt"))
    press(frame, qtbot, Qt.Key.Key_2)
    view_of(frame).ask_wanted.emit([first, second], "Two reports")
    assert shown(frame) == CHAT
    assert frame.chat.composer.hasFocus()
    chat_id = frame.chat.conversation_id
    assert chat_id is not None
    conversation = frame.app.conversations.get(chat_id)
    assert conversation is not None
    assert conversation.title == "Two reports"
    attached = frame.app.documents.attachments.in_draft(chat_id)
    assert [one.document_id for one in attached] == [first, second]
    assert frame.app.documents.attachments.in_draft(None) == [], "what is written elsewhere stays as it is"
    assert frame.window.windowTitle() == "Two reports – Fireside"
    assert "Two reports" in [one.title for one in frame.window.sidebar.model.conversations]
    view_of(frame).ask_wanted.emit([first, second], "Two reports")
    assert frame.chat.conversation_id == chat_id, "one that still waits with these documents is taken again"


@pytest.fixture
def whole(frame: Frame, qtbot: QtBot, tmp_path: Path) -> ChatView:
    """The window with the real chat in it."""
    list(frame.app.engine.load(tmp_path / "model.gguf"))
    chat = ChatView(frame.app, frame.theme, frame.notify)
    frame.window.chat.hide()
    frame.window.views.document.replaceWidget(0, chat)
    chat.attaching.summarize_wanted.connect(frame.window.views._on_summarize_wanted)
    chat.show()
    chat.set_model_state("ready", "")
    return chat


def test_a_document_that_does_not_fit_goes_over_to_the_summaries(
    frame: Frame, whole: ChatView, qtbot: QtBot, tmp_path: Path
) -> None:
    words = " ".join(f"word{number}" for number in range(9_000))
    long = notes(tmp_path / "manual.txt", *(words[start : start + 400] for start in range(0, 70_000, 400)))
    short = notes(tmp_path / "note.txt", "A short note.")
    whole.attaching.add([short, long])
    row = whole.composer.attachments
    qtbot.waitUntil(lambda: [one.is_too_long for one in whole.attaching.shown] == [False, True], timeout=15_000)
    qtbot.waitUntil(lambda: whole.attaching.shown[0].use is Use.WHOLE, timeout=10_000)
    offers = [one.text() for one in row.findChildren(QPushButton) if one.isVisible() and one.text()]
    assert "Summarize all of it" in offers
    whole.composer.set_text("About the manual")
    offer = next(
        one for one in row.findChildren(QPushButton) if one.text() == "Summarize all of it" and one.isVisible()
    )
    qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
    assert shown(frame).startswith("summarize")
    assert [one.name for one in view_of(frame).files.documents] == ["manual.txt"]
    frame.window.views.show_chat()
    assert [one.name for one in whole.attaching.shown] == ["note.txt"]
    drafts = frame.app.documents.attachments
    qtbot.waitUntil(lambda: [one.use for one in drafts.in_draft(None)] == [Use.WHOLE], timeout=10_000)
    assert whole.composer.text == "About the manual"
