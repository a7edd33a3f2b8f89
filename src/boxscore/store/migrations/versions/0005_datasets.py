"""Datasets as named lines of immutable versions. A row is in the versions from `since_number` to before `until_number`."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("created_by", sa.String(200)),
        sa.Column("archived_at", sa.String(27)),
        sa.Column("description", sa.Text()),
        sa.PrimaryKeyConstraint("project_id", "name", name="pk_datasets"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_datasets_project_id_projects"),
    )
    op.create_table(
        "dataset_versions",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("dataset_name", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(80), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("erased", sa.Integer(), nullable=False),
        sa.Column("summary_json", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("created_by", sa.String(200)),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("project_id", "dataset_name", "number", name="pk_dataset_versions"),
        sa.ForeignKeyConstraint(
            ["project_id", "dataset_name"],
            ["datasets.project_id", "datasets.name"],
            name="fk_dataset_versions_project_id_dataset_name_datasets",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "dataset_examples",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("dataset_name", sa.String(100), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("since_number", sa.Integer(), nullable=False),
        sa.Column("until_number", sa.Integer()),
        sa.Column("example_id", sa.Text(), nullable=False),
        sa.Column("example_hash", sa.String(64), nullable=False),
        sa.Column("inputs_hash", sa.String(64), nullable=False),
        sa.Column("trace_id", sa.String(32)),
        sa.PrimaryKeyConstraint(
            "project_id", "dataset_name", "position", "since_number", name="pk_dataset_examples"
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "dataset_name"],
            ["datasets.project_id", "datasets.name"],
            name="fk_dataset_examples_project_id_dataset_name_datasets",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "example_hash"],
            ["examples.project_id", "examples.hash"],
            name="fk_dataset_examples_project_id_example_hash_examples",
        ),
    )
    newest = sa.text("until_number IS NULL")
    op.create_index(
        "uq_dataset_examples_head",
        "dataset_examples",
        ["project_id", "dataset_name", "example_id"],
        unique=True,
        sqlite_where=newest,
        postgresql_where=newest,
    )
    op.create_index(
        "ix_dataset_examples_project_id_example_hash", "dataset_examples", ["project_id", "example_hash"]
    )
    op.create_index("ix_dataset_examples_project_id_trace_id", "dataset_examples", ["project_id", "trace_id"])
    op.create_index("ix_run_examples_project_id_example_hash", "run_examples", ["project_id", "example_hash"])


def downgrade() -> None:
    op.drop_index("ix_run_examples_project_id_example_hash", "run_examples")
    op.drop_table("dataset_examples")
    op.drop_table("dataset_versions")
    op.drop_table("datasets")
