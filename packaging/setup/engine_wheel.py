"""Builds the llama-cpp-python wheel once per recipe, keeps it outside the repository, prints its path.

The wheel lands in ``${XDG_CACHE_HOME:-~/.cache}/fireside/wheels/<version>-<recipe>-<architecture>/``.
A second call finds it there and returns at once. Everything but the path goes to standard error.
Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "packaging" / "requirements"

# One build that runs on every processor: ggml picks the best of its CPU libraries when it starts.
PORTABLE = ("-DGGML_NATIVE=OFF", "-DGGML_BACKEND_DL=ON", "-DGGML_CPU_ALL_VARIANTS=ON")
# One model over several machines. What the builder's network cards could do as well would bind it to their library.
SEVERAL_MACHINES = ("-DGGML_RPC=ON", "-DGGML_RPC_RDMA=OFF")
PROGRESS = re.compile(r"^\s*\[(\d+)/(\d+)\]")
LOG_LINES_ON_FAILURE = 40


def cmake_arguments() -> list[str]:
    """The recipe for this machine; Vulkan only where its headers and shader compiler are installed."""
    headers = Path("/usr/include/vulkan/vulkan.h").exists() and Path("/usr/include/spirv").exists()
    vulkan = bool(shutil.which("glslc")) and (headers or "VULKAN_SDK" in os.environ)
    return [*PORTABLE, *SEVERAL_MACHINES, f"-DGGML_VULKAN={'ON' if vulkan else 'OFF'}"]


def engine_version() -> str:
    """The pinned llama-cpp-python version."""
    match = re.search(r"^llama-cpp-python==(\S+)", (REQUIREMENTS / "engine.txt").read_text("utf-8"), re.M)
    if not match:
        raise SystemExit("engine.txt names no llama-cpp-python version")
    return match[1]


def wheel_folder() -> Path:
    """Where the wheel of this recipe lives; never inside the repository, not moved by FIRESIDE_HOME."""
    recipe = "\n".join([(REQUIREMENTS / "engine.txt").read_text("utf-8"), *cmake_arguments()])
    key = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "fireside" / "wheels" / f"{engine_version()}-{key}-{platform.machine()}"


def find_wheel() -> Path | None:
    """The finished wheel of this recipe, or None."""
    return next(wheel_folder().glob("llama_cpp_python-*.whl"), None)


def build_wheel() -> Path:
    """Builds the wheel in a throw-away environment and moves it into place when complete."""
    say(f"Building the engine (llama-cpp-python {engine_version()}). This takes about ten minutes, once.")
    folder = wheel_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fireside-engine-") as scratch:
        python = build_environment(Path(scratch) / "venv")
        out = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
        try:
            run_build(python, out)
            (wheel,) = out.glob("llama_cpp_python-*.whl")
            folder.mkdir(exist_ok=True)
            return Path(shutil.move(wheel, folder / wheel.name))
        finally:
            shutil.rmtree(out, ignore_errors=True)


def build_environment(folder: Path) -> Path:
    """A virtual environment with the hash-pinned build tools; returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS / "build.txt"],
        check=True,
        stdout=sys.stderr,
    )
    return python


def run_build(python: Path, out: Path) -> None:
    """Runs pip's build and turns ninja's step counter into one moving line."""
    environment = os.environ | {
        "CMAKE_ARGS": " ".join(cmake_arguments()),
        "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    command = [python, "-m", "pip", "wheel", "--verbose", "--no-cache-dir", "--no-build-isolation"]
    command += ["--no-deps", "--require-hashes", "-r", REQUIREMENTS / "engine.txt", "--wheel-dir", out]
    started = time.monotonic()
    lines: list[str] = []
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as build:
        assert build.stdout is not None
        for line in build.stdout:
            lines.append(line)
            show_progress(line, time.monotonic() - started)
    if build.returncode:
        say("\n" + "".join(lines[-LOG_LINES_ON_FAILURE:]))
        raise SystemExit("The engine could not be built; the last lines above say why. Nothing was changed.")
    say(f"\nThe engine is built ({time.monotonic() - started:.0f} s).")


def show_progress(line: str, elapsed_s: float) -> None:
    """One line that moves: rewritten in place on a terminal, every 20 steps elsewhere."""
    match = PROGRESS.match(line)
    if not match:
        return
    step, total = int(match[1]), int(match[2])
    terminal = sys.stderr.isatty()
    if terminal or step % 20 == 0 or step == total:
        text = f"  engine: step {step} of {total}, {elapsed_s:.0f} s"
        print(f"\r{text:<60}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Set-up speaks on standard error, so that ``make -s run`` prints just the answer."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(find_wheel() or build_wheel())
