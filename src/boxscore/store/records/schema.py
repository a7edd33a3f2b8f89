"""Tables of the records store. Migrations make them; a test holds both to be the same."""

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

DEFAULT_PROJECT = "default"


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime as ISO 8601 text in UTC with microseconds: it sorts as text and reads well in any tool."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored: its time zone is not known")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Money(TypeDecorator[Decimal]):
    """US dollars as exact decimal text: a binary float would round what a bill is made of."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

projects = Table(
    "projects",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
)

variants = Table(
    "variants",
    metadata,
    Column("project_id", String(64), ForeignKey("projects.id"), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("model", Text),
    Column("description_json", Text, nullable=False),
)

examples = Table(
    "examples",
    metadata,
    Column("project_id", String(64), ForeignKey("projects.id"), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("content_json", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("project_id", String(64), ForeignKey("projects.id"), nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("variant_hash", String(64), nullable=False),
    Column("variant_name", Text, nullable=False),
    Column("model", Text),
    Column("dataset_name", Text, nullable=False),
    Column("dataset_version", String(80), nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("metrics_json", Text, nullable=False),
    Column("scorer_specs_json", Text, nullable=False),
    Column("fresh", Boolean, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    ForeignKeyConstraint(["project_id", "variant_hash"], ["variants.project_id", "variants.hash"]),
    Index("ix_runs_project_id_started_at", "project_id", "started_at"),
    Index("ix_runs_project_id_plan_hash", "project_id", "plan_hash"),
)

run_examples = Table(
    "run_examples",
    metadata,
    Column("run_id", String(64), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("project_id", String(64), nullable=False),
    Column("example_id", Text, nullable=False),
    Column("example_hash", String(64), nullable=False),
    Column("question_hash", String(64), nullable=False),
    ForeignKeyConstraint(["project_id", "example_hash"], ["examples.project_id", "examples.hash"]),
    UniqueConstraint("run_id", "example_id"),
)

responses = Table(
    "responses",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("project_id", String(64), ForeignKey("projects.id"), nullable=False),
    Column("run_id", String(64), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("variant_hash", String(64), nullable=False),
    Column("question_hash", String(64), nullable=False),
    Column("draw", Integer, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("output", Text, nullable=False),
    Column("tool_calls_json", Text),
    Column("finish_reason", Text),
    Column("model", Text),
    Column("provider", Text),
    Column("fingerprint", Text),
    Column("usage_json", Text),
    Column("usage_raw_json", Text),
    Column("cost_usd", Money),
    Column("price", Text),
    Column("latency_s", Float),
    Column("first_token_s", Float),
    Column("error_kind", String(32)),
    Column("error_message", Text),
    Column("error_status", Integer),
    Column("reasoning", Text),
    Column("extra_json", Text),
    CheckConstraint("draw >= 0", name="draw_not_negative"),
    Index("ix_responses_identity", "project_id", "variant_hash", "question_hash", "draw", "recorded_at"),
    Index("ix_responses_run_id", "run_id"),
)

trials = Table(
    "trials",
    metadata,
    Column("run_id", String(64), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("example_id", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True),
    Column("response_id", String(64), ForeignKey("responses.id"), nullable=False),
    ForeignKeyConstraint(["run_id", "example_id"], ["run_examples.run_id", "run_examples.example_id"]),
    CheckConstraint("repeat >= 0", name="repeat_not_negative"),
    Index("ix_trials_response_id", "response_id"),
)

scores = Table(
    "scores",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("example_id", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True),
    Column("metric", String(200), primary_key=True),
    Column("value", Float),
    Column("label", Text),
    Column("note", Text),
    ForeignKeyConstraint(
        ["run_id", "example_id", "repeat"],
        ["trials.run_id", "trials.example_id", "trials.repeat"],
        ondelete="CASCADE",
    ),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("project_id", String(64), ForeignKey("projects.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("baseline_run", String(64), ForeignKey("runs.id")),
    Column("candidate_run", String(64), ForeignKey("runs.id")),
    Column("content_json", Text, nullable=False),
    Index("ix_verdicts_project_id_created_at", "project_id", "created_at"),
)
