"""Names by strangers on every screen: shown as they are, in one direction, never as markup, a key or the next line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from PySide6 import QtGui
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QMenu,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.errors.hub_errors import DownloadFailed
from app.core.events import Role
from app.core.visible import has_directions, settle_directions
from app.features.summarize.summary_result import SummaryOptions
from app.hub.hub_search import FoundRepository, SearchResultPage
from app.hub.model_files import RemoteFile
from app.store.assistant_store import AssistantStore
from app.store.attachments import Attachments, DocumentUse
from app.store.projects import Memories, Projects, Tags
from app.store.prompt_store import PromptStore
from app.ui.chat.chat_view import ChatView
from app.ui.chat.turn_column import ChatsColumn
from app.ui.document.document_panel import DocumentPanel
from app.ui.models.hub_page import SearchPage
from app.ui.models.installed_page import InstalledPage
from app.ui.models.model_card import ModelCard
from app.ui.models.repository import RepositoryPage
from app.ui.shell import tasks
from app.ui.shell.keyboard import WINDOW_SHORTCUTS
from app.ui.shell.notify import Notify
from app.ui.shell.settings_index import PAGES
from app.ui.theme import Theme
from app.ui.widgets.labels import ElidedLabel, plain_caption, plain_tip
from app.ui.widgets.row_list import RowList
from tests.helpers.desks.desk import WAIT_MS
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import write_script
from tests.helpers.summaries import paragraphs, store_document
from tests.ui.models.search_parts import ScriptedApp, model_file, repository
from tests.ui.models.stand_in import QWEN, context, download, open_pages

MARK = "Zq"
HOSTILE = f"{MARK}<b>x</b><img src=http://127.0.0.1/x>&amp;&y\u202efdp\u2067\u200b\x1b[31m"
HUB_NAME = f"{MARK}<b>x</b><img src=http://127.0.0.1/x>&amp;&y"
"""What the Hub's answers may still hold: they are parsed without what acts, see `tests/hub/test_search.py`."""
MODEL = f"{MARK}<b>m</b>&n\u202e.gguf"
LEFT_OUT = (
    "quit",
    "print",
    "open_model",
    "attach",
    "import_chats",
    "quick_ask",
    "temporary_chat",
    "new",
    "new_project",
)
"""Commands that end the program, open the system's own dialogs, or leave the chat that is looked at."""
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e]")


@pytest.mark.parametrize(
    "name",
    [
        HOSTILE, "a\u202eb", "a\u2066b", "<b>x", "Tom & Jerry", "a\tCtrl+Q", "a\nb\r\nc", "\x1b]52;c;x\x07", "a\u2028b",
        "<img src='file:///etc/passwd'>",
    ],
)  # fmt: skip
def test_captions_and_tips_show_the_text_and_nothing_else(name: str) -> None:
    caption, tip = plain_caption(name), plain_tip(name)
    assert not ACTS.search(caption + tip) and not re.search("[\t\n]", caption)
    assert caption.replace("&&", "").count("&") == 0
    assert not QtGui.Qt.mightBeRichText(tip) or tip.startswith('<p style="white-space: pre-wrap">')
    for shown in (caption.replace("&&", "&"), unescape(tip.removeprefix('<p style="white-space: pre-wrap">'))):
        assert name[0] in (*shown[0], "\x1b") and settle_directions(shown) == shown


def problems_of(window: QWidget) -> Iterator[str]:
    """What is shown wrongly of names: a line each, of a window's widgets and their menus."""
    for widget in [window, *window.findChildren(QWidget)]:
        for kind, text, is_plain in _texts_of(widget):
            if MARK in text:
                wrong = [
                    word
                    for word, is_wrong in (
                        ("acts", ACTS.search(text) if kind != "label" else re.search("[\u2028\u2029\u202e]", text)),
                        ("turns", has_directions(text) and settle_directions(text) != text),
                        ("markup", not is_plain and QtGui.Qt.mightBeRichText(text) and "<b>" in text),
                        ("key", kind == "caption" and "&" in text.replace("&&", "")),
                    )
                    if is_wrong
                ]
                if wrong:
                    yield f"{type(widget).__name__} {widget.objectName()} {kind} {wrong}: {text!r}"


