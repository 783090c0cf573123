"""The folder of saved states: what models had read of chats and documents, with a sidecar saying what it fits.

A state is two files: ``<key>.state`` (llama.cpp's bytes, and behind them those of checkpoints) and ``<key>.json`` (see
`StateIdentity`), whose first line says all but the tokens, so that many can be looked through. The state is written
first, the sidecar last and atomically, so that a state without a sidecar is an interrupted save. llama.cpp checks
nothing by itself: whatever differs in the sidecar deletes both, unless it is another model's: that one waits aside
until its model is asked again, so that a chat can go to and fro between two. Neither is synced; a checksum tells what a
power cut has torn.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from app.core.lazy_dataclasses import dataclass

log = logging.getLogger(__name__)

Unit = int | tuple[str, int, int, int, int, str, int]
"""A token's id, or a piece of a picture or sound: see `app.engine.llama.tiles`."""
MOST_TILE_TOKENS = 1 << 20
MOST_LOOKED_AT = 10
MARK_TOKENS = 256
"""What states begin with is told by a checksum after each so many tokens."""
MOST_HEAD_BYTES = 1 << 20
HEADER_BYTES = 65536
INTERRUPTED_S = 600.0
"""Age at which an unfinished save counts as abandoned: an ending process may still be writing it."""
STATE, SIDECAR, UNFINISHED = ".state", ".json", ".part"
CHECKSUM, CHUNK_BYTES = "crc32", 1 << 20
CHECKPOINTS, MARKS, MADE_OF = "checkpoints", "marks", "made_of"

UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""Errors of a sidecar that isn't ours or is damaged."""

_DOCUMENTS = "documents-"
_OF_DOCUMENTS = re.compile(_DOCUMENTS + r"((?:\d+-)+)[0-9a-f]{32}")
MOST_SHARED_DOCUMENTS = 16  # all their numbers stand in a file's name


def name_documents(document_ids: Sequence[int]) -> str:
    """Return the name of what chats share that begin with these documents in this order; "" if they are too many."""
    return _DOCUMENTS + "-".join(map(str, document_ids)) if 0 < len(document_ids) <= MOST_SHARED_DOCUMENTS else ""


def name_beginning(shared: str, beginning: Sequence[int]) -> str:
    """Return the session under which a shared beginning is kept: of documents, one for each text around them.

    A template that tells the date or tools before them makes other tokens, and neither overwrites the other's.
    """
    return f"{shared}-{_hash_text(repr(beginning))}" if is_of_documents(shared) else shared


def is_of_documents(session: str) -> bool:
    """Return whether a session holds documents and a template's beginning, and nothing else that a person wrote."""
    return session.startswith(_DOCUMENTS)


@dataclass(frozen=True)
class StateIdentity:
    """Model, build and settings that a state was made with. With any difference it would be silently wrong, as
    llama.cpp doesn't check.
    """

    model_bytes: int
    model_mtime_ns: int
    header_hash: str
    llama_cpp: str
    kv_type: str
    settings: str
    """Everything else of the context that shapes the bytes."""


def model_identity(path: Path) -> tuple[int, int, str]:
    """Return size, modification time and a hash of the header's beginning."""
    import hashlib  # as in `_session_key`

    stat = path.stat()
    with path.open("rb") as file:
        return stat.st_size, stat.st_mtime_ns, hashlib.sha256(file.read(HEADER_BYTES)).hexdigest()


@dataclass(frozen=True)
class SavedCheckpoint:
    """Where the checkpoint after `count` tokens lies in a state's file."""

    count: int
    offset: int
    size_bytes: int


