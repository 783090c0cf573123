"""Reads what the Hub answers, never more than is wanted; whatever makes no sense becomes a ValueError.

For use inside `Network.call`, which turns that into a situation.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from app.core.errors import FileNotOnHub, RepositoryMissing
from app.hub.files import is_safe_name
from app.hub.network import http

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MOST_JSON_BYTES = 16 * 1024 * 1024

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}", re.ASCII)


def is_name(repo: object) -> bool:
    """Whether a repository can be called so."""
    return isinstance(repo, str) and _NAME.fullmatch(repo) is not None and ".." not in repo


def checked(repo: str) -> str:
    """A repository's name as it may stand in a path; raises RepositoryMissing for any other."""
    if not is_name(repo):
        raise RepositoryMissing(repo)
    return repo


def file_path(repo: str, commit: str, file: str) -> str:
    """Where a file's bytes are; raises FileNotOnHub for a name that no file here may have."""
    if not is_safe_name(file):
        raise FileNotOnHub(repo, file)
    return f"/{checked(repo)}/resolve/{quote(commit, safe='')}/{quote(file)}"


def get(
    api: HfApi,
    path: str,
    asked: list[tuple[str, str]],
    most_bytes: int,
    *,
    is_cut: bool = False,
    headers: dict[str, str] | None = None,
) -> tuple[bytes, dict[str, str]]:
    """A body and its headers. One beyond `most_bytes` is garbage, unless it is only its beginning that is wanted.

    The library's own functions for this fail as a whole where one row or one file of an answer is odd.
    """
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    sent = ({"Authorization": f"Bearer {api.token}"} if api.token else {}) | (headers or {})
    with http().stream("GET", f"{api.endpoint}{path}", params=cast(Any, asked or None), headers=sent) as response:
        hf_raise_for_status(response)
        data = bytearray()
        for part in response.iter_bytes():
            data += part
            if len(data) >= most_bytes:
                if not is_cut and len(data) > most_bytes:
                    raise ValueError("too long")
                break
        told = {name.lower(): value for name, value in response.headers.items()}
        return bytes(data[:most_bytes]), told | {"status": str(response.status_code)}


def get_range(api: HfApi, path: str, known: bytes, size: int) -> bytes:
    """`known` and what follows it, `size` bytes together if there are so many."""
    wanted = {"Range": f"bytes={len(known)}-{size - 1}", "Accept-Encoding": "identity"}
    data, headers = get(api, path, [], size, is_cut=True, headers=wanted)
    if headers["status"] == "206":
        if not headers.get("content-range", "").startswith(f"bytes {len(known)}-"):
            raise ValueError("another range")
        return (known + data)[:size]
    if "html" in headers.get("content-type", ""):
        raise ValueError("a page for people")
    return data  # from its beginning: this host knows no ranges


def get_json(api: HfApi, path: str, asked: list[tuple[str, str]]) -> tuple[Any, dict[str, str]]:
    """An answer's JSON, of any form, and its headers."""
    data, headers = get(api, path, asked, MOST_JSON_BYTES)
    try:
        return json.loads(data), headers
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
