"""Builds llama-server, llama-bench and llama-perplexity from the archive that our engine is built from, once a recipe.

The archive is pinned by hash in ``packaging/requirements/engine.txt``. What is built lands in
``${XDG_CACHE_HOME:-~/.cache}/fireside/comparison/<version>-<recipe>/`` and takes about ten minutes on two cores.
Run as a program it builds what is missing and prints the folders.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [path for path in (str(ROOT), str(ROOT / "packaging" / "setup")) if path not in sys.path]

from engine_wheel import REQUIREMENTS, build_environment, engine_version, show_progress  # noqa: E402
from pinned_wheel import cache_folder, say  # noqa: E402

# llama.cpp's own defaults, but for what has no part in a comparison: no page from the network, no TLS, and
# libraries that are found wherever the folder lies.
COMMON = ("-DLLAMA_USE_PREBUILT_UI=OFF", "-DLLAMA_OPENSSL=OFF", "-DCMAKE_BUILD_RPATH_USE_ORIGIN=ON")
LOG_LINES_ON_FAILURE = 40


@dataclass(frozen=True)
class Recipe:
    """One build: cmake options beside the common ones, and the programs that are wanted of it."""

    options: tuple[str, ...]
    programs: tuple[str, ...]

    def folder(self) -> Path:
        """Where it is kept. GGML_NATIVE makes code for this very processor, so that belongs to the key."""
        parts = [(REQUIREMENTS / "engine.txt").read_text("utf-8"), *COMMON, *self.options, *self.programs, processor()]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
        return cache_folder("comparison") / f"{engine_version()}-{key}"


DEFAULT = Recipe((), ("llama-server", "llama-bench", "llama-perplexity"))
OWN_THREADS = Recipe(("-DGGML_OPENMP=OFF",), ("llama-bench",))


def processor() -> str:
    """What the compiler's -march=native depends on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line for line in lines if line.startswith(("model name", "flags"))]
    return "\n".join(sorted(set(names)))


def built(recipe: Recipe = DEFAULT) -> Path:
    """The folder with the programs of `recipe`, built now if they are not there; SystemExit says why it failed."""
    folder = recipe.folder()
    if all((folder / program).exists() for program in recipe.programs):
        return folder
    say(f"Building {' and '.join(recipe.programs)} for comparison. This takes about ten minutes, once.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fireside-comparison-") as scratch:
        python = build_environment(Path(scratch) / "venv")
        source = unpacked_source(python, Path(scratch))
        build = Path(scratch) / "build"
        run_build(python, source, build, recipe)
        keep(build / "bin", folder, recipe)
    return folder


def eyes_program() -> Path:
    """llama-mtmd-cli."""
    return compiled("llama-mtmd-cli", lambda source: source / "tools/mtmd/mtmd-cli.cpp")


def tokens_program() -> Path:
    """Our own program that goes the same way and prints ids and positions."""
    text = HERE / "picture_tokens.cpp"
    key = hashlib.sha256(text.read_bytes()).hexdigest()[:12]
    return compiled(f"picture-tokens-{key}", lambda source: text)


def compiled(name: str, text: Callable[[Path], Path]) -> Path:
    """A program of one file, compiled against the libraries of the default build; `text` finds it in the source."""
    folder = built()
    program = folder / name
    if not program.exists():
        with tempfile.TemporaryDirectory(prefix="fireside-comparison-") as scratch:
            source = unpacked_source(build_environment(Path(scratch) / "venv"), Path(scratch))
            parts = ("common", "include", "ggml/include", "vendor", "tools/mtmd")
            command = ["c++", "-O2", "-std=c++17", *(f"-I{source / part}" for part in parts)]
            command += [text(source), "-o", Path(scratch) / name, f"-L{folder}"]
            command += [f"-l{library}" for library in ("llama-common", "mtmd", "llama", "ggml", "ggml-base")]
            subprocess.run([*map(str, command), "-Wl,-rpath,$ORIGIN"], check=True)
            shutil.move(Path(scratch) / name, program)
    return program


def unpacked_source(python: Path, scratch: Path) -> Path:
    """llama.cpp as the pinned archive holds it; pip checks the hash."""
    command = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--no-build-isolation"]
    command += ["--require-hashes", "-r", REQUIREMENTS / "engine.txt", "--dest", scratch / "archive"]
    if subprocess.run(command, env=with_tools(python), stdout=sys.stderr, check=False).returncode:
        raise SystemExit("The source archive of engine.txt could not be fetched; pip says above why.")
    (archive,) = (scratch / "archive").glob("llama_cpp_python-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(scratch / "source", filter="data")
    (source,) = (scratch / "source").glob("*/vendor/llama.cpp")
    return source


def with_tools(python: Path) -> dict[str, str]:
    """The environment with the pinned cmake and ninja first."""
    return os.environ | {"PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def run_build(python: Path, source: Path, build: Path, recipe: Recipe) -> None:
    """Configures and builds, with ninja's counter as one moving line."""
    configure = ["cmake", "-G", "Ninja", "-S", source, "-B", build, *COMMON, *recipe.options]
    compile_ = ["cmake", "--build", build, "--target", *recipe.programs]
    started = time.monotonic()
    for command in (configure, compile_):
        lines: list[str] = []
        with subprocess.Popen(
            [str(part) for part in command],
            env=with_tools(python),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as running:
            assert running.stdout is not None
            for line in running.stdout:
                lines.append(line)
                show_progress(line, time.monotonic() - started)
        if running.returncode:
            say("\n" + "".join(lines[-LOG_LINES_ON_FAILURE:]))
            raise SystemExit("llama.cpp could not be built for comparison; the last lines above say why.")
    say(f"\nBuilt in {time.monotonic() - started:.0f} s.")


def keep(made: Path, folder: Path, recipe: Recipe) -> None:
    """Moves programs and libraries into place; `folder` appears complete or not at all."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    try:
        for file in made.iterdir():
            if file.name in recipe.programs or ".so" in file.name or file.suffix in (".dylib", ".dll"):
                shutil.copy2(file, unfinished / file.name, follow_symlinks=False)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


if __name__ == "__main__":
    for wanted in (DEFAULT, OWN_THREADS):
        print(built(wanted))
