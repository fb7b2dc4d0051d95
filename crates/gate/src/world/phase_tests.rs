//! The state of the phases under many processes, cut files, and kills.

use super::*;
use crate::world::Surroundings;
use policy::facts::Places;

fn around(folder: &Path) -> Surroundings {
    Surroundings {
        places: Places::default(),
        layers: Vec::new(),
        repository: None,
        root: PathBuf::from("/r"),
        why: "",
        memory: vec![folder.to_path_buf()],
        session: "s".to_owned(),
        agent: String::new(),
    }
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn to(number: u64, to: &str, starts: bool) -> PhaseMove {
    PhaseMove {
        number,
        to: to.to_owned(),
        first: to == "one",
        person: false,
        starts,
        head: "abc".to_owned(),
        by: "a \"test\"".to_owned(),
        evidence: "none".to_owned(),
    }
}

#[test]
fn of_many_that_move_at_once_one_does_and_each_start_counts() {
    let folder = scratch("phase-many");
    let here = around(&folder);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| go(&to(0, "one", true), &here).expect("moved"));
        }
    });
    let state = read(&here).expect("whole");
    assert_eq!((state.phase.as_str(), state.number, state.tries, state.passed), ("one", 1, 1, 1));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..10).for_each(|_| go(&to(1, "one", true), &here).expect("counted")));
        }
    });
    assert_eq!(read(&here).expect("whole").tries, 81);
    // A move that was decided on before another one was made.
    go(&to(0, "two", false), &here).expect("nothing is done");
    assert_eq!(read(&here).expect("whole").phase, "one");
    go(&to(1, "two", false), &here).expect("moved");
    let state = read(&here).expect("whole");
    assert_eq!((state.phase.as_str(), state.number, state.steps, state.tries, state.by.as_str()), ("two", 2, 2, 0, "a \"test\""));
    fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn a_file_that_is_not_whole_is_damaged_and_a_person_begins_anew() {
    let folder = scratch("phase-damaged");
    let here = around(&folder);
    assert_eq!(read(&here), Ok(PhaseState::default()));
    go(&to(0, "one", false), &here).expect("moved");
    let path = folder.join(name(here.tree()));
    let whole = fs::read(&path).expect("there");
    for cut in 0..whole.len() {
        fs::write(&path, whole.get(..cut).expect("shorter")).expect("written");
        assert_eq!(read(&here), Err(DamagedPhase(path.clone())), "{cut} bytes");
        assert!(go(&to(1, "two", false), &here).is_err(), "an agent does not set it anew");
    }
    go(&PhaseMove { person: true, ..to(0, "two", false) }, &here).expect("a person does");
    assert_eq!(read(&here).expect("whole").phase, "two");
    assert!(fs::read_dir(&folder).expect("there").flatten().any(|entry| entry.file_name().to_string_lossy().contains(".damaged.")), "the bytes are kept");
    // A process that was killed between its writes leaves a file beside it.
    fs::write(folder.join(format!(".{}.1", name(here.tree()))), "half").expect("written");
    assert_eq!(read(&here).expect("whole").phase, "two");
    fs::remove_dir_all(folder).expect("removed");
}
