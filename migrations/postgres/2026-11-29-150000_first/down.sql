DROP TABLE tokens, batches, actions, action_tokens, usage, replies, users, sessions, gates, keys, settings, audit, attempts,
    advisory_locks, print_jobs, print_runs, print_run_tokens, print_run_parts, sheets, printers, next_labels;
