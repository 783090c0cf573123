"""The `langchain-openai` library."""

import json
import sys

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

address, key, model, embedder = sys.argv[1:]
chat = ChatOpenAI(base_url=address, api_key=key, model=model, max_tokens=200, max_retries=0)


@tool
def weather(rainy: bool) -> str:
    """The weather of a city."""
    return "rain" if rainy else "sun"


class Answer(BaseModel):
    """What is asked for."""

    is_good: bool


seen = {"streamed": "".join(piece.text for piece in chat.stream("Say hello."))}
message = chat.bind_tools([weather], tool_choice="weather", parallel_tool_calls=False).invoke("And in Rome?")
seen["call"] = [[call["name"], call["args"]] for call in message.tool_calls]
result = weather.invoke(message.tool_calls[0])
seen["answered"] = bool(chat.bind(max_tokens=4).invoke(["And in Rome?", message, result]).text)
seen["parsed"] = [
    isinstance(chat.with_structured_output(Answer, method=method).invoke("Is it good?"), Answer)
    for method in ("json_schema", "function_calling")
]
vectors = OpenAIEmbeddings(base_url=address, api_key=key, model=embedder, check_embedding_ctx_length=False)
seen["vectors"] = vectors.embed_documents(["a dog", "a puppy", "the price of oil"])
with_stream = chat.bind(max_tokens=4000).stream("Say hello.")
next(with_stream)
with_stream.close()
seen["aborted"] = True
print(json.dumps(seen))
