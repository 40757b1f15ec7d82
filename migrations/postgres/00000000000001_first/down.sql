DROP TABLE tokens, usage, replies, sessions, users, keys, settings, audit, attempts, turns;
