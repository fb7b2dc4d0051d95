//! The program that the client starts: it reads one event from standard input and writes one answer. The library decides.
#![no_main]

use clients::Invocation;
use gate::hook;
use gate::world::system::{Bump, Started};

/// A process that lives for one call frees nothing.
#[global_allocator]
static ALLOCATOR: Bump = Bump;

gate::begins_with!(begin);

fn begin(started: Started) -> ! {
    let mut arguments = started.arguments();
    let (event, client, seconds) = (arguments.next(), arguments.next(), arguments.next());
    if event.is_none_or(|event| event.as_encoded_bytes().starts_with(b"-")) {
        hook::explained(event);
    }
    // A name that is no text is no client's.
    let client = client.map(|client| client.to_str().unwrap_or_default());
    let seconds = seconds.and_then(|seconds| seconds.to_str()?.parse().ok());
    hook::hot(&Invocation { seconds, ..Invocation::new(event.and_then(|event| event.to_str()), client) }, started)
}
