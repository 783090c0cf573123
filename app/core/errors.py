"""Everything that can go wrong in words: one class a situation, its parameters as fields.

::

    AppError
    ├── EnvironmentProblem            the machine, a file or the person can change it
    │   ├── ModelMissing              no file at this path
    │   ├── NoModel                   no model is installed or chosen
    │   ├── ModelUnreadable           empty, truncated, random, vocabulary only: `reason` says which
    │   ├── ModelDamaged              the engine's libraries broke off over the file while they loaded it
    │   ├── ModelLoadFailed           llama.cpp refused the file or ran out of memory
    │   ├── ProjectorRefused          the file that lets a model see: `reason` says why it does not
    │   ├── MediaRefused              a picture or a sound that cannot be shown: `reason` says why
    │   ├── ModelTooLarge             does not fit into free memory, even in its smallest form
    │   ├── ModelBroken               its numbers are not numbers (NaN), so it cannot answer
    │   ├── ModelReplaced             a background answer lost its model to another one
    │   ├── NoRoomForModel            the job's model does not fit beside the chat's, which stays
    │   ├── GrammarInvalid            a grammar or JSON schema that llama.cpp does not take
    │   ├── ChatUnavailable           a completion model, without a chat template
    │   ├── TokenUnknown              a number that is no token of the model
    │   ├── InfillUnavailable         a model without tokens for filling in the middle
    │   ├── EmbeddingsUnavailable     a model that was not made to turn texts into vectors
    │   ├── CheckingUnavailable       a model that was not made to tell what a source supports
    │   ├── TooLongToInspect          a text of more tokens than can be looked at at once
    │   ├── ModelNotInspectable       what was to be looked at is not handed out, or is not there
    │   ├── TemplateFailed            the model's chat template raised
    │   ├── PromptTooLong             does not fit the context
    │   │   └── ContextLimited        nor a larger one, or none may be had: `limit` says why
    │   ├── EngineStopped             the engine child ended or hung in the middle of something
    │   ├── MachineLost               a computer that lent its memory is gone in the middle of something
    │   ├── MachineUnusable           one that is to lend its memory does not, or may not: `reason` says why
    │   ├── EngineNotBuilt            set-up of a checkout could not build it: `log` says why
    │   ├── EngineCrashesRepeatedly   three times in a row: no restart by itself
    │   ├── NetworkOff                the person switched the network off
    │   ├── HubUnreachable            no answer, or not the Hub's: `reason` says which
    │   ├── HubBusy                   too many requests: wait
    │   ├── ReleaseRefused            what tells of the newest release is not to be believed: `reason` says why
    │   ├── RepositoryMissing         no such repository, or a private one
    │   ├── FileNotOnHub              the repository has no such file (any more)
    │   ├── AccessGated               its owner asks for consent first
    │   ├── TokenRefused              the Hub does not take the token
    │   ├── TokenNotKept              the system has no keyring to keep it in
    │   ├── CertificateUnreadable     a file that is to vouch for a server holds no certificate
    │   ├── NotEnoughDisk             told before anything is fetched
    │   ├── DownloadDamaged           what came is not what the Hub promised, twice
    │   ├── DownloadFailed            the download's child ended again and again
    │   ├── DownloadRunning           another Fireside is fetching the same file
    │   ├── KeyFileUnreadable         the file that is to hold the server's key does not
    │   ├── PortTaken                 the server cannot listen there: another program does, or it may not
    │   ├── ServerUnreachable         a server with models: no answer, or none of such a server: `reason` says which
    │   ├── ServerBusy                it takes no more requests for a while
    │   ├── ServerKeyRefused          it wants a key, or another one
    │   ├── ServerLacksModel          it has no model of this name (any more)
    │   ├── ServerRefused             it said no, in its own words
    │   ├── NotOffered                it does not hand out what was asked for
    │   ├── DocumentStaysHere         the person did not want a document to leave this computer
    │   ├── ModelNotLoaded            another program asked for a model that is here, but not in memory
    │   ├── ModelNotInstalled         nothing here has this name
    │   ├── ModelNotOurs              another application's file, which is never changed
    │   ├── DocumentUnreadable        empty, damaged, no text, protected: `reason` says which
    │   ├── PictureUnreadable         no picture, damaged, too many pixels: `reason` says which
    │   ├── MicrophoneMissing         there is none, or it may not be used
    │   ├── DocumentPagesMissing      it has fewer pages than the first that was chosen
    │   ├── DocumentLocked            needs a password, or another one
    │   ├── DocumentTooDemanding      its child was ended at the limit of memory or time
    │   ├── DocumentReaderFailed      its child ended by itself
    │   ├── DocumentGone              what was read of it is not stored any more, or makes no sense
    │   ├── TextFileUnreadable        no plain text, or too long for a page: `reason` says which
    │   ├── ChatsUnreadable           holds no chats that can be imported, or not to its end
    │   ├── PromptsUnreadable         JSON without prompts that are known: `reason` says which
    │   ├── BackupUnreadable          no backup, a newer program's, or damaged: `reason` says which
    │   ├── NotAligned                two texts to be compared that do not have as many parts
    │   ├── TargetIsSource            a translation would replace the document that it was made of
    │   ├── TargetIsOpen              another program has the file open that is to be replaced
    │   ├── NameTooLong               the disk takes no file name of that length
    │   ├── FolderNotWritable         the data folder is read-only
    │   ├── DiskFull                  nothing more can be saved
    │   ├── DatabaseNewer             written by a newer Fireside
    │   ├── DatabaseOlder             written by a Fireside older than the first whose files are read; it is unchanged
    │   ├── DatabaseAltered           its tables are not those that this program makes; it is unchanged
    │   └── DatabaseDamaged           damage was met while working; the next start moves the file aside
    └── Bug                           ours to fix
        ├── MigrationFailed           an older file could not be brought to the newest schema; it is unchanged
        └── ProtocolViolation         a line on the wire that the protocol does not know

Classes carry facts, never sentences: `app.features.error_messages` says them in the person's words.
They cross the engine's wire as name and fields, see `to_fields` and `from_fields`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, dataclass_transform


@dataclass_transform(eq_default=False)
class AppError(Exception):
    """An error to show to the user. Subclasses become dataclasses by themselves; treat them as frozen."""

    # As dataclasses, so that they cross the wire by their fields; equal by identity, as exceptions are.
    def __init_subclass__(cls) -> None:
        dataclass(eq=False)(cls)

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in to_fields(self).items())})"


class EnvironmentProblem(AppError):
    """Not a defect: the machine, a file or the person can change it."""


class Bug(AppError):
    """A defect in Fireside itself: its details are for whoever mends it."""


class ModelMissing(EnvironmentProblem):
    path: str


class NoModel(EnvironmentProblem):
    pass


class ModelUnreadable(EnvironmentProblem):
    """`reason` is one of: empty, not_gguf, truncated, vocabulary_only, projector, damaged, newer_format, not_a_file,
    denied.
    """

    path: str
    reason: str


class ModelDamaged(EnvironmentProblem):
    """`detail` is the end of the engine's log, for "Copy details"."""

    path: str
    detail: str


