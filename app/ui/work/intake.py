"""Intake of files dropped, chosen or sent anywhere in the window: threads, questions and notices of their session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.core.catalogue import CountedTexts
from app.core.events import CancelToken
from app.documents.folder import expand
from app.features import file_reading as f
from app.features.error_messages import message_of_words
from app.features.files_to_read import FileToRead, size_of
from app.features.state_session import StateSession
from app.features.work import job_draft as d
from app.ui.document.document_details import left_out_words, told_of
from app.ui.document.document_files import DocumentQuestions
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.picture_reading import PictureReading
    from app.ui.shell.tab_spec import UiContext

KEEP_MS = 800
LEFT_OUT = "Left out {name}."
SEVERAL_LEFT_OUT: CountedTexts = ("{count} document was left out.", "{count} documents were left out.")


class FileThreads(QObject):
    """Looks up and reads the files of a session on threads, and tells it the events.

    `reading` yields the events of reading a `FileToRead`.
    """

    def __init__(
        self, session: StateSession[Any], reading: Callable[[Any, CancelToken], Iterator[object]], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session, self._reading = session, reading
        self._tasks: dict[int, tasks.BackgroundTask] = {}
        session.serve(
            {f.LookUpFiles: self._look_up, f.ReadFile: self._read_file, f.CancelReading: self._cancel_reading}
        )

    def _look_up(self, effect: f.LookUpFiles) -> None:
        def on_failed(error: BaseException) -> None:
            self._session.dispatch(f.FilesFound(effect.key, error=error))

        tasks.ask(lambda _token: find_files(effect), self, self._session.dispatch, on_failed)

    def _read_file(self, effect: f.ReadFile) -> None:
        number, part, dispatch = effect.reading, effect.part, self._session.dispatch

        def on_end(error: BaseException | None = None) -> None:
            self._tasks.pop(number, None)
            dispatch(f.FileEnded(number, error))

        self._tasks[number] = tasks.run(
            lambda cancel: self._reading(part, cancel),
            self,
            on_event=lambda event: dispatch(f.FileProgressed(number, event)),
            on_end=on_end,
            on_failed=on_end,
        )

    def _cancel_reading(self, effect: f.CancelReading) -> None:
        # It ends like any other, which begins the next one.
        if effect.reading in self._tasks:
            self._tasks[effect.reading].cancel()


def find_files(effect: f.LookUpFiles) -> f.FilesFound:
    """Return what lies at the paths of a drop; folders are expanded."""
    from app.documents.formats.sound import is_sound  # with the protocol of a child, not needed before a file is read

    found = expand(effect.paths)
    files = tuple(f.FoundFile(path, path.resolve(), size_of(path), is_sound(path)) for path in found.files)
    return f.FilesFound(effect.key, files, found)


def report_left_out(notify: Notify, effect: f.ReportLeftOut) -> None:
    """Tell what of a drop was not taken, with a notice."""
    if told := told_of(effect.found, left=effect.left):
        notify.show_notice(message_of_words(told))
    elif told := left_out_words(effect.found):
        notify.mention(told)


class Intake(QObject):
    """Serves the session of a job's or a project's files. `pictures` reads their picture pages."""

    def __init__(
        self,
        session: d.JobDraftSession,
        reading: Callable[[Any, CancelToken], Iterator[object]],
        theme: Theme,
        notify: Notify,
        *,
        window: QWidget,
        pictures: PictureReading | None = None,
    ) -> None:
        super().__init__(window)
        self.session, self._notify, self.pictures = session, notify, pictures
        self._seen: tuple[int, ...] = ()
        self._threads = FileThreads(session, reading, self)
        self.questions = DocumentQuestions(theme, window, session, add=self.add, remove=self.remove)
        session.serve(
            {
                f.ReportError: lambda effect: notify.error(effect.error),
                f.ReportLeftOut: lambda effect: report_left_out(notify, effect),
                f.ReportParts: self._report_parts,
                f.BeginScan: self._begin_scan,
            }
        )
        if pictures is not None:
            pictures.changed.connect(self._on_scans)
            session.listen(self._on_state)

    @property
    def files(self) -> tuple[Any, ...]:
        return self.session.state.files

    @property
    def is_reading(self) -> bool:
        return self.session.state.is_reading

    def add(self, files: Sequence[str | Path]) -> None:
        """Add files and folders, which are expanded on a thread."""
        self.session.dispatch(d.AddFiles(tuple(Path(file) for file in files)))

    def remove(self, file: FileToRead) -> None:
        self.session.dispatch(d.RemoveFiles((file.key,)))

    def explain(self, file: FileToRead) -> None:
        """Show why a file couldn't be read as a notice, in full."""
        # A chip has room for its beginning only.
        self._notify.show_notice(message_of_words(file.error), is_error=True)

    def _begin_scan(self, effect: f.BeginScan) -> None:
        if self.pictures is not None:
            self.pictures.begin_by_itself(effect.part.document)

    def _on_state(self) -> None:
        if self.session.state.document_ids != self._seen:
            self._seen = self.session.state.document_ids
            self._on_scans()

    def _on_scans(self) -> None:
        documents = self.session.state.documents if self.pictures is not None else ()
        scanned = [document.id for document in documents if self.pictures and self.pictures.is_reading(document)]
        self.session.dispatch(f.ScansChanged(frozenset(scanned)))

    def _report_parts(self, effect: f.ReportParts) -> None:
        if effect.kind is f.ReportKind.REMOVED:
            keys, name = tuple(file.key for file in effect.parts), effect.parts[0].name
            self._notify.undo(
                tr(LEFT_OUT, name=name),
                lambda: self.session.dispatch(d.PutBackFiles(keys)),
                several=SEVERAL_LEFT_OUT,
                count=len(keys),
            )


class KeptUnread(QObject):
    """Unread files of a tab, kept in the settings as `field` of the window, from `go_on` until `keep_unread`."""

    def __init__(self, session: d.JobDraftSession, field: str, app: Fireside, ui: UiContext, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session

        def store(effect: f.StoreUnread) -> f.UnreadStored:
            app.change_settings("window", **{field: effect.lines})
            return f.UnreadStored(effect.lines)

        timer = new_timer(self, KEEP_MS, lambda: session.dispatch(d.SaveUnread()))
        session.serve_at_once(
            {f.FindUnread: lambda _: d.find_unread(getattr(app.settings.window, field)), f.StoreUnread: store}
        )
        session.serve(
            {
                f.SaveLater: lambda _effect: None if timer.isActive() else timer.start(),
                f.WakeModel: lambda _effect: ui.loader.wake(),
            }
        )
        self._app = app
        ui.loader.changed.connect(self._on_model_changed)
        self._on_model_changed()

    def go_on(self) -> None:
        """Resume the files an earlier session hadn't finished, and track them from now on."""
        self._session.dispatch(f.ResumeFiles())

    def _on_model_changed(self) -> None:
        self._session.dispatch(f.ModelChanged(self._app.loaded))

    def keep_unread(self) -> None:
        """Save the unread files before the window closes, then stop tracking them."""
        self._session.dispatch(d.SaveUnread(is_last=True))
