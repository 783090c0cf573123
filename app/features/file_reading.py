"""Files that are looked up and read, in turn: the part of a state that chats, jobs and projects have in common.

First its messages (commands, events, then effects), then the steps from one state to the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentLocked
from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import MediaRefused
from app.core.lazy_dataclasses import dataclass, replace
from app.core.visible import visible_name
from app.documents.folder import MOST_FILES
from app.features.error_messages import sentence_for
from app.features.files_to_read import LARGE_BYTES, FileToRead, Stage
from app.features.state_session import SessionMessage

if TYPE_CHECKING:
    from app.documents.folder import ExpandedPaths
    from app.features.document_library import ReadRange

MOST_TAKEN_OUT = 200
"""Most removed parts kept for undo: as many as can be added at once."""


class ResumeFiles(SessionMessage):
    """Read the files that an earlier run left unread, each in its draft, and keep track of them from now on."""


class ReadAgain(SessionMessage):
    """Read a file that failed, a locked one with its password, or another part of one."""

    key: int
    password: str | None = None
    part: ReadRange | None = None


class ModelChanged(SessionMessage):
    """The loaded model, or whether it is available, changed."""

    model: Any


class FoundFile(SessionMessage):
    path: Path
    real_path: Path
    size_bytes: int
    is_heard: bool = False


class FilesFound(SessionMessage):
    """What was dropped was looked up; an `error` says why it could not be."""

    key: int
    files: tuple[FoundFile, ...] = ()
    found: ExpandedPaths | None = None
    error: BaseException | None = None


class FileProgressed(SessionMessage):
    reading: int
    event: object


class FileEnded(SessionMessage):
    reading: int
    error: BaseException | None = None


class ScansChanged(SessionMessage):
    """These documents' picture pages are being read: ids, or (is a temporary chat's, id)."""

    documents: frozenset[Any]


class UnreadFound(SessionMessage):
    """Files that an earlier run left unread, for drafts that still exist, and all as stored."""

    lines: tuple[str, ...]
    files: tuple[tuple[Any, Path], ...]
    folders: tuple[tuple[Any, Path], ...] = ()


class UnreadStored(SessionMessage):
    lines: tuple[str, ...]


class FindUnread(SessionMessage):
    """Find the files that an earlier run left unread; answered by `UnreadFound`."""


class StoreUnread(SessionMessage):
    lines: tuple[str, ...]


class LookUpFiles(SessionMessage):
    key: int
    paths: tuple[Path, ...]


class ReadFile(SessionMessage):
    reading: int
    part: Any
    """The `FileToRead`."""


class CancelReading(SessionMessage):
    reading: int


class AskPassword(SessionMessage):
    part: Any
    is_wrong: bool


class AskAboutSize(SessionMessage):
    part: Any
    size_bytes: int


class BeginScan(SessionMessage):
    """Read picture pages of a document that was read, where that was allowed."""

    part: Any


class WakeModel(SessionMessage):
    """A model is needed to read a recording, or to tell whether a document fits."""


class SaveLater(SessionMessage):
    """Ask for a save in a moment, unless that was asked for already."""


class ReportError(SessionMessage):
    error: BaseException


class ReportKind(Enum):
    """What a person is told of parts of a draft."""

    ATTACHED = "attached"
    FAILED = "failed"
    EXPLAINED = "explained"
    """Why a part could not be taken, in full."""
    REMOVED = "removed"
    TOO_MANY_PICTURES = "too many pictures"


class ReportParts(SessionMessage):
    kind: ReportKind
    parts: tuple[Any, ...] = ()


class ReportLeftOut(SessionMessage):
    """Some of what was dropped was not taken; `left` files were too many."""

    found: ExpandedPaths
    left: int


@dataclass(frozen=True)
class AwaitedFile:
    """Stands for what was dropped until it was looked at on the disk, or for a recording until it is saved.

    `path` is the first of what was dropped, or only a name; `paths` is all of it.
    """

    key: int
    place: Any
    path: Path
    paths: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        return visible_name(self.path.name)


@dataclass(frozen=True)
class FileReading:
    """A file being read by a thread; the thread of a part that was removed still has to end."""

    number: int
    is_heard: bool


@dataclass(frozen=True, kw_only=True)
class FilesState:
    """Files on their way, and what else is in a draft."""

    parts: tuple[Any, ...] = ()
    awaited: tuple[AwaitedFile, ...] = ()
    line: tuple[int, ...] = ()
    """Keys of the files to be read, the next one first."""
    readings: tuple[FileReading, ...] = ()
    """At most one file and one recording, since that takes minutes."""
    taken_out: tuple[Any, ...] = ()
    """Removed parts that undo can restore."""
    unread: tuple[str, ...] | None = None
    """Unread files as stored in the settings; None while they are not kept there."""
    model: Any = None
    follows_model: bool = True
    """True if recordings wait for a model."""
    next_key: int = 1

    def new_file(self, **fields: Any) -> FileToRead:
        return FileToRead(**fields)

    def find(self, key: int) -> Any:
        return next((part for part in self.parts if part.key == key), None)

    def find_file(self, key: int) -> Any:
        part = self.find(key)
        return part if isinstance(part, FileToRead) else None

    def files_at(self, place: object) -> list[Any]:
        return [part for part in self.parts if isinstance(part, FileToRead) and part.place == place]


S = TypeVar("S", bound=FilesState)
Effects = tuple[object, ...]


def with_part(state: S, part: Any) -> S:
    """Return the state with this part in the place of the one with its key."""
    return replace(state, parts=tuple(part if other.key == part.key else other for other in state.parts))


def begin_readings(state: S) -> tuple[S, Effects]:
    effects: list[object] = []
    for key in state.line:
        file = state.find_file(key)
        if file.is_heard not in [reading.is_heard for reading in state.readings]:
            number = state.next_key
            file = replace(file, stage=Stage.READING, reading=number)
            state = replace(
                with_part(state, file),
                line=tuple(other for other in state.line if other != key),
                readings=(*state.readings, FileReading(number, file.is_heard)),
                next_key=number + 1,
            )
            effects.append(ReadFile(number, file))
    return state, tuple(effects)


def look_up_files(state: S, place: Any, paths: tuple[Path, ...]) -> tuple[S, Effects]:
    # Stands for what was dropped until folders are expanded.
    file = AwaitedFile(state.next_key, place, paths[0], paths)
    state = replace(state, awaited=(*state.awaited, file), next_key=file.key + 1)
    return state, (LookUpFiles(file.key, paths),)


def take_awaited(state: S, key: int) -> tuple[S, AwaitedFile | None]:
    file = next((awaited for awaited in state.awaited if awaited.key == key), None)
    return replace(state, awaited=tuple(awaited for awaited in state.awaited if awaited is not file)), file


def take_found(state: S, file: AwaitedFile, message: FilesFound) -> tuple[S, Effects, bool]:
    """Add what was found in place of what was dropped; the last value is False if something was left out."""
    if message.error is not None or message.found is None:
        return state, ((ReportError(message.error),) if message.error is not None else ()), False
    paths = {found.path for found in message.files}
    here = state.files_at(file.place)
    # For a retry.
    state, effects = drop_parts(state, [p for p in here if p.stage is Stage.FAILED and p.path in paths])
    known = {part.real_path for part in here if part.stage is not Stage.FAILED}
    fresh = [found for found in message.files if found.real_path not in known]
    room, asked = max(0, MOST_FILES - len(known)), []
    for found in fresh[:room]:
        is_large = found.size_bytes >= LARGE_BYTES
        part = state.new_file(
            key=state.next_key, place=file.place, path=found.path, real_path=found.real_path, is_heard=found.is_heard,
            stage=Stage.ASKED if is_large else Stage.WAITS,
        )  # fmt: skip
        state = add_file(state, part)
        asked += [AskAboutSize(part, found.size_bytes)] if is_large else []
    left = max(0, len(fresh) - room)
    odd = [skipped for skipped in message.found.skipped if skipped.reason != "no_document"]
    is_complete = not (left or message.found.is_cut or odd or not message.found.files)
    return state, (*effects, *asked, ReportLeftOut(message.found, left)), is_complete


def renewed(file: Any, **fields: Any) -> Any:
    """Return a file that waits to be read, as if it never was."""
    fields = {"stage": Stage.WAITS, "page": 0, "error": "", "is_unheard": False, "awaits_model": False, **fields}
    return replace(file, reading=0, **fields)


def add_file(state: S, file: FileToRead) -> S:
    """Add a file, at the end of the line unless its user is asked first."""
    line = (*state.line, file.key) if file.stage is Stage.WAITS else state.line
    return replace(state, parts=(*state.parts, file), line=line, next_key=max(state.next_key, file.key + 1))


def drop_parts(state: S, gone: Iterable[Any]) -> tuple[S, Effects]:
    """Take parts out of the state, and end what is under way for them."""
    keys = {part.key for part in gone}
    cancelled = [p.reading for p in state.parts if isinstance(p, FileToRead) and p.key in keys and p.reading]
    state = replace(
        state,
        parts=tuple(part for part in state.parts if part.key not in keys),
        line=tuple(key for key in state.line if key not in keys),
    )
    return state, tuple(CancelReading(number) for number in cancelled)


def may_be_read_again(file: FileToRead, message: ReadAgain) -> bool:
    if file.stage is Stage.LOCKED:
        return message.password is not None
    return (
        file.stage in (Stage.FAILED, Stage.ASKED)
        or file.awaits_model
        or (message.part is not None and not file.reading)
    )


def read_again(state: S, file: FileToRead, message: ReadAgain) -> S:
    """Put a file into the line again, as the message wants it read."""
    is_next = message.password is not None or message.part is not None
    password, part = message.password, message.part
    file = renewed(
        file, password=password if password is not None else file.password, part=part if part is not None else file.part
    )
    others = tuple(key for key in state.line if key != file.key)
    # What was asked about has waited for its turn before.
    return replace(with_part(state, file), line=(file.key, *others) if is_next else (*others, file.key))


def on_file_progress(state: S, message: FileProgressed) -> tuple[S, Effects]:
    file = _file_of(state, message.reading)
    changes = file.changes_by(message.event) if file is not None else {}
    return (with_part(state, replace(file, **changes)) if changes else state), ()


def _file_of(state: FilesState, reading: int) -> Any:
    files = (part for part in state.parts if isinstance(part, FileToRead))
    return next((file for file in files if file.reading == reading), None)


def end_reading(state: S, number: int) -> tuple[S, Any]:
    """Make room for the next file, and return the one whose reading ended; None if it was removed meanwhile."""
    if number not in [reading.number for reading in state.readings]:
        return state, None
    file = _file_of(state, number)
    state = replace(state, readings=tuple(reading for reading in state.readings if reading.number != number))
    return state, None if file is None else replace(file, reading=0)


def fail_file(state: S, file: FileToRead, error: BaseException | None) -> tuple[S, Effects]:
    """Ask for a password, let a recording wait for a model, or say why it could not be read."""
    if isinstance(error, DocumentLocked):
        file = replace(file, stage=Stage.LOCKED)
        return with_part(state, file), (AskPassword(file, error.is_wrong),)
    if isinstance(error, NoModel) and state.follows_model:
        file = replace(file, stage=Stage.WAITS, awaits_model=True)
        return with_part(state, file), ((WakeModel(),) if state.model is None else ())
    is_deaf = isinstance(error, MediaRefused) and error.reason == "deaf"
    told = sentence_for(error if error is not None else RuntimeError()).text
    unheard_by = state.model.path if state.model is not None and is_deaf else ""
    file = replace(file, stage=Stage.FAILED, error=told, is_unheard=is_deaf, unheard_by=unheard_by)
    effects: Effects = (ReportParts(ReportKind.FAILED, (file,)),)
    if error is not None and not isinstance(error, AppError):
        effects = (ReportError(error), *effects)
    return with_part(state, file), effects


def is_to_be_heard(file: FileToRead, model: Any) -> bool:
    """Return whether a recording waited for this model, or for another than the one before."""
    is_other = file.is_unheard and model.hears and file.unheard_by != model.path
    return file.awaits_model or is_other
