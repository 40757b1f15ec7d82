-- A voided token stays where it is and may not be used: since when, who said so, and why, if that was said.
ALTER TABLE tokens ADD COLUMN voided_at BIGINT;
ALTER TABLE tokens ADD COLUMN voided_by TEXT COLLATE "C";
ALTER TABLE tokens ADD COLUMN void_reason TEXT;
-- Few are voided: they are found without reading the others.
CREATE INDEX tokens_voided ON tokens (created, id) WHERE voided_at IS NOT NULL AND deleted_at IS NULL;

-- As it was before an action.
ALTER TABLE action_tokens ADD COLUMN voided_at BIGINT;
ALTER TABLE action_tokens ADD COLUMN voided_by TEXT COLLATE "C";
ALTER TABLE action_tokens ADD COLUMN void_reason TEXT;
