"""Datasets as named lines of immutable versions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("archived_at", sa.String(27)),
        sa.Column("description", sa.Text()),
        sa.PrimaryKeyConstraint("project_id", "name", name="pk_datasets"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_datasets_project_id_projects"
        ),
    )
    op.create_table(
        "dataset_versions",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("dataset_name", sa.String(200), nullable=False),
        sa.Column("version", sa.String(80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("examples", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("created_by", sa.String(200)),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("project_id", "dataset_name", "version", name="pk_dataset_versions"),
        sa.UniqueConstraint("project_id", "dataset_name", "number", name="uq_dataset_versions_project_id_dataset_name_number"),
        sa.ForeignKeyConstraint(
            ["project_id", "dataset_name"], ["datasets.project_id", "datasets.name"], name="fk_dataset_versions_project_id_dataset_name_datasets", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "dataset_examples",
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("dataset_name", sa.String(200), nullable=False),
        sa.Column("version", sa.String(80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("example_id", sa.Text(), nullable=False),
        sa.Column("example_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "dataset_name", "version", "position", name="pk_dataset_examples"),
        sa.UniqueConstraint("project_id", "dataset_name", "version", "example_id", name="uq_dataset_examples_project_id_dataset_name_version_example_id"),
        sa.ForeignKeyConstraint(
            ["project_id", "dataset_name", "version"], ["dataset_versions.project_id", "dataset_versions.dataset_name", "dataset_versions.version"], name="fk_dataset_examples_dataset_versions", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "example_hash"], ["examples.project_id", "examples.hash"], name="fk_dataset_examples_project_id_example_hash_examples"
        ),
    )


def downgrade() -> None:
    op.drop_table("dataset_examples")
    op.drop_table("dataset_versions")
    op.drop_table("datasets")
