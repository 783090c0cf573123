"""Keeps what a sequence has read on disk, and puts it back: the bytes are llama.cpp's, the identity is ours."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence as Tokens
from pathlib import Path

from app.engine.llama.context import Context
from app.engine.llama.library import Library
from app.engine.llama.model import c_path
from app.engine.llama.sequence import Sequence, common_length
from app.engine.states import Identity, StateFolder, model_identity

log = logging.getLogger(__name__)

LEAST_TOKENS = 64  # reading so few again takes no longer than loading them


class SavedStates:
    """States of one loaded model and context."""

    def __init__(self, library: Library, context: Context, folder: StateFolder, model: Path, kv_type: str) -> None:
        self._c = library.c
        self._context = context
        self._folder = folder
        settings = f"positions {'as read' if context.can_forget else 'recurrent'}"
        self._identity = Identity(*model_identity(model), library.version, kv_type, settings)

    def save(self, sequence: Sequence) -> None:
        """Writes a sequence's state for its session, if it has one and has changed; a full disk is only said."""
        if not is_worth_saving(sequence):
            return
        size = self._c.llama_state_seq_get_size(self._context.pointer, sequence.number)
        if size > self._folder.budget_bytes():
            return
        unfinished = self._folder.unfinished_path(sequence.session)
        tokens = (self._c.llama_token * len(sequence.tokens))(*sequence.tokens)
        try:
            self._folder.folder.mkdir(parents=True, exist_ok=True)
            self._c.llama_state_seq_save_file(
                self._context.pointer, c_path(str(unfinished)), sequence.number, tokens, len(sequence.tokens)
            )
            if unfinished.stat().st_size < size:
                self._folder.delete(sequence.session)
                log.info("a state was not saved: llama.cpp could not write it whole")
                return
            self._folder.add(sequence.session, self._identity, sequence.tokens, unfinished)
            sequence.changed = False
        except OSError as error:
            self._folder.delete(sequence.session)
            log.info("a state was not saved: %s", error)

    def usable(self, session: str, prompt: Tokens[int]) -> int:
        """How many tokens of a prompt a session's state on disk would save reading."""
        tokens = self._folder.find(session, self._identity)
        if tokens is None or len(tokens) > self._context.size_tokens:
            return 0
        common = common_length(tokens, prompt)
        return common if self._context.can_forget or common == len(tokens) else 0

    def load(self, session: str, sequence: Sequence) -> None:
        """Puts a session's state into an empty sequence, which stays empty when the file cannot be read."""
        tokens = self._folder.find(session, self._identity) or []
        room = (self._c.llama_token * len(tokens))()
        count = ctypes.c_size_t(0)
        path = c_path(str(self._folder.state_path(session)))
        read = self._c.llama_state_seq_load_file(
            self._context.pointer, path, sequence.number, room, len(tokens), ctypes.byref(count)
        )
        if read and list(room[: count.value]) == tokens:
            sequence.loaded(tokens)
            return
        sequence.clear()
        self._folder.delete(session)
        log.info("a saved state could not be read and was deleted")


def is_worth_saving(sequence: Sequence) -> bool:
    """Whether a sequence belongs to a session and holds something that is not on disk."""
    return bool(sequence.session) and sequence.changed and len(sequence.tokens) >= LEAST_TOKENS
