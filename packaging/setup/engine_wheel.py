"""Builds the llama-cpp-python wheel once per recipe, keeps it outside the repository, prints its path.

There are two recipes. A checkout builds for the computer it is on: the instructions of its processor, and Vulkan where
there is a graphics card. ``--portable`` builds what packages hold: every family of processors, and Vulkan. A portable
wheel that is there already serves a checkout, too.

The wheel lands in ``${XDG_CACHE_HOME:-~/.cache}/fireside/wheels/<version>-<recipe>-<architecture>/``.
A second call finds it there and returns at once. Everything but the path goes to standard error.
Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "packaging" / "requirements"

LOADABLE = ("-DGGML_NATIVE=OFF", "-DGGML_BACKEND_DL=ON")
"""Backends are libraries that are loaded when the program starts, and tell whether they fit the processor."""
EVERY_PROCESSOR = ("-DGGML_CPU_ALL_VARIANTS=ON",)
# One model over several machines. What the builder's network cards could do as well would bind it to their library.
SEVERAL_MACHINES = ("-DGGML_RPC=ON", "-DGGML_RPC_RDMA=OFF")
WITHOUT_METAL = ("-DGGML_METAL=OFF",)
"""On Macs with an Intel processor, whose graphics are slow at it and fail on hosted builders. Not tried."""
PROCESSOR_FEATURES = {
    "SSE42": {"sse4_2"},
    "AVX": {"avx"},
    "F16C": {"f16c"},
    "FMA": {"fma"},
    "AVX2": {"avx2"},
    "BMI2": {"bmi2"},
    "AVX_VNNI": {"avx_vnni"},
    "AVX512": {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"},
    "AVX512_VBMI": {"avx512vbmi"},
    "AVX512_VNNI": {"avx512_vnni"},
    "AVX512_BF16": {"avx512_bf16"},
    "AMX_TILE": {"amx_tile"},
    "AMX_INT8": {"amx_int8"},
}
"""The instructions that ggml's libraries for x86-64 differ by, each with what Linux calls them in /proc/cpuinfo."""
CPU_INFO = Path("/proc/cpuinfo")
GRAPHICS_CARDS = Path("/dev/dri")
INCLUDED = Path(__file__).with_name("engine.cmake")
PROGRESS = re.compile(r"^\s*\[(\d+)/(\d+)\]")
LOG_LINES_ON_FAILURE = 40
QUIET_S = 30.0
"""Visual Studio's generator counts no steps: then a line says every so often that it goes on."""

BASE_CPU_S, VULKAN_CPU_S, EVERY_PROCESSOR_CPU_S = 310, 180, 620
"""Seconds of one processor (GCC 12, AMD EPYC): a build for one computer took 310, a portable one 1,106, of which the
steps of Vulkan's library by ninja's log 179."""


def cmake_arguments(portable: bool = False) -> list[str]:
    """Return the CMake options of a recipe: for every computer, or for this one."""
    families = [] if portable else processor_arguments()
    vulkan = has_vulkan_sdk() and (portable or has_graphics_card())
    return [
        *LOADABLE,
        *(families or EVERY_PROCESSOR),
        *SEVERAL_MACHINES,
        f"-DGGML_VULKAN={'ON' if vulkan else 'OFF'}",
        *(WITHOUT_METAL if (sys.platform, platform.machine()) == ("darwin", "x86_64") else ()),
    ]


def processor_arguments() -> list[str]:
    """Return one option for each feature of this processor; empty where it is not known which it has."""
    if platform.machine() != "x86_64" or not CPU_INFO.is_file():
        return []
    match = re.search(r"^flags\s*:(.*)$", CPU_INFO.read_text("utf-8", "replace"), re.M)
    flags = set(match[1].split()) if match else set()
    return [
        f"-DGGML_{feature}={'ON' if needed <= flags else 'OFF'}"
        for feature, needed in PROCESSOR_FEATURES.items()
        if flags
    ]


def has_vulkan_sdk() -> bool:
    """Tell whether Vulkan's headers and shader compiler are installed."""
    headers = Path("/usr/include/vulkan/vulkan.h").exists() and Path("/usr/include/spirv").exists()
    return bool(shutil.which("glslc")) and (headers or "VULKAN_SDK" in os.environ)


def has_graphics_card() -> bool:
    """Tell whether Vulkan is worth its third of the build here; VULKAN=1 builds it anyway, VULKAN=0 never."""
    wanted = os.environ.get("VULKAN", "")
    return wanted != "0" if wanted else sys.platform != "linux" or any(GRAPHICS_CARDS.glob("renderD*"))


