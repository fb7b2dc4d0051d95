//! What happened in a repository, as one page for people: figures from the record, and the page as HTML and as Markdown.
//! Judges nothing.

pub mod figures;
pub mod html;
pub mod markdown;
