"""Sequence slots of one llama.cpp context: placement, eviction and reuse of cached prefixes.

Interactive answers get a sequence at once, background ones while there is room. Sequence 0 belongs to the open chat and
stays warm after its answer. Other sequences are saved when they end, if they have a session, and then cleared.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Runs
from collections.abc import Sequence as Tokens
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.events import FinishReason, Media, Waiting
from app.core.wire import EventReply
from app.engine import protocol
from app.engine.answer_decoder import AnswerDecoder
from app.engine.backend import EngineJob
from app.engine.llama.context import LlamaContext
from app.engine.llama.model import Model, c_path
from app.engine.llama.sampling import SamplerChain
from app.engine.llama.tiles import TileNumbers
from app.engine.scheduler import ParallelismPolicy
from app.engine.states import StateFolder, StateIdentity, model_identity

# One sequence of a context: the tokens its memory holds, and how to get back to an earlier point exactly.
#
# Attention can drop its end. Recurrent and hybrid models cannot: for them the part that cannot be rolled back is copied
# at two points of a prompt (before and after the last question), and going back means going to such a point.


# Each is a copy of the recurrent state, which can be large, hence both limits.
KEPT_SNAPSHOTS = 4
KEPT_SNAPSHOT_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class StateSnapshot:
    """Copy of the state that llama.cpp can't roll back (recurrent layers, sliding window), taken after `count`
    tokens.
    """

    count: int
    data: bytes


class CachedSequence:
    """`tokens` is what the memory holds, in order; `session` names what they belong to, `changed` since its save."""

    def __init__(self, context: LlamaContext, number: int, tiles: TileNumbers) -> None:
        self.number = number
        self._tiles = tiles
        self.tokens: list[int] = []
        self.session = ""
        self.changed = False
        self._context = context
        self._shift = 0  # by how much positions are fewer than tokens, because of pictures (M-RoPE)
        self._snapshots: list[StateSnapshot] = []

    @property
    def position(self) -> int:
        """Position of the next token. Lower than the token count where images take fewer positions than tokens."""
        return len(self.tokens) - self._shift

    def common_length(self, prompt: Tokens[int]) -> int:
        """Return how many tokens memory and prompt have in common, but for the beginning of a picture."""
        # A picture can't be continued in its middle: all of it is decoded at once.
        return self._tiles.whole_tiles_length(prompt, common_length(self.tokens, prompt))

    def reusable_length(self, count: int) -> int:
        """Return how many of the first `count` tokens can be kept, exactly as if they had just been read."""
        # Without recurrent layers any prefix is as good as freshly read.
        if count >= len(self.tokens) or self._context.can_forget:
            kept = min(count, len(self.tokens))
        else:
            kept = max((shot.count for shot in self._snapshots if shot.count <= count), default=0)
        # With a sliding window the cells before the window are gone, and going back would need them.
        return kept if self._context.sees_all(self.number, self._position_after(kept)) else 0

    def go_back(self, count: int) -> int:
        """Truncate to at most `count` tokens; return how many were kept, which is fewer where the model can't roll
        back.
        """
        count = self.reusable_length(count)
        if count < len(self.tokens):
            # llama.cpp refuses where cells are missing; then the whole sequence is read again.
            if not count or not self._truncate_memory(count):
                self.clear()
                return 0
            del self.tokens[count:]
            self._shift = self._tiles.position_shift(self.tokens)
            self.changed = True
            # Those ahead belong to tokens that were just taken away.
            self._snapshots = [shot for shot in self._snapshots if shot.count <= count]
        return count

    def drop_unfinished(self) -> None:
        """Remove what an unfinished decode left in the KV cache behind the recorded tokens."""
        # After an abort some layers hold the tokens of the batch and others do not.
        if self._context.can_forget:
            if not self._context.truncate_sequence(self.number, self.position):
                self.clear()
            return
        # The recurrent state has gone on and can't be undone: back to the newest copy, if any.
        before = max((shot.count for shot in self._snapshots), default=0)
        if not self._truncate_memory(before):
            self.clear()
        del self.tokens[before:]
        self._shift = self._tiles.position_shift(self.tokens)

    def extend(self, tokens: Tokens[int]) -> None:
        """Record tokens that were just decoded; the memory holds them already."""
        self.tokens += tokens
        if self._tiles.shifts:
            self._shift += self._tiles.position_shift(tokens)
        self.changed = True

    def copy_prefix(self, source: CachedSequence, count: int) -> None:
        """Copy the first `count` tokens of another sequence into this one, which must be empty."""
        self.tokens = source.tokens[:count]
        self._shift = self._tiles.position_shift(self.tokens)
        # Cells are shared, not copied, where the model allows that.
        self._context.copy_sequence(source.number, self.number, self.position)
        self.changed = True

    def can_share(self, count: int) -> bool:
        """Return whether another sequence can copy the first `count` tokens of this one."""
        # A recurrent state is one value for all that was read: only all of it can be handed on.
        if not self._context.can_forget and count != len(self.tokens):
            return False
        return self._context.sees_all(self.number, self._position_after(count))

    def take_snapshot(self) -> None:
        """Save a snapshot here if the model can't roll back by itself. Keeps the newest within a count and a byte
        limit.
        """
        if self._context.can_forget or any(shot.count == len(self.tokens) for shot in self._snapshots):
            return
        data = self._context.partial_state(self.number)  # nothing for a model that has no such state
        if data:
            self._snapshots.append(StateSnapshot(len(self.tokens), data))
        while len(self._snapshots) > KEPT_SNAPSHOTS or (
            len(self._snapshots) > 1 and sum(len(shot.data) for shot in self._snapshots) > KEPT_SNAPSHOT_BYTES
        ):
            del self._snapshots[0]  # the oldest: the next answer begins near the end

    def set_tokens(self, tokens: list[int]) -> None:
        """Record the tokens of a state that was just loaded from disk."""
        self.tokens = tokens
        self._shift = self._tiles.position_shift(tokens)
        # A file holds the state at its end only, so there is nothing to go back to before that.
        self._snapshots = []
        self.changed = False

    def clear(self) -> None:
        """Remove all tokens from the KV cache and from the record."""
        self._context.clear_sequence(self.number)
        self.mark_evicted()

    def mark_evicted(self) -> None:
        """Reset the record after the KV cache was cleared elsewhere."""
        self.tokens = []
        self._shift = 0
        self._snapshots = []
        self.changed = False

    def _position_after(self, count: int) -> int:
        return count - self._tiles.position_shift(self.tokens[:count]) if self._tiles.shifts else count

    def _truncate_memory(self, count: int) -> bool:
        """Truncate the KV cache to `count` tokens; return False if the model can't go back there."""
        if self._context.can_forget:
            return self._context.truncate_sequence(self.number, self._position_after(count))
        # The copy brings back the recurrent part, the cut the attention's cells: hybrids have both.
        shot = next((shot for shot in self._snapshots if shot.count == count), None)
        if shot is None or not self._context.set_partial_state(self.number, shot.data):
            return False
        return self._context.truncate_sequence(self.number, self._position_after(count))


