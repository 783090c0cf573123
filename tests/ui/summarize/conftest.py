"""The Summarize tab with the real store, queue, documents and engine child; what the pipeline tells is a test's own."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bootstrap import build_program
from app.core.events import CancelToken
from app.features.summarize.summarize import InputDocument, Planned, SectionRead, Summarized, SummaryEvent
from app.features.summarize.summary_result import (
    Check,
    CheckReason,
    ClaimAnchor,
    Coverage,
    Statement,
    SummarizedDocument,
    Summary,
    SummaryOptions,
)
from app.ui.shell.notify import Notify
from app.ui.summarize.summarize_tab import SummarizeView, new_runner
from app.ui.theme import Theme
from tests.helpers.desks.summarize import SummarizeDesk
from tests.helpers.script import write_script
from tests.helpers.summaries import put_pipeline

FOUND = "The deposit is 2,400 euros and is paid back within eight weeks."
WRONG = "The lease begins in June."


class Pipeline:
    """Tells of a summary what a test says, when it says it; stopped, it ends with what it told."""

    def __init__(self) -> None:
        self.says: queue.Queue[SummaryEvent | Exception] = queue.Queue()
        self.asked: list[tuple[tuple[str, ...], SummaryOptions]] = []
        self.so_far: list[Statement] = []
        """What is written of the text where it is stopped."""

    def __call__(
        self, documents: Sequence[InputDocument], wish: SummaryOptions, engine: Any, steps: Any, cancel: CancelToken
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
        read = sections if self.so_far else sum(isinstance(one, SectionRead) for one in told)
        points = self.so_far or points
        yield Summarized(summary_of(documents, wish, points, sections=sections, read=read, is_partial=True))


def summary_of(
    documents: Sequence[Any],
    wish: SummaryOptions,
    statements: Sequence[Statement],
    *,
    sections: int = 4,
    read: int = 4,
    is_partial: bool = False,
) -> Summary:
    """As the pipeline ends; `documents` have id, name, unit and pages."""
    named = tuple(
        SummarizedDocument(one.id, one.name, one.name, one.unit, coverage_of(one.pages, read if is_partial else 0))
        for one in documents
    )
    return Summary("Lease", named, tuple(statements), wish, "en", "Scripted", sections, read, is_partial=is_partial)


def coverage_of(pages: int, read: int = 0) -> Coverage:
    """Everything, or so many pages from the first on."""
    if not read or read >= pages:
        return Coverage(8, 8, pages, pages)
    return Coverage(8, 2 * read, pages, read, unread_pages=tuple(range(read + 1, pages + 1)))


def found(text: str = FOUND, page: int | None = 2, block_id: int = 4, document: int = 0, **more: Any) -> Statement:
    """A statement that stands on its page."""
    return Statement(text, (ClaimAnchor(document, block_id, page, 0, 15, "The deposit is "),), **more)


def differing(text: str = WRONG, page: int | None = 1, **more: Any) -> Statement:
    """A statement of which the page says something else."""
    return Statement(text, (ClaimAnchor(0, 2, page),), Check(False, CheckReason.NUMBER, "June", "May"), **more)


class Desk(SummarizeDesk):
    """The tab, and a pipeline that tells what a test says."""

    pipeline: Pipeline
    theme: Theme
    states: list[str]

    def begin_prompt(self, *paths: Path) -> int:
        """Drops files and starts; the id of the (first) summary, once it is being worked on."""
        self.drop(*paths)
        asked = len(self.pipeline.asked)
        self.click(self.begin_button)
        self.wait(lambda: len(self.pipeline.asked) > asked)
        assert self.summary_id is not None
        return self.summary_id

    def say(self, *events: SummaryEvent | Exception) -> None:
        """Told next, one after the other."""
        for event in events:
            self.pipeline.says.put(event)

    def finish(self, *statements: Statement, wish: SummaryOptions | None = None) -> None:
        """The one at work ends with these statements; waits until the result is shown."""
        stored = self.summaries.get(self.summary_id or 0)
        assert stored is not None
        documents = [self.documents.store.get(number) for number in stored.document_ids]
        self.say(Summarized(summary_of(documents, wish or stored.wish, statements)))
        self.wait(lambda: self.page == "result")


Open = Callable[..., Desk]


@pytest.fixture
def open_tab(qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the tab; called again, as after a restart."""
    opened: list[Desk] = []

    def close(desk: Desk) -> None:
        view = desk.view
        view.close_view()
        view.runner.stop()
        desk.end(view)

    def make(
        *answers: dict[str, Any],
        scheme: str = "light",
        size: tuple[int, int] = (980, 700),
        zoom: float = 1.0,
        load: dict[str, Any] | None = None,
        model: str = "",
    ) -> Desk:
        """With answers of the model the pipeline is the real one; `load` is what loading the model does.

        `model` is the chat's, without one the starter.
        """
        while opened:
            close(opened.pop())
        monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *answers, load=load or {})))
        app = build_program()
        app.change_settings("engine", model_path=model)
        pipeline = Pipeline()
        if not answers:
            put_pipeline(app, pipeline)
        theme = Theme(scheme, zoom)
        theme.install(qapp)
        notify = Notify(theme)
        runner = new_runner(app, notify)
        with theme.without_sheet():
            view = SummarizeView(app, theme, notify, runner)
        runner.setParent(view)
        view.resize(*size)
        view.show()
        qtbot.waitExposed(view)
        view.activateWindow()
        view.show_new()
        view.runner.start()
        desk = Desk(view, app, notify)
        desk.theme, desk.pipeline, desk.states = theme, pipeline, []
        runner.state_changed.connect(desk.states.append)
        opened.append(desk)
        return desk

    yield make
    while opened:
        close(opened.pop())
    qapp.setStyleSheet("")


@pytest.fixture
def desk(open_tab: Open) -> Desk:
    return open_tab()
