"""The files of a summary or a translation before its start, or of a project: one immutable value, and its reducer.

A file belongs to its draft from the moment it is dropped, wherever it is being looked up or read. Steps are pure: each
returns the next state and the effects to be started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.core.lazy_dataclasses import dataclass, replace
from app.features import file_reading as f
from app.features.files_to_read import FileToRead, Stage, is_recording, part_of
from app.features.state_session import SessionMessage, StateSession, StoreFailed
from app.store.document_store import StoredDocument


class AddFiles(SessionMessage):
    """Add files, and the files in folders; `options` are those that what becomes of them is to have."""

    paths: tuple[Path, ...]
    options: Any = None
    place: Any = None


class AddWanted(SessionMessage):
    """Add files without looking them up or asking whether they are wanted."""

    files: tuple[FileToRead, ...]


class AddDocuments(SessionMessage):
    """Add documents of the library, which are read already."""

    documents: tuple[StoredDocument, ...]


class RemoveFiles(SessionMessage):
    """Remove files, or stop reading them; with `is_told` undo is offered."""

    keys: tuple[int, ...]
    is_told: bool = False


class PutBackFiles(SessionMessage):
    keys: tuple[int, ...]


class SaveUnread(SessionMessage):
    """Store what is not stored yet; `is_last` when the window closes, after which unread files stay as they are."""

    is_last: bool = False


class ChangeOptions(SessionMessage):
    """Change the options of what is started; `is_together` makes one job of all files."""

    options: Any
    is_together: bool = True


class StartJobs(SessionMessage):
    """Start jobs of all files that are read, with these options; the draft is empty then."""

    options: Any
    is_together: bool = True


class DraftFound(SessionMessage):
    """The stored draft; its options are None if there is none."""

    options: Any
    is_together: bool
    documents: tuple[StoredDocument, ...]


class FileFinished(SessionMessage):
    """A file has become what it was read for, such as a job with this id, and leaves the draft."""

    key: int
    job_id: int = 0


class DocumentRenewed(SessionMessage):
    """A document was replaced after more of it was read; None if the new one is gone."""

    earlier_id: int
    document_id: int
    document: StoredDocument | None = None


class JobsBegun(SessionMessage):
    keys: tuple[int, ...]
    rows: tuple[Any, ...]


class FindDraft(SessionMessage):
    """Find the stored draft, unless that was done; answered by `DraftFound`, from when on the draft is stored."""


class StoreDraft(SessionMessage):
    """Store documents and options that are to be started; without documents there is no draft."""

    document_ids: tuple[int, ...]
    options: Any
    is_together: bool


class FinishFile(SessionMessage):
    """A file was read: make of it what it was read for; answered by `FileFinished`."""

    part: Any
    options: Any


class BeginJobs(SessionMessage):
    """Start jobs of the draft's documents; answered by `JobsBegun`."""

    keys: tuple[int, ...]
    document_ids: tuple[int, ...]
    options: Any
    is_together: bool


class ReportBegun(SessionMessage):
    rows: tuple[Any, ...]


