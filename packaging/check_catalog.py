"""Compares the list of suggested models with the Hub and says in sentences what is different; 1 when something is.

Without a network nothing is compared, which is no failure.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.core.errors.app_error import AppError  # noqa: E402
from app.core.errors.hub_errors import HubBusy, HubUnreachable, NetworkOff  # noqa: E402
from app.features.error_messages import sentence_for  # noqa: E402
from app.hub.access import HUB, NetworkAccess  # noqa: E402
from app.hub.catalog import CatalogEntry, VisionFile, load_catalog  # noqa: E402
from app.hub.connection_ledger import ConnectionLedger  # noqa: E402
from app.hub.hub_search import HubSearch  # noqa: E402
from app.hub.model_files import RemoteFile, Repository  # noqa: E402
from app.hub.network import Network  # noqa: E402

NO_NETWORK = (NetworkOff, HubUnreachable, HubBusy)


def differences(entry: CatalogEntry, repository: Repository) -> Iterator[str]:
    """What the Hub says otherwise than the list."""
    files = {part.name: part for model in repository.models for part in model.parts}
    if not entry.file:
        same = [name for name, file in files.items() if file.size_bytes == entry.size_bytes]
        if not same:
            yield f"no file has the {entry.size_bytes:,} bytes that the list says."
    elif entry.file not in files:
        yield f"there is no file {entry.file} any more."
    else:
        yield from _of_file(entry, files[entry.file], repository.commit)
    if entry.vision is not None:
        yield from _of_vision(entry.vision, repository)
    if repository.license.lower() != entry.license.lower():
        yield f"the licence is {repository.license or 'not said'}; the list says {entry.license}."
    if repository.gated:
        yield "its owner asks for consent first."


def _of_file(entry: CatalogEntry, file: RemoteFile, commit: str) -> Iterator[str]:
    if file.size_bytes != entry.size_bytes:
        yield f"{file.name} has {file.size_bytes:,} bytes; the list says {entry.size_bytes:,}."
    if not file.sha256.startswith(entry.sha256_prefix):
        yield (
            f"{file.name} was uploaded anew, now at commit {commit[:8]}: "
            f"its sha256 begins with {file.sha256[:8]}; the list says {entry.sha256_prefix}."
        )


def _of_vision(vision: VisionFile, repository: Repository) -> Iterator[str]:
    files = {file.name: file for file in repository.vision}
    if not files:
        yield "there is no file through which it sees."
    elif vision.file and vision.file not in files:
        yield f"there is no file {vision.file} any more, through which it sees; there are {', '.join(sorted(files))}."
    elif vision.file and vision.size_bytes and files[vision.file].size_bytes != vision.size_bytes:
        size = files[vision.file].size_bytes
        yield f"{vision.file} has {size:,} bytes; the list says {vision.size_bytes:,}."


def check(entries: Iterable[CatalogEntry], hub: HubSearch) -> int:
    """Prints what is different; 1 when something is."""
    found = 0
    for entry in entries:
        try:
            lines = list(differences(entry, hub.read_repository(entry.repo)))
        except NO_NETWORK as error:
            print(f"The comparison ended at {entry.name}. {sentence_for(error).text}")
            return int(found > 0)
        except AppError as error:
            lines = [sentence_for(error).text]
        found += len(lines)
        for line in lines:
            print(f"{entry.name} ({entry.repo}): {line}")
    print(f"{found} differences." if found else "The list agrees with the Hub.")
    return int(found > 0)


def main() -> int:
    """Checks the list in resources/ against HF_ENDPOINT, else the Hub."""
    entries = load_catalog()
    if not entries:
        print("The list of suggested models is empty or damaged.")
        return 1
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB
    with tempfile.TemporaryDirectory() as folder:
        network = Network(
            lambda: NetworkAccess(endpoint=endpoint), ConnectionLedger(Path(folder) / "connections.jsonl")
        )
        return check(entries, HubSearch(network))


if __name__ == "__main__":
    sys.exit(main())
