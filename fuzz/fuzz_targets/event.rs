//! What a client sends, through the whole pipeline of the hook.
#![no_main]

use libfuzzer_sys::fuzz_target;
use clients::Invocation;
use gate::call;
use gate::deep::HandsOver;
use gate::world::World;

fuzz_target!(|input: &[u8]| {
    // A world without folders: nothing is written, and no policy file is found.
    let world = World { attended: true, ..World::default() };
    for argument in [None, Some("PreToolUse"), Some("PermissionRequest"), Some("PostToolUse")] {
        let said = call::answer(&Invocation::new(argument, None), input, &world, &HandsOver);
        let again = call::answer(&Invocation::new(argument, None), input, &world, &HandsOver);
        let (Ok(said), Ok(again)) = (said, again) else { continue };
        assert_eq!(said, again);
        match said.code {
            0 => assert!(said.stderr.is_empty() && !said.stdout.contains("\"allow\"")),
            2 => assert!(said.stdout.is_empty() && !said.stderr.is_empty()),
            code => panic!("no client understands exit {code}"),
        }
    }
});
