"""Recordings for tests: stretches of a tone that stands for speech, and of silence."""

from __future__ import annotations

import math
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.helpers.script import write_script

TONE_HZ = 300
LOUD = 16_000 / 32768

Sound = tuple[float, Callable[[np.ndarray], np.ndarray]]


def spoken(*stretches: tuple[float, float], tone_hz: float = TONE_HZ) -> Sound:
    """Seconds and how loud each is, 0 to 1; as long as all of them, and the values at seconds."""
    ends = np.cumsum([seconds for seconds, _ in stretches])
    loudness = np.array([*(loud for _, loud in stretches), 0.0])

    def values(seconds: np.ndarray) -> np.ndarray:
        tone = np.sin(2 * math.pi * tone_hz * seconds)
        return loudness[np.searchsorted(ends, seconds, "right")] * LOUD * tone

    return float(ends[-1]), values


def write_sound(path: Path, sound: Sound, rate_hz: int = 16_000, channels: int = 1, width: int = 2) -> Path:
    """A WAV file of these samples, the same in each channel."""
    seconds, values = sound
    samples = values(np.arange(int(seconds * rate_hz)) / rate_hz)
    if width == 1:
        rows = np.rint(128 + samples * 127).astype(np.uint8)[:, None]
    else:
        rows = np.rint(samples * (2**31 - 1)).astype("<i4").view(np.uint8).reshape(-1, 4)[:, 4 - width :]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(rows, channels, axis=0).tobytes() if channels > 1 else rows.tobytes())
    return path


def held_talk(folder: Path) -> tuple[Path, Path]:
    """A script of a model that hears, and a talk of two minutes; the second is heard once `go` lies by the script."""
    first = {"when": "word for word", "text": "We meet on Tuesday.", "times": 1}
    second = {"when": "word for word", "text": "Bring the keys.", "held_after": 1, "until": "go"}
    script = write_script(folder / "script", first, second, load={"hears": True})
    return script, write_sound(folder / "talk.wav", spoken((20.0, 1.0), (60.0, 0.0), (10.0, 1.0)), 8000)
