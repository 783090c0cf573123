"""Checked access to the fields of a JSON request and its images. Errors name the field; unknown fields are ignored."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from app.core.events import Media
from app.core.visible import clean_text
from app.engine.protocol import Sampling
from app.features.mcp.messages import NO_REQUEST, error_message

MOST_ANSWERS = 16
MOST_ALTERNATIVES = 20
MOST_STOPS = 16
MOST_BIASES = 1024
FORBIDDEN = 1000.0
"""A logit less by so much never comes; the contract's own -100 is nearly always enough."""
# A template's own variables: a client that set them would write the prompt itself.
TAKEN_VARIABLES = ("messages", "tools", "documents", "bos_token", "eos_token", "add_generation_prompt")
MOST_GRAMMAR_CHARACTERS = 50_000


class BadRequest(Exception):
    """A request that cannot be answered as it is. `field` names what is wrong, "" for all of it."""

    def __init__(self, message: str, field: str = "", *, status: int = 400, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.message, self.field, self.status, self.code = message, field, status, code

    def body_for(self, path: str) -> dict[str, Any]:
        """Return the answer as the contract of that address has it."""
        return error_body(path, self.message, status=self.status, code=self.code, field=self.field)


def error_body(path: str, message: str, *, status: int, code: str, field: str = "") -> dict[str, Any]:
    """Return an error as the contract of that address has it."""
    # Each contract's SDK reads an error only in its own form.
    if path.startswith("/v1/messages"):
        kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large"}
        kind = kinds.get(status, "invalid_request_error" if status < 500 else "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}
    if path == "/mcp":
        return error_message(None, NO_REQUEST, message)
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": field or None, "code": code}}


MOST_BYTES = 20_000_000
# A request without pictures: a million tokens take fewer bytes.
MOST_TEXT_BYTES = 8_000_000
# Parsed, an empty object takes a hundred times its bytes: twenty megabytes of empty messages took 1.7 GB and stopped
# the window for nine seconds.
MOST_VALUES = 100_000
MOST_OBJECTS = 5000
SCANNED_BYTES = 1 << 18
_BEGIN_VALUES = b"{[,"


class BodyScan:
    """Count a JSON body's values while it arrives; `problem` is the reason not to parse it."""

    def __init__(self) -> None:
        self.problem: BadRequest | None = None
        self.values = 0
        self._size = 0
        self._is_in_string = self._has_pictures = False
        self._open_escape, self._tail = b"", b""

    def feed(self, piece: bytes) -> None:
        # In steps, so that the window's and other threads run in between.
        for at in range(0, len(piece), SCANNED_BYTES):
            if self.problem is None:
                self._feed_step(piece[at : at + SCANNED_BYTES])

    def _feed_step(self, piece: bytes) -> None:
        self._size += len(piece)
        # The last bytes of the piece before, since the word may be cut in two.
        self._has_pictures = self._has_pictures or b"image" in self._tail + piece
        self._tail = piece[-4:]
        # Escaped backslashes go first; then a backslash is one that escapes a quote, and both go.
        data = (self._open_escape + piece).replace(b"\\\\", b"")
        # A backslash at the end may escape the next piece's first character.
        self._open_escape = data[-1:] if data.endswith(b"\\") else b""
        parts = data.removesuffix(b"\\").replace(b'\\"', b"").split(b'"')
        # Between quotes, every other part is inside a string.
        outside = b"".join(parts[self._is_in_string :: 2])
        self._is_in_string ^= len(parts) % 2 == 0
        # Each value is begun by a bracket or a comma; translate deletes them at C's speed.
        self.values += len(outside) - len(outside.translate(None, _BEGIN_VALUES))
        if self.values > MOST_VALUES:
            words = f"the request has more than {MOST_VALUES:,} values"
            self.problem = BadRequest(words, status=413, code="too_large")
        elif self._size > MOST_TEXT_BYTES and not self._has_pictures:
            words = f"a request without pictures can have at most {MOST_TEXT_BYTES:,} bytes"
            self.problem = BadRequest(words, status=413, code="too_large")


class JsonBody:
    """A JSON object with checked fields; `at` is its path in the body, for messages."""

    def __init__(self, values: object, at: str = "") -> None:
        if not isinstance(values, Mapping):
            raise BadRequest(f"{at or 'the body'} must be an object", at)
        self._values, self._path = values, at

    @classmethod
    def parse(cls, data: bytes) -> JsonBody:
        """Parse a body. Raises BadRequest unless it is a JSON object."""
        try:
            return cls(json.loads(data))
        except (ValueError, RecursionError) as error:
            # Brackets nested thousands deep are no error of JSON but a RecursionError.
            raise BadRequest(f"the body is not JSON: {error}"[:300]) from None

    def name_of(self, field: str) -> str:
        """Return the field's path in the body."""
        return f"{self._path}.{field}" if self._path else field

    def has_field(self, field: str) -> bool:
        """Return whether the field is present and not null."""
        return self._values.get(field) is not None

    def raw_value(self, field: str) -> Any:
        """Return the value unchecked; None if missing."""
        return self._values.get(field)

    def cleaned_value(self, field: str) -> Any:
        """Like `raw_value`, without characters that no text may have; for echoing."""
        return _clean_value(self._values.get(field))

    def text_field(self, field: str, default: str | None = None) -> str:
        """Return a text without what no model should see. Without `default` it has to be there."""
        value = self._values.get(field)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise BadRequest(f"{self.name_of(field)} must be a string", self.name_of(field))
        return clean_text(value)

    def number_field(self, field: str, least: float, most: float) -> float | None:
        """Return a number between two; None where it is missing."""
        value = self._values.get(field)
        if value is None:
            return None
        # In Python a boolean is an integer, in JSON it is no number.
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise BadRequest(f"{self.name_of(field)} must be a number from {least:g} to {most:g}", self.name_of(field))
        return float(value)

    def integer_field(self, field: str, least: int, most: int) -> int | None:
        """Like `number_field`; also raises BadRequest for fractions."""
        value = self.number_field(field, least, most)
        # Clients send 100.0 where they mean 100.
        if value is not None and value != int(value):
            raise BadRequest(f"{self.name_of(field)} must be an integer", self.name_of(field))
        return None if value is None else int(value)

    def boolean_field(self, field: str, default: bool = False) -> bool:
        """Return a boolean, or `default` if missing or null. Raises BadRequest for anything else."""
        value = self._values.get(field)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise BadRequest(f"{self.name_of(field)} must be true or false", self.name_of(field))
        return value

    def list_field(self, field: str) -> list[Any]:
        """Return a list, empty if missing or null. Raises BadRequest for anything else."""
        value = self._values.get(field)
        if value is None:
            return []
        if not isinstance(value, list):
            raise BadRequest(f"{self.name_of(field)} must be a list", self.name_of(field))
        return value

    def object_list(self, field: str) -> list[JsonBody]:
        """Return a list of objects, each knowing its path. Raises BadRequest if an entry isn't an object or there are
        too many.
        """
        name = self.name_of(field)
        # Each becomes an object of ours.
        if len(found := self.list_field(field)) > MOST_OBJECTS:
            raise BadRequest(f"{name} has {len(found):,} entries, more than {MOST_OBJECTS:,}", name, code="too_many")
        return [JsonBody(item, f"{name}[{number}]") for number, item in enumerate(found)]

    def object_field(self, field: str) -> JsonBody | None:
        """Return an object, or None if missing or null. Raises BadRequest for anything else."""
        return JsonBody(self._values[field], self.name_of(field)) if self.has_field(field) else None

    def stop_strings(self, field: str) -> tuple[str, ...]:
        """Strings that end an answer: one, or a list."""
        value = self._values.get(field)
        found = [value] if isinstance(value, str) else self.list_field(field)
        if len(found) > MOST_STOPS or not all(isinstance(stop_text, str) for stop_text in found):
            raise BadRequest(f"{self.name_of(field)} must be at most {MOST_STOPS} strings", self.name_of(field))
        return tuple(stop_text for stop_text in found if stop_text)

    def template_variables(self, field: str) -> dict[str, Any]:
        """Return variables for the model's template: booleans, numbers and single words."""
        found = self.object_field(field)
        variables = dict(found._values) if found is not None else {}
        for name, value in variables.items():
            # Words only: a template's variable goes into the prompt unescaped, where a text could spell control tokens.
            is_word = isinstance(value, str) and re.fullmatch(r"[\w.-]{1,64}", value)
            # Every text is true for a template, "false" too.
            is_wrong = name == "enable_thinking" and not isinstance(value, bool)
            if name in TAKEN_VARIABLES or is_wrong or not (isinstance(value, bool | int | float) or is_word):
                raise BadRequest(f"{self.name_of(field)}.{name} is not supported", f"{self.name_of(field)}.{name}")
        return variables

    def read_grammar(self) -> str:
        """Return the GBNF grammar of the answer; "" for none. Raises BadRequest if it is too long."""
        found = self.text_field("grammar", "")
        # llama.cpp's parser of grammars takes time and memory that grow with the text.
        if len(found) > MOST_GRAMMAR_CHARACTERS:
            words = f"{self.name_of('grammar')} must have at most {MOST_GRAMMAR_CHARACTERS} characters"
            raise BadRequest(words, self.name_of("grammar"))
        return found

    def read_sampling(self) -> Sampling:
        """Return the sampling fields common to all contracts; `request_fields.SAMPLING` lists the refused ones."""
        return Sampling(
            temperature=self.number_field("temperature", 0, 5),
            top_k=self.integer_field("top_k", -1, 1_000_000),
            top_p=self.number_field("top_p", 0, 1),
            min_p=self.number_field("min_p", 0, 1),
            repeat_penalty=self.number_field(
                # llama.cpp's name, and vLLM's.
                "repeat_penalty" if self.has_field("repeat_penalty") else "repetition_penalty",
                0,
                10,
            ),
            presence_penalty=self.number_field("presence_penalty", -2, 2),
            frequency_penalty=self.number_field("frequency_penalty", -2, 2),
            dry_multiplier=self.number_field("dry_multiplier", 0, 100),
            seed=_wrap_seed(self.integer_field("seed", -(2**63), 2**63)),
        )

    def logit_bias(self) -> tuple[tuple[int, float], ...]:
        """Return (token id, bias) pairs, given as an object or as pairs; `false` forbids a token."""
        value = self._values.get("logit_bias")
        pairs = list(value.items()) if isinstance(value, Mapping) else self.list_field("logit_bias")
        if len(pairs) > MOST_BIASES:
            raise BadRequest(f"{self.name_of('logit_bias')} must have at most {MOST_BIASES} tokens", "logit_bias")
        return tuple(_parse_bias(pair) for pair in pairs)


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean_value(inner) for inner in value]
    return (
        {clean_text(name): _clean_value(inner) for name, inner in value.items()} if isinstance(value, dict) else value
    )


def _parse_bias(pair: Any) -> tuple[int, float]:
    token: Any
    value: Any
    token, value = pair if isinstance(pair, list | tuple) and len(pair) == 2 else (None, None)
    # llama.cpp's way to forbid a token; a bias of the contract's own -100 nearly always does.
    value = -FORBIDDEN if value is False else value
    # JSON's objects have texts as names, so a token's number comes as one.
    if isinstance(token, str) and token.isdecimal() and len(token) < 10:
        token = int(token)
    if type(token) is int and 0 <= token < 1 << 31 and type(value) in (int, float) and abs(value) <= FORBIDDEN:
        return token, float(value)
    words = "logit_bias must map token ids of this model to numbers from -100 to 100"
    raise BadRequest(words, "logit_bias")


def _wrap_seed(value: int | None) -> int | None:
    # llama.cpp's seed has 32 bits, and there -1 asks for a random one.
    return None if value is None or value < 0 else value % (1 << 32)


MOST_PICTURES = 32
ONLY_DATA = "send the picture itself as base64 (data:image/png;base64,…): URLs and files are not loaded"
_DATA = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)


class RequestPictures:
    """Images of one request, by the SHA-256 of their bytes.

    Sent as base64, never fetched from an address or read from a file of this computer.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def from_address(self, address: object, name: str, at: int) -> Media:
        """Read an image from a data address, for place `at` of a text. Raises BadRequest that names the field."""
        found = _DATA.match(address) if isinstance(address, str) else None
        if found is None:
            raise BadRequest(f"{name}: {ONLY_DATA}", name)
        assert isinstance(address, str)
        return self.from_base64(address[found.end() :], name, at)

    def from_base64(self, text: str, name: str, at: int) -> Media:
        """Read an image from base64. Raises BadRequest for invalid base64 or too many images."""
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            # `validate`: Python would otherwise skip wrong characters and decode something else.
            raise BadRequest(f"{name} is not base64", name) from None
        sha256 = hashlib.sha256(data).hexdigest()
        # The same picture in every turn of a conversation is kept once.
        self.files[sha256] = data
        if len(self.files) > MOST_PICTURES:
            raise BadRequest(f"{name}: more than {MOST_PICTURES} pictures", name)
        return Media(sha256, "", at=at)
