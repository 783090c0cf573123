"""Compiles the Windows installer with a stand-in for the program and tries it under Wine: install, upgrade, uninstall.

usage: try_installer.py [PICTURE]. Needs makensis, wine and a display. The program itself is frozen on Windows only, so
what is tried here is the installer: files, menu entry, file types, and that what a person has stays.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from desktop import write_icon  # noqa: E402 - found where the line above says
from installer import compiled  # noqa: E402

TARGET = "amd64-unicode"
"""Debian's Wine has no 32-bit programs, which NSIS's installers are elsewhere."""
OLDER, NEWER = "0.0.9", "0.1.0"
UNINSTALL = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Fireside"
CLASSES = r"HKCU\Software\Classes"
OPENERS = {
    rf"{CLASSES}\Fireside.Model\shell\open\command": '"{program}" "%1"',
    rf"{CLASSES}\Applications\firesidew.exe\shell\open\command": '"{program}" "%1"',
    rf"{CLASSES}\SystemFileAssociations\.pdf\shell\Fireside.Summarize\command": '"{program}" --summarize "%1"',
    rf"{CLASSES}\SystemFileAssociations\.docx\shell\Fireside.Translate\command": '"{program}" --translate "%1"',
}
WAIT_S = 60


class Failed(Exception):
    """One thing that should have happened and did not."""


class Windows:
    """A person's drive C in a folder that is thrown away."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.drive = scratch, scratch / "wine" / "drive_c"
        self.environment = os.environ | {"WINEPREFIX": str(scratch / "wine"), "WINEDEBUG": "-all"}
        self.run("wineboot", "--init")
        (self.local,) = self.drive.glob("users/*/AppData/Local")
        self.programs, self.data = self.local / "Programs" / "Fireside", self.local / "fireside"

    def run(self, *command: str | Path) -> str:
        """Standard output of a command that must end with 0."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise Failed(f"{command[0]} {command[-1]} ended with {done.returncode}: {done.stderr[-500:]}")
        return done.stdout

    def place(self, path: Path) -> str:
        """As Windows names it."""
        return "C:\\" + str(path.relative_to(self.drive)).replace("/", "\\")

    def value(self, key: str, name: str = "") -> str:
        """What the registry has; "" where it has no such key."""
        which = ["/v", name] if name else ["/ve"]
        done = subprocess.run(
            ["wine", "reg", "query", key, *which], env=self.environment, capture_output=True, text=True, check=False
        )
        lines = [line for line in done.stdout.splitlines() if "REG_" in line]
        return lines[0].split("    ")[-1].strip() if lines else ""

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        """An uninstaller goes on from a copy of itself after it has ended."""
        deadline = time.monotonic() + WAIT_S
        while not holds():
            if time.monotonic() > deadline:
                raise Failed(what)
            time.sleep(0.2)


def made(scratch: Path, version: str, libraries: tuple[str, ...]) -> Path:
    """An installer of that version."""
    folder = scratch / version / "folder"
    for name in ("program/_internal", "licences"):
        (folder / name).mkdir(parents=True)
    shutil.copy(HERE.parents[1] / "LICENSE", folder / "licences")
    for name in libraries:
        (folder / "program" / "_internal" / name).write_text("a library")
    out = scratch / version / f"fireside-{version}-windows.exe"
    program, icon = folder / "program" / "fireside.exe", scratch / "fireside.ico"
    write_icon(icon)
    given = [f"-DVERSION={version}", f"-DTARGET={TARGET}", f"-DOUT={program}"]
    subprocess.run(["makensis", "-V2", *given, HERE / "stand_in.nsi"], check=True)
    shutil.copy(program, program.with_name("firesidew.exe"))
    return compiled(folder, icon, version, out, f"-DTARGET={TARGET}")


def install(windows: Windows, installer: Path, version: str, libraries: tuple[str, ...]) -> str:
    """Without a question, as an administrator of many computers would, and what is there then."""
    windows.run("wine", installer, "/S")
    found = {path.name for path in (windows.programs / "_internal").iterdir()}
    if found != set(libraries):
        raise Failed(f"beside the program lie {found} and not {libraries}")
    if windows.value(UNINSTALL, "DisplayVersion") != version:
        raise Failed(f"Windows' list of programs has version {windows.value(UNINSTALL, 'DisplayVersion')}")
    program = windows.place(windows.programs / "firesidew.exe")
    for key, expected in OPENERS.items():
        if windows.value(key) != expected.format(program=program):
            raise Failed(f"{key} is {windows.value(key)}")
    if not list(windows.drive.glob("users/*/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Fireside.lnk")):
        raise Failed("there is no menu entry")
    windows.run("wine", windows.programs / "firesidew.exe", "--summarize", r"C:\lease.pdf")
    said = (windows.data / "started.txt").read_text().splitlines()
    if said[-1] != rf"{version} --summarize C:\lease.pdf":
        raise Failed(f"it was started as {said[-1]}")
    return f"{version} with menu entry, file types and its place in the list of programs; it starts with a file"


def refuse_while_open(windows: Windows, installer: Path, version: str) -> str:
    """While the program runs neither a newer one nor the uninstaller takes half of it away."""
    before = sorted(path for path in windows.programs.rglob("*"))
    started = windows.data / "started.txt"
    with subprocess.Popen(
        ["wine", windows.programs / "firesidew.exe", "--stay"], env=windows.environment, stderr=subprocess.DEVNULL
    ):
        windows.wait_for(lambda: started.read_text().splitlines()[-1:] == [f"{version} --stay"], "it did not start")
        for program in (installer, windows.programs / "uninstall.exe"):
            # Without _?= an uninstaller goes on from a copy of itself, whose end nobody waits for.
            place = [f"_?={windows.place(windows.programs)}"] if program.name == "uninstall.exe" else []
            done = subprocess.run(["wine", program, "/S", *place], env=windows.environment, check=False, timeout=300)
            if not done.returncode:
                raise Failed(f"{program.name} went on while the program was open")
        if sorted(path for path in windows.programs.rglob("*")) != before:
            raise Failed(f"what is there now is {sorted(path.name for path in windows.programs.rglob('*'))}")
        windows.run("wine", "taskkill", "/F", "/IM", "firesidew.exe")
    return "installer and uninstaller change nothing while it runs"


def show(windows: Windows, installer: Path, picture: Path) -> str:
    """The installer's first page, as a person sees it."""
    with subprocess.Popen(["wine", installer], env=windows.environment, stderr=subprocess.DEVNULL) as shown:
        try:
            search = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Fireside"]
            subprocess.run(search, check=True, capture_output=True, timeout=WAIT_S)
            time.sleep(2)  # its page is drawn after its frame
            subprocess.run(["import", "-window", "root", picture], check=True)
        finally:
            shown.terminate()
    return f"its first page is in {picture}"


