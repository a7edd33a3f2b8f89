-- Durable jobs: what is asked for, who works on it, how far it is. Runs say which job they were made for.
-- A spec is apart: it may hold a dataset, and a job's row is written every few seconds while it runs.

CREATE TABLE jobs (
  id VARCHAR(64) NOT NULL,
  project_id VARCHAR(64) NOT NULL,
  kind VARCHAR(64) NOT NULL,
  state VARCHAR(32) NOT NULL,
  step INTEGER NOT NULL,
  progress_json TEXT,
  result_json TEXT,
  error_json TEXT,
  attempts INTEGER NOT NULL,
  created_by VARCHAR(200),
  created_at VARCHAR(27) NOT NULL,
  due_at VARCHAR(27) NOT NULL,
  started_at VARCHAR(27),
  claimed_at VARCHAR(27),
  finished_at VARCHAR(27),
  cancel_asked_at VARCHAR(27),
  worker VARCHAR(200),
  turn INTEGER NOT NULL,
  beat INTEGER NOT NULL,
  CONSTRAINT pk_jobs PRIMARY KEY (id),
  CONSTRAINT fk_jobs_project_id_projects
    FOREIGN KEY (project_id) REFERENCES projects (id)
);
CREATE INDEX ix_jobs_project_id_created_at ON jobs (project_id, created_at);
CREATE INDEX ix_jobs_state_created_at ON jobs (state, created_at);

CREATE TABLE job_specs (
  job_id VARCHAR(64) NOT NULL,
  spec_json TEXT NOT NULL,
  CONSTRAINT pk_job_specs PRIMARY KEY (job_id),
  CONSTRAINT fk_job_specs_job_id_jobs
    FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
ALTER TABLE runs ADD COLUMN job_id VARCHAR(64);
CREATE INDEX ix_runs_job_id ON runs (job_id);
