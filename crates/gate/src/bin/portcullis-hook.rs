//! The program that the client starts: it reads one event from standard input and writes one answer. The library decides.

use gate::{hook, world::system::Bump};

/// A process that lives for one call frees nothing.
#[global_allocator]
static ALLOCATOR: Bump = Bump;

fn main() {
    let argument = std::env::args_os().nth(1);
    hook::hot(argument.as_deref().and_then(|argument| argument.to_str()));
}
