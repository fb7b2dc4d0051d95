//! What people and CI call, what git's hooks call, and what only the cold binary can find out.

pub mod approval;
pub mod cli;
pub mod deep;
pub mod documents;
pub mod git;
pub mod overview;
pub mod pipeline;
pub mod record;
pub mod replay;
pub mod report;
