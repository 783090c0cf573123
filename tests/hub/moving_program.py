"""A program that moves a models folder and waits for a line before each further step, until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

from app.core.events import CancelToken
from app.hub import move_files
from app.hub.folder_move import move_folder


def main() -> None:
    def step(name: str) -> None:
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
        sys.stdin.readline()

    move_files.SAY_EVERY_S = 0  # a step for each piece, so that the middle of a file can be met
    for progress in move_folder(Path(sys.argv[1]), Path(sys.argv[2]), CancelToken(), lambda: step("moved")):
        step(progress.name)
    sys.stdout.write("end\n")


if __name__ == "__main__":
    main()
