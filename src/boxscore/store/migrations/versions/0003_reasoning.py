"""What a provider shows of a model's reasoning, and the fields of its body that nothing else carries."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("responses", sa.Column("reasoning", sa.Text()))
    op.add_column("responses", sa.Column("extra_json", sa.Text()))


def downgrade() -> None:
    op.drop_column("responses", "extra_json")
    op.drop_column("responses", "reasoning")
