"""Older processors, speed against the checkout, and start times: one table of what a package is like.

usage: package_figures.py; tries dist/fireside. On a machine that does other work ratios hold, since both take turns;
seconds do not.
"""

from __future__ import annotations

import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.core.events import Finished, TextDelta  # noqa: E402
from app.core.paths import starter_model  # noqa: E402
from app.engine.client import EngineClient  # noqa: E402
from app.engine.protocol import Ask, Sampling  # noqa: E402

FOLDER = ROOT / "dist" / "fireside"
PROGRAM = FOLDER / "program" / "fireside"
PROCESSORS = {"Nehalem": "sse42", "SandyBridge": "sandybridge", "Haswell": "haswell"}
"""What is emulated, and the library that ggml should choose: no AVX, AVX, AVX2."""
ROUNDS = int(os.environ.get("ROUNDS", "9"))
LEAST_RATIO, MOST_WARM_S, MOST_COLD_S, MOST_HELLO_S = 0.95, 1.0, 2.5, 2.5
TOKENS = 64
WINDOW_TIMEOUT_S = 60
AIM_MB = 330
PEERS = "note-lm 99 MB, LM Studio about 1 GB"


def row(name: str, value: str, limit: str = "") -> None:
    """One line of the table."""
    print(f"  {name:<44} {value:<28} {limit}", flush=True)


def main() -> int:
    """All lines; 1 when a processor did not answer."""
    installed = sum(path.lstat().st_size for path in FOLDER.rglob("*") if path.is_file() and not path.is_symlink())
    row("installed, with the model", f"{installed / 1e6:.1f} MB", f"aim: {AIM_MB} MB")
    for path in sorted(FOLDER.parent.glob("[fF]ireside*")):
        if path.is_file() and path.suffix != ".json":
            row(path.name, f"{path.stat().st_size / 1e6:.1f} MB", f"peers: {PEERS}")
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # where they are set, they name another processor
        os.environ.pop(name, None)
    failed = 0
    for processor, library in PROCESSORS.items():
        failed += not try_processor(processor, library)
    compare_speed()
    if os.environ.get("DISPLAY"):
        measure_starts()
    return int(failed > 0)


def try_processor(processor: str, library: str) -> bool:
    """Whether the package's engine, emulated, loads the starter with that library and answers."""
    # The start program would start itself once more, and that would not be emulated: it is told that it has done so.
    command = ["qemu-x86_64", "-cpu", processor, str(PROGRAM), "--engine-worker"]
    internal = str(PROGRAM.parent / "_internal")
    environment = {
        "LD_LIBRARY_PATH": internal,
        "_PYI_APPLICATION_HOME_DIR": internal,
        "_PYI_ARCHIVE_FILE": str(PROGRAM),
        "_PYI_PARENT_PROCESS_LEVEL": "0",
    }
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        engine = EngineClient(command, Path(scratch), environment)
        with closing(engine):
            try:
                text, _ = answer_of(engine, "The capital of France is", 3)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                row(f"{processor} (emulated)", "FAILED", repr(error)[:300])
                return False
            libraries = loaded_libraries(engine.pid or 0)
    chosen, is_right = ", ".join(sorted(libraries)), bool(text.strip()) and libraries == {library}
    said = f"answers {text!r}" if is_right else f"FAILED: {text!r}"
    row(f"{processor} (emulated)", said, f"libggml-cpu-{chosen}, {time.monotonic() - began:.0f} s")
    return is_right


def loaded_libraries(pid: int) -> set[str]:
    """The processors' libraries that a process has."""
    return set(re.findall(r"libggml-cpu-(\w+)\.so", Path(f"/proc/{pid}/maps").read_text("utf-8")))


def answer_of(engine: EngineClient, text: str, tokens: int) -> tuple[str, float]:
    """What the starter writes, and its tokens per second."""
    model = starter_model()
    assert model is not None
    for _ in engine.load(model):
        pass
    written, speed = "", 0.0
    for event in engine.answer(Ask((), text=text, max_tokens=tokens, sampling=Sampling(temperature=0.0))):
        if isinstance(event, TextDelta):
            written += event.text
        elif isinstance(event, Finished):
            speed = event.stats.tokens_per_s
    return written, speed


