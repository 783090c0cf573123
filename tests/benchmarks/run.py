"""Runs the benchmarks beside it and prints one JSON object a line; everything else goes to standard error.

Every ``*_bench.py`` has ``rows()``, which yields :class:`Row`. usage: run.py [NAME...], as "start" for start_bench.py.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Row:
    """One measured number. `baseline` is what it is held against: a limit, or the other way measured in this run."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    spread: str = ""
    """The smallest and the largest of the measurements that `value` is the median of."""

    @property
    def ratio(self) -> float | None:
        """Value over baseline."""
        return round(self.value / self.baseline, 3) if self.baseline else None


def machine() -> str:
    """Processor and cores, so that a number can be judged later."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores"


def modules(chosen: list[str]) -> Iterator[str]:
    """Names of the benchmark modules, all of them when none is chosen."""
    for file in sorted(HERE.glob("*_bench.py")):
        if not chosen or file.stem.removesuffix("_bench") in chosen:
            yield file.stem


def main(chosen: list[str]) -> int:
    """Prints every row; a benchmark that fails is said, the others still run, and the exit code is 1."""
    sys.path[:0] = [str(ROOT), str(HERE)]
    here = machine()
    names = list(modules(chosen))
    failed = not names
    for name in names:
        print(f"{name.removesuffix('_bench')}:", file=sys.stderr, flush=True)
        try:
            for row in importlib.import_module(name).rows():
                body = row if isinstance(row, dict) else dataclasses.asdict(row) | {"ratio": row.ratio}
                print(json.dumps({**body, "machine": here}, ensure_ascii=False), flush=True)
        except Exception as error:  # noqa: BLE001
            failed = True
            print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr)
    if not names:
        print(f"No benchmark is called {' or '.join(chosen)}.", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    # A benchmark imports Row from `run`; this file must be the same module for it.
    sys.modules["run"] = sys.modules["__main__"]
    sys.exit(main(sys.argv[1:]))
