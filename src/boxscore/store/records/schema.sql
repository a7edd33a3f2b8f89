-- The newest schema of the records store, for a new file. Migrations bring older files to the same; a test holds both to it.
-- Times are ISO 8601 in UTC with microseconds, money is exact decimal text: both as written by rows.py.

CREATE TABLE projects (
  id VARCHAR(64) NOT NULL,
  name VARCHAR(200) NOT NULL,
  created_at VARCHAR(27),
  archived_at VARCHAR(27),
  CONSTRAINT pk_projects PRIMARY KEY (id),
  CONSTRAINT uq_projects_name UNIQUE (name)
);

CREATE TABLE variants (
  project_id VARCHAR(64) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  kind VARCHAR(32) NOT NULL,
  model TEXT,
  description_json TEXT NOT NULL,
  CONSTRAINT pk_variants PRIMARY KEY (project_id, hash),
  CONSTRAINT fk_variants_project_id_projects FOREIGN KEY (project_id) REFERENCES projects (id)
);

CREATE TABLE examples (
  project_id VARCHAR(64) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  content_json TEXT NOT NULL,
  CONSTRAINT pk_examples PRIMARY KEY (project_id, hash),
  CONSTRAINT fk_examples_project_id_projects FOREIGN KEY (project_id) REFERENCES projects (id)
);

CREATE TABLE runs (
  id VARCHAR(64) NOT NULL,
  project_id VARCHAR(64) NOT NULL,
  plan_hash VARCHAR(64) NOT NULL,
  variant_hash VARCHAR(64) NOT NULL,
  variant_name TEXT NOT NULL,
  model TEXT,
  dataset_name TEXT NOT NULL,
  dataset_version VARCHAR(80) NOT NULL,
  repeats INTEGER NOT NULL,
  metrics_json TEXT NOT NULL,
  scorer_specs_json TEXT NOT NULL,
  fresh BOOLEAN NOT NULL,
  started_at VARCHAR(27) NOT NULL,
  finished_at VARCHAR(27),
  job_id VARCHAR(64),
  CONSTRAINT pk_runs PRIMARY KEY (id),
  CONSTRAINT fk_runs_project_id_projects FOREIGN KEY (project_id) REFERENCES projects (id),
  CONSTRAINT fk_runs_project_id_variant_hash_variants
    FOREIGN KEY (project_id, variant_hash) REFERENCES variants (project_id, hash)
);
CREATE INDEX ix_runs_project_id_started_at ON runs (project_id, started_at);
CREATE INDEX ix_runs_project_id_plan_hash ON runs (project_id, plan_hash);
CREATE INDEX ix_runs_job_id ON runs (job_id);

CREATE TABLE run_examples (
  run_id VARCHAR(64) NOT NULL,
  position INTEGER NOT NULL,
  project_id VARCHAR(64) NOT NULL,
  example_id TEXT NOT NULL,
  example_hash VARCHAR(64) NOT NULL,
  question_hash VARCHAR(64) NOT NULL,
  CONSTRAINT pk_run_examples PRIMARY KEY (run_id, position),
  CONSTRAINT fk_run_examples_run_id_runs FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE,
  CONSTRAINT fk_run_examples_project_id_example_hash_examples
    FOREIGN KEY (project_id, example_hash) REFERENCES examples (project_id, hash),
  CONSTRAINT uq_run_examples_run_id_example_id UNIQUE (run_id, example_id)
);

CREATE TABLE responses (
  id VARCHAR(64) NOT NULL,
  project_id VARCHAR(64) NOT NULL,
  run_id VARCHAR(64) NOT NULL,
  variant_hash VARCHAR(64) NOT NULL,
  question_hash VARCHAR(64) NOT NULL,
  draw INTEGER NOT NULL,
  recorded_at VARCHAR(27) NOT NULL,
  output TEXT NOT NULL,
  tool_calls_json TEXT,
  finish_reason TEXT,
  model TEXT,
  provider TEXT,
  fingerprint TEXT,
  usage_json TEXT,
  usage_raw_json TEXT,
  cost_usd VARCHAR(64),
  price TEXT,
  latency_s FLOAT,
  first_token_s FLOAT,
  error_kind VARCHAR(32),
  error_message TEXT,
  error_status INTEGER,
  reasoning TEXT,
  extra_json TEXT,
  CONSTRAINT pk_responses PRIMARY KEY (id),
  CONSTRAINT fk_responses_project_id_projects FOREIGN KEY (project_id) REFERENCES projects (id),
  CONSTRAINT fk_responses_run_id_runs FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE,
  CONSTRAINT ck_responses_draw_not_negative CHECK (draw >= 0)
);
CREATE INDEX ix_responses_identity ON responses (project_id, variant_hash, question_hash, draw, recorded_at);
CREATE INDEX ix_responses_run_id ON responses (run_id);

