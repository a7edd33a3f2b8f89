-- Runs, what they asked, what came back, and how it scored.

CREATE TABLE projects (
  id VARCHAR(64) NOT NULL,
  name VARCHAR(200) NOT NULL,
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
  CONSTRAINT pk_runs PRIMARY KEY (id),
  CONSTRAINT fk_runs_project_id_projects FOREIGN KEY (project_id) REFERENCES projects (id),
  CONSTRAINT fk_runs_project_id_variant_hash_variants
    FOREIGN KEY (project_id, variant_hash) REFERENCES variants (project_id, hash)
);
CREATE INDEX ix_runs_project_id_started_at ON runs (project_id, started_at);
CREATE INDEX ix_runs_project_id_plan_hash ON runs (project_id, plan_hash);

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

CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO alembic_version (version_num) VALUES ('0001');
INSERT INTO projects (id, name) VALUES ('default', 'default');
