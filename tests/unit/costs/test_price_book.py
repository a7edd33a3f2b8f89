"""The price book: the user's rows first, dated, and never a guess."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from boxscore.costs import KINDS, LOCAL, PriceBook, cost, fixed_row, price
from boxscore.errors import FileError, SpecError, UnknownPriceError, UnreadableUsageError
from boxscore.providers.response import Usage

BuildBook = Callable[..., PriceBook]


@pytest.fixture
def book(tmp_path: Path) -> BuildBook:
    """A book with a table of the text given."""

    def build(text: str, name: str = "prices.yaml") -> PriceBook:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return PriceBook.load(path)

    return build


# The built-in table


def test_a_model_is_found_by_any_name_it_answers_to() -> None:
    names = ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5", "CLAUDE-SONNET-4-5"]

    found = {PriceBook().find(name, at=date(2025, 10, 15)).id for name in names}

    assert found == {"genai-prices/anthropic/claude-sonnet-4-5/0"}


def test_a_provider_is_found_by_id_alias_or_address() -> None:
    by_id = PriceBook().find("gpt-4o", "openai")

    assert PriceBook().find("gpt-4o", "https://api.openai.com/v1") == by_id
    assert PriceBook().find("gemini-2.5-pro", "vertex_ai").provider == "google"


def test_a_seller_of_others_models_falls_back_to_their_prices() -> None:
    row = PriceBook().find("gpt-4o", "azure")

    assert row.provider == "azure"
    assert row.id.startswith("genai-prices/")


def test_special_service_of_the_maker_is_no_price_of_another_seller() -> None:
    flex = {"service_tier": "flex"}

    maker, seller = PriceBook().find("gpt-5", "openai", context=flex), PriceBook().find("gpt-5", "azure", context=flex)

    assert maker.context == flex
    assert seller.context == {}
    assert seller.rates["input"].base == 2 * maker.rates["input"].base


def test_a_compact_date_in_a_name_is_understood() -> None:
    assert PriceBook().find("gpt-4o-20240806", "openai").model == PriceBook().find("gpt-4o-2024-08-06", "openai").model


def test_a_time_without_zone_is_utc_and_other_zones_are_converted() -> None:
    from datetime import timedelta, timezone

    late_in_new_york = datetime(2025, 6, 9, 21, 0, tzinfo=timezone(timedelta(hours=-4)))

    assert PriceBook().find("o3", at=late_in_new_york) == PriceBook().find("o3", at=datetime(2025, 6, 10, 1, 0))  # noqa: DTZ001


def test_an_unknown_price_is_an_error_that_names_who_needs_it() -> None:
    with pytest.raises(UnknownPriceError, match="the guard max_cost needs it") as caught:
        PriceBook().find("no-such-model", needed_by="the guard max_cost")

    assert caught.value.model == "no-such-model"
    assert PriceBook().look_up("no-such-model") is None


def test_a_name_that_several_sell_is_not_guessed() -> None:
    assert PriceBook().look_up("meta-llama/llama-3.3-70b-instruct") is None
    assert {"novita", "openrouter"} <= set(PriceBook().sellers_of("meta-llama/llama-3.3-70b-instruct"))


def test_the_history_of_a_model_is_dated() -> None:
    first, second = PriceBook().history("o3")

    assert first.since is None
    assert second.since is not None
    assert second.since.start == date(2025, 6, 10)


def test_what_runs_here_is_free() -> None:
    assert PriceBook().find("tiny", "tiny") is LOCAL
    assert cost(Usage(input_tokens=10**9, output_tokens=10**9), LOCAL).total_usd == 0
    assert cost(Usage(input_tokens=1), LOCAL).price == "local"


def test_an_application_is_priced_by_the_model_that_it_names_and_is_never_taken_for_free() -> None:
    assert PriceBook().find("gpt-4o", "callable") == PriceBook().find("gpt-4o")
    assert PriceBook().look_up("no-such-model", "command") is None


def test_a_variant_may_state_its_price() -> None:
    assert fixed_row(0) is LOCAL
    assert fixed_row({"input": 0, "output": 0}) is LOCAL

    row = fixed_row({"input": 0.2, "output": 0.8}, name="mine")

    assert cost(Usage(input_tokens=1_000_000, output_tokens=500_000), row).total_usd == Decimal("0.6")
    assert cost(Usage(input_tokens=1), row).price == "fixed/mine"


@pytest.mark.parametrize("stated", [-1, "free", True, {"inptu": 1}, {"input": None}, float("nan")])
def test_a_stated_price_that_is_none_is_refused(stated: object) -> None:
    with pytest.raises(SpecError):
        fixed_row(stated)


def test_the_price_function_is_all_that_a_caller_needs() -> None:
    paid = price(Usage(input_tokens=1_000, output_tokens=1_000), model="gpt-4o", at=date(2025, 10, 15))

    assert paid.total_usd == Decimal("0.0125")


@pytest.mark.parametrize("of", [3, 0])
def test_a_usage_that_contradicts_itself_has_no_price(of: int) -> None:
    with pytest.raises(UnreadableUsageError, match="cache_read_tokens add up to 5"):
        price(Usage(input_tokens=of, cache_read_tokens=5), model="gpt-4o", at=date(2025, 10, 15))


def test_a_usage_without_its_total_has_no_price() -> None:
    with pytest.raises(UnreadableUsageError, match="lacks input_tokens"):
        price(Usage(cache_read_tokens=5, output_tokens=1), model="gpt-4o", at=date(2025, 10, 15))


def test_cache_writes_by_lifetime_make_their_sum() -> None:
    by_lifetime = Usage(input_tokens=300, cache_write_5m_tokens=100, cache_write_1h_tokens=200)
    with_sum = Usage(input_tokens=300, cache_write_tokens=300, cache_write_5m_tokens=100, cache_write_1h_tokens=200)

    when = date(2025, 10, 15)

    assert (
        price(by_lifetime, model="claude-haiku-4-5", at=when).total_usd
        == price(with_sum, model="claude-haiku-4-5", at=when).total_usd
        == Decimal(100) * Decimal("1.25") / 10**6 + Decimal(200) * 2 / 10**6
    )


def test_money_is_exact_whatever_the_application_did_to_its_decimal_context() -> None:
    import decimal

    usage = Usage(input_tokens=123_456_789, output_tokens=987_654_321)
    exact = price(usage, model="gpt-4o", at=date(2025, 10, 15)).total_usd

    with decimal.localcontext() as context:
        context.prec = 3
        rough = price(usage, model="gpt-4o", at=date(2025, 10, 15)).total_usd

    assert rough == exact == Decimal("10185.1851825")


def test_pricing_loads_neither_genai_prices_nor_yaml_nor_numpy() -> None:
    code = (
        "import sys; from boxscore.costs import PriceBook; PriceBook().find('gpt-4o');"
        "print([m for m in ('genai_prices', 'pydantic', 'yaml', 'numpy') if m in sys.modules])"
    )

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert out.strip() == "[]"


# The user's own table

OWN = """
prices:
  - model: house-model
    usd_per_mtok: {input: 1, output: 2}
  - model: house-model
    from: 2026-02-01
    usd_per_mtok: {input: 0.5, output: 1}
  - model: house-model
    from: 2026-02-01
    when: {service_tier: flex}
    usd_per_mtok: {input: 0.25, output: 0.5}
  - provider: acme
    match: {starts_with: acme-}
    usd_per_mtok:
      input: {base: 3, tiers: [{above: 1000, price: 6}]}
      output: 15
    usd_per_1k: {web_searches: 10}
  - model: gpt-4o
    usd_per_mtok: {input: 2, output: 8}