CREATE TABLE trials (
  run_id VARCHAR(64) NOT NULL,
  example_id TEXT NOT NULL,
  repeat INTEGER NOT NULL,
  response_id VARCHAR(64) NOT NULL,
  CONSTRAINT pk_trials PRIMARY KEY (run_id, example_id, repeat),
  CONSTRAINT fk_trials_run_id_runs FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE,
  CONSTRAINT fk_trials_run_id_example_id_run_examples
    FOREIGN KEY (run_id, example_id) REFERENCES run_examples (run_id, example_id),
  CONSTRAINT fk_trials_response_id_responses FOREIGN KEY (response_id) REFERENCES responses (id),
  CONSTRAINT ck_trials_repeat_not_negative CHECK (repeat >= 0)
);
CREATE INDEX ix_trials_response_id ON trials (response_id);

CREATE TABLE scores (
  run_id VARCHAR(64) NOT NULL,
  example_id TEXT NOT NULL,
  repeat INTEGER NOT NULL,
  metric VARCHAR(200) NOT NULL,
  value FLOAT,
  label TEXT,
  note TEXT,
  CONSTRAINT pk_scores PRIMARY KEY (run_id, example_id, repeat, metric),
  CONSTRAINT fk_scores_run_id_example_id_repeat_trials
    FOREIGN KEY (run_id, example_id, repeat) REFERENCES trials (run_id, example_id, repeat) ON DELETE CASCADE
);

CREATE TABLE verdicts (
  id VARCHAR(64) NOT NULL,
  project_id VARCHAR(64) NOT NULL,
  created_at VARCHAR(27) NOT NULL,
  verdict VARCHAR(32) NOT NULL,
  baseline_run VARCHAR(64),
  candidate_run VARCHAR(64),
  content_json TEXT NOT NULL,
  CONSTRAINT pk_verdicts PRIMARY KEY (id),
  CONSTRAINT fk_verdicts_project_id_projects FOREIGN KEY (project_id) REFERENCES projects (id),
  CONSTRAINT fk_verdicts_baseline_run_runs FOREIGN KEY (baseline_run) REFERENCES runs (id),
  CONSTRAINT fk_verdicts_candidate_run_runs FOREIGN KEY (candidate_run) REFERENCES runs (id)
);
CREATE INDEX ix_verdicts_project_id_created_at ON verdicts (project_id, created_at);

CREATE TABLE users (
  id VARCHAR(64) NOT NULL,
  name VARCHAR(200) NOT NULL,
  password_hash TEXT,
  role VARCHAR(32),
  created_at VARCHAR(27) NOT NULL,
  disabled_at VARCHAR(27),
  CONSTRAINT pk_users PRIMARY KEY (id),
  CONSTRAINT uq_users_name UNIQUE (name)
);

