"""Record the microphone in a child of its own: drivers may hang or crash.

`app.features.transcribe` starts it with `--record-worker`. It writes a WAV file until its parent lets it go.
"""

from __future__ import annotations

import os
import threading
import time
from array import array
from collections.abc import Generator
from pathlib import Path

from app.core.cage import close_sockets, enter_cage
from app.core.child import claim_wire, run_in_heart
from app.core.landlock import ThreadGrant, program_places
from app.core.lazy_dataclasses import dataclass
from app.core.seccomp import SocketRule
from app.core.wire import Caged, ParentSide, Wire, check_request

RATE_HZ = 16_000
TELL_EVERY_S = 0.2
MOST_WAV_BYTES = 1 << 32
"""Its header counts bytes in 32 bits: 37 hours."""
TRIAL_VARIABLE = "FIRESIDE_MICROPHONE"
"""For computers without a microphone: "null" is one that hears nothing, a WAV file one that hears it, then nothing."""


@dataclass(frozen=True)
class Record:
    """Request to record into this file, which must not exist."""

    path: str


@dataclass(frozen=True)
class Heard:
    """So many seconds are written; `loudness` is that of the last moment, 0 to 1."""

    seconds: float
    loudness: float


@dataclass(frozen=True)
class NoMicrophone:
    """There is none, or it may not be used; the child ends."""

    detail: str


WIRE = Wire(2, (Record,), (Caged, Heard, NoMicrophone))


def main(_arguments: list[str]) -> int:
    """Record until the parent lets it go; then the file is complete."""
    parent = ParentSide(WIRE, *claim_wire(may_save=True))
    parent.send_greeting()
    request: Record = check_request(next(parent.read_requests()))
    file = _Wav(Path(request.path))
    played = _trial_sound()
    _keep_to_sound(Path(request.path))
    # The file has to be closed before the process goes, or its header keeps a length of 0.
    parent.leave_with_parent(lambda _request: None, file.close)
    try:
        import miniaudio  # type: ignore[import-untyped]

        trial = os.environ.get(TRIAL_VARIABLE, "")
        backends = [miniaudio.Backend.NULL] if trial else None
        device = miniaudio.CaptureDevice(
            miniaudio.SampleFormat.SIGNED16, nchannels=1, sample_rate=RATE_HZ, backends=backends, app_name="Fireside"
        )
        taking = file.taking() if played is None else _play_instead(played, file.taking())
        # Up to its first `yield`: miniaudio sends into it at once.
        next(taking)
        device.start(taking)
        # It is connected with what records: no other socket is needed from now on.
        parent.send_reply(Caged(close_sockets()))
    except Exception as error:  # noqa: BLE001 - a driver may make it raise anything
        parent.send_reply(NoMicrophone(f"{type(error).__name__}: {error}"))
        # The driver may have left threads that would keep a normal exit waiting for ever.
        os._exit(1)
    while True:
        parent.send_reply(Heard(file.seconds, file.loudness))
        time.sleep(TELL_EVERY_S)


def _keep_to_sound(file: Path) -> None:
    """Give up all but this file, the devices of sound, and the sockets of the program that shares them."""
    home, runtime = Path.home(), Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    configured = [home / ".asoundrc", home / ".pulse-cookie", home / ".config" / "pulse", Path("/var/lib/alsa")]
    sockets = [runtime / "pulse", *runtime.glob("pipewire-*")]
    grant = ThreadGrant(
        [*program_places(), *configured, *sockets],
        [file, Path(os.devnull)],
        # Samples are handed over in shared memory.
        devices=(Path("/dev/snd"), Path("/dev/shm")),  # noqa: S108 - the system's own
        programs=(),
        ports=(),
    )
    enter_cage(grant, SocketRule.UNIX, most_file_bytes=MOST_WAV_BYTES, other_threads=(run_in_heart,))


def _trial_sound() -> bytes | None:
    """Return the samples of the WAV file that stands for a microphone; None without one."""
    trial = os.environ.get(TRIAL_VARIABLE, "")
    if trial in ("", "null"):
        return None
    import wave

    with wave.open(trial, "rb") as file:
        return file.readframes(file.getnframes())


def _play_instead(samples: bytes, taking: Generator[None, bytes, None]) -> Generator[None, bytes, None]:
    """Hand on samples in place of the device's, as many as it has and at its pace; then what it hears."""
    next(taking)
    at = 0
    while True:
        data = yield
        instead = samples[at : at + len(data)]
        at += len(instead)
        taking.send(instead + bytes(data)[len(instead) :])


class _Wav:
    """Filled by the driver's thread, closed by the one that hears the parent go."""

    def __init__(self, path: Path) -> None:
        import wave  # in the child alone, which begins it

        self._lock = threading.Lock()
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - open as long as it is recorded
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(RATE_HZ)
        self._is_open = True
        self._samples = 0
        self.loudness = 0.0

    @property
    def seconds(self) -> float:
        return self._samples / RATE_HZ

    def taking(self) -> Generator[None, bytes, None]:
        while True:
            data = yield
            # The driver's thread may still deliver while the wire's thread closes the file.
            with self._lock:
                if self._is_open:
                    self._file.writeframes(data)
                    samples = array("h", bytes(data))
                    self._samples += len(samples)
                    self.loudness = max(map(abs, samples), default=0) / 32768

    def close(self) -> None:
        with self._lock:
            self._is_open = False
            self._file.close()