class StateFolder:
    """Finds, accepts, deletes and limits saved states; both sides of the engine's wire use it."""

    def __init__(self, folder: Path, budget_bytes: Callable[[], int]) -> None:
        self.folder = folder
        self.budget_bytes = budget_bytes

    def state_path(self, session: str) -> Path:
        """Return the path of a session's state, which need not exist."""
        return self.folder / (_session_key(session) + STATE)

    def unfinished_path(self, session: str) -> Path:
        """Return this process's path for an unfinished save; an ending process may still write its own."""
        return self.folder / f"{_session_key(session)}{STATE}.{os.getpid()}{UNFINISHED}"

    def growth_check(self) -> Callable[[], bool]:
        """Return a question to ask again and again: whether more was written since it was asked last."""
        seen = self.size_bytes()

        def more() -> bool:
            nonlocal seen
            before, seen = seen, self.size_bytes()
            return seen != before

        return more

    def find_state(self, session: str, identity: StateIdentity) -> list[Unit] | None:
        """Return what a usable state holds; one that does not fit is deleted and said in the log, or waits aside."""
        tokens = self._read_units(session, identity)
        # The state of this model may lie aside, since another one had answered in the chat.
        if tokens is None and self._bring_back(session, identity):
            tokens = self._read_units(session, identity)
        return tokens

    def _read_units(self, session: str, identity: StateIdentity) -> list[Unit] | None:
        sidecar = self.folder / (_session_key(session) + SIDECAR)
        try:
            body = json.loads(sidecar.read_text("utf-8"))
            tokens = [_parse_unit(token) for token in body["tokens"]]
            written = body["identity"]
            wrong = [name for name, value in dataclasses.asdict(identity).items() if written.get(name) != value]
            if body["state_bytes"] != self.state_path(session).stat().st_size:
                wrong.append("state_bytes")
            # Another model's state: it comes back with that model.
            elif "header_hash" in wrong:
                self._set_aside(session, str(written["header_hash"]))
        # The state without its sidecar is what an interrupted save left.
        except FileNotFoundError:
            self._drop_session(session)
            return None
        except UNREADABLE as error:
            log.info("a saved state is unreadable and was deleted: %s", type(error).__name__)
            self._drop_session(session)
            return None
        if wrong:
            log.info("a saved state does not fit: %s differ", ", ".join(wrong))
            self._drop_session(session)
            return None
        self.mark_used(sidecar)
        return tokens

    def find_beginnings(self, identity: StateIdentity, units: Sequence[Unit]) -> Iterator[tuple[Path, list[Unit]]]:
        """Files of states that fit and begin like these units for `MARK_TOKENS` or more, with what each holds.

        The longest beginnings come first, then the last used. Nothing is deleted or used by that.
        """
        fits, marks = dataclasses.asdict(identity), mark_beginning(units)
        found = []
        for sidecar in self._matching_files("*" + SIDECAR):
            with contextlib.suppress(*UNREADABLE):
                head = _read_head(sidecar)
                if head["identity"] == fits and (alike := _common_marks(head[MARKS], marks)):
                    found.append((alike, _used_at(sidecar), sidecar))
        # Only few are read whole, as they hold all token ids; those left out begin no longer alike than these.
        for _, _, sidecar in sorted(found, reverse=True)[:MOST_LOOKED_AT]:
            state = sidecar.with_suffix(STATE)
            with contextlib.suppress(*UNREADABLE):
                body = json.loads(sidecar.read_text("utf-8"))
                if body["state_bytes"] == state.stat().st_size:
                    yield state, [_parse_unit(token) for token in body["tokens"]]

    def mark_used(self, state: Path) -> None:
        """Note that a state was used now: the budget goes by its sidecar's time."""
        with contextlib.suppress(OSError):
            os.utime(state.with_suffix(SIDECAR))

    def _set_aside(self, session: str, header_hash: str) -> None:
        for ending in (STATE, SIDECAR):
            file = self.folder / (_session_key(session) + ending)
            file.replace(self._moved_aside(session, header_hash, ending))

    def _bring_back(self, session: str, identity: StateIdentity) -> bool:
        """Restore the state this model had before another one was used; return whether there is any."""
        waiting = [self._moved_aside(session, identity.header_hash, ending) for ending in (STATE, SIDECAR)]
        # Both files or none: one alone is an interrupted move.
        if not all(file.is_file() for file in waiting):
            return False
        with contextlib.suppress(OSError):
            for file, ending in zip(waiting, (STATE, SIDECAR), strict=True):
                file.replace(self.folder / (_session_key(session) + ending))
            return True
        return False

    def _moved_aside(self, session: str, header_hash: str, ending: str) -> Path:
        return self.folder / f"{_session_key(session)}-{_session_key(header_hash)[:12]}{ending}"

    def add_state(
        self,
        session: str,
        identity: StateIdentity,
        tokens: list[Unit],
        unfinished: Path,
        checkpoints: Sequence[tuple[int, int]] = (),
        *,
        made_of: Sequence[str] = (),
    ) -> None:
        """Take over a finished state file, then delete the least recently used beyond the budget.

        `checkpoints` are (tokens, bytes) of those at the file's end, in this order; `made_of` as in `Ask`.
        """
        sidecar = self.folder / (_session_key(session) + SIDECAR)
        # First the old sidecar goes, so that it never stands beside the new state.
        sidecar.unlink(missing_ok=True)
        size = unfinished.stat().st_size
        unfinished.replace(self.state_path(session))
        checksum = _checksum(self.state_path(session))
        head = {"identity": dataclasses.asdict(identity), "state_bytes": size, CHECKSUM: checksum}
        head |= {CHECKPOINTS: checkpoints, MADE_OF: made_of, MARKS: mark_beginning(tokens)}
        written, rest = (json.dumps(part, separators=(",", ":")) for part in (head, {"tokens": tokens}))
        scratch = sidecar.with_name(f"{sidecar.name}.{os.getpid()}{UNFINISHED}")
        # One object, whose first line can be read by itself.
        scratch.write_text(f"{written[:-1]},\n{rest[1:]}", "utf-8", newline="\n")
        scratch.replace(sidecar)
        self.trim()

    def find_checkpoints(self, state: Path) -> list[SavedCheckpoint]:
        """Return the checkpoints in a state's file, in the order of their tokens."""
        with contextlib.suppress(*UNREADABLE):
            body = json.loads(state.with_suffix(SIDECAR).read_text("utf-8"))
            pairs = [(int(count), int(size)) for count, size in body.get(CHECKPOINTS, ())]
            most = len(body["tokens"])
            offset = int(body["state_bytes"]) - sum(size for _, size in pairs)
            # A damaged sidecar must not lead to bytes that are none of a checkpoint.
            if offset < 0 or any(size <= 0 or not 0 < count <= most for count, size in pairs):
                return []
            found = []
            for count, size in pairs:
                found.append(SavedCheckpoint(count, offset, size))
                offset += size
            return found
        return []

    def is_torn(self, state: Path) -> bool:
        """Return whether a state's bytes aren't those that were saved; it is deleted then."""
        sidecar = state.with_suffix(SIDECAR)
        with contextlib.suppress(*UNREADABLE):
            if json.loads(sidecar.read_text("utf-8"))[CHECKSUM] == _checksum(state):
                return False
        _remove_file(sidecar)
        _remove_file(state)
        return True

    def delete_session(self, session: str) -> None:
        """Delete a session's files of all models, those set aside included."""
        self._drop_session(session)
        for file in self._matching_files(_session_key(session) + "-*"):
            _remove_file(file)

    def delete_documents(self, is_gone: Callable[[int], bool]) -> None:
        """Delete all states of shared beginnings that hold a document which is gone."""
        for file in self._matching_files(_DOCUMENTS + "*"):
            if any(map(is_gone, _documents_in(file))):
                _remove_file(file)

    def delete_made_of(self, names: AbstractSet[str]) -> None:
        """Delete the states that hold any of these texts (`Ask.made_of`), and those that don't tell."""
        unfinished = self._matching_files("*" + UNFINISHED)
        for file in (*self._matching_files("*" + SIDECAR), *self._matching_files("*" + STATE), *unfinished):
            with contextlib.suppress(*UNREADABLE):
                if names.isdisjoint(_read_head(file.with_suffix(SIDECAR))[MADE_OF]):
                    continue
            _remove_file(file)

    def _drop_session(self, session: str) -> None:
        for file in self._matching_files(_session_key(session) + ".*"):
            _remove_file(file)

    def clear(self) -> None:
        for file in self._matching_files("*"):
            _remove_file(file)

    def size_bytes(self) -> int:
        """Return the bytes of all states on disk, unfinished ones included."""
        return sum(_file_size(file) for file in self._matching_files("*"))

    def trim(self) -> None:
        """Keep the budget: delete abandoned saves first, then the longest unused states."""
        for file in self._matching_files("*" + UNFINISHED):
            if time.time() - _used_at(file) > INTERRUPTED_S:
                _remove_file(file)
        for state in self._matching_files("*" + STATE):
            if not state.with_suffix(SIDECAR).exists():
                _remove_file(state)
        newest_first = sorted(self._matching_files("*" + SIDECAR), key=_used_at, reverse=True)
        total = 0
        for sidecar in newest_first:
            state = sidecar.with_suffix(STATE)
            total += _file_size(sidecar) + _file_size(state)
            if total > self.budget_bytes():
                _remove_file(sidecar)
                _remove_file(state)

    def _matching_files(self, pattern: str) -> list[Path]:
        return [file for file in self.folder.glob(pattern) if file.is_file()] if self.folder.is_dir() else []