class ModelLoadFailed(EnvironmentProblem):
    """`detail` is llama.cpp's own last words, for "Copy details"."""

    path: str
    detail: str


class ProjectorRefused(EnvironmentProblem):
    """`reason` is one of: missing, not_a_projector, truncated, damaged, other_model (made for another one), unknown (a
    kind that llama.cpp does not know), no_memory. `model` is the file it was to go with.
    """

    path: str
    model: str
    reason: str
    detail: str = ""


class MediaRefused(EnvironmentProblem):
    """`reason` is one of: missing, damaged, blind (the model sees no pictures), deaf (it hears nothing), unfit (its
    encoder does not take it), failed (its encoder computed no numbers). `kind` is picture or sound.
    """

    path: str
    kind: str
    reason: str


class ModelTooLarge(EnvironmentProblem):
    path: str
    needed_bytes: int
    free_bytes: int


class ModelBroken(EnvironmentProblem):
    path: str


class ModelReplaced(EnvironmentProblem):
    pass


class NoRoomForModel(EnvironmentProblem):
    """Both are names. The person was asked and declined, or it does not even fit alone."""

    wanted: str
    loaded: str


class GrammarInvalid(EnvironmentProblem):
    detail: str


class ChatUnavailable(EnvironmentProblem):
    path: str


class TokenUnknown(EnvironmentProblem):
    token: int
    vocabulary: int


class InfillUnavailable(EnvironmentProblem):
    path: str


class EmbeddingsUnavailable(EnvironmentProblem):
    """`instead` names installed models that turn texts into vectors."""

    path: str
    instead: tuple[str, ...] = ()


class CheckingUnavailable(EnvironmentProblem):
    path: str


class TooLongToInspect(EnvironmentProblem):
    tokens: int
    most: int


class ModelNotInspectable(EnvironmentProblem):
    """`what` was asked for: attention, layers or probabilities."""

    path: str
    what: str


class TemplateFailed(EnvironmentProblem):
    path: str
    detail: str


class PromptTooLong(EnvironmentProblem):
    prompt_tokens: int
    context_tokens: int


class ContextLimited(PromptTooLong):
    """`limit` is what keeps the context from being as large as it had to be: model, memory, or settings.

    `largest_tokens` is the largest that this model may have here.
    """

    limit: str
    largest_tokens: int


