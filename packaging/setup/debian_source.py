"""Takes files out of a Debian source package, for `make test-documents`: fetched by apt, compared with a hash.

Nothing of the system is changed: apt works in a folder of its own with the system's archives, for sources. Where there
is no apt, or the archive does not have it, the tests that need the files are skipped.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pinned_wheel import say

DEBIAN_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))


def take_files(package: str, archive: str, sha256: str, members: Sequence[str], folder: Path) -> bool:
    """Writes `members` (paths below the archive's one folder) into `folder`; whether they are there then."""
    if all((folder / Path(member).name).is_file() for member in members):
        return True
    if shutil.which("apt-get") is None:
        say(f"Without apt the files of {package} are not fetched; their tests are skipped.")
        return False
    with tempfile.TemporaryDirectory(prefix="fireside-source-") as scratch:
        fetched = _fetched(package, archive, Path(scratch))
        if fetched is None or hashlib.sha256(fetched.read_bytes()).hexdigest() != sha256:
            say(f"The archive of {package} could not be fetched as it should be; its tests are skipped.")
            return False
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fetched) as opened:
            for member in opened:
                if member.isfile() and member.name.partition("/")[2] in members:
                    source = opened.extractfile(member)
                    assert source is not None
                    (folder / Path(member.name).name).write_bytes(source.read())
    return True


def _fetched(package: str, archive: str, scratch: Path) -> Path | None:
    """The archive as apt brings it; None where it has none."""
    for name in ("parts", "lists/partial", "cache/archives/partial"):
        (scratch / name).mkdir(parents=True)
    sources = next((path for path in DEBIAN_SOURCES if path.is_file() and path.read_text("utf-8").strip()), None)
    if sources is None:
        return None
    text = re.sub(r"^(Types:\s*)deb\b.*$", r"\1deb-src", sources.read_text("utf-8"), flags=re.MULTILINE)
    text = re.sub(r"^deb(?=\s)", "deb-src", text, flags=re.MULTILINE)
    (scratch / "parts" / f"source{sources.suffix}").write_text(text, "utf-8")
    (scratch / "apt.conf").write_text(
        'Dir::Etc::SourceList "/dev/null";\n'
        f'Dir::Etc::SourceParts "{scratch}/parts";\nDir::State::Lists "{scratch}/lists";\n'
        f'Dir::Cache "{scratch}/cache";\nAPT::Sandbox::User "";\n',
        "utf-8",
    )
    environment = {
        "APT_CONFIG": str(scratch / "apt.conf"),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
    }
    for command in (["update"], ["source", "--download-only", package]):
        # A mirror may lack the description and have the archive, so whether all went well says nothing.
        subprocess.run(
            ["apt-get", "-q", *command], cwd=scratch, env=environment, capture_output=True, check=False, timeout=600
        )
    found = scratch / archive
    return found if found.is_file() else None
