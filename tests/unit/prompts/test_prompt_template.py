"""Prompt templates: filled from inputs, strict about what is missing, and blind to templates inside values."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.errors import TemplateError
from boxscore.prompts import PromptTemplate
from boxscore.providers import ToolCall


def rendered(prompt: object, **inputs: object) -> list[tuple[str, object]]:
    return [(message.role, message.content) for message in PromptTemplate.parse(prompt).render(inputs)]


def refused(prompt: object, **inputs: object) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        PromptTemplate.parse(prompt).render(inputs)
    return caught.value


def test_a_text_is_what_the_user_says() -> None:
    assert rendered("Sort {{ ticket }}!", ticket="this") == [("user", "Sort this!")]


def test_a_mapping_is_a_message_per_role_in_its_order() -> None:
    prompt = {"system": "You are {{ who }}.", "user": "{{ q }}"}

    assert rendered(prompt, who="kind", q="?") == [("system", "You are kind."), ("user", "?")]


def test_a_list_is_a_conversation() -> None:
    prompt = [
        {"role": "user", "content": "{{ a }}"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": [{"type": "text", "text": "and {{ b }}?"}, {"type": "image", "n": 3}]},
    ]

    assert rendered(prompt, a="A", b="B") == [
        ("user", "A"),
        ("assistant", "yes"),
        ("user", [{"type": "text", "text": "and B?"}, {"type": "image", "n": 3}]),
    ]


def test_loops_conditions_and_filters_work() -> None:
    prompt = "{% for d in docs %}{{ loop.index }}. {{ d.title|upper }}\n{% endfor %}{% if hint %}{{ hint }}{% endif %}"

    assert rendered(prompt, docs=[{"title": "a"}, {"title": "b"}], hint=None) == [("user", "1. A\n2. B\n")]


def test_lists_objects_and_booleans_are_written_as_json() -> None:
    assert rendered("{{ x }} {{ y }} {{ z }}", x={"k": ["é", None]}, y=True, z=1.5) == [
        ("user", '{"k": ["é", null]} true 1.5')
    ]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_value_is_never_a_template(value: str) -> None:
    assert rendered("<{{ x }}>", x=value) == [("user", f"<{value}>")]


def test_braces_in_a_value_stay() -> None:
    assert rendered("{{ x }}", x="{{ y }}{% include 'a' %}{# no #}&<") == [
        ("user", "{{ y }}{% include 'a' %}{# no #}&<")
    ]


class TestMissingValues:
    def test_a_variable_without_a_value_is_named_with_the_nearest(self) -> None:
        error = refused("Sort {{ ticket }}.", tickets="x", lang="de")

        assert error.variable == "ticket"
        assert str(error) == ("the prompt needs 'ticket', and the example has no value for it: did you mean 'tickets'?")

    def test_else_with_what_there_is(self) -> None:
        assert str(refused("{{ ticket }}", body="x", lang="de")).endswith("there is body, lang.")
        assert str(refused("{{ ticket }}")).endswith("the example has no inputs.")

    def test_a_part_without_a_value_is_named_with_the_nearest_part(self) -> None:
        error = refused("{{ mail.subjct }}", mail={"subject": "x"}, subjct2="y")

        assert error.variable == "mail.subjct"
        assert "did you mean 'mail.subject'?" in str(error)

    @pytest.mark.parametrize("prompt", ["{% if x %}a{% endif %}", "{% for y in x %}a{% endfor %}", "{{ x|upper }}"])
    def test_wherever_it_is_used(self, prompt: str) -> None:
        assert refused(prompt, y=1).variable == "x"

    def test_unless_the_prompt_says_what_to_write(self) -> None:
        assert rendered("{{ x|default('none') }}{% if y is defined %}!{% endif %}") == [("user", "none")]

    def test_null_is_no_text(self) -> None:
        error = refused("{{ history }}{{ q }}", history=None, q="?")

        assert error.variable == "history"
        assert "is null" in str(error)
        assert rendered("{{ history or '-' }}", history=None) == [("user", "-")]

    def test_variables_are_listed_before_anything_is_rendered(self) -> None:
        prompt = PromptTemplate.parse(
            {"system": "{{ a.b }}", "user": "{% for x in xs %}{{ x }}{% endfor %}{{ range(z) }}"}
        )

        assert prompt.variables == ("a", "xs", "z")


class TestWhatIsNoPrompt:
    @pytest.mark.parametrize(
        ("prompt", "problem"),
        [
            ("a\n{{ b", "the prompt, line 2: unexpected end of input"),
            ({"system": "x", "user": "{% if %}"}, "message 2, line 1"),
            ("{{ x|uper }}", "filter uper is unknown"),
            ([{"role": "usr", "content": "x"}], "no role is called 'usr': did you mean 'user'?"),
            ({"sistem": "x"}, "did you mean 'system'?"),
            ([{"role": "user"}], "a message is a mapping with 'role' and 'content'"),
            ([{"role": "user", "content": 3}], "must be text or a list of parts"),
            ([], "at least one message"),
            ({}, "at least one message"),
            (3, "a prompt is a text, a mapping of role to text, or a list"),
            (None, "a prompt is a text"),
        ],
    )
    def test_is_refused(self, prompt: object, problem: str) -> None:
        assert problem in str(refused(prompt, x="x"))


class TestBounds:
    def test_a_loop_without_end_is_stopped(self) -> None:
        begin = time.perf_counter()
        error = refused("{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}")

        assert "steps to render" in str(error)
        assert time.perf_counter() - begin < 5

    @pytest.mark.parametrize(
        "prompt",
        [
            "{{ x.__class__ }}",
            "{{ x.__init__.__globals__ }}",
            "{{ debug() }}",
            "{% include '/etc/hostname' %}",
            "{% import 'os' as os %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        ],
    )
    def test_nothing_but_the_inputs_is_reached(self, prompt: str) -> None:
        refused(prompt, x="x")


class TestHash:
    def test_is_that_of_roles_and_texts(self) -> None:
        one = PromptTemplate.parse("Sort {{ ticket }}.")

        assert one == PromptTemplate.parse([{"content": "Sort {{ ticket }}.", "role": "user"}])
        assert one.hash == PromptTemplate.parse({"user": "Sort {{ ticket }}."}).hash
        assert one.hash != PromptTemplate.parse({"system": "Sort {{ ticket }}."}).hash
        assert one.hash != PromptTemplate.parse("Sort {{ ticket }}").hash

    def test_stays_what_it_was_in_the_first_release(self) -> None:
        assert PromptTemplate.parse("Sort {{ ticket }}.").hash == "8c98cb872c7e"


def test_earlier_tool_calls_go_out_as_they_were_written_and_are_part_of_the_identity():
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    messages = [
        {"role": "user", "content": "{{ question }}"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain, {{ degrees }} degrees"},
    ]
    template = PromptTemplate.parse(messages)

    asked = template.render({"question": "Umbrella?", "degrees": 7})

    assert asked[1].tool_calls == (ToolCall(id="c1", name="weather", arguments='{"city": "Oslo"}'),)
    assert (asked[2].tool_call_id, asked[2].content) == ("c1", "rain, 7 degrees")
    call["function"]["name"] = "news"
    assert PromptTemplate.parse(messages).hash != template.hash