def mark_beginning(units: Sequence[Unit]) -> list[int]:
    """Return a checksum of the units before each multiple of `MARK_TOKENS`, a picture wholly before or behind it."""
    marks: list[int] = []
    found = count = 0
    for unit in units:
        found = zlib.crc32(repr(unit).encode(), found)
        count += 1 if isinstance(unit, int) else unit[3]
        marks += [found] * (count // MARK_TOKENS - len(marks))
    return marks


def _common_marks(ours: Sequence[int], theirs: Sequence[int]) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs))
    )


def _read_head(sidecar: Path) -> dict[str, Any]:
    """Return all that a sidecar says but the tokens. Raises errors of `UNREADABLE`, also for an older version's."""
    with sidecar.open("rb") as file:
        head: dict[str, Any] = json.loads(file.readline(MOST_HEAD_BYTES).rstrip(b",\n") + b"}")
    return head


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            found = zlib.crc32(chunk, found)
    return found


def _parse_unit(raw: object) -> Unit:
    """Read a token id or tile. Raises ValueError or TypeError."""
    if not isinstance(raw, list):
        return int(raw)  # type: ignore[call-overload, no-any-return]
    media, most_tokens, index, tokens, positions, eyes, *place = raw  # older ones know of no place
    # The number of tokens becomes room in a cache: a damaged sidecar must not ask for any amount.
    if not 0 < int(tokens) <= MOST_TILE_TOKENS:
        raise ValueError("not a tile's size")
    return str(media), int(most_tokens), int(index), int(tokens), int(positions), str(eyes), int(*place)


def _session_key(session: str) -> str:
    """Return a file name for any session name, which may hold anything: a hash of it.

    That of documents stays readable, since a state has to be found by each of its documents.
    """
    return session if _OF_DOCUMENTS.fullmatch(session) else _hash_text(session)


def _hash_text(text: str) -> str:
    import hashlib  # OpenSSL comes with it: 4 MB that a window without a saved state does without

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _documents_in(file: Path) -> set[int]:
    found = _OF_DOCUMENTS.match(file.name)
    return {int(number) for number in found[1].rstrip("-").split("-")} if found else set()


def _file_size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _used_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _remove_file(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.unlink()
