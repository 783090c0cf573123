"""Audio files: detected by their first bytes and prepared for a model (`app.features.transcribe`).

They are decoded and cut at pauses into plain WAV files, in the document child only, which a bad file may crash.
"""

from __future__ import annotations

import wave
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.child_files import check_file, sha256_of
from app.documents.protocol import Listen, SoundHeard, SoundOpened, SoundPiece
from app.documents.source import FileSource, Item

if TYPE_CHECKING:
    import numpy as np

    Samples = np.ndarray[tuple[int], np.dtype[np.int16]]

STEP_S = 0.02
QUIET = 0.004
"""Mean level of a step that counts as quiet, of full range; speech is ten times as loud, a quiet room a fifth of it."""
PAUSE_S = 0.3
"""Length in seconds of the quietest part, where a cut is made."""
LEAST_PART = 1 / 3
AROUND_S = 0.2
"""Before and behind what is heard in a piece."""
MOST_S = 12 * 3600.0
HEAD_BYTES = 64
_BEGINS = {"wav": (b"RIFF", b"RF64"), "flac": (b"fLaC",), "ogg": (b"OggS",), "mp3": (b"ID3",)}


def find_sound(head: bytes) -> str:
    """Return what the first bytes of a file say it is: wav, flac, ogg, mp3; "" for no sound."""
    for name, begins in _BEGINS.items():
        if head.startswith(begins):
            return "" if name == "wav" and head[8:12] != b"WAVE" else name
    # The first frame of an MP3 without a tag: 11 bits of sync, layer III, neither a free nor a forbidden bit rate.
    is_frame = len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 == 0x02
    return "mp3" if is_frame and head[2] & 0xF0 not in (0x00, 0xF0) else ""


def is_sound(path: Path) -> bool:
    """Return whether a file is a recording by its first bytes; one that cannot be read is none."""
    try:
        with path.open("rb") as file:
            return bool(find_sound(file.read(HEAD_BYTES)))
    except (OSError, ValueError):
        return False


def read(source: FileSource) -> Iterator[Item]:
    """Yield what a reader of text gets of one: raises DocumentUnreadable ("sound")."""
    yield from ()
    raise source.unreadable("sound")


def listen(
    request: Listen, tell: Callable[[SoundOpened | SoundPiece], None], on_step: Callable[[], None]
) -> SoundHeard:
    """Write pieces into the request's folder and report each. Raises DocumentUnreadable.

    `on_step` is called on progress, as a sign of life.
    """
    path = Path(request.path)
    check_file(path)
    with path.open("rb") as file:
        format_ = find_sound(file.read(HEAD_BYTES))
    if not format_:
        raise DocumentUnreadable(request.path, "not_sound")
    tell(SoundOpened(format_))
    cutting = _SoundCutter(request)
    for samples in _decode_samples(path, request.rate_hz):
        on_step()
        for piece in cutting.add_samples(samples):
            tell(piece)
    for piece in cutting.rest():
        tell(piece)
    if not cutting.seconds:
        raise DocumentUnreadable(request.path, "damaged")
    return SoundHeard(cutting.seconds, cutting.count, sha256_of(path, on_step))


def _decode_samples(path: Path, rate_hz: int) -> Iterator[array[int]]:
    """Yield all samples, mixed to one channel, a second at a time. A file that ends in the middle ends there."""
    try:
        import miniaudio  # type: ignore[import-untyped]
    # Imported here, for miniaudio has no wheel for some processors.
    except ImportError as error:  # there is none for this kind of processor
        raise DocumentUnreadable(str(path), "no_sound_here") from error
    try:
        yield from miniaudio.stream_file(
            str(path), miniaudio.SampleFormat.SIGNED16, nchannels=1, sample_rate=rate_hz, frames_to_read=rate_hz
        )
    except miniaudio.MiniaudioError as error:
        raise DocumentUnreadable(str(path), "damaged") from error


class _SoundCutter:
    """Cut samples into pieces. `seconds` were added so far, `count` audible pieces returned."""

    def __init__(self, request: Listen) -> None:
        import numpy as np  # a document that is read does without

        self._np, self._request = np, request
        self._step = max(1, round(STEP_S * request.rate_hz))
        self._longest = int(request.longest_s * request.rate_hz)
        self._waiting: Samples = np.zeros(0, np.int16)
        self._start = 0
        self._total = 0
        self.count = 0

    @property
    def seconds(self) -> float:
        return self._total / self._request.rate_hz

    def add_samples(self, samples: array[int]) -> Iterator[SoundPiece]:
        self._total += len(samples)
        if self.seconds > MOST_S:
            raise DocumentUnreadable(self._request.path, "too_long_sound")
        self._waiting = self._np.concatenate([self._waiting, self._np.frombuffer(samples, self._np.int16)])
        while len(self._waiting) >= self._longest:
            yield from self._next_piece(self._cut_position())

    def rest(self) -> Iterator[SoundPiece]:
        if len(self._waiting):
            yield from self._next_piece(len(self._waiting))

    def _loudness_of_steps(self, samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return the root of the mean square of each step, of the full range."""
        whole = len(samples) // self._step * self._step
        steps = samples[:whole].reshape(-1, self._step).astype(self._np.float64) / 32768
        loudness: np.ndarray[tuple[int], np.dtype[np.float64]] = self._np.sqrt((steps**2).mean(axis=1))
        return loudness

    def _cut_position(self) -> int:
        """Return where the quietest pause is, not too near to the beginning; of several the last."""
        loud = self._loudness_of_steps(self._waiting[: self._longest])
        width = max(1, round(PAUSE_S / STEP_S))
        means = self._np.convolve(loud, self._np.ones(width) / width, "valid")
        first = int(len(means) * LEAST_PART)
        behind = means[first:][::-1]
        # The argmin of the reversed windows is the last quiet place, so pieces are long. All silence counts as equally
        # quiet.
        at = len(means) - 1 - int(self._np.argmin(self._np.maximum(behind, QUIET / 4)))
        return (at + width // 2) * self._step

    def _next_piece(self, length: int) -> Iterator[SoundPiece]:
        """Yield the next `length` samples without silence around them; a silent piece is told without a file."""
        samples, self._waiting = self._waiting[:length], self._waiting[length:]
        start, self._start = self._start, self._start + length
        heard = self._np.nonzero(self._loudness_of_steps(samples) > QUIET)[0]
        rate = self._request.rate_hz
        # A model that is shown silence invents words, so there is no file of it.
        if not len(heard):
            yield SoundPiece(start / rate, (start + length) / rate)
            return
        # Consonants begin and end below the threshold.
        around = int(AROUND_S * rate)
        first = max(0, int(heard[0]) * self._step - around)
        last = min(length, (int(heard[-1]) + 1) * self._step + around)
        self.count += 1
        path = Path(self._request.folder) / f"{self.count:05d}.wav"
        write_wav(path, samples[first:last].tobytes(), rate)
        yield SoundPiece((start + first) / rate, (start + last) / rate, str(path))


def write_wav(path: Path, samples: bytes, rate_hz: int) -> None:
    """Write raw samples as a WAV file: PCM, 16 bits, mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples)
