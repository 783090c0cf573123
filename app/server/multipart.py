"""Forms with files as browsers and SDKs send them (multipart/form-data), taken apart within limits."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesParser

from app.core.lazy_dataclasses import dataclass
from app.server.json_body import BadRequest

MOST_PARTS = 32
MOST_HEAD_BYTES = 4096
MOST_FIELD_BYTES = 64_000
MOST_BOUNDARY = 200


@dataclass(frozen=True)
class FormFile:
    """A file of a form; `name` is what its sender calls it."""

    name: str
    data: bytes


@dataclass(frozen=True)
class MultipartForm:
    """Texts and files by the names of their fields; of several of one name the last counts."""

    texts: dict[str, str]
    files: dict[str, FormFile]


def parse_form(content_type: str, body: bytes) -> MultipartForm:
    """Parse a multipart form. Raises BadRequest if it isn't one or exceeds a limit."""
    boundary = _boundary_of(content_type)
    lines = b"\r\n--" + boundary
    parts = (b"\r\n" + body).split(lines, MOST_PARTS + 2)
    if len(parts) > MOST_PARTS + 2:
        raise BadRequest(f"the form has more than {MOST_PARTS} parts")
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise BadRequest("the form is not complete: its last boundary is missing")
    form = MultipartForm({}, {})
    for part in parts[1:-1]:
        _read_part(part, form)
    return form


def _boundary_of(content_type: str) -> bytes:
    header = Message()
    header["Content-Type"] = re.sub(r"\s", " ", content_type)
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str) or not boundary:
        raise BadRequest("the body must be multipart/form-data with a boundary")
    if len(boundary) > MOST_BOUNDARY:
        raise BadRequest("the boundary of the form is too long")
    return boundary.encode("latin-1", "replace")


def _read_part(part: bytes, form: MultipartForm) -> None:
    head, found, data = part.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not found or len(head) > MOST_HEAD_BYTES:
        raise BadRequest("a part of the form has no valid header")
    header = BytesParser().parsebytes(head + b"\r\n\r\n", headersonly=True)
    name, file_name = (header.get_param(field, header="content-disposition") for field in ("name", "filename"))
    if not isinstance(name, str):
        raise BadRequest("a part of the form has no name")
    if file_name is not None:
        form.files[name] = FormFile(file_name if isinstance(file_name, str) else file_name[2], data)
        return
    if len(data) > MOST_FIELD_BYTES:
        raise BadRequest(f"{name} is longer than {MOST_FIELD_BYTES} bytes", name)
    try:
        form.texts[name] = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(f"{name} is not UTF-8 text", name) from None
