"""Builds NumPy for packages once, without a library for matrices (26 MB): the program has ggml multiply them.

It prints the wheel's path. The wheel is kept outside the repository, as the engine's is (`engine_wheel.py`), and never
installed: a checkout has the published one, and `portable.py` puts this one before it while it freezes the program.
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
from pathlib import Path

from pinned_wheel import REQUIREMENTS, cache_folder, say

# What NumPy's own build knows: no BLAS, and beside code for all of these processors that for AVX2, no more.
OPTIONS = ["-Dallow-noblas=true", "-Dblas=none", "-Dlapack=none"]
if platform.machine() in ("x86_64", "AMD64"):
    OPTIONS.append("-Dcpu-dispatch=X86_V3")


def pins() -> str:
    """The lines of the lock that name NumPy, with their hashes; the archive's is among them."""
    lock = (REQUIREMENTS / "app.txt").read_text("utf-8")
    return "".join(re.findall(r"^numpy==.*\\\n(?:    .*\n)*", lock, re.M))


def wheel_folder() -> Path:
    """Where the wheel of this recipe for this Python lies."""
    recipe = "\n".join([pins(), (REQUIREMENTS / "numpy.txt").read_text("utf-8"), *OPTIONS])
    key = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    return cache_folder("wheels") / f"numpy-{key}-{sys.implementation.cache_tag}-{platform.machine()}"


def wheel() -> Path:
    """The wheel; built where there is none yet, which takes some minutes."""
    folder = wheel_folder()
    found = next(folder.glob("numpy-*.whl"), None)
    if found is not None:
        return found
    say("Building NumPy without a library for matrices. This takes some minutes, once.")
    with tempfile.TemporaryDirectory(prefix="fireside-numpy-") as scratch:
        place = Path(scratch)
        subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True, stdout=sys.stderr)
        programs = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
        pip = [programs / "python", "-m", "pip", "--disable-pip-version-check"]
        tools = ["install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--no-deps"]
        subprocess.run([*pip, *tools, "-r", REQUIREMENTS / "numpy.txt"], check=True, stdout=sys.stderr)
        (place / "pins.txt").write_text(pins(), "utf-8")
        command = [*pip, "wheel", "--quiet", "--no-cache-dir", "--no-deps", "--no-build-isolation", "--require-hashes"]
        command += ["--no-binary", "numpy", "-r", place / "pins.txt", "--wheel-dir", place / "out"]
        command += [f"--config-settings=setup-args={option}" for option in OPTIONS]
        environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
        if subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode:
            raise SystemExit("NumPy could not be built; pip says above why. Nothing was changed.")
        (made,) = (place / "out").glob("numpy-*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / made.name
        shutil.copyfile(made, kept.with_suffix(".part"))
        return kept.with_suffix(".part").rename(kept)


if __name__ == "__main__":
    print(wheel())