def _texts_of(widget: QWidget) -> Iterator[tuple[str, str, bool]]:
    yield "tip", widget.toolTip(), False
    yield "title", widget.windowTitle(), True
    if isinstance(widget, QLabel):
        is_painted = isinstance(widget, ElidedLabel)  # which settles what it paints, and is asked for the whole text
        yield "label", "" if is_painted else widget.text(), widget.textFormat() == Qt.TextFormat.PlainText
    if isinstance(widget, QAbstractButton):
        yield "caption", widget.text(), True
    if isinstance(widget, QMenu):
        yield "caption", widget.title(), True
    for action in widget.actions():
        yield "caption", action.text(), True
        # One that has none of its own repeats its caption, which most menus never show.
        shows_tip = isinstance(widget, QMenu) and widget.toolTipsVisible()
        yield "tip", action.toolTip() if shows_tip else "", False
    if isinstance(widget, QComboBox):
        for number in range(widget.count()):
            yield "item", widget.itemText(number), True
    if isinstance(widget, QAbstractItemView) and widget.model() is not None:
        for row in range(widget.model().rowCount()):
            yield "tip", widget.model().index(row, 0).data(Qt.ItemDataRole.ToolTipRole) or "", False


@pytest.fixture
def home(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    """A window whose every name comes from a stranger, with a chat open."""
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp, make_chat=ChatView) as frame:
        app, database = frame.app, frame.database
        model = app.paths.models / MODEL
        write_model(model)
        document = store_document(app.documents.store, f"{HOSTILE}.pdf", *paragraphs(3), title=HOSTILE)
        project = Projects(database).create(HOSTILE)
        chat = app.conversations.create(title=HOSTILE, model=str(model), project_id=project.id)
        asked = app.conversations.add_message(chat.id, None, Role.USER, HOSTILE)
        app.conversations.add_message(chat.id, asked.id, Role.ASSISTANT, HOSTILE, model=str(model))
        Attachments(database).add_to_draft(chat.id, document.id, DocumentUse.WHOLE)
        tag = Tags(database).create(HOSTILE)
        Tags(database).set_tag(tag.id, chat.id)
        Memories(database).add(HOSTILE)
        AssistantStore(database).create(HOSTILE)
        PromptStore(database).create(HOSTILE, HOSTILE)
        app.pages.create("text", title=HOSTILE)
        app.summaries.begin_summaries([document.id], SummaryOptions(), together=False)
        frame.show_chat(chat.id)
        yield frame


def _menus_of(frame: Frame) -> Iterator[QMenu]:
    column = frame.find_step(ChatsColumn)
    yield column.more_menu()
    for rows in frame.every(RowList):
        owner: QWidget | None = rows
        while owner is not None and not hasattr(owner, "menu_for"):
            owner = owner.parentWidget()
        index: QModelIndex = rows.model().index(0, 0)
        if owner is not None and index.isValid():
            yield owner.menu_for(index)  # type: ignore[attr-defined]
    for page in frame.every(InstalledPage):
        for card in page.findChildren(ModelCard):
            yield page.menu_for(card)


@pytest.fixture
def closing() -> Iterator[Callable[[QWidget], None]]:
    """Ends what a page asks of threads when the test is over, and the page."""
    opened: list[QWidget] = []
    yield opened.append
    assert tasks.running.stop_all(60)
    tasks.running.reopen()
    for widget in opened:
        widget.deleteLater()


