DROP INDEX usage_timestamp;
DROP TABLE action_tokens;
DROP TABLE actions;
DROP INDEX tokens_batch;
ALTER TABLE tokens DROP COLUMN used;
ALTER TABLE tokens DROP COLUMN batch;
DROP TABLE batches;
DELETE FROM turns WHERE name IN ('settings', 'retention');