def common_length(ours: Tokens[int], theirs: Tokens[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))


# Keeps what a sequence has read on disk, and puts it back: the bytes are llama.cpp's, the identity is ours.


log = logging.getLogger(__name__)

LEAST_TOKENS = 64  # reading so few again takes no longer than loading them


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
        if is_worth_saving(sequence) and self._write_state(sequence.session, sequence):
            sequence.changed = False

    def save_shared(self, name: str, sequence: CachedSequence) -> None:
        """Save the sequence under the prefix's name, for all sessions that share it, unless the same tokens are saved
        already.
        """
        # Compared first: a state is 23 kB a token for the starter model, and each chat with the same document would
        # write it.
        if len(sequence.tokens) >= LEAST_TOKENS and self._find_tokens(name) != sequence.tokens:
            self._write_state(name, sequence)

    def _write_state(self, session: str, sequence: CachedSequence) -> bool:
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
            # The rename is the last step: what bears the final name is whole.
            self._folder.add_state(session, self._identity, self._tiles.to_units(sequence.tokens), unfinished)
        except OSError as error:
            self._folder.delete_session(session)
            log.info("a state was not saved: %s", error)
            return False
        return True

    def usable_length(self, session: str, prompt: Tokens[int]) -> int:
        """Return how many tokens of a prompt a session's state on disk would save reading."""
        tokens = self._find_tokens(session)
        if tokens is None or len(tokens) > self._context.size_tokens:
            return 0
        common = self._tiles.whole_tiles_length(prompt, common_length(tokens, prompt))
        # A recurrent state is of use only as a whole.
        return common if self._context.can_forget or common == len(tokens) else 0

    def find_closest(self, prompt: Tokens[int]) -> BorrowedState:
        """Return another session's state that saves reading most of this prompt, e.g. the same document in another
        chat.
        """
        best = NOT_BORROWED
        # A borrowed state ends somewhere in the prompt, which recurrent models can't go back to.
        for path, units in self._folder.of_any_session(self._identity) if self._context.can_forget else ():
            tokens = self._tiles.to_tokens(units)
            if len(tokens) <= self._context.size_tokens:
                common = self._tiles.whole_tiles_length(prompt, common_length(tokens, prompt))
                best = BorrowedState(path, tokens, common) if common > best.common else best
        return best

    def load_borrowed(self, other: BorrowedState, sequence: CachedSequence) -> None:
        """Load another session's state into an empty sequence. Unlike `load`, never deletes the file."""
        if not self._read_state(other.path, other.tokens, sequence):
            sequence.clear()

    def load(self, session: str, sequence: CachedSequence) -> None:
        """Load a session's state into an empty sequence. An unreadable file is deleted and the sequence stays empty."""
        tokens = self._find_tokens(session) or []
        if not self._read_state(self._folder.state_path(session), tokens, sequence):
            sequence.clear()
            self._folder.delete_session(session)
            log.info("a saved state could not be read and was deleted")

    def _read_state(self, file: Path, tokens: list[int], sequence: CachedSequence) -> bool:
        room = (self._c.llama_token * len(tokens))()
        count = ctypes.c_size_t(0)
        path = c_path(str(file))
        read = self._c.llama_state_seq_load_file(
            self._context.pointer, path, sequence.number, room, len(tokens), ctypes.byref(count)
        )
        # Tokens that differ: the file was exchanged behind our back.
        if read and list(room[: count.value]) == _storable_tokens(tokens):
            sequence.set_tokens(tokens)
            return True
        return False

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