def test_the_hub_shows_hostile_names_as_names(qtbot: QtBot, closing: Callable[[QWidget], None]) -> None:
    theme, app = Theme("light"), ScriptedApp()
    notify = Notify(theme)
    file = model_file("Q4_K_M", 10**9)
    files = (replace(file, name=f"{HUB_NAME}-Q4_K_M.gguf"), replace(file, name=f"b{HUB_NAME}.gguf", tag=HUB_NAME))
    facts = {"total": 10**9, "architecture": HUB_NAME, "context_length": 4096}
    hostile = repository(
        f"{HUB_NAME}/{HUB_NAME}",
        models=files,
        vision=(RemoteFile(f"mmproj-{HUB_NAME}.gguf", 10**8),),
        license=HUB_NAME,
        languages=(HUB_NAME, "de"),
        facts=facts,
        gated="manual",
    )
    app.models.answers["repository"] = lambda _: hostile
    app.models.answers["card"] = lambda _: f"# {HUB_NAME}\n\n{HUB_NAME}"
    app.models.answers["search"] = lambda _: SearchResultPage((FoundRepository(hostile.name, license=HUB_NAME),))
    page, search = (kind(app, context(theme, notify)) for kind in (RepositoryPage, SearchPage))  # type: ignore[arg-type]
    for widget in (page, search):
        closing(widget)
        widget.show()
    page.show_repository(hostile.name)
    search.show_query(HUB_NAME)
    rows = search.list.results
    qtbot.waitUntil(
        lambda: page.repository is not None and bool(rows.found) and not len(tasks.running), timeout=WAIT_MS
    )
    found = [*problems_of(page), *problems_of(search)]
    assert not found, "\n".join(found)
    assert sum(MARK in text for each in page.findChildren(QWidget) for _, text, _ in _texts_of(each)) >= 4


def test_downloads_show_hostile_names_as_names(qapp: QApplication, qtbot: QtBot) -> None:
    entry = replace(QWEN, name=HOSTILE, repo=f"{HOSTILE}/x", file=f"{HOSTILE}.gguf")
    with open_pages(qapp) as pages:
        for number, state in enumerate(("running", "paused", "failed", "done"), 1):
            error = DownloadFailed(HOSTILE, HOSTILE) if state == "failed" else None
            pages.queue.items[number] = download(number, entry, state, 0.5, error=error)
        pages.show("downloads")
        qtbot.waitUntil(lambda: len(pages.cards("downloads")) == 4, timeout=WAIT_MS)
        assert not list(problems_of(pages.window))
        assert MARK in pages.cards("downloads")[0].name.text()


def test_every_screen_shows_hostile_names_as_names(home: Frame, qapp: QApplication) -> None:
    found, counted = dict[str, str](), 0

    def look(screen: str) -> None:
        nonlocal counted
        qapp.processEvents()
        for window in qapp.topLevelWidgets():
            found.update({line: screen for line in problems_of(window) if line not in found})
            counted += sum(MARK in text for child in window.findChildren(QWidget) for _, text, _ in _texts_of(child))
        for window in qapp.topLevelWidgets():
            if isinstance(window, QDialog | QMenu) and window.isVisible():
                window.close()

    def show(name: str) -> Callable[[], object]:
        action = home.window.findChild(QtGui.QAction, f"action_{name}")
        assert action is not None, name
        return action.trigger

    look("chat")
    for shortcut in WINDOW_SHORTCUTS:
        if shortcut.name not in LEFT_OUT:
            show(shortcut.name)()
            look(shortcut.name)
    for tab in ("chat", "summarize", "translate", "write"):
        home.show_tab(tab)
        look(tab)
    for page in ("suggested", "installed", "storage"):
        home.show_models(page)
        look(page)
    document = home.app.documents.store.find_content("ab")
    panels = home.every(DocumentPanel)
    assert document is not None and panels
    for panel in panels:
        panel.open(home.app.documents, document.id)
        look("document panel")
    for spec in PAGES:
        home.window.open_settings(spec.name)
        look(f"settings {spec.name}")
    for menu in _menus_of(home):
        look(f"menu {menu.objectName()}")
    assert counted > 60, "names are shown"
    assert not found, "\n".join(map("{0[1]}: {0[0]}".format, found.items()))
