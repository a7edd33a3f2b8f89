-- Datasets as named lines of immutable versions. A row is in the versions from since_number to before until_number.

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
