"""The Summarize tab with the real store, queue, documents and engine child; what the pipeline tells is a test's own."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.bootstrap import Fireside, build
from app.core.events import CancelToken
from app.features.summarize import InputDocument, Planned, SectionRead, Summarized, SummaryEvent
from app.features.summary.result import (
    Anchor,
    Check,
    Coverage,
    Reason,
    Statement,
    SummarizedDocument,
    Summary,
    Wish,
)
from app.ui import tasks
from app.ui.notify import Notify
from app.ui.summarize.summarize_view import SummarizeView
from app.ui.theme import Theme
from tests.helpers.script import write_script

FOUND = "The deposit is 2,400 euros and is paid back within eight weeks."
WRONG = "The lease begins in June."


class Pipeline:
    """Tells of a summary what a test says, when it says it; stopped, it ends with what it told."""

    def __init__(self) -> None:
        self.says: queue.Queue[SummaryEvent | Exception] = queue.Queue()
        self.asked: list[tuple[tuple[str, ...], Wish]] = []

    def __call__(
        self, documents: Sequence[InputDocument], wish: Wish, engine: Any, steps: Any, cancel: CancelToken
    ) -> Iterator[SummaryEvent]:
        self.asked.append((tuple(one.name for one in documents), wish))
        told: list[SummaryEvent] = []
        while not cancel.cancelled:
            try:
                said = self.says.get(timeout=0.02)
            except queue.Empty:
                continue
            if isinstance(said, Exception):
                raise said
            told.append(said)
            yield said
            if isinstance(said, Summarized):
                return
        points = [point for one in told if isinstance(one, SectionRead) for point in one.points]
        sections = max((one.sections for one in told if isinstance(one, Planned)), default=0)
        read = sum(isinstance(one, SectionRead) for one in told)
        yield Summarized(summary_of(documents, wish, points, sections=sections, read=read, is_partial=True))


def summary_of(
    documents: Sequence[Any],
    wish: Wish,
    statements: Sequence[Statement],
    *,
    sections: int = 4,
    read: int = 4,
    is_partial: bool = False,
) -> Summary:
    """As the pipeline ends; `documents` have id, name, unit and pages."""
    named = tuple(
        SummarizedDocument(one.id, one.name, one.name, one.unit, Coverage(8, 8, one.pages, one.pages))
        for one in documents
    )
    return Summary("Lease", named, tuple(statements), wish, "en", "Scripted", sections, read, is_partial=is_partial)


def found(text: str = FOUND, page: int | None = 2, block_id: int = 4, document: int = 0, **more: Any) -> Statement:
    """A statement that stands on its page."""
    return Statement(text, (Anchor(document, block_id, page, 0, 15, "The deposit is "),), **more)


def differing(text: str = WRONG, page: int | None = 1, **more: Any) -> Statement:
    """A statement of which the page says something else."""
    return Statement(text, (Anchor(0, 2, page),), Check(False, Reason.NUMBER, "June", "May"), **more)


@dataclass
class Desk:
    """The parts, and what a person does with them."""

    app: Fireside
    theme: Theme
    notify: Notify
    view: SummarizeView
    pipeline: Pipeline
    qtbot: QtBot
    states: list[str] = field(default_factory=list)

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=8_000)

    def drop(self, *paths: Path) -> None:
        """Drops files, and waits until they are read and counted."""
        self.view.add_files(list(paths))
        self.wait(lambda: len(self.view.files.files) >= len(paths))
        self.wait(lambda: self.view.draft.foot.button.isEnabled() and not self.view.draft.estimating.is_busy)

    def click(self, button: QWidget) -> None:
        assert button.isVisible()
        assert button.isEnabled()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        focus = QApplication.focusWidget()
        assert focus is not None
        self.qtbot.keyClick(focus, key, modifier)

    def begin(self, *paths: Path) -> int:
        """Drops files and starts; the id of the (first) summary, once it is being worked on."""
        self.drop(*paths)
        asked = len(self.pipeline.asked)
        self.click(self.view.draft.foot.button)
        self.wait(lambda: len(self.pipeline.asked) > asked)
        assert self.view.summary_id is not None
        return self.view.summary_id

    def say(self, *events: SummaryEvent | Exception) -> None:
        for event in events:
            self.pipeline.says.put(event)

    def finish(self, *statements: Statement, wish: Wish | None = None) -> None:
        """The one at work ends with these statements; waits until the result is shown."""
        stored = self.app.summaries.get(self.view.summary_id or 0)
        assert stored is not None
        documents = [self.app.documents.store.get(number) for number in stored.document_ids]
        self.say(Summarized(summary_of(documents, wish or stored.wish, statements)))
        self.wait(lambda: self.view.pages.currentWidget() is self.view.result)

    @property
    def notices(self) -> list[str]:
        return [notice.text for notice in self.notify.bar.notices]


@pytest.fixture
def open_tab(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Desk]]:
    """Opens the tab; called again, as after a restart."""
    opened: list[Desk] = []

    def close(desk: Desk) -> None:
        desk.view.leave()
        desk.view.runner.stop()
        desk.view.close()
        assert tasks.running.stop_all(10)
        tasks.running.reopen()
        desk.app.close()
        desk.view.deleteLater()
        desk.notify.bar.deleteLater()

    def make(
        *answers: dict[str, Any], scheme: str = "light", size: tuple[int, int] = (1000, 700), zoom: float = 1.0
    ) -> Desk:
        """With answers of the model the pipeline is the real one."""
        while opened:
            close(opened.pop())
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *answers)))
        app = build()
        pipeline = Pipeline()
        if not answers:
            app.summaries._queue._summarize = pipeline
        theme = Theme(scheme, zoom)
        theme.install(qapp)
        notify = Notify(theme)
        view = SummarizeView(app, theme, notify)
        view.resize(*size)
        view.show()
        qtbot.waitExposed(view)
        view.activateWindow()
        view.show_new()
        view.runner.start()
        desk = Desk(app, theme, notify, view, pipeline, qtbot)
        view.state_changed.connect(desk.states.append)
        opened.append(desk)
        return desk

    yield make
    while opened:
        close(opened.pop())
    qapp.setStyleSheet("")


@pytest.fixture
def desk(open_tab: Callable[..., Desk]) -> Desk:
    return open_tab()
