//! The program that the client starts: it reads one event from standard input and writes one answer. The library decides.

use clients::Invocation;
use gate::{hook, world::system::Bump};

/// A process that lives for one call frees nothing.
#[global_allocator]
static ALLOCATOR: Bump = Bump;

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let (event, client, seconds) = (arguments.next(), arguments.next(), arguments.next());
    if event.as_deref().is_none_or(|event| event.as_encoded_bytes().starts_with(b"-")) {
        hook::explained(event.as_deref());
    }
    // A name that is no text is no client's.
    let client = client.as_deref().map(|client| client.to_str().unwrap_or_default());
    let seconds = seconds.as_deref().and_then(|seconds| seconds.to_str()?.parse().ok());
    hook::hot(&Invocation { seconds, ..Invocation::new(event.as_deref().and_then(|event| event.to_str()), client) });
}
