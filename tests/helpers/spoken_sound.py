"""A real voice of Linux, speech-dispatcher with eSpeak, and what it says, recorded from a sink that nobody hears."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.program import wait_until

RATE = 16_000
FRAME = RATE // 50
QUIET = 0.02
"""Share of the loudest frame below which there is silence."""
SOFTEST = 100.0
BANDS = 16
ESPEAK_RATE, WAV_HEADER = 22_050, 44


@contextmanager
def recorded_speech(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the file that grows by what is played, in the sound server of a runtime folder of its own.

    The speech service is started by the program; it ends behind the block, as the others do, by its id.
    """
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(runtime))
    for name in ("SPEECHD_ADDRESS", "PULSE_SERVER", "FIRESIDE_VOICE"):
        monkeypatch.delenv(name, raising=False)
    sound = folder / "said.raw"
    with ExitStack() as stack:

        def start(*command: str, output: int | None = None) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output or subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait, timeout=30)
            stack.callback(process.terminate)
            return process

        start("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm",
              "--load=module-native-protocol-unix", "--load=module-null-sink sink_name=said")  # fmt: skip
        wait_until((runtime / "pulse" / "native").exists, "the sound server")
        file = stack.enter_context(sound.open("wb"))
        start("parec", "--raw", "--device=said.monitor", "--format=s16le", f"--rate={RATE}", "--channels=1",
              "--latency-msec=50", output=file.fileno())  # fmt: skip
        wait_until(lambda: sound.stat().st_size > 0, "the recording")
        try:
            yield sound
        finally:
            for pid in (runtime / "speech-dispatcher" / "pid").glob("*.pid"):
                os.kill(int(pid.read_text()), 15)


def reference_speech(text: str, language: str) -> np.ndarray:
    """Return the sounds of a text as eSpeak itself says it, at the speech service's usual speed."""
    command = ["espeak-ng", "-v", language, "-s", "130", "--stdout", text]
    wav = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    samples = np.frombuffer(wav[WAV_HEADER:], np.int16).astype(float)
    return _sounds_of(np.interp(np.arange(0, len(samples), ESPEAK_RATE / RATE), np.arange(len(samples)), samples))


def recorded_speech_of(sound: Path, first: int, last: int) -> np.ndarray:
    """Return the sounds that were recorded between two bytes of the file."""
    return _sounds_of(np.frombuffer(sound.read_bytes()[first // 2 * 2 : last // 2 * 2], np.int16).astype(float))


def difference(spoken: np.ndarray, reference: np.ndarray) -> float:
    """Return how far apart two utterances are, each as fast as it is: by dynamic time warping of their sounds."""
    apart = np.sqrt(((spoken[:, None] - reference[None]) ** 2).mean(axis=2))
    costs = np.full((len(spoken) + 1, len(reference) + 1), np.inf)
    costs[0, 0] = 0
    for row in range(len(spoken)):
        for column in range(len(reference)):
            before = min(costs[row, column], costs[row, column + 1], costs[row + 1, column])
            costs[row + 1, column + 1] = apart[row, column] + before
    return float(costs[-1, -1]) / (len(spoken) + len(reference))


def _sounds_of(samples: np.ndarray) -> np.ndarray:
    """Return the loudness of each frame in bands of pitch, without the silence around all of them."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    levels = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(levels > QUIET * max(levels.max(), SOFTEST))
    assert len(loud), "nothing was heard"
    powers = np.abs(np.fft.rfft(frames[loud[0] : loud[-1] + 1] * np.hanning(FRAME))) ** 2
    edges = np.geomspace(2, powers.shape[1], BANDS + 1).astype(int)
    bands = np.stack([powers[:, low : max(high, low + 1)].sum(axis=1) for low, high in pairwise(edges)], axis=1)
    logs = np.log(bands + 1e3)
    return (logs - logs.mean(axis=0)) / logs.std(axis=0)