CREATE TABLE members (
  project_id VARCHAR(64) NOT NULL,
  user_id VARCHAR(64) NOT NULL,
  role VARCHAR(32) NOT NULL,
  since VARCHAR(27) NOT NULL,
  CONSTRAINT pk_members PRIMARY KEY (project_id, user_id),
  CONSTRAINT fk_members_project_id_projects
    FOREIGN KEY (project_id) REFERENCES projects (id),
  CONSTRAINT fk_members_user_id_users
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_members_user_id ON members (user_id);

CREATE TABLE logins (
  token_hash VARCHAR(64) NOT NULL,
  user_id VARCHAR(64) NOT NULL,
  created_at VARCHAR(27) NOT NULL,
  expires_at VARCHAR(27) NOT NULL,
  seen_at VARCHAR(27) NOT NULL,
  CONSTRAINT pk_logins PRIMARY KEY (token_hash),
  CONSTRAINT fk_logins_user_id_users
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_logins_user_id ON logins (user_id);

CREATE TABLE links (
  token_hash VARCHAR(64) NOT NULL,
  user_id VARCHAR(64),
  created_at VARCHAR(27) NOT NULL,
  expires_at VARCHAR(27) NOT NULL,
  CONSTRAINT pk_links PRIMARY KEY (token_hash),
  CONSTRAINT fk_links_user_id_users
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_links_user_id ON links (user_id);

CREATE TABLE keys (
  id VARCHAR(64) NOT NULL,
  project_id VARCHAR(64) NOT NULL,
  name VARCHAR(200) NOT NULL,
  secret_hash VARCHAR(64) NOT NULL,
  last_four VARCHAR(4) NOT NULL,
  rights_json TEXT NOT NULL,
  created_by VARCHAR(200),
  created_at VARCHAR(27) NOT NULL,
  expires_at VARCHAR(27),
  revoked_at VARCHAR(27),
  CONSTRAINT pk_keys PRIMARY KEY (id),
  CONSTRAINT fk_keys_project_id_projects
    FOREIGN KEY (project_id) REFERENCES projects (id),
  CONSTRAINT uq_keys_secret_hash UNIQUE (secret_hash)
);
CREATE INDEX ix_keys_project_id_created_at ON keys (project_id, created_at);

CREATE TABLE audit (
  id VARCHAR(64) NOT NULL,
  at VARCHAR(27) NOT NULL,
  project_id VARCHAR(64),
  actor VARCHAR(200) NOT NULL,
  action VARCHAR(64) NOT NULL,
  object TEXT NOT NULL,
  outcome INTEGER NOT NULL,
  detail_json TEXT,
  CONSTRAINT pk_audit PRIMARY KEY (id)
);
CREATE INDEX ix_audit_project_id_at ON audit (project_id, at);
CREATE INDEX ix_audit_at ON audit (at);

CREATE TABLE datasets (
  project_id VARCHAR(64) NOT NULL,
  name VARCHAR(100) NOT NULL,
  created_at VARCHAR(27) NOT NULL,
  created_by VARCHAR(200),
  archived_at VARCHAR(27),
  description TEXT,
  CONSTRAINT pk_datasets PRIMARY KEY (project_id, name),
  CONSTRAINT fk_datasets_project_id_projects
    FOREIGN KEY (project_id) REFERENCES projects (id)
);

CREATE TABLE dataset_versions (
  project_id VARCHAR(64) NOT NULL,
  dataset_name VARCHAR(100) NOT NULL,
  number INTEGER NOT NULL,
  version VARCHAR(80) NOT NULL,
  examples INTEGER NOT NULL,
  added INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  erased INTEGER NOT NULL,
  summary_json TEXT NOT NULL,
  created_at VARCHAR(27) NOT NULL,
  created_by VARCHAR(200),
  note TEXT,
  CONSTRAINT pk_dataset_versions PRIMARY KEY (project_id, dataset_name, number),
  CONSTRAINT fk_dataset_versions_project_id_dataset_name_datasets
    FOREIGN KEY (project_id, dataset_name) REFERENCES datasets (project_id, name) ON DELETE CASCADE
);

CREATE TABLE dataset_examples (
  project_id VARCHAR(64) NOT NULL,
  dataset_name VARCHAR(100) NOT NULL,
  position INTEGER NOT NULL,
  since_number INTEGER NOT NULL,
  until_number INTEGER,
  example_id TEXT NOT NULL,
  example_hash VARCHAR(64) NOT NULL,
  inputs_hash VARCHAR(64) NOT NULL,
  trace_id VARCHAR(32),
  CONSTRAINT pk_dataset_examples PRIMARY KEY (project_id, dataset_name, position, since_number),
  CONSTRAINT fk_dataset_examples_project_id_dataset_name_datasets
    FOREIGN KEY (project_id, dataset_name) REFERENCES datasets (project_id, name) ON DELETE CASCADE,
  CONSTRAINT fk_dataset_examples_project_id_example_hash_examples
    FOREIGN KEY (project_id, example_hash) REFERENCES examples (project_id, hash)
);
CREATE UNIQUE INDEX uq_dataset_examples_head ON dataset_examples (project_id, dataset_name, example_id) WHERE until_number IS NULL;
CREATE INDEX ix_dataset_examples_project_id_example_hash ON dataset_examples (project_id, example_hash);
CREATE INDEX ix_dataset_examples_project_id_trace_id ON dataset_examples (project_id, trace_id);
CREATE INDEX ix_run_examples_project_id_example_hash ON run_examples (project_id, example_hash);

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

-- Called so since Alembic kept it: a program of that time, too, sees here that it is the older one.
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
