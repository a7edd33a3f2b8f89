"""Runs, what they asked, what came back, and how it scored."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.UniqueConstraint("name", name="uq_projects_name"),
    )
    op.create_table(
        "variants",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("description_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "hash", name="pk_variants"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_variants_project_id_projects"),
    )
    op.create_table(
        "examples",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("content_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "hash", name="pk_examples"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_examples_project_id_projects"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("variant_hash", sa.String(64), nullable=False),
        sa.Column("variant_name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("dataset_name", sa.Text(), nullable=False),
        sa.Column("dataset_version", sa.String(80), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("metrics_json", sa.Text(), nullable=False),
        sa.Column("scorer_specs_json", sa.Text(), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.String(27), nullable=False),
        sa.Column("finished_at", sa.String(27)),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_runs_project_id_projects"),
        sa.ForeignKeyConstraint(
            ["project_id", "variant_hash"],
            ["variants.project_id", "variants.hash"],
            name="fk_runs_project_id_variant_hash_variants",
        ),
    )
    op.create_index("ix_runs_project_id_started_at", "runs", ["project_id", "started_at"])
    op.create_index("ix_runs_project_id_plan_hash", "runs", ["project_id", "plan_hash"])
    op.create_table(
        "run_examples",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("example_id", sa.Text(), nullable=False),
        sa.Column("example_hash", sa.String(64), nullable=False),
        sa.Column("question_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "position", name="pk_run_examples"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_examples_run_id_runs", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["project_id", "example_hash"],
            ["examples.project_id", "examples.hash"],
            name="fk_run_examples_project_id_example_hash_examples",
        ),
        sa.UniqueConstraint("run_id", "example_id", name="uq_run_examples_run_id_example_id"),
    )
    op.create_table(
        "responses",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("variant_hash", sa.String(64), nullable=False),
        sa.Column("question_hash", sa.String(64), nullable=False),
        sa.Column("draw", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.String(27), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("tool_calls_json", sa.Text()),
        sa.Column("finish_reason", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("provider", sa.Text()),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("usage_json", sa.Text()),
        sa.Column("usage_raw_json", sa.Text()),
        sa.Column("cost_usd", sa.String(64)),
        sa.Column("price", sa.Text()),
        sa.Column("latency_s", sa.Float()),
        sa.Column("first_token_s", sa.Float()),
        sa.Column("error_kind", sa.String(32)),
        sa.Column("error_message", sa.Text()),
        sa.Column("error_status", sa.Integer()),
        sa.CheckConstraint("draw >= 0", name="ck_responses_draw_not_negative"),
        sa.PrimaryKeyConstraint("id", name="pk_responses"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_responses_project_id_projects"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_responses_run_id_runs", ondelete="CASCADE"),
    )
    op.create_index(
        "ix_responses_identity",
        "responses",
        ["project_id", "variant_hash", "question_hash", "draw", "recorded_at"],
    )
    op.create_index("ix_responses_run_id", "responses", ["run_id"])
    op.create_table(
        "trials",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("example_id", sa.Text(), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("response_id", sa.String(64), nullable=False),
        sa.CheckConstraint("repeat >= 0", name="ck_trials_repeat_not_negative"),
        sa.PrimaryKeyConstraint("run_id", "example_id", "repeat", name="pk_trials"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_trials_run_id_runs", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"], name="fk_trials_response_id_responses"),
        sa.ForeignKeyConstraint(
            ["run_id", "example_id"],
            ["run_examples.run_id", "run_examples.example_id"],
            name="fk_trials_run_id_example_id_run_examples",
        ),
    )
    op.create_index("ix_trials_response_id", "trials", ["response_id"])
    op.create_table(
        "scores",
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("example_id", sa.Text(), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(200), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("label", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("run_id", "example_id", "repeat", "metric", name="pk_scores"),
        sa.ForeignKeyConstraint(
            ["run_id", "example_id", "repeat"],
            ["trials.run_id", "trials.example_id", "trials.repeat"],
            name="fk_scores_run_id_example_id_repeat_trials",
            ondelete="CASCADE",
        ),
    )
    op.execute("INSERT INTO projects (id, name) VALUES ('default', 'default')")


def downgrade() -> None:
    for table in ("scores", "trials", "responses", "run_examples", "runs", "examples", "variants", "projects"):
        op.drop_table(table)
