"""Fuzz every target for its share of the time, guided by coverage: `make fuzz` (FUZZ_SECONDS, TARGETS).

What is found does not end a target: the first input for each place that fails is kept in FOLDER/findings, and it goes
on. Only what ends the process (a crash, a hang, too much memory) does. Prints a row a target, what was found last.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import sys
import time
import traceback
from pathlib import Path
from types import TracebackType

import atheris

with atheris.instrument_imports(include=["app"]):
    from tests.fuzz.targets import FuzzTarget, targets

    # Readers are imported when a file first needs them, and only what is imported in here guides.
    for one_target in targets().values():
        for seed in one_target.seeds():
            with contextlib.suppress(Exception):
                one_target.parse(seed)

MOST_BYTES, SLOWEST_S, MOST_MEMORY_MB = 20_000, 30, 2500


def main() -> int:
    """Fuzz, and return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="findings, and a corpus that is used again")
    parser.add_argument("targets", nargs="*", help="all without any")
    given = parser.parse_args()
    chosen = [target for name, target in targets().items() if not given.targets or name in given.targets]
    shares = sum(target.share for target in chosen)
    print("| target | seconds | inputs | places reached | findings |\n| --- | --- | --- | --- | --- |", flush=True)
    found: list[str] = []
    for target in chosen:
        folder = given.folder / target.name
        for made in (folder / "findings", folder / "corpus"):
            made.mkdir(parents=True, exist_ok=True)
        found += _fuzz_in_child(target, folder, max(1, round(given.seconds * target.share / shares)))
    print("\n".join(found) or "nothing found", flush=True)
    return bool(found)


def _fuzz_in_child(target: FuzzTarget, folder: Path, seconds: int) -> list[str]:
    """Fuzz in a fork, since libFuzzer ends its process, and what is instrumented need not be so again."""
    began = time.monotonic()
    log = folder / "log"
    child = os.fork()
    if child == 0:
        with log.open("w") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
        _fuzz(target, folder, seconds)
        os._exit(0)
    os.waitpid(child, 0)
    said = log.read_text("utf-8", "replace")
    inputs = max([0, *map(int, re.findall(r"^#(\d+)\s", said, re.MULTILINE))])
    reached = max([0, *map(int, re.findall(r"\bcov: (\d+)", said))])
    lines = [line for line in said.splitlines() if line.startswith("FINDING ") or "ERROR: libFuzzer" in line]
    print(f"| {target.name} | {time.monotonic() - began:.0f} | {inputs:,} | {reached:,} | {len(lines)} |", flush=True)
    return [f"{target.name}: {line}" for line in lines]


def _fuzz(target: FuzzTarget, folder: Path, seconds: int) -> None:
    seen = set[tuple[str, str]]()
    words = set[bytes]()
    for data in target.seeds():
        (folder / "corpus" / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
        words |= set(re.findall(rb"[\w:@<{\[\\]{2,24}", data[:MOST_BYTES]))
    (folder / "words").write_text("".join(map(_dictionary_line, sorted(words))))

    def try_input(data: bytes) -> None:
        try:
            target.parse(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            key = (type(error).__name__, place_of(error.__traceback__))
            if key not in seen:
                seen.add(key)
                (folder / "findings" / f"{key[0]}-{key[1].replace(':', '-')}").write_bytes(data)
                print(f"FINDING {key[0]} {key[1]} {str(error)[:200]!r}", file=sys.stderr, flush=True)

    flags = [
        f"-max_total_time={seconds}",
        *([f"-dict={folder}/words"] if words else []),
        f"-artifact_prefix={folder}/findings/",
    ]
    flags += [f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MOST_MEMORY_MB}", f"-max_len={MOST_BYTES}"]
    atheris.Setup([sys.argv[0], *flags, str(folder / "corpus")], try_input)
    atheris.Fuzz()


def place_of(trace: TracebackType | None) -> str:
    """Return the innermost line of ours that an error went through."""
    lines = [line for line in traceback.extract_tb(trace) if "/app/" in line.filename or "/tests/" in line.filename]
    return f"{Path(lines[-1].filename).name}:{lines[-1].lineno}" if lines else ""


def _dictionary_line(word: bytes) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n'


if __name__ == "__main__":
    raise SystemExit(main())