# One answer while it is read and written: its tokens, its place in the context, and how the next token is chosen.


UNLIMITED_TOKENS = 2048  # kept free for an answer without a limit, where another would join it


@dataclass(frozen=True)
class PromptTokens:
    """Token ids, and the places in them worth coming back to: before and after the last question.

    `shared` is how many of the tokens other sessions begin with, too, where the request says that some do. `media` are
    the pictures and sounds in it, by their id and how many tokens they may take.
    """

    tokens: list[int]
    places: tuple[int, ...] = ()
    shared: int = 0
    media: Mapping[tuple[str, int], Media] = field(default_factory=dict)
    media_tokens: int = 0
    """Tokens of all images and sounds, including the tokens the model wants around them."""


@dataclass(eq=False)
class SequenceRun:
    """`tokens` is the prompt and everything written after it; `sequence` is its place once it has one."""

    request: protocol.Generate
    job: EngineJob
    answer: AnswerDecoder
    model: Model
    prompt: PromptTokens
    chain: SamplerChain
    piece: Callable[[int], bytes]
    """The text of a token as the answer is given it."""
    forced: list[int] = field(default_factory=list)
    """Tokens still to be written before the model samples again."""
    tokens: list[int] = field(init=False)
    sequence: CachedSequence | None = None
    prepared: bool = False  # its sequence holds what can be used of the prompt
    begun: bool = False
    is_finished: bool = False
    looks: list[tuple[str, int]] = field(default_factory=list)
    """Media to encode for this run as (key of the prompt's media, tile); `looked` holds those already started."""
    looked: set[tuple[str, int]] = field(default_factory=set)
    waits: str = ""  # the reason told last, so that it is told once
    places: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt.tokens)
        # Stops while reading: copies are made and prefixes handed on there.
        self.places = set(self.prompt.places) | {self.prompt.shared} - {0}

    @property
    def interactive(self) -> bool:
        """True if the user or an API client waits for the answer."""
        return not self.request.ask.background

    @property
    def is_outside(self) -> bool:
        """True for API clients, which yield to the local user."""
        return self.interactive and self.request.ask.is_outside

    @property
    def held_tokens(self) -> int:
        """Number of this run's tokens in the KV cache."""
        return len(self.sequence.tokens) if self.sequence is not None and self.prepared else 0

    @property
    def pending_tokens(self) -> int:
        """Tokens that its memory does not hold yet: one while it writes, more while it reads."""
        return len(self.tokens) - self.held_tokens

    @property
    def is_writing(self) -> bool:
        """True if the next decode takes only the newest token."""
        # A tile is decoded by itself.
        return self.prepared and self.pending_tokens == 1 and self.tokens[-1] >= 0 and not self.job.cancelled

    @property
    def next_tile(self) -> int:
        """Negative number of the next image or sound tile to decode; 0 if text is next."""
        held = self.held_tokens
        # Between text and tiles the batch has to end: an encoder's output is decoded as vectors.
        return min(self.tokens[held], 0) if self.prompt.media and self.prepared and held < len(self.tokens) else 0

    @property
    def most_tokens(self) -> int:
        """Upper limit of tokens this run may need; without a limit of its own, its length plus `UNLIMITED_TOKENS`."""
        if self.request.ask.max_tokens < 0:
            return len(self.tokens) + UNLIMITED_TOKENS
        # The budget of thinking comes on top of the limit, which counts the answer only.
        return len(self.prompt.tokens) + self.request.ask.max_tokens + max(0, self.request.ask.thinking_budget)

    @property
    def is_reading(self) -> bool:
        """True until a token of the answer has been written, forced ones included."""
        return len(self.tokens) == len(self.prompt.tokens)

    def next_place(self) -> int:
        """Return how many tokens may be read before the next place worth a stop, or the next picture."""
        held = self.held_tokens
        ahead = [place - held for place in self.places if place > held]
        # A batch holds either tokens or vectors, so it ends before a picture.
        if self.prompt.media:
            ahead += [at for at, token in enumerate(self.tokens[held:]) if token < 0][:1]
        return min(ahead, default=len(self.tokens))

    def choose_token(self, output: int, context: Any) -> int:
        """Return the next token: a forced one, else what is sampled from the logits of an output."""
        if not self.forced:
            return self.chain.sample_token(context, output)
        # Nothing is sampled, but penalties and the grammar have to know of it.
        token = self.forced.pop(0)
        self.chain.accept(token)
        return token

    @property
    def is_told(self) -> bool:
        """True once all tokens of a replayed answer (`Ask.tells_last`) were reported."""
        return self.request.ask.tells_last and not self.forced

    def write_token(self, token: int, context_tokens: int) -> FinishReason | None:
        """Append a chosen token; return the reason if the answer ends with it, else None."""
        # Before it is added: the end has no text and is not part of the answer.
        if self.model.ends_answer(token):
            return FinishReason.STOP
        reason = self.answer.add_token(self.piece(token))
        if reason is not None:
            return reason
        if self.job.cancelled:
            return FinishReason.CANCELLED
        self.tokens.append(token)
        # Closing a thought whose budget is used up: the mark is written into the answer as if the model had.
        if forced := self.answer.forced_text():
            for forced_token in self.model.tokenize(forced, special=True):
                self.answer.add_token(self.piece(forced_token))
                self.chain.accept(forced_token)
                self.tokens.append(forced_token)
        return FinishReason.CONTEXT if len(self.tokens) > context_tokens else None

    def finish(self, reason: FinishReason) -> None:
        """Send the final reply with the reason, once; later calls do nothing."""
        if not self.is_finished:
            self.is_finished = True
            self.job.reply(self.answer.finish(reason))

    def report_waiting(self, reason: str) -> None:
        """Report once that the run is paused for `reason`; an empty reason resets it."""
        if reason and reason != self.waits and not self.is_finished:
            self.job.reply(EventReply(self.request.id, Waiting(reason)))
        self.waits = reason


