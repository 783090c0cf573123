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


class NotBuilt(Exception):
    """Why there is no wheel; packages are then made with the published one."""


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
    """The wheel; built where there is none yet, which takes some minutes. Raises NotBuilt."""
    folder = wheel_folder()
    found = next(folder.glob("numpy-*.whl"), None)
    if found is not None:
        return found
    say("Building NumPy without a library for matrices. This takes some minutes, once.")
    with tempfile.TemporaryDirectory(prefix="fireside-numpy-") as scratch:
        made = built(Path(scratch))
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / made.name
        shutil.copyfile(made, kept.with_suffix(".part"))
        return kept.with_suffix(".part").rename(kept)


def built(place: Path) -> Path:
    """The wheel that pip makes in a throw-away environment at `place`."""
    programs = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip = [programs / "python", "-m", "pip", "--disable-pip-version-check"]
    tools = ["install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--no-deps"]
    (place / "pins.txt").write_text(pins(), "utf-8")
    command = [*pip, "wheel", "--quiet", "--no-cache-dir", "--no-deps", "--no-build-isolation", "--require-hashes"]
    command += ["--no-binary", "numpy", "-r", place / "pins.txt", "--wheel-dir", place / "out"]
    command += [f"--config-settings=setup-args={option}" for option in OPTIONS]
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    steps = [[sys.executable, "-m", "venv", place / "venv"], [*pip, *tools, "-r", REQUIREMENTS / "numpy.txt"], command]
    for step in steps:
        if subprocess.run(step, env=environment, stdout=sys.stderr, check=False).returncode:
            raise NotBuilt("NumPy could not be built; it is said above why.")
    (made,) = (place / "out").glob("numpy-*.whl")
    return made


if __name__ == "__main__":
    try:
        print(wheel())
    except NotBuilt as reason:
        sys.exit(str(reason))
