DROP TABLE tokens, batches, actions, action_tokens, usage, replies, users, sessions, gates, keys, settings, audit, attempts,
    advisory_locks, print_jobs, print_runs, print_run_tokens, print_run_parts, sheets, printers, next_labels,
    index_queue, index_progress, token_zones, token_grams, imports, import_parts;
DROP FUNCTION queue_tokens_added, queue_tokens_removed, queue_token_changed;
