//! What a record proves and where it goes: checking its chain, checkpoints of it, and its lines in forms that others read.
//! Lines are written by `gate::world::record`.

pub mod checkpoint;
pub mod export;
pub mod feed;
pub mod http;
pub mod otlp;
pub mod verify;
