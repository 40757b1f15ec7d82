DROP INDEX usage_token;
DROP INDEX usage_unknown;
ALTER TABLE usage DROP COLUMN token;
CREATE INDEX usage_token ON usage (token_uid, id);
