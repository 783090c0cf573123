"""Makes what "Check for updates" asks for: dist/release.json, which tells of a release, and its signature beside it.

usage: sign_release.py KEY.pem --page https://… [--notes FILE], or sign_release.py --check-home

The key is an Ed25519 key that `openssl genpkey -algorithm ed25519 -out KEY.pem` makes; it never lies in this folder.
Its public half and the address of the file belong into app/core/build.py, before the first package that shall ask: what
is signed without them is for a trial, and a release is refused (--check-home, which needs no key and no library).
Without --notes the newest part of CHANGELOG.md is what is new. A file that is signed later counts as newer.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from Cryptodome.PublicKey.ECC import EccKey

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app import APP_ID, __version__  # noqa: E402 - found where the line above says
from app.core.build import RELEASES  # noqa: E402
from app.core.errors.hub_errors import ReleaseRefused  # noqa: E402


def check_home() -> None:
    """Ends with a sentence where a released program could never find the next release."""
    missing = [name for name in ("address", "key") if not getattr(RELEASES, name)]
    if missing:
        raise SystemExit(
            f"RELEASES in app/core/build.py has no {' and no '.join(missing)}: nobody would be told of updates."
        )
    if not RELEASES.address.startswith("https://"):
        raise SystemExit("RELEASES in app/core/build.py has an address that is not https.")


def main(arguments: list[str], folder: Path = ROOT / "dist") -> None:
    """Writes both files, after the program's own check of them."""
    if arguments == ["--check-home"]:
        check_home()
        return
    from Cryptodome.Signature import eddsa

    from app.features.updates import MOST_BYTES, release_of

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("key", type=Path)
    parser.add_argument("--page", required=True, help="where a person reads about the release and fetches it")
    parser.add_argument("--notes", type=Path, help="plain text; else the newest part of CHANGELOG.md")
    chosen = parser.parse_args(arguments)
    key = key_of(chosen.key)
    notes = (chosen.notes.read_text("utf-8") if chosen.notes else newest_notes()).strip()
    content = release_file(chosen.page, notes, datetime.now(UTC))
    signature = base64.b64encode(eddsa.new(key, "rfc8032").sign(content)) + b"\n"
    public = base64.b64encode(key.public_key().export_key(format="raw")).decode()
    try:
        release_of(content, signature, RELEASES.key or public, "this file")
    except ReleaseRefused as error:
        raise SystemExit(f"The program would not believe it: {error.reason}. Its key is {RELEASES.key}.") from error
    if len(content) > MOST_BYTES:
        raise SystemExit(f"The program reads {MOST_BYTES} bytes, and this has {len(content)}: shorten the notes.")
    folder.mkdir(exist_ok=True)
    (folder / "release.json").write_bytes(content)
    (folder / "release.json.sig").write_bytes(signature)
    print(f"Made {folder / 'release.json'} and its signature. The public key: {public}")


def key_of(path: Path) -> EccKey:
    """The private key; one that lies in the checkout is not used, as it could be committed."""
    if path.resolve().is_relative_to(ROOT):
        raise SystemExit("Keep the key outside this folder.")
    from Cryptodome.PublicKey.ECC import import_key

    try:
        key = import_key(path.read_bytes())
    except ValueError as error:
        raise SystemExit("This is no Ed25519 key.") from error
    if key.curve != "Ed25519" or not key.has_private():
        raise SystemExit("This is no Ed25519 key.")
    return key


def release_file(page: str, notes: str, issued: datetime) -> bytes:
    """The bytes that are signed."""
    from app.features.updates import FORMAT

    said = {
        "format": FORMAT,
        "program": APP_ID,
        "version": __version__,
        "issued": issued.isoformat(timespec="seconds"),
        "page": page,
        "notes": notes,
    }
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def newest_notes() -> str:
    """The first part of the changelog, without its heading."""
    parts = re.split(r"^## .*$", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    return parts[1] if len(parts) > 1 else ""


if __name__ == "__main__":
    main(sys.argv[1:])
