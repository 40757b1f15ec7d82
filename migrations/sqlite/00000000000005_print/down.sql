DROP TABLE next_labels;
DROP TABLE printers;
DROP TABLE sheets;
DROP TABLE print_run_parts;
DROP TABLE print_run_tokens;
DROP TABLE print_runs;
DROP TABLE print_jobs;
