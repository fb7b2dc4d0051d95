//! Leases of pushes.

use actions::change::Update;
use actions::pushed::{Expected, command, expected};
use policy::Policy;

#[test]
fn leases_are_read_from_the_nearest_push() {
    let policy = Policy::open(gate::BUILT_IN).expect("the built-in policy");
    let read = |lines: &[&str], target: &str| {
        let commands: Vec<Vec<String>> = lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect();
        let update = Update { target: target.to_owned(), old: None, new: None };
        match command(&commands, &policy.programs).map(|command| expected(&command.leases, &update).cloned()) {
            None => "unseen".to_owned(),
            Some(None) => "no".to_owned(),
            Some(Some(Expected::Tracked)) => "tracked".to_owned(),
            Some(Some(Expected::Given(text))) => text,
        }
    };
    for (lines, target, wanted) in [
        (&[][..], "refs/heads/topic", "unseen"),
        (&["git hook run pre-push"], "refs/heads/topic", "unseen"),
        (&["git push"], "refs/heads/topic", "no"),
        (&["git push --force-with-lease"], "refs/heads/topic", "tracked"),
        (&["/usr/bin/git -C sub push --force-with origin topic"], "refs/heads/topic", "tracked"),
        (&["/usr/lib/git-core/git-push --force-with-lease"], "refs/heads/topic", "tracked"),
        (&["git push --force-with-lease --no-force-with-lease"], "refs/heads/topic", "no"),
        (&["git push --force-with-lease=topic"], "refs/heads/topic", "tracked"),
        (&["git push --force-with-lease=topic"], "refs/heads/other", "no"),
        (&["git push --force-with-lease=topic:HEAD~1 --force-with-lease"], "refs/heads/topic", "HEAD~1"),
        (&["git push --force-with-lease=topic:HEAD~1 --force-with-lease"], "refs/heads/other", "tracked"),
        (&["git push --force-with-lease=v1:abc"], "refs/tags/v1", "abc"),
        (&["git push --force-with-lease -f"], "refs/heads/topic", "no"),
        (&["git push --force-with-lease -f --no-force"], "refs/heads/topic", "tracked"),
        (&["git push --force-with-lease --mirror"], "refs/heads/topic", "no"),
        (&["git push --force-with-lease origin +topic"], "refs/heads/topic", "no"),
        (&["git push -o --force-with-lease origin topic"], "refs/heads/topic", "no"),
        (&["git hook run pre-push", "git push -f", "git push --force-with-lease"], "refs/heads/topic", "no"),
    ] {
        assert_eq!(read(lines, target), wanted, "{lines:?} {target}");
    }
}