class EngineStopped(EnvironmentProblem):
    """`exit_code` is negative for a signal (POSIX), None when the child hung and was ended."""

    exit_code: int | None
    detail: str


class MachineLost(EnvironmentProblem):
    """`addresses` are all RPC workers that held parts of the model: llama.cpp doesn't say which one is gone."""

    addresses: tuple[str, ...]
    detail: str


class MachineUnusable(EnvironmentProblem):
    """`reason`: address (not usable), name (unknown), public (not in a private network), refused (nothing listens),
    silent, busy (accepts but doesn't answer), other (something else answers), version, no_rpc (this build of the engine
    has none).
    """

    address: str
    reason: str


class EngineNotBuilt(EnvironmentProblem):
    log: str


class EngineCrashesRepeatedly(EnvironmentProblem):
    times: int
    detail: str


class NetworkOff(EnvironmentProblem):
    pass


class HubUnreachable(EnvironmentProblem):
    """`reason`: offline (no name, no route), refused, timeout, tls, proxy, server (5xx), garbage or captive_portal."""

    host: str
    reason: str


class HubBusy(EnvironmentProblem):
    """`wait_s` is what the Hub asked for, 0 where it did not say."""

    host: str
    wait_s: int


class ReleaseRefused(EnvironmentProblem):
    """`reason`: missing, too_long, signature, unreadable or replayed (older than one that was believed before)."""

    host: str
    reason: str


class RepositoryMissing(EnvironmentProblem):
    repo: str


class FileNotOnHub(EnvironmentProblem):
    repo: str
    file: str


class AccessGated(EnvironmentProblem):
    """`has_token`: whether a token was sent; then consent is still missing on the repository's page."""

    repo: str
    has_token: bool


class TokenRefused(EnvironmentProblem):
    pass


class TokenNotKept(EnvironmentProblem):
    pass


class CertificateUnreadable(EnvironmentProblem):
    """The chosen file holds no certificate, or more than a server needs."""

    path: str


class NotEnoughDisk(EnvironmentProblem):
    """`path` is the folder; `needed_bytes` includes the reserve that stays free."""

    path: str
    needed_bytes: int
    free_bytes: int


class DownloadDamaged(EnvironmentProblem):
    file: str


class DownloadFailed(EnvironmentProblem):
    file: str
    detail: str


class DownloadRunning(EnvironmentProblem):
    file: str


class KeyFileUnreadable(EnvironmentProblem):
    path: str
    detail: str


class PortTaken(EnvironmentProblem):
    host: str
    port: int
    detail: str


class ServerUnreachable(EnvironmentProblem):
    """`host` includes the port. `reason`: offline (no name, no route), refused, timeout, proxy, server (5xx), garbage,
    tls (no secure connection), certificate (issuer unknown), certificate_name (another host's), certificate_date, html
    (a web page), moved (redirects), not_a_server (nothing of the kind there), broken (ended midway).
    """

    host: str
    reason: str


class ServerBusy(EnvironmentProblem):
    """`wait_s` is what it asked for, 0 where it did not say."""

    host: str
    wait_s: int


class ServerKeyRefused(EnvironmentProblem):
    """`has_key`: whether a key was sent; then it is another one that is wanted."""

    host: str
    has_key: bool


class ServerLacksModel(EnvironmentProblem):
    host: str
    model: str


class ServerRefused(EnvironmentProblem):
    """`detail` is the server's message, shortened to one line."""

    host: str
    detail: str


class NotOffered(EnvironmentProblem):
    """`what` was asked for: probabilities, inside or infill."""

    host: str
    what: str


class DocumentStaysHere(EnvironmentProblem):
    host: str
    name: str


class ModelNotLoaded(EnvironmentProblem):
    name: str


class ModelNotInstalled(EnvironmentProblem):
    name: str


class ModelNotOurs(EnvironmentProblem):
    path: str


class MicrophoneMissing(EnvironmentProblem):
    detail: str


class DocumentUnreadable(EnvironmentProblem):
    """`reason`: missing, folder, not_a_file, denied, empty, no_text, not_text, damaged, inflates (a bomb), too_deep,
    entities (declared in its XML), old_format, protected (a password, on anything but PDF), drm, changed (while
    reading), not_drawn (a page that can't be rendered), not_rewritable (translations can't be written in its format),
    picture (and tesseract is missing or not wanted), iwork (Apple's Pages, Keynote or Numbers), djvu, sound (and no
    model takes sound), not_sound, too_long_sound, no_speech, no_sound_here (no decoder on this system).
    """

    path: str
    reason: str

    @classmethod
    def by_system(cls, path: Path, error: Exception) -> DocumentUnreadable:
        """Return where the system did not open a file."""
        if isinstance(error, FileNotFoundError):
            return cls(str(path), "missing")
        return cls(str(path), "denied" if isinstance(error, PermissionError) else "not_a_file")


