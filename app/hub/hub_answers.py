"""Read what the Hub answers, never more than is wanted; whatever makes no sense becomes a ValueError.

For use inside `Network.call`, which turns that into a situation.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from app.core.errors.hub_errors import FileNotOnHub, RepositoryMissing
from app.hub.model_files import is_safe_name
from app.hub.network import http_client

if TYPE_CHECKING:
    from huggingface_hub import HfApi


MOST_JSON_BYTES = 16 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}", re.ASCII)


def is_name(repo: object) -> bool:
    """Return whether this is a name of the form owner/name that is safe in paths and addresses."""
    return isinstance(repo, str) and _NAME.fullmatch(repo) is not None and ".." not in repo


def check_name(repo: str) -> str:
    """Return the name if it is safe in a path. Raises RepositoryMissing otherwise."""
    if not is_name(repo):
        raise RepositoryMissing(repo)
    return repo


def file_path(repo: str, commit: str, file: str) -> str:
    """Return where a file's bytes are; raises FileNotOnHub for a name that no file here may have."""
    # From a listing: "../" in it would lead out of the repository.
    if not is_safe_name(file):
        raise FileNotOnHub(repo, file)
    return f"/{check_name(repo)}/resolve/{quote(commit, safe='')}/{quote(file)}"


def tree_path(repo: str, commit: str, folder: str) -> str:
    """Return where the files of a repository's folder are listed with their changes; "" is the whole of it."""
    return f"/api/models/{check_name(repo)}/tree/{quote(commit, safe='')}" + (f"/{quote(folder)}" if folder else "")


def get_body(
    api: HfApi,
    path: str,
    asked: list[tuple[str, str]],
    most_bytes: int,
    *,
    is_cut: bool = False,
    headers: dict[str, str] | None = None,
) -> tuple[bytes, dict[str, str]]:
    """Return a response's body and headers. A body over `most_bytes` is an error, unless only its start is wanted.

    Used in place of the library's functions, which fail as a whole if one row or file is odd.
    """
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    # Given here, as the client knows nothing of tokens; the transport takes it away from other hosts.
    sent = ({"Authorization": f"Bearer {api.token}"} if api.token else {}) | (headers or {})
    with http_client().stream(
        "GET", f"{api.endpoint}{path}", params=cast(Any, asked or None), headers=sent
    ) as response:
        hf_raise_for_status(response)
        data = bytearray()
        for part in response.iter_bytes():
            data += part
            # Read until just over the limit, whatever the server says about the length.
            if len(data) >= most_bytes:
                if not is_cut and len(data) > most_bytes:
                    raise ValueError("too long")
                break
        told = {name.lower(): value for name, value in response.headers.items()}
        return bytes(data[:most_bytes]), told | {"status": str(response.status_code)}


def get_range(api: HfApi, path: str, known: bytes, size: int) -> bytes:
    """Return `known` and the bytes after it, up to `size` in all."""
    # Packed, a range would be of the packed bytes.
    wanted = {"Range": f"bytes={len(known)}-{size - 1}", "Accept-Encoding": "identity"}
    data, headers = get_body(api, path, [], size, is_cut=True, headers=wanted)
    if headers["status"] == "206":
        # Some proxies answer every range with the whole beginning.
        if not headers.get("content-range", "").startswith(f"bytes {len(known)}-"):
            raise ValueError("another range")
        return (known + data)[:size]
    if "html" in headers.get("content-type", ""):
        raise ValueError("a page for people")
    return data  # from its beginning: this host knows no ranges


def get_json(api: HfApi, path: str, asked: list[tuple[str, str]]) -> tuple[Any, dict[str, str]]:
    """Return an answer's JSON, of any form, and its headers."""
    data, headers = get_body(api, path, asked, MOST_JSON_BYTES)
    try:
        return json.loads(data), headers
    # Python's parser raises this for [[[[…, and a server may send it.
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