def engine_version() -> str:
    """The pinned llama-cpp-python version."""
    match = re.search(r"^llama-cpp-python==(\S+)", (REQUIREMENTS / "engine.txt").read_text("utf-8"), re.M)
    if not match:
        raise SystemExit("engine.txt names no llama-cpp-python version")
    return match[1]


def wheel_folder(portable: bool = False) -> Path:
    """Where the wheel of this recipe lives; never inside the repository, not moved by FIRESIDE_HOME."""
    engine, included = (REQUIREMENTS / "engine.txt").read_text("utf-8"), INCLUDED.read_text("utf-8")
    recipe = "\n".join([engine, included, *cmake_arguments(portable)])
    key = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "fireside" / "wheels" / f"{engine_version()}-{key}-{platform.machine()}"


def find_wheel(portable: bool = False) -> Path | None:
    """The finished wheel of this recipe, or None. A portable one does for this computer, too."""
    folders = [wheel_folder(portable=True)] if portable else [wheel_folder(), wheel_folder(portable=True)]
    return next((wheel for folder in folders for wheel in folder.glob("llama_cpp_python-*.whl")), None)


def build_wheel(portable: bool = False) -> Path:
    """Builds the wheel in a throw-away environment and moves it into place when complete."""
    say(announcement(portable))
    folder = wheel_folder(portable)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fireside-engine-") as scratch:
        python = build_environment(Path(scratch) / "venv")
        out = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
        try:
            run_build(python, out, cmake_arguments(portable))
            (wheel,) = out.glob("llama_cpp_python-*.whl")
            folder.mkdir(exist_ok=True)
            return Path(shutil.move(wheel, folder / wheel.name))
        finally:
            shutil.rmtree(out, ignore_errors=True)


def announcement(portable: bool) -> str:
    """Say what is built and about how long it takes here, from the processor seconds that were measured."""
    options = cmake_arguments(portable)
    seconds = BASE_CPU_S
    seconds += VULKAN_CPU_S if "-DGGML_VULKAN=ON" in options else 0
    seconds += EVERY_PROCESSOR_CPU_S if set(EVERY_PROCESSOR) <= set(options) else 0
    minutes = max(1, round(seconds / (os.cpu_count() or 1) / 60))
    target = "every computer" if portable else "this computer"
    return (
        f"Building the engine (llama-cpp-python {engine_version()}) for {target}. "
        f"This takes about {minutes} minute{'s' if minutes > 1 else ''}, once; it is kept in {cache_name()}."
    )


def cache_name() -> str:
    """The folder of all wheels as a person would write it."""
    folder, home = wheel_folder().parent, Path.home()
    return f"~/{folder.relative_to(home).as_posix()}" if folder.is_relative_to(home) else str(folder)


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


def run_build(python: Path, out: Path, options: list[str]) -> None:
    """Runs pip's build and turns ninja's step counter into one moving line."""
    environment = os.environ | {
        "CMAKE_ARGS": shlex.join([*options, f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={INCLUDED.as_posix()}"]),
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
        said = started
        for line in build.stdout:
            lines.append(line)
            now = time.monotonic()
            if show_progress(line, now - started):
                said = now
            elif now - said >= QUIET_S:
                said = now
                say(f"  engine: still building, {now - started:.0f} s")
    if build.returncode:
        say("\n" + "".join(lines[-LOG_LINES_ON_FAILURE:]))
        raise SystemExit("The engine could not be built; the last lines above say why. Nothing was changed.")
    say(f"\nThe engine is built ({time.monotonic() - started:.0f} s).")


def show_progress(line: str, elapsed_s: float) -> bool:
    """One line that moves: rewritten in place on a terminal, every 20 steps elsewhere. Tell whether it is a step."""
    match = PROGRESS.match(line)
    if not match:
        return False
    step, total = int(match[1]), int(match[2])
    terminal = sys.stderr.isatty()
    if terminal or step % 20 == 0 or step == total:
        text = f"  engine: step {step} of {total}, {elapsed_s:.0f} s"
        print(f"\r{text:<60}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)
    return True


def say(text: str) -> None:
    """Set-up speaks on standard error, so that ``make -s run`` prints just the answer."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    for_all = "--portable" in sys.argv[1:]
    print(find_wheel(for_all) or build_wheel(for_all))
