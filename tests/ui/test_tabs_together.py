"""The tabs and what each brings along: its column, its model, its drops, and what goes from one to the other."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.features.summarize.summary_result import StoredSummary, SummaryOptions
from app.ui.exchange.import_dialog import ImportDialog
from app.ui.i18n import window_title
from app.ui.models.models_page import StateView
from app.ui.shared_labels import ABOUT_THIS_MODEL, PUT_TO_SLEEP, STARTER, TODAY, UNDO
from app.ui.shared_labels import SUMMARIZE as SUMMARIZE_LABEL
from app.ui.shell.incoming_files import ASK_ABOUT_IT, CHATS_IN_FILES, DROP_TO_ADD_MODEL, IMPORT_LABEL
from app.ui.shell.model_picker import USE_IN_CHATS_TOO, USED_ONLY_IN_TAB, WAKE_UP
from app.ui.shell.tab_spec import EndOfWork
from app.ui.summarize.draft_files import CHOOSE_DOCUMENTS
from app.ui.summarize.summarize_tab import SEARCH_SUMMARIES, SummarizeView
from app.ui.theme import EDGE_PX, READING_PX, WIDE_PX
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.layouts import column_inset
from tests.helpers.attached import lease_pdf, notes
from tests.helpers.counting import engines_started, lines_run, thousand_steps
from tests.helpers.desks.models import PAGES
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import write_script
from tests.helpers.summaries import leave_no_room, paragraphs, store_document, summaries_of

GB = 10**9
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


CHAT = "chat InsideSplitter chats_column"
SUMMARIZE = "summarize SummarizeView summaries_column"


def summary(frame: Frame, name: str, state: str) -> StoredSummary:
    """A summary in a state, with its document."""
    document = store_document(frame.documents.store, name, *paragraphs(3))
    (made,) = frame.summaries.begin_summaries([document.id], SummaryOptions(), together=False)
    with frame.database.transaction() as connection:
        connection.execute("UPDATE jobs SET state = ? WHERE id = ?", (state, made.id))
    found = frame.summaries.get(made.id)
    assert found is not None
    return found


# The tabs.


def test_the_tabs_are_opened_by_key_and_by_click(frame: Frame) -> None:
    assert frame.shown == CHAT
    frame.key(Qt.Key.Key_2)
    assert frame.shown == SUMMARIZE
    assert frame.window.windowTitle() == window_title(SUMMARIZE_LABEL)
    frame.key(Qt.Key.Key_1)
    assert frame.shown == CHAT
    assert frame.is_typing
    frame.click_tab("summarize")
    assert frame.shown == SUMMARIZE
    frame.click_tab("chat")
    assert frame.shown == CHAT
    assert frame.window.windowTitle() == "Fireside"


def test_neither_tab_is_marked_while_the_models_are_shown_and_the_last_one_is_remembered(frame: Frame) -> None:
    frame.key(Qt.Key.Key_2)
    frame.key(Qt.Key.Key_M)
    assert frame.shown == "ModelsView models_column"
    assert frame.window.windowTitle() == "Models – Fireside"
    assert frame.gauge.isHidden()
    frame.window.close()
    assert frame.settings.window.tab == "summarize"


def test_keys_mean_the_summaries_in_their_tab(frame: Frame) -> None:
    done = summary(frame, "report.txt", "done")
    frame.key(Qt.Key.Key_2)
    frame.summarize.show(done.id)
    frame.key(Qt.Key.Key_F)
    assert frame.focus.accessibleName() == SEARCH_SUMMARIES
    frame.key(Qt.Key.Key_N)
    assert frame.open_summary is None
    assert frame.shown == SUMMARIZE
    frame.key(Qt.Key.Key_O, CTRL | SHIFT)
    dialog = frame.find_step(QFileDialog)
    assert dialog.windowTitle() == CHOOSE_DOCUMENTS
    dialog.reject()
    assert frame.chat.attaching.asked == 0


def test_the_last_tab_and_the_last_summary_come_back(qapp: QApplication, qtbot: QtBot) -> None:
    with open_window(qapp) as frame:
        done = summary(frame, "report.txt", "done")
        frame.key(Qt.Key.Key_2)
        frame.summary_list.open(done.id)
        assert frame.open_summary == done.id
    with open_window(qapp) as frame:
        qtbot.waitUntil(lambda: frame.shown == SUMMARIZE)
        assert frame.open_summary == done.id
        assert frame.window.windowTitle() == f"{done.title} – Fireside"
        frame.key(Qt.Key.Key_1)
    with open_window(qapp) as frame:
        assert frame.shown == CHAT
        frame.key(Qt.Key.Key_2)
        assert frame.open_summary == done.id, "though the tab was not open"
        frame.summaries.delete(done.id)
    with open_window(qapp) as frame:
        qtbot.waitUntil(lambda: frame.shown == SUMMARIZE)
        assert frame.open_summary is None


def test_what_is_typed_before_the_tab_that_comes_back_is_built_stands_in_it(qapp: QApplication) -> None:
    with open_window(qapp) as frame:
        frame.show_tab("write")
    with open_window(qapp) as frame:
        place = frame.window.focusWidget()
        assert place is frame.middle.currentWidget(), "not the message field, which cannot be seen"
        QTest.keyClicks(place, "Once")
        assert frame.write.text == "Once"
        assert frame.chat.composer.toPlainText() == ""


def test_headings_cards_and_text_of_every_tab_begin_at_the_left_edge_of_their_column(
    frame: Frame, qtbot: QtBot
) -> None:
    frame.window.resize(900, 700)
    done, paused, queued = (summary(frame, f"{state}.txt", state) for state in ("done", "paused", "queued"))

    def left(widget: QWidget) -> int:
        qtbot.waitUntil(widget.isVisible)
        QApplication.processEvents()
        return widget.mapTo(frame.middle, QPoint(0, 0)).x()

    frame.show_tab("summarize")
    desk = frame.summarize
    lefts = {"where to drop": left(desk.zone), "what for": left(desk.empty_head)}
    desk.show(done.id)
    lefts |= {"title": left(desk.title), "choices": left(desk.choices)}
    statements = desk.statements.viewport()
    lefts["statements"] = left(statements)
    assert statements.width() <= frame.theme.px(READING_PX)
    desk.show(paused.id)
    lefts["what is left"] = left(desk.state_bar)
    desk.show(queued.id)
    points = desk.statements.viewport()
    lefts |= {"at work": left(desk.work_words), "points": left(points)}
    frame.show_tab("translate")
    text = frame.translate
    lefts |= {"languages": left(text.choice), "panes": left(text.panes)}
    text.show_document_page()
    sheet = text.document
    sheet.show_segments()
    lefts |= {"document": left(sheet.title), "segments": left(sheet.card)}
    for page in PAGES:
        frame.show_models(page)
        lefts[page] = left(frame.models_title)
    frame.show_models("search")
    lefts["search"] = left(frame.find_step(StateView))
    edge, room, px = frame.theme.px(EDGE_PX), frame.middle.width(), frame.theme.px
    beside_each_other = {"languages", "panes", "document", "segments"}
    column, wide = column_inset(frame.theme, room), (max(0, room - px(WIDE_PX)) + 1) // 2
    assert lefts == {name: edge + (wide if name in beside_each_other else column) for name in lefts}


def test_the_first_lines_of_the_tabs_stand_at_one_height(frame: Frame, qtbot: QtBot) -> None:
    frame.theme.zoom = 1.5
    frame.window.resize(1590, 900)
    done, queued = (summary(frame, f"{state}.txt", state) for state in ("done", "queued"))

    def middle(widget: QWidget) -> int:
        qtbot.waitUntil(widget.isVisible)
        QApplication.processEvents()
        return widget.mapTo(frame.middle, widget.rect().center()).y()

    frame.show_tab("summarize")
    desk = frame.summarize
    middles = {"empty": middle(desk.empty_head)}
    desk.show(done.id)
    middles["title"] = middle(desk.title)
    desk.show(queued.id)
    middles["at work"] = middle(desk.work_title)
    frame.show_models()
    middles["models"] = middle(frame.models_title)
    frame.show_tab("translate")
    middles["languages"] = middle(frame.translate.choice)
    assert max(middles.values()) - min(middles.values()) <= frame.theme.px(3), middles


# The column.


def test_a_deleted_summary_leaves_the_middle_and_comes_back_with_undo(frame: Frame) -> None:
    done = summary(frame, "report.txt", "done")
    frame.key(Qt.Key.Key_2)
    frame.summary_list.open(done.id)
    column = frame.summary_list
    column.press_in_list(Qt.Key.Key_Delete)
    assert frame.open_summary is None
    assert len(column.rows) == 0
    frame.press_notice(UNDO)
    assert frame.open_summary == done.id
    assert len(column.rows) == 2


@pytest.mark.slow
def test_a_summary_of_ten_thousand_is_found_by_a_word_with_little_work(frame: Frame) -> None:
    with frame.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO jobs (kind, title, state, spec, created_at, updated_at, place)"
            " VALUES ('summary', ?, 'done', '{}', ?, ?, ?)",
            [(f"Report {number}", number, number, number) for number in range(10_000)],
        )
    frame.key(Qt.Key.Key_2)
    column = frame.summary_list
    assert len(column.rows) == 10_001
    column.find_words("4711")
    frame.wait(lambda: len(column.rows) == 2)
    assert column.rows[1] == "Report 4711"
    assert thousand_steps(frame.database, column.root.reload) < 2_000
    assert lines_run(column.root.reload) < 200 * 10_000


# Files.


def test_files_dropped_on_the_chat_ask_what_for(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    lease, plan = lease_pdf(tmp_path / "lease.pdf"), notes(tmp_path / "plan.txt", "We begin in May.")
    assert frame.hint(lease) == "Ask about it, Summarize, Translate"
    assert frame.hint(tmp_path / "model.gguf") == DROP_TO_ADD_MODEL
    drops = frame.window.tabs.specs["translate"].drops
    assert drops is not None
    assert drops.note_of([plan]) == "Keeps its layout"
    assert drops.note_of([plan, lease]) == "Becomes a new document"
    frame.drop(lease, share=0.2)
    assert frame.chat.files == [lease]
    assert frame.shown == CHAT
    frame.drop(lease, plan, share=0.5)
    assert frame.chat.files == [lease], "nothing is attached"
    assert frame.shown == SUMMARIZE
    qtbot.waitUntil(lambda: len(frame.summarize.read) == 2)


def test_files_of_a_later_start_go_where_it_says_whatever_they_are_called(frame: Frame, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"kiln \xff.txt")
    folder = tmp_path / "papers"
    folder.mkdir()
    for file in (odd, folder / "a.txt", folder / "b.txt"):
        notes(file, *paragraphs(2))
    frame.window.files.open([str(odd), str(folder)], "summarize")
    assert frame.current_tab == "summarize"
    frame.wait(lambda: len(frame.summarize.read) == 3)
    frame.window.files.open([str(odd)])
    assert frame.current_tab == "chat"
    assert frame.chat.files == [odd]
    frame.window.files.open([], "translate")
    assert frame.current_tab == "translate"


def test_a_file_with_chats_can_be_imported_or_asked_about(frame: Frame, tmp_path: Path) -> None:
    chats, plain = tmp_path / "chats.json", tmp_path / "plain.json"
    chats.write_text('{"format": "fireside-chats", "version": 1, "chats": [{"title": "Kiln", "messages": []}]}')
    plain.write_text('{"kiln": 900}')
    frame.open_files(chats, plain)
    frame.wait(lambda: frame.notices == [CHATS_IN_FILES.format(names="chats.json")])
    assert frame.chat.files == [plain]
    frame.press_notice(ASK_ABOUT_IT)
    assert frame.chat.files == [plain, chats]
    frame.open_files(chats)
    frame.wait(lambda: frame.notices == [CHATS_IN_FILES.format(names="chats.json")])
    frame.press_notice(IMPORT_LABEL)
    dialog = frame.find_step(ImportDialog)
    frame.wait(lambda: [chat.title for chat in frame.conversations.find()] == ["Kiln"] and not dialog.is_reading)


# The model of each tab.


def test_each_tab_has_its_model_and_choosing_one_leaves_the_chats_in_memory(
    frame: Frame, qtbot: QtBot, tmp_path: Path
) -> None:
    big = tmp_path / "Big-9B-Q4_K_M.gguf"
    write_model(big)
    frame.loader.start()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    picker = frame.picker
    frame.key(Qt.Key.Key_2)
    assert picker.accessibleDescription().startswith("Starter, 145 MB, ready"), "the chat's serves without another"
    frame.app.change_settings("engine", known_models=(str(big),))
    frame.choose_model("Big 9B")
    assert picker.accessibleDescription() == "Big 9B, 448 bytes, asleep, Only in Summarize. It’s loaded when needed."
    picker.is_at_work = lambda task: task == "summarize"
    frame.work_changed.emit("Summarizing")
    assert picker.accessibleDescription() == "Big 9B, 448 bytes, busy, Only in Summarize.", (
        "never asleep while it writes"
    )
    assert frame.models.for_task("summarize") == big
    assert frame.loader.name == STARTER
    assert frame.engine.loaded is not None
    frame.key(Qt.Key.Key_1)
    assert picker.accessibleDescription().startswith("Starter, 145 MB, ready")
    frame.key(Qt.Key.Key_2)
    assert picker.accessibleDescription().startswith("Big 9B")
    texts = [action.text().split("\t")[0] for action in frame.model_menu.actions() if not action.isSeparator()]
    assert not {PUT_TO_SLEEP, WAKE_UP, ABOUT_THIS_MODEL} & set(texts), "those are about the chat's"


def test_a_model_file_opened_in_a_tab_is_that_tabs(frame: Frame, tmp_path: Path) -> None:
    other = tmp_path / "Other-3B.gguf"
    write_model(other)
    frame.key(Qt.Key.Key_2)
    frame.key(Qt.Key.Key_O)
    frame.choose_file(other, "open_model_dialog")
    assert frame.picker.path == other
    assert frame.loader.state == "asleep"
    menu = frame.model_menu
    assert any(action.text().startswith("Other 3B") and action.isChecked() for action in menu.actions())
    menu.close()
    assert other in [row.model.path for row in frame.models.list_installed()]
    frame.key(Qt.Key.Key_1)
    assert any(action.text().startswith("Other 3B") for action in frame.model_menu.actions()), "one list for all tabs"
    assert frame.notices == [USED_ONLY_IN_TAB.format(name="Other 3B", tab=SUMMARIZE_LABEL)]
    frame.press_notice(USE_IN_CHATS_TOO)
    frame.wait(lambda: frame.loader.path == other and frame.loader.state == "ready")


def test_the_model_that_only_write_uses_says_whether_it_is_in_memory_and_can_be_put_to_sleep(
    frame: Frame, qtbot: QtBot, tmp_path: Path
) -> None:
    big = tmp_path / "Big-9B-Q4_K_M.gguf"
    write_model(big)
    frame.loader.start()
    frame.wait(lambda: frame.loader.state == "ready")
    frame.key(Qt.Key.Key_4)
    frame.app.change_settings("engine", known_models=(str(big),))
    frame.choose_model("Big 9B")

    def press(words: str) -> None:
        menu = frame.model_menu
        next(action for action in menu.actions() if action.text() == words).trigger()
        menu.close()

    def said(word: str) -> bool:
        return frame.picker.accessibleDescription().startswith(f"Big 9B, 448 bytes, {word}, Only in Write.")

    assert said("asleep")
    with engines_started() as started:
        press(WAKE_UP)
        frame.wait(lambda: said("ready"))
    assert len(started) == 1, "beside the chat's"
    assert frame.loader.state == "ready"
    press(PUT_TO_SLEEP)
    frame.wait(lambda: said("asleep"))
    assert frame.app.pool.list_beside() == []


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
        frame.work_changed.connect(told.append)
        ends = frame.heard(frame.window.tabs.work.ended)
        frame.go_on()
        qtbot.waitUntil(lambda: bool(told) and told[-1] == "")
        assert told[0].startswith("Summar")
        qtbot.waitUntil(lambda: not frame.is_at_work)
        assert frame.shown == CHAT, "nothing jumps at the person"
        assert view_count(frame) == 0, "and nothing of it needs to be seen"
        stored = frame.summaries.get(waiting.id)
        assert stored is not None
        assert stored.state == "done"
        qtbot.waitUntil(lambda: bool(ends))  # it comes from a thread of its own
        assert ends == [("summarize", EndOfWork("Your summary is ready.", stored.title, waiting.id))]


def view_count(frame: Frame) -> int:
    return len(frame.window.findChildren(SummarizeView))


def test_the_list_and_the_bottom_line_follow_the_work_from_its_start_to_its_end(
    frame: Frame, qtbot: QtBot, tmp_path: Path
) -> None:
    list(frame.engine.load(tmp_path / "model.gguf"))
    summaries_of(frame.app)
    frame.drop(notes(tmp_path / "kiln.txt", *paragraphs(6)), share=0.4)
    desk = frame.summarize
    qtbot.waitUntil(lambda: len(desk.read) == 1 and desk.begin_button.isEnabled())
    told: list[str] = []
    seen: list[str] = []
    frame.work_changed.connect(told.append)
    column = frame.summary_list
    column.row_changes(lambda: seen.append(column.rows[1]))
    desk.click(desk.begin_button)
    assert desk.summary_id is not None
    qtbot.waitUntil(lambda: "kiln" in seen)
    assert column.rows[0] == TODAY
    assert column.current == desk.summary_id
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
    held = {"held_after": 1, "until": "seen"}
    script = {"load": {"any_path": True, "needed_bytes": 4 * GB}, "answers": [held]}
    (tmp_path / "script" / "script.json").write_text(json.dumps(script), "utf-8")
    frame.loader.start()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    frame.models.choose_model("summarize", big)
    leave_no_room(frame.app, needed_bytes=2 * GB)
    summaries_of(frame.app)
    summary(frame, "kiln.txt", "queued")
    names: list[str] = []
    frame.loader.changed.connect(lambda: names.append(frame.model_said.split(",")[0]))
    frame.go_on()
    frame.wait(lambda: frame.has(QuestionDialog))
    assert frame.is_at_work
    frame.click(frame.button(PUT_TO_SLEEP))
    qtbot.waitUntil(lambda: "Big 26B" in names)
    (tmp_path / "script" / "seen").touch()
    qtbot.waitUntil(lambda: names[-1] == STARTER)


# From one tab to the other.


def test_ask_about_it_opens_a_chat_of_its_own_with_the_documents_and_the_title(frame: Frame) -> None:
    first, second = (store_document(frame.documents.store, name, "Words.").id for name in ("a.txt", "b.txt"))
    frame.key(Qt.Key.Key_2)
    frame.summarize.view.ask_wanted.emit([first, second], "Two reports")
    assert frame.shown == CHAT
    assert frame.is_typing
    chat_id = frame.chat.conversation_id
    assert chat_id is not None
    conversation = frame.conversations.get(chat_id)
    assert conversation is not None
    assert conversation.title == "Two reports"
    attached = frame.documents.attachments.in_draft(chat_id)
    assert [one.document_id for one in attached] == [first, second]
    assert frame.documents.attachments.in_draft(None) == [], "what is written elsewhere stays as it is"
    assert frame.window.windowTitle() == "Two reports – Fireside"
    assert "Two reports" in frame.chats.rows
    frame.summarize.view.ask_wanted.emit([first, second], "Two reports")
    assert frame.chat.conversation_id == chat_id, "one that still waits with these documents is taken again"
