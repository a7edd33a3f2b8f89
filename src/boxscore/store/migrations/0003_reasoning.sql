-- What a provider shows of a model's reasoning, and the fields of its body that nothing else carries.

ALTER TABLE responses ADD COLUMN reasoning TEXT;
ALTER TABLE responses ADD COLUMN extra_json TEXT;
