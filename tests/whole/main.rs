//! Tests of the whole program: the started binary, real clients, real databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod absence;
mod access;
mod access_walk;
mod administration;
mod analysts;
mod answer_cache;
mod answer_size;
mod audiences;
mod backup;
mod bad_input;
mod bad_mappings;
mod broken_off;
mod category_levels;
mod classification;
mod clients;
mod conditions;
mod corrected_flags;
mod corrections;
mod cpdp;
mod demo;
mod denial_of_service;
mod digest;
mod disclosure_aggregates;
mod disclosure_over_time;
mod disclosure_suppression;
mod documents;
mod duplicates;
mod ended_early;
mod explorer;
mod failover;
mod first_routing;
mod flag_lists;
mod flags;
mod foreign_files;
mod foreign_rows;
mod foreign_tokens;
mod fuzz;
mod generate;
mod graphql;
mod handling;
mod history;
mod history_of_reference;
mod hostile_connections;
mod import;
mod inspect;
mod intake;
mod killed;
mod ledger;
mod looks;
mod mapping_help;
mod measures;
mod members;
mod migrations;
mod mistakes;
mod newer;
mod object_cache;
mod outcomes;
mod outputs;
mod own_numbers;
mod past_days;
mod priorities;
mod private_files;
mod recounted;
mod recurrence;
mod registers;
mod relations;
mod reorganisation;
mod responses;
mod responsible;
mod retention;
mod revoked;
mod same_operators;
mod scorecard;
mod sealing;
mod search;
mod server;
mod service;
mod silent_database;
mod slow_clients;
mod snapshot_file;
mod snapshot_pages;
mod sockets;
mod source_layout;
mod statistician;
mod statistics;
mod storage;
mod subscriptions;
mod suspensions;
mod tampering;
mod texts;
mod threads;
mod transport;
mod waiting;
mod watched;
mod work;
mod writes;
mod wrong_arguments;

use tests::Program;

/// The binary under test.
pub fn program() -> Program {
    Program(env!("CARGO_BIN_EXE_phananh").into())
}