ROOM_TO_WRITE_TOKENS = 256  # an interactive answer begins with at least so much room, if others can give it


class SequencePool:
    """`runs` are all answers that run or wait, in the order they came."""

    def __init__(
        self, context: LlamaContext, tiles: TileNumbers, states: SavedStates | None, side_by_side: ParallelismPolicy
    ) -> None:
        self.sequences = [CachedSequence(context, number, tiles) for number in range(context.most_sequences)]
        self.runs: list[SequenceRun] = []
        self._context = context
        self._states = states
        self._side_by_side = side_by_side
        # Sequence 0 is the open chat's; the others are for answers side by side.
        self._most_beside = context.most_sequences  # fewer after there was no room, until an answer has ended

    def place_all(self) -> list[SequenceRun]:
        """Assign sequences and return the runs that have one. Interactive runs come first, background ones fill what is
        left.
        """
        # The person at this computer first, other programs after them; among equals who came first.
        interactive = sorted((run for run in self.runs if run.interactive), key=lambda run: run.is_outside)
        for run in interactive:
            if run.sequence is None and self._may_join(run, interactive):
                run.report_waiting("")
                # Room is made by force only for interactive answers.
                self._assign_sequence(run, self._free_sequence(run) or self._evict_run(run))
            elif run.sequence is None:
                run.report_waiting("room")
        background = [run for run in self.runs if not run.interactive]
        for run in background:
            # Background work rests completely meanwhile: its steps would slow the words that somebody reads.
            if interactive:
                run.report_waiting("interactive")
            elif run.sequence is not None or self._has_room_for(run):
                run.report_waiting("")
                if run.sequence is None:
                    self._assign_sequence(run, self._free_sequence(run))
        return [run for run in self.runs if run.sequence is not None]

    def without_place(self) -> list[SequenceRun]:
        """Return waiting runs that may not evict anything (`Ask.modest`) and for which there is no free room."""
        idle = sum(len(sequence.tokens) for sequence in self._idle_sequences())
        # With one sequence only, an idle session has to go in any case.
        room = self._context.size_tokens - idle if len(self.sequences) > 1 or not idle else 0
        waiting = [run for run in self.runs if run.request.ask.modest and run.sequence is None]
        return [run for run in waiting if run.most_tokens > room]

    def give_room(self, run: SequenceRun) -> None:
        """Evict idle sessions, then lower-priority runs, until `run` fits into the context."""
        wanted = min(len(run.tokens) + ROOM_TO_WRITE_TOKENS, self._context.size_tokens)
        # Idle ones are on the disk and cost 12 ms to read back; an answer that is thrown out is read again as a whole.
        while self._held_beside(run) + wanted > self._context.size_tokens:
            if idle := self._idle_sequences():
                self._release_sequence(idle[0])
            elif self._evict_run(run) is None:
                return

    def make_way(self, first: SequenceRun) -> bool:
        """Free room after a decode found none: evict an idle session, else the newest lower-priority run.

        The evicted run waits until another ends. Returns False if only `first` is left.
        """
        if idle := self._idle_sequences():
            self._release_sequence(idle[0])
            return True
        if self._evict_run(first) is None:
            return False
        # Or the same two would throw each other out again and again.
        self._most_beside = max(1, sum(not run.interactive and run.sequence is not None for run in self.runs))
        return True

    def remove(self, run: SequenceRun) -> None:
        """Remove a finished run. Its sequence is saved and cleared, except for the open chat's."""
        self.runs.remove(run)
        self._most_beside = self._context.most_sequences  # there is more room again
        run.chain.free()
        sequence = run.sequence
        # Sequence 0 keeps what it holds: the next question in the open chat begins with it.
        if sequence is not None and sequence.number > 0:
            self._release_sequence(sequence)

    def save_idle(self) -> None:
        """Save all sequences that are worth it; called before the context is freed and when the program ends."""
        for sequence in self.sequences:
            self.save_sequence(sequence)

    @property
    def unsaved(self) -> bool:
        """True if `save_idle` would write something, so that sleep and quitting wait for it."""
        return self._states is not None and any(is_worth_saving(s) for s in self.sequences)

    def forget_session(self, session: str) -> None:
        """Forget a session without saving it; its cache is cleared unless a run uses it."""
        for sequence in self.sequences:
            if sequence.session == session:
                sequence.session = ""
                # A running answer goes on: its session is what is forgotten, not the answer.
                if self._run_of(sequence) is None:
                    sequence.clear()

    def forget_all(self) -> None:
        """Clear the context and have every run read again.

        Needed after NaN: freed cells keep their values, and zero times NaN is NaN in attention.
        """
        self._context.clear_all()
        for sequence in self.sequences:
            sequence.mark_evicted()
        for run in self.runs:
            run.prepared = False

    def save_sequence(self, sequence: CachedSequence) -> None:
        """Save the sequence's state if saved states are on."""
        if self._states is not None:
            self._states.save(sequence)

    def _may_join(self, run: SequenceRun, interactive: Runs[SequenceRun]) -> bool:
        """Return whether an interactive run fits beside those of its priority that are placed; otherwise it waits for
        them.
        """
        placed = [other for other in interactive if other.sequence is not None]
        beside = [other for other in placed if not self._goes_before(run, other)]
        if not beside:
            return True
        # What all begin with is held once and counted once.
        reserved = sum(other.most_tokens for other in beside) - self._shared_tokens(beside)
        mine = len(run.tokens) - self._shared_tokens([run, *beside[:1]])
        return reserved + mine + ROOM_TO_WRITE_TOKENS <= self._context.size_tokens

    def _assign_sequence(self, run: SequenceRun, sequence: CachedSequence | None) -> None:
        if sequence is not None:
            run.sequence, run.prepared = sequence, False

    def _free_sequence(self, run: SequenceRun) -> CachedSequence | None:
        # A chat goes back to the sequence that still holds it.
        free = [sequence for sequence in self.sequences if self._run_of(sequence) is None]
        session = run.request.ask.session
        mine = [sequence for sequence in free if session and sequence.session == session]
        if run.interactive or len(self.sequences) == 1:
            return next(iter(mine + free), None)
        # Background answers never take the open chat's.
        return next((sequence for sequence in free if sequence.number > 0), None)

    def _idle_sequences(self) -> list[CachedSequence]:
        """Return sequences that hold tokens but belong to no running answer."""
        return [s for s in self.sequences if s.tokens and self._run_of(s) is None]

    def _run_of(self, sequence: CachedSequence) -> SequenceRun | None:
        return next((run for run in self.runs if run.sequence is sequence), None)

    def _has_room_for(self, run: SequenceRun) -> bool:
        """Return whether a background answer may join: not too many at once, and room for all that it can come to
        write.
        """
        beside = [other for other in self.runs if not other.interactive and other.sequence is not None]
        # Alone it may throw idle sessions out: otherwise it could wait for ever.
        if not beside:
            self._make_room(run.most_tokens)
            return True
        if len(beside) >= min(self._side_by_side.best, len(self.sequences) - 1, self._most_beside):
            return False
        idle = sum(len(s.tokens) for s in self._idle_sequences())
        taken = sum(other.most_tokens for other in beside) - self._shared_tokens(beside)
        mine = run.most_tokens - max(common_length(run.tokens, other.tokens) for other in beside)
        # Beyond this, what each step reads of the KV cache is no longer small beside the weights.
        if taken + mine > self._side_by_side.most_tokens:
            return False
        return idle + taken + mine <= self._context.size_tokens

    def _shared_tokens(self, runs: Runs[SequenceRun]) -> int:
        """Tokens that are counted for several runs but held once."""
        first = runs[0].tokens
        return sum(common_length(first, other.tokens) for other in runs[1:]) if self._context.can_forget else 0

    def _make_room(self, tokens: int) -> None:
        """Save and clear idle sequences if `tokens` more would not fit."""
        if sum(len(s.tokens) for s in self.sequences) + tokens > self._context.size_tokens:
            for sequence in self._idle_sequences():
                self._release_sequence(sequence)

    def _evict_run(self, first: SequenceRun) -> CachedSequence | None:
        """Evict the newest lower-priority run to free a sequence: background runs first, then API clients'.

        The evicted run is read again later; nothing of its answer is lost.
        """
        placed = [run for run in reversed(self.runs) if run.sequence is not None and run is not first]
        # Background ones first, and of those the newest, which has lost the least.
        for run in sorted(placed, key=lambda run: run.interactive):
            if run.sequence is not None and self._goes_before(first, run):
                # The answer keeps its tokens; reading them again is all that is lost.
                sequence, run.sequence, run.prepared = run.sequence, None, False
                run.report_waiting("room")
                sequence.clear()
                sequence.session = ""  # what it will hold is not that session's any more
                return sequence
        return None

    @staticmethod
    def _goes_before(first: SequenceRun, other: SequenceRun) -> bool:
        return not other.interactive or (other.is_outside and first.interactive and not first.is_outside)

    def _held_beside(self, run: SequenceRun) -> int:
        return sum(len(s.tokens) for s in self.sequences if s is not run.sequence)

    def _release_sequence(self, sequence: CachedSequence) -> None:
        self.save_sequence(sequence)
        sequence.clear()
        sequence.session = ""