"""


def test_own_rows_come_before_the_built_in_ones(book: BuildBook) -> None:
    row = book(OWN).find("gpt-4o")

    assert row.source == "own"
    assert cost(Usage(input_tokens=1_000_000, output_tokens=0), row).total_usd == 2


def test_own_rows_are_dated(book: BuildBook) -> None:
    own = book(OWN)

    assert own.find("house-model", at=date(2026, 1, 31)).rates["input"].base == 1
    assert own.find("house-model", at=date(2026, 2, 1)).rates["input"].base == Decimal("0.5")


def test_own_rows_may_depend_on_the_way_of_serving(book: BuildBook) -> None:
    own = book(OWN)

    assert own.find("house-model", context={"service_tier": "flex"}).rates["input"].base == Decimal("0.25")
    assert own.find("house-model", context={"service_tier": "default"}).rates["input"].base == Decimal("0.5")


def test_an_own_row_of_a_provider_is_for_that_provider(book: BuildBook) -> None:
    own = book(OWN)

    assert own.look_up("acme-1", "acme") is not None
    assert own.look_up("acme-1", "openai") is None
    assert own.find("acme-1").provider == "acme"


def test_own_tiers_reprice_the_whole_request(book: BuildBook) -> None:
    row = book(OWN).find("acme-1", "acme")

    assert cost(Usage(input_tokens=1_000, output_tokens=0), row).total_usd == Decimal(1_000) * 3 / 10**6
    assert cost(Usage(input_tokens=1_001, output_tokens=0), row).total_usd == Decimal(1_001) * 6 / 10**6


def test_the_row_that_a_cost_names_is_a_line_of_the_file_at_its_version(book: BuildBook) -> None:
    own = book(OWN)

    ref = own.find("house-model", at=date(2026, 3, 1)).ref

    assert ref.startswith("prices.yaml:5@")
    assert own.version.endswith(ref.rpartition("@")[2])
    assert book(OWN + "\n# changed").version != own.version


def test_yaml_json_and_csv_say_the_same(book: BuildBook) -> None:
    yaml_text = "prices:\n  - {provider: acme, model: m, from: 2026-01-01, usd_per_mtok: {input: 0.1, output: 0.2}}\n"
    json_text = """{"prices": [{"provider": "acme", "model": "m", "from": "2026-01-01",
    \t"usd_per_mtok": {"input": 0.1, "output": 0.2}}]}"""
    csv_text = "provider,model,from,input,output\nacme,m,2026-01-01,0.1,0.2\n"

    rows = [
        book(text, name).find("m", "acme")
        for text, name in ((yaml_text, "p.yaml"), (json_text, "p.json"), (csv_text, "p.csv"))
    ]

    assert len({(str(row.rates), str(row.since)) for row in rows}) == 1
    assert rows[0].rates["input"].base == Decimal("0.1")


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ("{model: m, usd_per_mtok: {inptu: 3}}", "usd_per_mtok.inptu", "not known"),
        ("{model: m, usd_per_mtok: {input: -3}}", "usd_per_mtok.input", "no price"),
        ("{model: m, usd_per_mtok: {input: true}}", "usd_per_mtok.input", "no price"),
        ("{model: m, usd_per_mtok: {input: .nan}}", "usd_per_mtok.input", "no price"),
        ("{model: m, usd_per_mtok: {web_searches: 3}}", "usd_per_mtok.web_searches", "per 1k calls"),
        ("{model: m, usd_per_mtok: {cache_read: 3}}", "usd_per_mtok", "needs a price for input"),
        ("{model: m, usd_per_mtok: {input: 1, input_audio: 2, cache_read: 1}}", "usd_per_mtok", "cache_audio_read"),
        ("{model: m}", "usd_per_mtok", "no price"),
        ("{usd_per_mtok: 3}", "model", "either"),
        ("{model: m, match: {equals: m}, usd_per_mtok: 3}", "model", "either"),
        ("{match: {}, usd_per_mtok: 3}", "match", "every model"),
        ("{match: {begins: a}, usd_per_mtok: 3}", "match", "no rule"),
        ("{match: {regex: '('}, usd_per_mtok: 3}", "match", "does not work"),
        ("{model: m, from: soon, usd_per_mtok: 3}", "from", "no date"),
        ("{model: m, hours: ['1'], usd_per_mtok: 3}", "hours", "pair of times"),
        ("{model: m, usd_per_mtok: 3, discount: 2}", "discount", "not known"),
        ("{model: m, usd_per_mtok: {input: {base: 1, tiers: [{start: 1, price: 2}]}}}", "usd_per_mtok.input", "tier"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_field(book: BuildBook, row: str, field: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        book(f"prices:\n  - {{model: fine, usd_per_mtok: 0}}\n  - {row}\n")

    message = str(caught.value)
    assert "prices.yaml" in message
    assert "line 3" in message
    assert caught.value.key == field
    assert says in message


def test_a_bad_row_of_a_csv_is_named_too(book: BuildBook) -> None:
    with pytest.raises(SpecError, match="line 3") as caught:
        book("model,input,output\na,1,2\nb,one,2\n", "p.csv")

    assert caught.value.key == "usd_per_mtok.input"


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such price table"):
        PriceBook.load(tmp_path / "prices.yaml")
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(FileError, match="empty"):
        PriceBook.load(tmp_path / "empty.yaml")
    (tmp_path / "broken.yaml").write_text("prices: [")
    with pytest.raises(FileError, match="no YAML"):
        PriceBook.load(tmp_path / "broken.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\x00\xfe")
    with pytest.raises(FileError, match="cannot be read"):
        PriceBook.load(tmp_path / "binary.yaml")


def test_the_settings_say_where_the_table_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("model,input,output\nhouse-model,1,2\n")
    monkeypatch.setenv("BOXSCORE_PRICES", str(table))

    paid = price(Usage(input_tokens=1_000_000, output_tokens=0), model="house-model", at=datetime.now(UTC))

    assert paid.total_usd == 1
    assert paid.price.startswith("mine.csv:2@")


def test_a_changed_table_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXSCORE_HOME", str(tmp_path))
    table = tmp_path / "prices.yaml"
    table.write_text("prices: [{model: m, usd_per_mtok: 1}]")
    before = price(Usage(input_tokens=10**6, output_tokens=0), model="m").total_usd

    table.write_text("prices: [{model: m, usd_per_mtok: 22}]")

    assert (before, price(Usage(input_tokens=10**6, output_tokens=0), model="m").total_usd) == (1, 22)


def test_every_row_of_the_built_in_table_prices_each_token_once() -> None:
    from boxscore.costs.kinds import missing_kinds

    for row in PriceBook().models():
        assert not missing_kinds(row.rates), row.id
        assert set(row.rates) <= set(KINDS)
