"""The `anthropic` library shows a picture."""

import base64
import json
import os
import sys
from pathlib import Path

import anthropic

address, key, model, _embedder = sys.argv[1:]
client = anthropic.Anthropic(base_url=address.removesuffix("/v1"), api_key=key, max_retries=0)
picture = base64.b64encode(Path(os.environ["PICTURE"]).read_bytes()).decode()
tool = {
    "name": "name_it",
    "input_schema": {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "green", "blue", "yellow", "white", "black"]}},
        "required": ["colour"],
    },
}


def ask(source: dict[str, str]) -> str:
    """What it says of a picture."""
    parts = [{"type": "image", "source": source}, {"type": "text", "text": "What colour is the picture?"}]
    answer = client.messages.create(
        model=model,
        max_tokens=100,
        messages=[{"role": "user", "content": parts}],
        tools=[tool],
        tool_choice={"type": "tool", "name": "name_it", "disable_parallel_tool_use": True},
        extra_body={"temperature": 0},
    )
    (use,) = [block for block in answer.content if block.type == "tool_use"]
    return use.input["colour"]


seen = {"named": [ask({"type": "base64", "media_type": "image/png", "data": picture})], "errors": []}
for url in ("http://127.0.0.1/picture.png", Path(os.environ["PICTURE"]).as_uri()):
    try:
        ask({"type": "url", "url": url})
    except anthropic.APIStatusError as error:
        seen["errors"].append(type(error).__name__)
assert len(seen["errors"]) == 2, seen
print(json.dumps(seen))