# How an answer begins: with what its sequence holds already, what another one can share, or what was saved.


# So few are read again as fast.
LEAST_SHARED_TOKENS = 16
LEAST_BORROWED_TOKENS = 256  # reading so few takes no longer than looking through what is kept on the disk


class SharedPrefixes:
    """Saves reading: beginnings that answers have in common are read once."""

    def __init__(self, context: LlamaContext, states: SavedStates | None, pool: SequencePool) -> None:
        self._context = context
        self._states = states
        self._pool = pool

    def fill_prefix(self, run: SequenceRun) -> None:
        """Fill the run's sequence from the cache, other sequences or saved states, so that as little as possible is
        decoded.
        """
        sequence, session = run.sequence, run.request.ask.session
        assert sequence is not None
        wanted = run.tokens[:-1]  # the last one is decoded in any case: its logits are wanted
        # Three sources are compared: what is there, what another sequence has, what lies on the disk.
        kept = sequence.reusable_length(sequence.common_length(wanted))
        source = max(self._pool.sequences, key=lambda other: self._shareable_length(other, wanted, sequence))
        shared = self._shareable_length(source, wanted, sequence)
        stored, name, other = 0, "", NOT_BORROWED
        if session != sequence.session:
            stored, name = max((self._stored_length(name, wanted), name) for name in (run.request.ask.shared, session))
            # Something else comes into this sequence: keep what it held.
            self._pool.save_sequence(sequence)
            # Looking through all files is only worth it where much would be left to read.
            if max(kept, shared, stored) + LEAST_BORROWED_TOKENS < len(wanted):
                other = self._find_borrowable(run, wanted)
        if self._states is not None and other.common > max(kept, shared, stored) + LEAST_BORROWED_TOKENS:
            sequence.clear()
            self._states.load_borrowed(other, sequence)  # the other chat's state stays where it is
            kept = sequence.go_back(sequence.common_length(wanted))
        elif stored > max(kept, shared) and self._states is not None:
            sequence.clear()
            self._states.load(name, sequence)
            kept = sequence.go_back(sequence.common_length(wanted))
        elif shared > kept + LEAST_SHARED_TOKENS:
            sequence.clear()
            sequence.copy_prefix(source, shared)
            kept = shared
        else:
            kept = sequence.go_back(sequence.common_length(wanted))
        sequence.session = session
        run.prepared = True
        if run.interactive:
            self._pool.give_room(run)
        elif not self._context.can_forget:
            # Stops at what others begin with, so that the state can be copied there.
            run.places |= self._places_to_share(run)
        if not run.begun:
            run.begun = True
            run.answer.begin_prompt(len(run.prompt.tokens), kept)

    def hand_on(self, run: SequenceRun) -> None:
        """At a marked position, take a snapshot and share the prefix with the runs and sessions that start with it."""
        sequence = run.sequence
        assert sequence is not None
        # Saved exactly where it ends, as that is what other chats can begin with.
        if len(sequence.tokens) == run.prompt.shared and self._states is not None:
            self._states.save_shared(run.request.ask.shared, sequence)
        if run.interactive:
            sequence.take_snapshot()
            return
        # Background answers of one task begin alike: they get what was just read, instead of reading it themselves.
        for other in self._unprepared_runs():
            held = len(sequence.tokens)
            if other.sequence is not None and common_length(sequence.tokens, other.tokens[:-1]) == held:
                other.sequence.clear()
                other.sequence.copy_prefix(sequence, held)

    def _find_borrowable(self, run: SequenceRun, wanted: list[int]) -> BorrowedState:
        """Find a saved state to borrow, for chats only: response times must not tell API clients what the user has
        read.
        """
        if self._states is None or not run.request.ask.session or run.is_outside:
            return NOT_BORROWED
        return self._states.find_closest(wanted)

    def _stored_length(self, session: str, wanted: list[int]) -> int:
        return self._states.usable_length(session, wanted) if session and self._states is not None else 0

    # Copying onto itself would clear it first.
    def _shareable_length(self, source: CachedSequence, wanted: list[int], target: CachedSequence) -> int:
        if source is target:
            return 0
        count = source.common_length(wanted)
        return count if source.can_share(count) else 0

    def _places_to_share(self, run: SequenceRun) -> set[int]:
        """Return where a model that cannot forget has to stop, to hand on what others begin with too."""
        common = [common_length(run.tokens, other.tokens) for other in self._unprepared_runs()]
        return {count for count in common if run.held_tokens < count < len(run.tokens)}

    def _unprepared_runs(self) -> list[SequenceRun]:
        return [run for run in self._pool.runs if run.sequence is not None and not run.prepared]
