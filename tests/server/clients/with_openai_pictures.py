"""The `openai` library shows a picture, through both of its contracts."""

import base64
import json
import os
import sys
from pathlib import Path

import openai

address, key, model, _embedder = sys.argv[1:]
client = openai.OpenAI(base_url=address, api_key=key, max_retries=0)
picture = base64.b64encode(Path(os.environ["PICTURE"]).read_bytes()).decode()
schema = {"enum": ["red", "green", "blue", "yellow", "white", "black"]}
QUESTION = "What colour is the picture?"


def chat(url: str) -> str:
    """What it says of a picture."""
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": QUESTION}]
    wished = {"type": "json_schema", "json_schema": {"name": "colour", "schema": schema}}
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": parts}], response_format=wished, temperature=0
    )
    return json.loads(answer.choices[0].message.content)


def respond(url: str) -> str:
    """The same."""
    parts = [{"type": "input_image", "image_url": url, "detail": "auto"}, {"type": "input_text", "text": QUESTION}]
    wished = {"format": {"type": "json_schema", "name": "colour", "schema": schema}}
    answer = client.responses.create(
        model=model, input=[{"role": "user", "content": parts}], text=wished, temperature=0
    )
    return json.loads(answer.output_text)


seen = {"named": [ask(f"data:image/png;base64,{picture}") for ask in (chat, respond)], "errors": []}
for url in ("http://127.0.0.1/picture.png", Path(os.environ["PICTURE"]).as_uri()):
    for ask in (chat, respond):
        try:
            ask(url)
        except openai.APIStatusError as error:
            seen["errors"].append(type(error).__name__)
assert len(seen["errors"]) == 4, seen
print(json.dumps(seen))
