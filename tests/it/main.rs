//! The one test binary: processes, payloads, cases, and the shape of the source itself.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod architecture;
mod arguments;
mod built_in;
mod cases;
mod check;
mod clients_known;
mod cli_doctor;
mod cli_explain;
mod cli_init;
mod docs;
mod faults;
mod flywheel;
mod flywheel_commits;
mod flywheel_git;
mod flywheel_peers;
mod flywheel_places;
mod git_hooks;
mod leases;
mod house_programs;
mod names;
mod one_judgement;
mod outputs;
mod payloads;
mod push;
mod readme;
mod record;
mod registry;
mod repository;
mod startup;
mod spans;
mod taken_by_git;
mod tests_first;
mod support;
mod words;
mod work;
