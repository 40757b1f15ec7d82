//! Processes, databases and machines: what is promised when they are many, fail, or come late.

mod checkpoint;
mod cli;
mod copy;
mod crash;
mod crash_with_keys;
mod durability;
mod in_use;
mod instances;
mod kept_plans;
mod load;
mod locked_rows;
mod lookups;
mod no_database;
mod outage;
mod promise;
mod proxies;
mod schema;
mod serve;
mod variables;
mod writer;
