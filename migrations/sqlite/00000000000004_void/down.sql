ALTER TABLE action_tokens DROP COLUMN void_reason;
ALTER TABLE action_tokens DROP COLUMN voided_by;
ALTER TABLE action_tokens DROP COLUMN voided_at;
DROP INDEX tokens_voided;
ALTER TABLE tokens DROP COLUMN void_reason;
ALTER TABLE tokens DROP COLUMN voided_by;
ALTER TABLE tokens DROP COLUMN voided_at;
