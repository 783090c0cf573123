"""Lists what the program installs: version, licence and newest release of each package, as docs/dependencies.md.

Run by hand (`make dependencies`), as it asks the package index for each. A package without a release in two years needs
a reason in `OLDER`, and each that is installed anywhere a notice in THIRD_PARTY.md; without them the exit code is 1.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("app", "engine")
NOTICES = ROOT / "THIRD_PARTY.md"
TARGET = ROOT / "docs" / "dependencies.md"
TWO_YEARS = timedelta(days=730)
BEFORE_ALL = "2000-01-01"
OLDER = {
    "backports-tarfile": "a module of Python 3.12 for 3.11, imported by jaraco.context; goes with 3.11",
    "colorama": "complete: colours of Windows terminals, imported by sacreBLEU and pyqtgraph",
    "defusedxml": "complete: refuses what is dangerous in XML, imported by NLTK",
    "diskcache": "imported by llama-cpp-python; its caches are pickles, and Fireside opens none",
    "jaraco-classes": "complete: two decorators, imported by keyring",
    "mdurl": "complete: addresses in Markdown, part of markdown-it-py",
    "olefile": "complete: a format that does not change any more; only the document child imports it",
    "pywin32-ctypes": "the keyring of Windows",
    "rouge-score": "complete: the definition of ROUGE that papers use; only `evaluate` imports it",
    "six": "complete: Python 2 and 3 in one, imported by rouge-score",
    "socksio": "complete: a protocol of 1996, for SOCKS proxies",
}
"""Why packages without a release in two years are kept."""
NEVER_INSTALLED = frozenset({"httpx2-jsfetch"})
"""For Python in a browser alone, where Fireside does not run."""
LICENCES = {
    "llama-cpp-python": "MIT",
    "latex2mathml": "MIT",
    "sqlcipher3": "Zlib AND BSD-3-Clause AND Apache-2.0",
    "pywin32-ctypes": "BSD-3-Clause",
    "rouge-score": "Apache-2.0",
    "socksio": "MIT",
}
"""Where the package's own fields don't name it in one line; from its texts."""
HEAD = """# Dependencies

Made by `make dependencies` ({day}); lists what `packaging/requirements/app.txt` and `engine.txt` pin, which is what set-up and packages install. Copyrights and uses are in `THIRD_PARTY.md`, which About shows; each package has a bill of materials (CycloneDX). A licence is missing where the system that made this list doesn't install the package.

* **Pinned by hash.** `make lock` writes every version with the SHA-256 of its files; set-up installs with `--require-hashes`, and nothing that is not pinned.
* **None unused.** `make check` runs deptry: each dependency is imported, and each import is a dependency.
* **Known weaknesses.** `pip-audit -r packaging/requirements/app.txt` asks a database that package indexes without it can't answer for; run it where yours does. Otherwise the versions below say what to look up.
* **Without a release in two years.** Kept for the reason in the last column; a new one without a reason fails `make dependencies`.

| package | version | licence | newest release | why it is kept |
| --- | --- | --- | --- | --- |
"""  # noqa: E501 - a paragraph of Markdown is a line


@dataclass(frozen=True)
class PinnedPackage:
    """A package of the locks; a later pin of the same name is for a newer Python."""

    name: str
    version: str

    @property
    def licence(self) -> str:
        """The licence as the installed package says it, "" where it isn't installed here."""
        if self.name in LICENCES:
            return LICENCES[self.name]
        try:
            said = importlib.metadata.metadata(self.name)
        except importlib.metadata.PackageNotFoundError:
            return ""
        classified = [line.split(" :: ")[-1] for line in said.get_all("Classifier") or () if line.startswith("License")]
        named = said.get("License-Expression") or said.get("License") or ""
        return named if named and "\n" not in named else ", ".join(classified)


def read_pins() -> list[PinnedPackage]:
    """Return the packages of the locks by name; of several versions the one for the oldest Python."""
    lines = [line for lock in LOCKS for line in (ROOT / f"packaging/requirements/{lock}.txt").read_text().splitlines()]
    found = [match.groups() for line in lines if (match := re.match(r"([a-z][\w.-]*)==([^\s;]+)", line))]
    return [PinnedPackage(name, version) for name, version in sorted(dict(reversed(found)).items())]


def missing_notices() -> list[str]:
    """Return the packages that THIRD_PARTY.md lacks, or of which it names another version than any that is pinned."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", NOTICES.read_text("utf-8"), re.MULTILINE)
    noticed = set[tuple[str, str]]()
    for names, versions in rows:
        packages = [
            re.sub(r"[-_.]+", "-", name.strip()).lower() for name in re.sub(r" \(?with .*", "", names).split(",")
        ]
        told = [version.strip() for version in versions.split(",")]
        noticed.update(zip(packages, told * len(packages) if len(told) == 1 else told, strict=False))
    pinned = {(package.name, package.version) for package in read_pins() if package.name not in NEVER_INSTALLED}
    return [f"{name} {version}" for name, version in sorted(pinned - noticed)]


def newest_release(name: str) -> tuple[str, date]:
    """Return the newest version and its day, which uv tells when asked for one from before there were any."""
    command = [Path(sys.executable).with_name("uv"), "pip", "compile", "--no-deps", "--exclude-newer", BEFORE_ALL, "-"]
    done = subprocess.run(command, input=name, capture_output=True, text=True, check=False)
    found = re.search(r"is v?(\S+), published at (\d{4}-\d\d-\d\d)", done.stderr)
    if found is None:
        raise SystemExit(f"{name}: {done.stderr.strip()}")
    return found[1], date.fromisoformat(found[2])


def main() -> int:
    """Write the table; return 1 if a package needs a reason."""
    today, missing, rows = datetime.now(UTC).date(), [], []
    for package in read_pins():
        version, day = newest_release(package.name)
        is_old = today - day > TWO_YEARS
        if is_old and package.name not in OLDER:
            missing.append(f"{package.name} {version} of {day}")
        reason = OLDER.get(package.name, "")
        rows.append(f"| {package.name} | {package.version} | {package.licence} | {version}, {day} | {reason} |")
    TARGET.write_text(HEAD.format(day=today) + "\n".join(rows) + "\n", "utf-8")
    for line in missing:
        print(f"without a release in two years, and no reason: {line}", file=sys.stderr)
    unnoticed = missing_notices()
    for line in unnoticed:
        print(f"THIRD_PARTY.md has no notice of it: {line}", file=sys.stderr)
    return 1 if missing or unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
