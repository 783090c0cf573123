"""Runs the benchmarks beside it and prints one JSON object a line; everything else goes to standard error.

Every ``*_bench.py`` has ``rows()``, which yields :class:`Row`. usage: run.py [NAME...], as "start" for start_bench.py.
One with ``BY_NAME_ONLY`` set answers a question that was asked once, and runs only when it is named.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    ratios: tuple[float, ...] = ()
    """Value over baseline of each alternation: what the machine does at one moment, it does to both."""
    at_least: float | None = None
    at_most: float | None = None
    """What the ratio should be."""

    @property
    def ratio(self) -> float | None:
        """The median of `ratios`, or value over baseline."""
        if self.ratios:
            return round(statistics.median(self.ratios), 3)
        return round(self.value / self.baseline, 3) if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the ratio is as it should be; None where nothing was asked of it."""
        if self.ratio is None or (self.at_least is None and self.at_most is None):
            return None
        above = self.at_least is None or self.ratio >= self.at_least
        return above and (self.at_most is None or self.ratio <= self.at_most)

    def body(self) -> dict[str, Any]:
        """As it is printed."""
        fields = dataclasses.asdict(self) | {"ratio": self.ratio, "met": self.met}
        fields["ratios"] = f"{min(self.ratios):.3f} to {max(self.ratios):.3f}" if self.ratios else ""
        return {name: value for name, value in fields.items() if value not in ("", None) or name in _ALWAYS}


_ALWAYS = ("name", "value", "unit", "baseline", "ratio")


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
    sys.path[:0] = [str(ROOT), str(HERE), str(ROOT / "packaging" / "setup")]
    here = machine()
    names = list(modules(chosen))
    failed = not names
    missed: list[str] = []
    for name in names:
        began_s = time.monotonic()
        print(f"{name.removesuffix('_bench')}:", file=sys.stderr, flush=True)
        try:
            module = importlib.import_module(name)
            if not chosen and getattr(module, "BY_NAME_ONLY", False):
                print("  only when it is named", file=sys.stderr)
                continue
            for row in module.rows():
                print(json.dumps({**row.body(), "machine": here}, ensure_ascii=False), flush=True)
                missed += [f"{row.name}: {row.ratio}"] if row.met is False else []
        except Exception as error:  # noqa: BLE001
            failed = True
            print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"  {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    if not names:
        print(f"No benchmark is called {' or '.join(chosen)}.", file=sys.stderr)
    for line in missed:
        print(f"Not as it should be: {line}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    # A benchmark imports Row from `run`; this file must be the same module for it.
    sys.modules["run"] = sys.modules["__main__"]
    sys.exit(main(sys.argv[1:]))