def uninstall(windows: Windows) -> str:
    """Program, keys and menu entry are gone; what the person has is there."""
    windows.run("wine", windows.programs / "uninstall.exe", "/S")
    windows.wait_for(lambda: not windows.programs.exists(), f"{windows.programs} is still there")
    left = [key for key in (UNINSTALL, *OPENERS) if windows.value(key) or windows.value(key, "DisplayName")]
    left += map(str, windows.drive.glob("users/*/AppData/Roaming/**/Fireside.lnk"))
    if left:
        raise Failed(f"left behind: {left}")
    if not (windows.data / "started.txt").is_file():
        raise Failed("what the person had is gone")
    return "the program is gone, what the person has is there"


def main(picture: Path) -> int:
    """Each step with a line; 1 when one failed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        older, newer = ("old.dll", "kept.dll"), ("kept.dll", "new.dll")
        installers = {OLDER: made(scratch, OLDER, older), NEWER: made(scratch, NEWER, newer)}
        windows = Windows(scratch)
        steps: dict[str, Callable[[], str]] = {
            "install": lambda: install(windows, installers[OLDER], OLDER, older),
            "open": lambda: refuse_while_open(windows, installers[NEWER], OLDER),
            "upgrade": lambda: install(windows, installers[NEWER], NEWER, newer),
            "look": lambda: show(windows, installers[NEWER], picture),
            "uninstall": lambda: uninstall(windows),
        }
        for name, step in steps.items():
            try:
                print(f"  {name:<10} {step()}", flush=True)
            except (Failed, OSError, subprocess.SubprocessError) as error:
                print(f"  {name:<10} FAILED: {error}", flush=True)
                return 1
            finally:
                subprocess.run(["wineserver", "-w" if name != "look" else "-k"], env=windows.environment, check=False)
    return 0


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[1] / "dist" / "trial" / "installer.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    sys.exit(main(place))
