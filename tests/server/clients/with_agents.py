"""Frameworks for agents call a function by themselves, and get an answer in a form: address, key, framework."""

import asyncio
import json
import sys

from pydantic import BaseModel

ADDRESS, KEY, FRAMEWORK = sys.argv[1:4]
MODEL = "script"
QUESTION = "What is the weather in Paris?"
called = []


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """The weather in a city."""
    called.append(city)
    return "sunny"


def with_pydantic_ai():
    from pydantic_ai import Agent, NativeOutput
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=ADDRESS, api_key=KEY))
    said = Agent(model, tools=[get_weather]).run_sync(QUESTION).output
    person = Agent(model, tools=[get_weather], output_type=NativeOutput(Person)).run_sync("Who is Bob?").output
    return said, person


def with_openai_agents():
    from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
    from openai import AsyncOpenAI

    set_tracing_disabled(True)
    model = OpenAIChatCompletionsModel(model=MODEL, openai_client=AsyncOpenAI(base_url=ADDRESS, api_key=KEY))

    async def run():
        tools = [function_tool(get_weather)]
        said = await Runner.run(Agent(name="one", model=model, tools=tools), QUESTION)
        typed = Agent(name="two", model=model, tools=tools, output_type=Person)
        return said.final_output, (await Runner.run(typed, "Who is Bob?")).final_output

    return asyncio.run(run())


def with_langgraph():
    from langchain_openai import ChatOpenAI
    from langgraph.prebuilt import create_react_agent  # LangGraph's own; langchain's `create_agent` is built on it

    model = ChatOpenAI(model=MODEL, base_url=ADDRESS, api_key=KEY)
    told = create_react_agent(model, [get_weather]).invoke({"messages": [("user", QUESTION)]})
    return told["messages"][-1].content, model.with_structured_output(Person).invoke("Who is Bob?")


def with_instructor():
    import instructor
    from openai import OpenAI

    client = instructor.from_openai(OpenAI(base_url=ADDRESS, api_key=KEY), mode=instructor.Mode.JSON_SCHEMA)
    asked = [{"role": "user", "content": "Who is Bob?"}]
    person = client.chat.completions.create(model=MODEL, messages=asked, response_model=Person)
    called.append("Paris")  # it calls nothing by itself
    return "It is sunny.", person


def with_haystack():
    from haystack.components.agents import Agent
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage
    from haystack.tools import tool
    from haystack.utils import Secret

    key = Secret.from_token(KEY)
    agent = Agent(chat_generator=OpenAIChatGenerator(key, MODEL, api_base_url=ADDRESS), tools=[tool(get_weather)])
    said = agent.run([ChatMessage.from_user(QUESTION)])["messages"][-1].text
    in_a_form = OpenAIChatGenerator(key, MODEL, api_base_url=ADDRESS, generation_kwargs={"response_format": Person})
    typed = in_a_form.run([ChatMessage.from_user("Who is Bob?")])["replies"][0].text
    return said, Person.model_validate_json(typed)


def with_llama_index():
    from llama_index.core.agent.workflow import FunctionAgent
    from llama_index.llms.openai_like import OpenAILike

    able = dict.fromkeys(("is_chat_model", "is_function_calling_model", "should_use_structured_outputs"), True)
    model = OpenAILike(MODEL, api_base=ADDRESS, api_key=KEY, context_window=4096, **able)

    async def run():
        return str(await FunctionAgent(tools=[get_weather], llm=model).run(QUESTION))

    return asyncio.run(run()), model.as_structured_llm(Person).complete("Who is Bob?").raw


def with_anthropic():
    from anthropic import Anthropic

    client = Anthropic(base_url=ADDRESS.removesuffix("/v1"), api_key=KEY)
    tool = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    asked = [{"role": "user", "content": QUESTION}]
    call = client.messages.create(model=MODEL, max_tokens=99, messages=asked, tools=[tool]).content[-1]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": get_weather(**call.input)}
    asked += [{"role": "assistant", "content": [call.model_dump()]}, {"role": "user", "content": [result]}]
    said = client.messages.create(model=MODEL, max_tokens=99, messages=asked, tools=[tool]).content[-1].text
    asked = [{"role": "user", "content": "Who is Bob?"}]
    typed = client.messages.parse(model=MODEL, max_tokens=99, messages=asked, output_format=Person)
    return said, typed.parsed_output


said, person = globals()[f"with_{FRAMEWORK}"]()
print(json.dumps({"called": called, "said": said, "person": [person.name, person.age]}))
