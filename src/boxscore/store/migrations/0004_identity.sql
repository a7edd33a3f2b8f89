-- People, what they may, their logins and one-time links, the keys of programs, and the record of every write.

ALTER TABLE projects ADD COLUMN created_at VARCHAR(27);
ALTER TABLE projects ADD COLUMN archived_at VARCHAR(27);

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
