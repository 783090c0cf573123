"""What /proc tells of a child in its cage."""

from __future__ import annotations

from pathlib import Path

from app.core import landlock


def check_caged(pid: int) -> None:
    """Fail unless all threads of a process have given up new privileges and system calls."""
    if not landlock.kernel_version():
        return
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    assert tasks
    for task in tasks:
        status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines())
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status["Name"]
