"""Durable jobs: what is asked for, who works on it, how far it is; runs say which job they were made for."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("progress_json", sa.Text()),
        sa.Column("result_json", sa.Text()),
        sa.Column("error_json", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(200)),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("due_at", sa.String(27), nullable=False),
        sa.Column("started_at", sa.String(27)),
        sa.Column("claimed_at", sa.String(27)),
        sa.Column("finished_at", sa.String(27)),
        sa.Column("cancel_asked_at", sa.String(27)),
        sa.Column("worker", sa.String(200)),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_jobs_project_id_projects"),
    )
    op.create_index("ix_jobs_project_id_created_at", "jobs", ["project_id", "created_at"])
    op.create_index("ix_jobs_state_created_at", "jobs", ["state", "created_at"])
    # Apart, because a job's row is written every few seconds while it runs, and a spec may hold a dataset.
    op.create_table(
        "job_specs",
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("spec_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_job_specs"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_specs_job_id_jobs", ondelete="CASCADE"),
    )
    op.add_column("runs", sa.Column("job_id", sa.String(64)))
    op.create_index("ix_runs_job_id", "runs", ["job_id"])


def downgrade() -> None:
    op.drop_index("ix_runs_job_id", "runs")
    op.drop_column("runs", "job_id")
    op.drop_table("job_specs")
    op.drop_table("jobs")
