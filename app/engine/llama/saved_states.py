"""Keep what a sequence has read on disk, and put it back: the bytes are llama.cpp's, the identity is ours."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence as Tokens
from pathlib import Path

from app.core.lazy_dataclasses import dataclass
from app.engine.llama.cached_sequence import CachedSequence, common_length
from app.engine.llama.checkpoints import StateCheckpoint
from app.engine.llama.context import LlamaContext
from app.engine.llama.model import c_path
from app.engine.llama.tiles import TileNumbers
from app.engine.states import MARK_TOKENS, StateFolder, StateIdentity, is_of_documents, model_identity

log = logging.getLogger(__name__)


LEAST_TOKENS = 64  # reading so few again takes no longer than loading them
CHECKPOINT_BYTES = 64 << 20  # what checkpoints may add to a state that is smaller itself; another chat waits for it


@dataclass(frozen=True)
class BorrowedState:
    """A state of another session, and how many tokens of a prompt it holds."""

    path: Path
    tokens: list[int]
    common: int


NOT_BORROWED = BorrowedState(Path(), [], 0)


class SavedStates:
    """Read and write the saved states that fit the loaded model, context and settings."""

    def __init__(
        self, context: LlamaContext, tiles: TileNumbers, folder: StateFolder, model: Path, identity: tuple[str, str]
    ) -> None:
        """`identity` is what shapes the bytes besides the model: the library's version and the KV type."""
        self._c = context.c
        self._context = context
        self._tiles = tiles
        self._folder = folder
        # Whether the state can go back changes what its bytes hold, so the identity says so.
        settings = f"positions {'as read' if context.can_forget else 'recurrent'}"
        self._identity = StateIdentity(*model_identity(model), *identity, settings)

    def save(self, sequence: CachedSequence) -> None:
        """Write a sequence's state if it has a session and has changed. A full disk is only logged."""
        if is_worth_saving(sequence) and self._write_state(sequence.session, sequence, with_checkpoints=True):
            sequence.changed = False

    def save_shared(self, name: str, sequence: CachedSequence) -> None:
        """Save the sequence under the prefix's name, for all sessions that share it, unless the same tokens are saved
        already.
        """
        # Compared first: a state is 23 kB a token for the starter model, and each chat with the same document would
        # write it.
        if len(sequence.tokens) >= LEAST_TOKENS and self._find_tokens(name) != sequence.tokens:
            self._write_state(name, sequence)

    def _write_state(self, session: str, sequence: CachedSequence, *, with_checkpoints: bool = False) -> bool:
        size = self._c.llama_state_seq_get_size(self._context.pointer, sequence.number)
        # It would push all others out and then itself.
        if size > self._folder.budget_bytes():
            return False
        unfinished = self._folder.unfinished_path(session)
        # The file's own list of tokens is compared when it is read, as a guard against a mix-up.
        tokens = (self._c.llama_token * len(sequence.tokens))(*_storable_tokens(sequence.tokens))
        try:
            self._folder.folder.mkdir(parents=True, exist_ok=True)
            self._c.llama_state_seq_save_file(
                self._context.pointer, c_path(str(unfinished)), sequence.number, tokens, len(sequence.tokens)
            )
            # llama.cpp does not say when the disk is full in the middle of the file.
            if unfinished.stat().st_size < size:
                self._folder.delete_session(session)
                log.info("a state was not saved: llama.cpp could not write it whole")
                return False
            checkpoints = self._checkpoints_of(sequence, size) if with_checkpoints else []
            with unfinished.open("ab") as file:
                for checkpoint in checkpoints:
                    file.write(checkpoint.data)
            # The rename is the last step: what bears the final name is whole.
            self._folder.add_state(
                session,
                self._identity,
                self._tiles.to_units(sequence.tokens),
                unfinished,
                [(checkpoint.count, checkpoint.size_bytes) for checkpoint in checkpoints],
                made_of=() if is_of_documents(session) else sequence.made_of,
            )
        except OSError as error:
            self._folder.delete_session(session)
            log.info("a state was not saved: %s", error)
            return False
        return True

    def _checkpoints_of(self, sequence: CachedSequence, state_bytes: int) -> list[StateCheckpoint]:
        """Return the checkpoints worth saving beside a state of so many bytes."""
        room = self._folder.budget_bytes() - state_bytes
        return sequence.checkpoints_to_save(min(max(state_bytes, CHECKPOINT_BYTES), room))

    def usable_length(self, session: str, prompt: Tokens[int]) -> int:
        """Return how many tokens of a prompt a session's state on disk would save reading."""
        tokens = self._find_tokens(session)
        if tokens is None or len(tokens) > self._context.size_tokens:
            return 0
        common = self._tiles.whole_tiles_length(prompt, common_length(tokens, prompt))
        return self._reachable_length(self._folder.state_path(session), len(tokens), common)

    def _reachable_length(self, state: Path, held: int, count: int) -> int:
        """Return how many of the first `count` tokens of a saved state of `held` can be gone back to."""
        if self._context.can_cut_saved(held, count):
            return count
        found = self._folder.find_checkpoints(state)
        return max((checkpoint.count for checkpoint in found if checkpoint.count <= count), default=0)

    def find_closest(self, prompt: Tokens[int]) -> BorrowedState:
        """Return another session's state that saves reading most of this prompt, e.g. the same document in another
        chat.
        """
        best = NOT_BORROWED
        for path, units in self._folder.find_beginnings(self._identity, self._tiles.to_units(prompt)):
            tokens = self._tiles.to_tokens(units)
            common = self._tiles.whole_tiles_length(prompt, common_length(tokens, prompt))
            # Those that follow begin no longer alike.
            if best.common >= common + MARK_TOKENS:
                break
            if common > best.common and len(tokens) <= self._context.size_tokens:
                common = self._reachable_length(path, len(tokens), common)
                best = BorrowedState(path, tokens, common) if common > best.common else best
        return best

    def load_borrowed(self, other: BorrowedState, sequence: CachedSequence) -> None:
        """Load another session's state into an empty sequence. Unlike `load`, never deletes the file."""
        if self._read_state(other.path, other.tokens, sequence):
            self._folder.mark_used(other.path)
        else:
            sequence.clear()

    def load(self, session: str, sequence: CachedSequence) -> None:
        """Load a session's state into an empty sequence. An unreadable file is deleted and the sequence stays empty."""
        tokens = self._find_tokens(session) or []
        if not self._read_state(self._folder.state_path(session), tokens, sequence):
            sequence.clear()
            self._folder.delete_session(session)
            log.info("a saved state could not be read and was deleted")

    def _read_state(self, file: Path, tokens: list[int], sequence: CachedSequence) -> bool:
        # llama.cpp would take torn bytes as they are, and the model would answer nonsense.
        if self._folder.is_torn(file):
            return False
        room = (self._c.llama_token * len(tokens))()
        count = ctypes.c_size_t(0)
        path = c_path(str(file))
        read = self._c.llama_state_seq_load_file(
            self._context.pointer, path, sequence.number, room, len(tokens), ctypes.byref(count)
        )
        # Tokens that differ: the file was exchanged behind our back.
        if read and list(room[: count.value]) == _storable_tokens(tokens):
            sequence.set_tokens(tokens, self._read_checkpoints(file))
            return True
        return False

    def _read_checkpoints(self, state: Path) -> list[StateCheckpoint]:
        found = []
        with state.open("rb") as file:
            for place in self._folder.find_checkpoints(state):
                data = (ctypes.c_uint8 * place.size_bytes)()
                file.seek(place.offset)
                if file.readinto(data) == place.size_bytes:
                    found.append(StateCheckpoint(place.count, data))
        return found

    def _find_tokens(self, session: str) -> list[int] | None:
        units = self._folder.find_state(session, self._identity)
        return None if units is None else self._tiles.to_tokens(units)


def _storable_tokens(tokens: Tokens[int]) -> list[int]:
    """Replace our negative tile numbers, which mean nothing in another process, by llama.cpp's -1."""
    return [max(token, -1) for token in tokens]


def is_worth_saving(sequence: CachedSequence) -> bool:
    """Return whether a sequence has a session and unsaved content that would take long to read again."""
    if not sequence.session or not sequence.changed:
        return False
    return len(sequence.tokens) >= LEAST_TOKENS or min(sequence.tokens, default=0) < 0  # looking takes seconds
