"""Recordings for tests: stretches of a tone that stands for speech, and of silence."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Callable
from pathlib import Path

from tests.helpers.script import write_script

TONE_HZ = 300
LOUD = 16_000 / 32768

Sound = tuple[float, Callable[[float], float]]


def spoken(*stretches: tuple[float, float], tone_hz: float = TONE_HZ) -> Sound:
    """Seconds and how loud each is, 0 to 1; as long as all of them, and the value at each second."""
    ends, at = [], 0.0
    for seconds, loudness in stretches:
        at += seconds
        ends.append((at, loudness))

    def value(second: float) -> float:
        loudness = next((loudness for end, loudness in ends if second < end), 0.0)
        return loudness * LOUD * math.sin(2 * math.pi * tone_hz * second)

    return at, value


def write_sound(path: Path, sound: Sound, rate_hz: int = 16_000, channels: int = 1, width: int = 2) -> Path:
    """A WAV file of these samples, the same in each channel."""
    seconds, value = sound
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(
            b"".join(_bytes(value(at / rate_hz), width) * channels for at in range(int(seconds * rate_hz)))
        )
    return path


def held_talk(folder: Path) -> tuple[Path, Path]:
    """A script of a model that hears, and a talk of two minutes; the second is heard once `go` lies by the script."""
    first = {"when": "word for word", "text": "We meet on Tuesday.", "times": 1}
    second = {"when": "word for word", "text": "Bring the keys.", "held_after": 1, "until": "go"}
    script = write_script(folder / "script", first, second, load={"hears": True})
    return script, write_sound(folder / "talk.wav", spoken((20.0, 1.0), (60.0, 0.0), (10.0, 1.0)), 8000)


def _bytes(value: float, width: int) -> bytes:
    if width == 1:
        return bytes([128 + round(value * 127)])
    return struct.pack("<i", round(value * (2**31 - 1)))[4 - width :]
