-- An attempt at a token that is there stands in the index under the token's number, which is a fifth of its uid's size
-- and next to the numbers of the tokens made with it: the index is a third of what a consume writes. An attempt at a uid
-- that no token had then, or that was deleted, has no number, and is found under the uid.

ALTER TABLE usage ADD COLUMN token INTEGER;
UPDATE usage SET token = (SELECT id FROM tokens WHERE tokens.uid = usage.token_uid)
    WHERE error_code IS NULL OR error_code <> 1;

DROP INDEX usage_token;
CREATE INDEX usage_token ON usage (token, id) WHERE token IS NOT NULL;
CREATE INDEX usage_unknown ON usage (token_uid, id) WHERE token IS NULL;
