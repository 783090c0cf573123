"""Order in which pictures and sounds are encoded, for whom, and which of their tokens are decoded next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.errors.app_error import AppError
from app.core.events import Media
from app.engine.llama.context import TileEmbeddings
from app.engine.llama.eyes import EncodingRun, VisionEncoder
from app.engine.llama.sequence_run import SequenceRun
from app.engine.llama.tiles import TileNumbers

WAIT_S = 0.02  # how soon a new request is heard while nothing but looking goes on
TELL_EVERY = 0.01  # of a picture
Key = tuple[str, int]


class EncodingQueue:
    """Encode one tile at a time. Encoding for jobs pauses for interactive answers."""

    def __init__(self, eyes: VisionEncoder, tiles: TileNumbers) -> None:
        self._eyes, self._tiles = eyes, tiles
        self._look: EncodingRun | None = None
        self._is_for_job = False
        self._told: tuple[int, int, float] = (0, 0, 0.0)

    def find_ready_run(self, runs: Sequence[SequenceRun]) -> SequenceRun | None:
        """Return a run whose next tile is encoded, or None."""
        return next((run for run in runs if self._eyes.tile_embeddings(run.next_tile) is not None), None)

    def next_tile(self, run: SequenceRun) -> TileEmbeddings:
        """Return the next tile of a ready run with its positions; the run has a sequence."""
        number, sequence = run.next_tile, run.sequence
        embeddings = self._eyes.tile_embeddings(number)
        assert embeddings is not None
        assert sequence is not None
        media = self._tile_media(run, number)
        positions = self._eyes.tile_positions(media, number, sequence.position)
        return TileEmbeddings(embeddings, positions, self._eyes.is_whole(media))

    def encode_next(self, run: SequenceRun, somebody_waits: Callable[[], bool]) -> AppError | None:
        """Start or continue encoding a run's next tile and report progress; return the error if it failed."""
        number = run.next_tile
        look, self._look = self._look, None
        if look is not None and look.done.is_set():
            # A failed tile is the fault of those that wait for it.
            if look.problem is not None and number in look.wanted:
                return look.problem
            look = None
        if look is None:
            look = self._begin_encoding(run, number, somebody_waits)
        elif run.interactive and self._is_for_job:
            # Somebody's picture comes first; the job's tiles so far are kept.
            look.give_way()
        self._look = look
        if number in look.wanted:
            self._report_progress(run, number, look.fraction)
        return None

    def wait_for_encoder(self) -> None:
        """Wait until encoding is done, or long enough for a new request to be heard."""
        if self._look is not None:
            self._look.done.wait(WAIT_S)

    def _begin_encoding(self, run: SequenceRun, number: int, somebody_waits: Callable[[], bool]) -> EncodingRun:
        missing = self._missing_tiles(run)
        key = self._tile_key(number)
        run.looks += [other for other in dict.fromkeys(map(self._tile_key, missing)) if other not in run.looks]
        run.looked.add(key)
        run.answer.encoded_media = len(run.looked)
        place = self._tiles[number].place
        # Tiles of one picture are encoded together, for the encoder sees them at once.
        wanted = frozenset(
            other for other in missing if self._tile_key(other) == key and self._tiles[other].place == place
        )
        rests = (lambda: False) if run.interactive else somebody_waits
        look = EncodingRun(self._tile_media(run, number), place, wanted, run.job.stop.is_set, rests)
        self._is_for_job = not run.interactive
        self._eyes.begin_encoding(look)
        return look

    def _report_progress(self, run: SequenceRun, number: int, fraction: float) -> None:
        key = self._tile_key(number)
        at = run.looks.index(key) + 1 if key in run.looks else 1
        # Told in steps of one percent, since each message wakes the window.
        if (run.request.id, at) != self._told[:2] or fraction >= self._told[2] + TELL_EVERY:
            self._told = (run.request.id, at, fraction)
            run.answer.report_encoding(at, max(1, len(run.looks)), fraction)

    def _missing_tiles(self, run: SequenceRun) -> list[int]:
        numbers = dict.fromkeys(token for token in run.tokens[run.held_tokens :] if token < 0)
        return [number for number in numbers if self._eyes.tile_embeddings(number) is None]

    def _tile_key(self, number: int) -> Key:
        return self._tiles[number].media, self._tiles[number].most_tokens

    def _tile_media(self, run: SequenceRun, number: int) -> Media:
        return run.prompt.media[self._tile_key(number)]