class PictureUnreadable(EnvironmentProblem):
    """`reason`: not_picture (whatever its name), damaged, too_large (the file), too_many_pixels (`width` by `height`),
    heic (which Qt can't read on this system), gone (from where it was stored).
    """

    path: str
    reason: str
    width: int = 0
    height: int = 0


class DocumentPagesMissing(EnvironmentProblem):
    """The document has `pages`; those from `first_page` to `last_page` (0 is open) were chosen. `unit` names what pages
    are.
    """

    path: str
    unit: str
    pages: int
    first_page: int
    last_page: int


class DocumentLocked(EnvironmentProblem):
    """`is_wrong`: a password was given and is not the right one."""

    path: str
    is_wrong: bool


class DocumentTooDemanding(EnvironmentProblem):
    """`limit` is what it would have gone beyond: memory or time."""

    path: str
    limit: str


class DocumentReaderFailed(EnvironmentProblem):
    """`exit_code` is negative for a signal (POSIX); `detail` is the end of the child's output."""

    path: str
    exit_code: int
    detail: str


class DocumentGone(EnvironmentProblem):
    name: str


class TextFileUnreadable(EnvironmentProblem):
    """Text file to open as a page. `reason`: not_text, too_large, or a system's one as in DocumentUnreadable.
    `most_bytes` is the limit.
    """

    path: str
    reason: str
    most_bytes: int


class ChatsUnreadable(EnvironmentProblem):
    """File to import chats from. `reason`: missing, denied, not_a_file, empty, unknown (no known program's), newer
    (ours, of a later version), backup (of everything), damaged, protected, inflates.
    """

    path: str
    reason: str


class PromptsUnreadable(EnvironmentProblem):
    """A JSON file that was to be imported. `reason`: damaged, unknown (no prompts of ours) or newer."""

    path: str
    reason: str


class BackupUnreadable(EnvironmentProblem):
    """`reason`: missing, denied, not_a_file, unknown (no backup of ours), newer, older, damaged,
    altered."""

    path: str
    reason: str


class NotAligned(EnvironmentProblem):
    """`source_parts` and `reference_parts` are the numbers of lines or segments in each."""

    source: str
    reference: str
    source_parts: int
    reference_parts: int


class TargetIsSource(EnvironmentProblem):
    path: str


class TargetIsOpen(EnvironmentProblem):
    path: str


class NameTooLong(EnvironmentProblem):
    path: str


class FolderNotWritable(EnvironmentProblem):
    path: str


class DiskFull(EnvironmentProblem):
    path: str


class DatabaseNewer(EnvironmentProblem):
    path: str
    found_version: int
    known_version: int


class DatabaseOlder(EnvironmentProblem):
    path: str
    found_version: int
    oldest_version: int


class DatabaseAltered(EnvironmentProblem):
    path: str


class DatabaseDamaged(EnvironmentProblem):
    path: str


class MigrationFailed(Bug):
    """`to_version` is the schema that the failing step would have made."""

    path: str
    to_version: int
    detail: str


class ProtocolViolation(Bug):
    detail: str


UNUSABLE_DATABASE = (DatabaseNewer, DatabaseOlder, DatabaseAltered, DatabaseDamaged, MigrationFailed)
"""Problems of the data itself: what was there before a restored backup may be intact."""


def every_error() -> list[type[AppError]]:
    """Return all concrete situations, for tests and for the wire."""
    found: list[type[AppError]] = []
    open_classes: list[type[AppError]] = [AppError]
    while open_classes:
        for child in open_classes.pop().__subclasses__():
            # Walked and not listed, so that a new class is known to the wire by itself.
            open_classes.append(child)
            if child not in (EnvironmentProblem, Bug):
                found.append(child)
    return sorted(found, key=lambda cls: cls.__name__)


def to_fields(error: AppError) -> dict[str, Any]:
    if not dataclasses.is_dataclass(error):
        return {}
    return {field.name: getattr(error, field.name) for field in dataclasses.fields(error)}


def from_fields(name: str, fields: dict[str, Any]) -> AppError:
    """Return the situation called `name`; an unknown name or wrong fields become a `ProtocolViolation`."""
    for cls in every_error():
        if cls.__name__ == name:
            try:
                return cls(**fields)
            # A field too many or too few: the other side is of another version.
            except TypeError:
                break
    return ProtocolViolation(f"unknown error {name!r} with {fields!r}"[:200])  # cut, as a stranger may have sent it
