"""Compiles the Windows installer of dist/fireside, signed where there is something to sign with.

usage: installer.py; on Windows, after portable.py. Compiled and tried under Wine with a stand-in for the program only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from materials import write_materials, write_sums  # noqa: E402 - found where the line above says
from portable import BUILD, TARGET, has_starter, this_source  # noqa: E402 - found where the line above says

SIGN = ("powershell", "-NoProfile", "-ExecutionPolicy", "Bypass", "-File", str(HERE / "sign.ps1"))


def compiled(folder: Path, icon: Path, version: str, out: Path, *more: str) -> Path:
    """The installer of a folder that portable.py made."""
    options = [f"-DVERSION={version}", f"-DFOLDER={folder}", f"-DICON={icon}", f"-DOUT={out}", *more]
    # Windows' makensis takes a script without a byte order mark for the system's own code page.
    subprocess.run(["makensis", "-V2", "-INPUTCHARSET", "UTF8", *options, HERE / "fireside.nsi"], check=True)
    return out


def main() -> None:
    """One .exe in dist/, its bill of materials and the checksums.

    With a certificate first everything inside is signed, and the uninstaller on its way in.
    """
    if not TARGET.is_dir():
        raise SystemExit("There is no dist/fireside: run portable.py.")
    has_certificate = any(os.environ.get(f"WINDOWS_{what}") for what in ("CERTIFICATE", "SIGN_COMMAND"))
    if has_certificate:
        programs = [path for path in sorted(TARGET.rglob("*")) if path.suffix.lower() in (".exe", ".dll", ".pyd")]
        for start in range(0, len(programs), 50):  # a command line of Windows has 32,767 characters
            subprocess.run([*SIGN, *programs[start : start + 50]], check=True)
    source = this_source()
    out = TARGET.parent / f"fireside{'' if has_starter() else '-lite'}-{source.version}-windows.exe"
    sign = [f"-DSIGN={subprocess.list2cmdline(SIGN)}"] if has_certificate else []
    compiled(TARGET, BUILD / "fireside.ico", source.version, out, *sign)
    write_materials(out.with_suffix(".cdx.json"), source)
    write_sums(out.parent, source.version)
    print(f"Made dist/{out.name}{'' if has_certificate else ', which is not signed: there is nothing to sign with'}.")


if __name__ == "__main__":
    main()
