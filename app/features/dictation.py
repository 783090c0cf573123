"""Dictation: words of a recording that is still being made, heard by the loaded model.

A piece ends at a pause, as pieces of fixed length cut words (word error rate 41 % at 2 s and 20 % at 4 s, 5.5 % at
pauses: `docs/measured.md`). Until then what is there of it is heard again and again, each time whole.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import pairwise
from operator import mul
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import MediaRefused
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.core.paths import make_folder
from app.documents.formats.sound import AROUND_S, QUIET, STEP_S, write_wav
from app.documents.microphone import RATE_HZ, Heard
from app.documents.protocol import SoundPiece
from app.features.page_reading.by_model import PageAnswer, ask_model
from app.features.transcribe import RecordingDone, SoundRecorder, ask_for, joined_text

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.engine.contract import Engine

PAUSE_S = 0.7
"""Silence that ends a piece; within sentences speakers rest for up to half a second."""
MOST_PIECE_S = 20.0
NEWS_S = 1.0
"""New sound after which a piece is heard again before it ends."""
LEAST_LOUD_STEPS = 5
"""What is loud for less than a tenth of a second is a key or the mouse."""
LOOK_EVERY_S = 0.1
WAV_HEAD_BYTES = 44
NAME = "dictation"
_STEP = round(STEP_S * RATE_HZ)


@dataclass(frozen=True)
class WordsHeard:
    """Event: the words of a piece so far, in place of those told before; after `is_final` the next piece begins."""

    text: str
    is_final: bool


class LiveDictation:
    """One dictation: `record` and `hear_words` run on two threads; the recording is deleted by `close`."""

    def __init__(
        self, child_folder: Path, scratch: Path, engine: Callable[[], Engine], language: Callable[[], str]
    ) -> None:
        make_folder(scratch)
        self._folder = Path(tempfile.mkdtemp(prefix="dictation-", dir=scratch))
        self._recorder = SoundRecorder(child_folder, lambda: NAME)
        self._engine, self._language = engine, language
        self._has_ended = threading.Event()

    def record(self, stop: CancelToken) -> Iterator[Heard | RecordingDone]:
        """Record until `stop`, yielding what the recorder tells. Raises MicrophoneMissing."""
        try:
            yield from self._recorder.record(self._folder, stop)
        finally:
            self._has_ended.set()

    def hear_words(self, cancel: CancelToken) -> Iterator[WordsHeard]:
        """Yield what is said until the recording has ended and all of it is heard.

        Raises NoModel or MediaRefused ("deaf"), and the engine's errors.
        """
        engine = self._engine()
        if (model := engine.loaded) is None:
            raise NoModel
        if not model.hears:
            raise MediaRefused(NAME, "sound", "deaf")
        with closing(_GrowingSound(self._folder / f"{NAME}.wav")) as sound:
            while not cancel.cancelled:
                # Before reading, so that nothing is missed of a recording that ends just now.
                is_over = self._has_ended.is_set()
                sound.read_new()
                piece, is_final = sound.next_piece(is_over=is_over)
                if piece:
                    yield from self._hear_piece(engine, model, piece, is_final=is_final, cancel=cancel)
                elif is_over:
                    return
                else:
                    self._has_ended.wait(LOOK_EVERY_S)

    def close(self) -> None:
        """Delete the recording and its pieces, once both threads have ended."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _hear_piece(
        self, engine: Engine, model: ModelLoaded, samples: array[int], *, is_final: bool, cancel: CancelToken
    ) -> Iterator[WordsHeard]:
        path = self._folder / "piece.wav"
        write_wav(path, samples.tobytes(), RATE_HZ)
        piece = SoundPiece(0.0, len(samples) / RATE_HZ, str(path))
        for event in ask_model(engine, ask_for(piece, model, self._language()), cancel):
            if isinstance(event, PageAnswer):
                yield WordsHeard(joined_text(event.text), is_final)


class _GrowingSound:
    """The samples of a WAV file that another process is writing, cut at pauses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._samples = array("h")
        self._levels: list[float] = []
        """Root of the mean square of each step, 0 to 1."""
        self._heard_steps = 0
        """Steps of the growing piece that the model has heard already."""
        self._rest = b""

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def read_new(self) -> None:
        """Read the samples that were written since the last call."""
        if self._file is None:
            with suppress(FileNotFoundError):
                self._file = self._path.open("rb")
                self._file.seek(WAV_HEAD_BYTES)
        if self._file is None:
            return
        data = self._rest + self._file.read()
        # A sample may be half written.
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        self._samples.frombytes(data[:whole])
        for start in range(len(self._levels) * _STEP, len(self._samples) - _STEP + 1, _STEP):
            step = self._samples[start : start + _STEP]
            self._levels.append((sum(map(mul, step, step)) / _STEP) ** 0.5 / 32768)

    def next_piece(self, *, is_over: bool) -> tuple[array[int], bool]:
        """Return the samples to be heard now, none if nothing is new, and whether their piece is whole."""
        around = round(AROUND_S / STEP_S)
        loud = [number for number, level in enumerate(self._levels) if level > QUIET]
        if not loud:
            # A model that hears silence invents words. A little stays, as consonants begin below the threshold.
            self._drop_steps(len(self._levels) if is_over else max(0, len(self._levels) - around))
            return array("h"), False
        first, end = max(0, loud[0] - around), loud[-1] + 1
        gap = next((now for now, then in pairwise(loud) if (then - now) * STEP_S >= PAUSE_S), None)
        if gap is not None:
            end = gap + 1
        elif (end - first) * STEP_S > MOST_PIECE_S:
            end = first + self._quietest_step(first, end)
        elif not is_over and (len(self._levels) - end) * STEP_S < PAUSE_S:
            return self._provisional_piece(first, end), False
        is_click = sum(number < end for number in loud) < LEAST_LOUD_STEPS
        piece = array("h") if is_click else self._samples[first * _STEP : (end + around) * _STEP]
        self._drop_steps(end)
        return piece, True

    def _provisional_piece(self, first: int, end: int) -> array[int]:
        if (end - max(first, self._heard_steps)) * STEP_S < NEWS_S:
            return array("h")
        self._heard_steps = end
        return self._samples[first * _STEP :]

    def _quietest_step(self, first: int, end: int) -> int:
        """Return where a long piece without a pause is cut: in its last third, where it is quietest."""
        half = (end - first) * 2 // 3
        levels = self._levels[first:end]
        return min(range(half, len(levels)), key=levels.__getitem__)

    def _drop_steps(self, count: int) -> None:
        del self._samples[: count * _STEP], self._levels[:count]
        self._heard_steps = 0
