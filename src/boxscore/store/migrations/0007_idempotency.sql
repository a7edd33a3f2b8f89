-- Answers to requests that carry an idempotency key, for those who ask again.

CREATE TABLE idempotency (
  project_id VARCHAR(64) NOT NULL,
  key VARCHAR(200) NOT NULL,
  request_hash VARCHAR(64) NOT NULL,
  status INTEGER,
  answer TEXT,
  created_at VARCHAR(27) NOT NULL,
  CONSTRAINT pk_idempotency PRIMARY KEY (project_id, key),
  CONSTRAINT fk_idempotency_project_id_projects
    FOREIGN KEY (project_id) REFERENCES projects (id)
);
CREATE INDEX ix_idempotency_created_at ON idempotency (created_at);
