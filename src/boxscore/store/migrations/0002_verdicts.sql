-- Verdicts, and the runs that they were made from.

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