def compare_speed() -> None:
    """Writing with the package's engine and with the checkout's, in turns, each in a process that stays."""
    commands = {
        "package": [str(PROGRAM), "--engine-worker"],
        "checkout": [sys.executable, "-m", "app", "--engine-worker"],
    }
    speeds: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as scratch:
        engines = {name: EngineClient(command, Path(scratch, name)) for name, command in commands.items()}
        try:
            for number in range(ROUNDS + 1):
                for name in list(engines)[:: 1 if number % 2 else -1]:
                    speed = answer_of(engines[name], f"Story {number}. Once upon a time", TOKENS)[1]
                    if number:  # the first warms up
                        speeds[name].append(speed)
        finally:
            for engine in engines.values():
                engine.close()
    ratios = [one / other for one, other in zip(*speeds.values(), strict=True)]
    medians = {name: statistics.median(each) for name, each in speeds.items()}
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}; at least {LEAST_RATIO})"
    row("tokens/s of the package, of the checkout", f"{medians['package']:.0f}, {medians['checkout']:.0f}", spread)


def measure_starts() -> None:
    """From the start of the process to the first paint: warm, with nothing of it in memory, and to the first word."""
    starts = {"package": [str(FOLDER / "fireside")], "checkout": [sys.executable, "-m", "app"]}
    warm: dict[str, list[float]] = {name: [] for name in starts}
    for number in range(ROUNDS + 1):
        for name, command in starts.items():
            took = start_s(command)
            if number:
                warm[name].append(took)
    both = ", ".join(f"{statistics.median(each):.2f} s" for each in warm.values())
    row("window, warm: package, checkout", both, f"{spread_of(warm['package'])}; at most {MOST_WARM_S} s")
    cold = []
    for _ in range(3):
        subprocess.run(["sync"], check=True)
        try:
            Path("/proc/sys/vm/drop_caches").write_text("3")
        except OSError:
            row("window, cold", "not measured", "only root can empty the system's cache")
            break
        cold.append(start_s(starts["package"]))
    if cold:
        row("window, cold", f"{statistics.median(cold):.2f} s", f"{spread_of(cold)}; at most {MOST_COLD_S} s")
    hello = [hello_s() for _ in range(3)]
    row(
        "first words of an answer to hello", f"{statistics.median(hello):.2f} s", f"as stored; at most {MOST_HELLO_S} s"
    )


def spread_of(values: list[float]) -> str:
    """The smallest and the largest."""
    return f"{min(values):.2f} to {max(values):.2f}"


def start_s(command: list[str], then: Callable[[Path, float], float] | None = None) -> float:
    """Seconds from the start to the window, or to what `then` returns, which gets the home and when it began."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = os.environ | {"FIRESIDE_HOME": home, "FIRESIDE_TIMING": "1"}
        began = time.monotonic()
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as window:
            assert window.stderr is not None
            for line in window.stderr:
                if line.startswith("window visible"):
                    break
            took = time.monotonic() - began
            try:
                if then is not None:
                    took = then(Path(home), began)
            finally:
                window.terminate()
                window.stderr.read()
                window.wait(30)
    return took


def hello_s() -> float:
    """Seconds from the start of the process until words of an answer to "hello", typed at once, are stored."""

    def typed(home: Path, began: float) -> float:
        subprocess.run(
            ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Fireside", "windowfocus"], check=True
        )
        subprocess.run(["xdotool", "type", "hello"], check=True)
        database = home / "data" / "fireside.db"
        while time.monotonic() - began < WINDOW_TIMEOUT_S:
            subprocess.run(["xdotool", "key", "Return"], check=True)  # it sends once the model is there
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
                query = "SELECT count(*) FROM messages WHERE role = 'assistant' AND text <> ''"
                if store.execute(query).fetchone()[0]:
                    return time.monotonic() - began
            time.sleep(0.02)
        raise SystemExit("no answer to hello was stored")

    return start_s([str(FOLDER / "fireside")], typed)


if __name__ == "__main__":
    sys.exit(main())