@dataclass(frozen=True)
class JobDraft(f.FilesState):
    """Files and options that are to be started, and whatever is on its way to them."""

    finishes_files: bool = False
    """True if a file that was read leaves the draft, as what it was read for."""
    is_one_batch: bool = False
    """True if what is added replaces what was added before."""
    options: Any = None
    is_together: bool = True
    kept: tuple[object, ...] | None = None
    """Documents and options as stored last; None while the draft is not stored."""
    has_failed: bool = False
    """True if something could not be stored, which the last save tries again."""
    scanned: frozenset[int] = frozenset()
    batch: tuple[int, ...] = ()
    """Ids of the jobs that the files added last have become."""

    @property
    def files(self) -> tuple[Any, ...]:
        return self.parts

    @property
    def documents(self) -> tuple[StoredDocument, ...]:
        return tuple(file.document for file in self.parts if file.document is not None and file.stage is Stage.READ)

    @property
    def document_ids(self) -> tuple[int, ...]:
        return tuple(document.id for document in self.documents)

    @property
    def is_scanning(self) -> bool:
        """True while text recognition may still add pages to a document."""
        return not self.scanned.isdisjoint(self.document_ids)

    @property
    def is_reading(self) -> bool:
        return bool(self.awaited) or self.is_scanning or any(file.is_on_its_way for file in self.parts)

    @property
    def unread_lines(self) -> tuple[str, ...]:
        """Paths for the settings, so that the next start resumes them."""
        return tuple(str(file.path) for file in self.parts if file.is_kept_unread)

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The same when the window closes: also what is still looked up then."""
        return (*self.unread_lines, *(str(path) for file in self.awaited for path in file.paths))


Step = tuple[JobDraft, tuple[object, ...]]


def _on_add(state: JobDraft, message: AddFiles) -> Step:
    if not message.paths:
        return state, ()
    if state.is_one_batch:
        # Left over from the batch before, unreadable.
        over = [file for file in state.parts if not file.is_on_its_way]
        state = replace(f.drop_parts(state, over)[0], batch=(), options=message.options)
    return f.look_up_files(state, message.place, message.paths)


def _on_add_wanted(state: JobDraft, message: AddWanted) -> Step:
    for file in message.files:
        state = f.add_file(state, f.renewed(file, key=state.next_key))
    return state, ()


def _on_add_documents(state: JobDraft, message: AddDocuments) -> Step:
    for document in message.documents:
        if document.id not in state.document_ids:
            file = state.new_file(
                key=state.next_key, path=document.path, real_path=document.path, part=part_of(document),
                stage=Stage.READ, document=document,
            )  # fmt: skip
            state = f.add_file(state, file)
    return state, ()


def _on_found(state: JobDraft, message: f.FilesFound) -> Step:
    state, file = f.take_awaited(state, message.key)
    return f.take_found(state, file, message)[:2] if file is not None else (state, ())


def _on_remove(state: JobDraft, message: RemoveFiles) -> Step:
    gone = tuple(file for file in state.parts if file.key in message.keys)
    state, effects = f.drop_parts(state, gone)
    awaited = tuple(file for file in state.awaited if file.key not in message.keys)
    if gone and message.is_told:
        state = replace(state, taken_out=(*state.taken_out, *gone)[-f.MOST_TAKEN_OUT :])
        effects = (*effects, f.ReportParts(f.ReportKind.REMOVED, gone))
    return replace(state, awaited=awaited), effects


def _on_put_back(state: JobDraft, message: PutBackFiles) -> Step:
    """Undo a removal: restore a file with its chosen part, without reading it again if it was read."""
    back = [file for file in state.taken_out if file.key in message.keys]
    state = replace(state, taken_out=tuple(file for file in state.taken_out if file not in back))
    for file in back:
        if file.stage is not Stage.READ:
            state = f.add_file(state, f.renewed(file))
        elif file.document.id not in state.document_ids:
            state = f.add_file(state, file)
    return state, ()


def _on_read_again(state: JobDraft, message: f.ReadAgain) -> Step:
    if (file := state.find_file(message.key)) is None or not f.may_be_read_again(file, message):
        return state, ()
    return f.read_again(state, replace(file, document=None), message), ()


def _on_ended(state: JobDraft, message: f.FileEnded) -> Step:
    state, file = f.end_reading(state, message.reading)
    if file is None:
        return state, ()
    if message.error is not None or not file.is_whole:
        state, effects = f.fail_file(state, file, message.error)
        failed = state.find(file.key)
        is_picture = failed.stage is Stage.FAILED and failed.document is not None
        return state, (*effects, *((f.BeginScan(failed),) if is_picture else ()))
    if file.document is not None and file.document.id in [other.id for other in state.documents]:
        # The same document by another path.
        return f.drop_parts(state, [file])
    file = replace(file, stage=Stage.READ)
    state = f.with_part(state, file)
    return state, ((FinishFile(file, state.options),) if state.finishes_files else (f.BeginScan(file),))


def _on_finished(state: JobDraft, message: FileFinished) -> Step:
    file = state.find(message.key)
    state = f.drop_parts(state, [file])[0] if file is not None else state
    return (replace(state, batch=(*state.batch, message.job_id)) if message.job_id else state), ()


def _on_replaced(state: JobDraft, message: DocumentRenewed) -> Step:
    for file in state.parts:
        number = file.document.id if file.document is not None else 0
        if file.stage is Stage.FAILED and number in (message.earlier_id, message.document_id):
            # It waited for its picture pages.
            state = f.read_again(state, replace(file, document=None), f.ReadAgain(file.key))
        elif number == message.earlier_id and message.document is not None:
            state = f.with_part(state, replace(file, document=message.document))
    return state, ()


def _on_scans(state: JobDraft, message: f.ScansChanged) -> Step:
    return (replace(state, scanned=message.documents) if message.documents != state.scanned else state), ()


def _on_model(state: JobDraft, message: f.ModelChanged) -> Step:
    state = replace(state, model=message.model) if message.model != state.model else state
    for file in state.parts if message.model is not None else ():
        if f.is_to_be_heard(file, message.model):
            state = f.read_again(state, file, f.ReadAgain(file.key))
    return state, ()


def _on_resume(state: JobDraft, _message: f.ResumeFiles) -> Step:
    return state, (f.FindUnread(),)


def _on_unread_found(state: JobDraft, message: f.UnreadFound) -> Step:
    for _, path in message.files:
        file = state.new_file(key=state.next_key, path=path, real_path=path, is_heard=is_recording(path.name))
        state = f.add_file(state, file)
    effects: tuple[object, ...] = ()
    for place, path in message.folders:
        state, more = f.look_up_files(state, place, (path,))
        effects = (*effects, *more)
    return replace(state, unread=message.lines), effects


def _on_unread_stored(state: JobDraft, message: f.UnreadStored) -> Step:
    return replace(state, unread=message.lines if state.unread is not None else None), ()


def _on_save(state: JobDraft, message: SaveUnread) -> Step:
    effects: list[object] = []
    lines = state.last_lines if message.is_last else state.unread_lines
    is_again = message.is_last and state.has_failed
    if state.unread is not None and (state.unread != lines or is_again):
        effects.append(f.StoreUnread(lines))
    if is_again and state.kept is not None:
        effects.append(StoreDraft(state.document_ids, state.options, state.is_together))
    return (replace(state, unread=None, has_failed=False) if message.is_last else state), tuple(effects)


def _on_draft_found(state: JobDraft, message: DraftFound) -> Step:
    if state.kept is not None:
        return state, ()
    if message.options is not None:
        state = replace(state, options=message.options, is_together=message.is_together)
    kept = (tuple(document.id for document in message.documents), state.options, state.is_together)
    return _on_add_documents(replace(state, kept=kept), AddDocuments(message.documents))


def _on_options(state: JobDraft, message: ChangeOptions) -> Step:
    return replace(state, options=message.options, is_together=message.is_together), ()


def _on_start(state: JobDraft, message: StartJobs) -> Step:
    if not state.documents or state.is_reading:
        return state, ()
    keys = tuple(file.key for file in state.parts)
    return state, (BeginJobs(keys, state.document_ids, message.options, message.is_together),)


def _on_begun(state: JobDraft, message: JobsBegun) -> Step:
    state, effects = f.drop_parts(state, [file for file in state.parts if file.key in message.keys])
    return state, (*effects, ReportBegun(message.rows))


def _on_store_failed(state: JobDraft, message: StoreFailed) -> Step:
    effect, effects = message.effect, (f.ReportError(message.error),)
    if isinstance(effect, FinishFile):
        state = f.drop_parts(state, [effect.part])[0]
    elif isinstance(effect, f.StoreUnread):
        # With the next change, and at last.
        state = replace(state, unread=effect.lines if state.unread is not None else None, has_failed=True)
    elif isinstance(effect, StoreDraft):
        state = replace(state, has_failed=True)
    return state, effects


def _keep_unread(state: JobDraft) -> Step:
    is_other = state.unread is not None and state.unread != state.unread_lines
    return state, ((f.SaveLater(),) if is_other else ())


def _keep_draft(state: JobDraft) -> Step:
    now = (state.document_ids, state.options, state.is_together)
    # Before it was loaded, the empty form would replace the stored draft.
    if state.kept is None or state.kept == now:
        return state, ()
    return replace(state, kept=now), (StoreDraft(*now),)


JOB_HANDLERS: dict[type, Callable[[Any, Any], Any]] = {
    AddFiles: _on_add,
    AddWanted: _on_add_wanted,
    AddDocuments: _on_add_documents,
    f.FilesFound: _on_found,
    RemoveFiles: _on_remove,
    PutBackFiles: _on_put_back,
    f.ReadAgain: _on_read_again,
    f.FileProgressed: f.on_file_progress,
    f.FileEnded: _on_ended,
    FileFinished: _on_finished,
    DocumentRenewed: _on_replaced,
    f.ScansChanged: _on_scans,
    f.ModelChanged: _on_model,
    f.ResumeFiles: _on_resume,
    f.UnreadFound: _on_unread_found,
    f.UnreadStored: _on_unread_stored,
    SaveUnread: _on_save,
    DraftFound: _on_draft_found,
    ChangeOptions: _on_options,
    StartJobs: _on_start,
    JobsBegun: _on_begun,
    StoreFailed: _on_store_failed,
}
_SETTLE = (f.begin_readings, _keep_unread, _keep_draft)


def find_unread(lines: tuple[str, ...]) -> f.UnreadFound:
    """Return what an earlier run left unread; folders are looked up again."""
    paths = [(None, Path(line)) for line in lines]
    folders = tuple(line for line in paths if line[1].is_dir())
    return f.UnreadFound(lines, tuple(line for line in paths if line not in folders), folders)


class JobDraftSession(StateSession[JobDraft]):
    """Session of a tab's or a project's files; `stored` are functions for effects on the store, by type."""

    def __init__(
        self,
        stored: Mapping[type, Callable[[Any], object | None]],
        state: JobDraft | None = None,
        handlers: Mapping[type, Callable[[Any, Any], Any]] | None = None,
    ) -> None:
        super().__init__(state or JobDraft(), {**JOB_HANDLERS, **(handlers or {})}, _SETTLE, stored)
