"""Which picture or sound is looked at, for whom, and what is told of it; and what of it is decoded next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.errors import AppError
from app.core.events import Media
from app.engine.llama.context import Embedded
from app.engine.llama.eyes import Eyes, Look
from app.engine.llama.pool import Run
from app.engine.llama.tiles import Tiles

WAIT_S = 0.02  # how soon a new request is heard while nothing but looking goes on
TELL_EVERY = 0.01  # of a picture
Key = tuple[str, int]


class Looking:
    """Looks at one thing at a time. What a job waits for rests while somebody waits for an answer, and gives way."""

    def __init__(self, eyes: Eyes, tiles: Tiles) -> None:
        self._eyes, self._tiles = eyes, tiles
        self._look: Look | None = None
        self._is_for_job = False
        self._told: tuple[int, int, float] = (0, 0, 0.0)

    def ready(self, runs: Sequence[Run]) -> Run | None:
        """One of them whose next piece is known."""
        return next((run for run in runs if self._eyes.embeddings(run.next_tile) is not None), None)

    def tile(self, run: Run) -> Embedded:
        """What is decoded next for a run that is ready."""
        number, sequence = run.next_tile, run.sequence
        embeddings = self._eyes.embeddings(number)
        assert embeddings is not None
        assert sequence is not None
        media = self._media(run, number)
        positions = self._eyes.positions(media, number, sequence.position)
        return Embedded(embeddings, positions, self._eyes.is_whole(media))

    def see(self, run: Run, somebody_waits: Callable[[], bool]) -> AppError | None:
        """Has the next piece for a run looked at, and tells how far that is; returns why it cannot be."""
        number = run.next_tile
        look, self._look = self._look, None
        if look is not None and look.done.is_set():
            if look.problem is not None and number in look.wanted:
                return look.problem
            look = None
        if look is None:
            look = self._begin(run, number, somebody_waits)
        elif run.interactive and self._is_for_job:
            look.give_way()
        self._look = look
        if number in look.wanted:
            self._tell(run, number, look.fraction)
        return None

    def wait(self) -> None:
        """A moment, or until something has been seen."""
        if self._look is not None:
            self._look.done.wait(WAIT_S)

    def _begin(self, run: Run, number: int, somebody_waits: Callable[[], bool]) -> Look:
        missing = self._missing(run)
        key = self._key(number)
        run.looks += [other for other in dict.fromkeys(map(self._key, missing)) if other not in run.looks]
        run.looked.add(key)
        run.answer.encoded_media = len(run.looked)
        wanted = frozenset(other for other in missing if self._key(other) == key)
        rests = (lambda: False) if run.interactive else somebody_waits
        look = Look(self._media(run, number), wanted, run.job.stop.is_set, rests)
        self._is_for_job = not run.interactive
        self._eyes.begin(look)
        return look

    def _tell(self, run: Run, number: int, fraction: float) -> None:
        key = self._key(number)
        at = run.looks.index(key) + 1 if key in run.looks else 1
        if (run.request.id, at) != self._told[:2] or fraction >= self._told[2] + TELL_EVERY:
            self._told = (run.request.id, at, fraction)
            run.answer.look(at, max(1, len(run.looks)), fraction)

    def _missing(self, run: Run) -> list[int]:
        numbers = dict.fromkeys(token for token in run.tokens[run.held_tokens :] if token < 0)
        return [number for number in numbers if self._eyes.embeddings(number) is None]

    def _key(self, number: int) -> Key:
        return self._tiles[number].media, self._tiles[number].most_tokens

    def _media(self, run: Run, number: int) -> Media:
        return run.prompt.media[self._key(number)]
