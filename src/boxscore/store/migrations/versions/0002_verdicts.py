"""Verdicts, and the runs that they were made from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("baseline_run", sa.String(64)),
        sa.Column("candidate_run", sa.String(64)),
        sa.Column("content_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_verdicts"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_verdicts_project_id_projects"),
        sa.ForeignKeyConstraint(["baseline_run"], ["runs.id"], name="fk_verdicts_baseline_run_runs"),
        sa.ForeignKeyConstraint(["candidate_run"], ["runs.id"], name="fk_verdicts_candidate_run_runs"),
    )
    op.create_index("ix_verdicts_project_id_created_at", "verdicts", ["project_id", "created_at"])


def downgrade() -> None:
    op.drop_table("verdicts")
