//! Programs that are started in turn and compared within each round, so that a busy machine slows all of them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::calls::MeasuredCall;
use crate::step::{command, pass};

/// Rounds that are not counted: the first call of a repository compiles its policy.
const WARM: usize = 3;

/// What is started.
pub(crate) struct StartedProgram<'c> {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) home: PathBuf,
    pub(crate) root: PathBuf,
    pub(crate) call: &'c MeasuredCall,
}

/// What was measured of a candidate.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PairFigures {
    /// The median, in microseconds.
    pub(crate) time: f64,
    /// The median of the ratios to the first candidate of the same round.
    pub(crate) ratio: f64,
    /// Page faults of one start.
    pub(crate) faults: f64,
}

impl StartedProgram<'_> {
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.root).env_clear();
        command.envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("SHELL", "/bin/bash"), ("LANG", "C.UTF-8")]);
        command.env("HOME", &self.home).env("CLAUDE_PROJECT_DIR", &self.root);
        command
    }

    /// What it answers.
    /// Error: it cannot be started.
    pub(crate) fn answer(&self, id: u64) -> Result<std::process::Output> {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| self.program.display().to_string())?;
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(&self.call.payload(&self.root, id)));
        Ok(child.wait_with_output()?)
    }

    /// One start, in microseconds.
    /// Error: it cannot be started.
    pub(crate) fn run(&self, id: u64) -> Result<f64> {
        let input = self.call.payload(&self.root, id);
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let begun = Instant::now();
        let mut child = command.spawn().with_context(|| self.program.display().to_string())?;
        // One that reads nothing closes the pipe.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(&input));
        let mut said = Vec::new();
        child.stdout.take().map(|mut stdout| stdout.read_to_end(&mut said)).transpose()?;
        child.wait()?;
        Ok(begun.elapsed().as_secs_f64() * 1e6)
    }
}

/// Starts each candidate once a round, in an order that changes, and compares it with the first.
/// Error: one cannot be started.
pub(crate) fn compare(rounds: usize, candidates: &[StartedProgram]) -> Result<Vec<PairFigures>> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); candidates.len()];
    let mut faults = vec![0; candidates.len()];
    let mut random = 1_u64;
    for round in 0..rounds + WARM {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        for at in (1..order.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            order.swap(at, usize::try_from(random >> 33).unwrap_or(0) % (at + 1));
        }
        for at in order {
            let (Some(candidate), Some(times), Some(faults)) = (candidates.get(at), times.get_mut(at), faults.get_mut(at)) else { continue };
            let before = children_faults();
            let time = candidate.run(u64::try_from(round * candidates.len() + at).unwrap_or(0) + unique())?;
            if round >= WARM {
                times.push(time);
                *faults += children_faults() - before;
            }
        }
    }
    let base = times.first().cloned().unwrap_or_default();
    let figures = times.iter().zip(faults).map(|(times, faults)| PairFigures {
        time: median(times.clone()),
        ratio: median(times.iter().zip(&base).map(|(time, base)| time / base).collect()),
        faults: as_float(faults) / as_float(u64::try_from(rounds).unwrap_or(1)),
    });
    Ok(figures.collect())
}

/// Calls a second with so many hooks at once.
/// Error: one cannot be started.
pub(crate) fn at_once(rounds: usize, many: usize, candidate: &StartedProgram) -> Result<f64> {
    let begun = Instant::now();
    thread::scope(|scope| {
        let started: Vec<_> = (0..many)
            .map(|thread| {
                scope.spawn(move || (0..rounds).try_for_each(|round| candidate.run(u64::try_from(thread * rounds + round).unwrap_or(0) + unique()).map(drop)))
            })
            .collect();
        started.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    })?;
    Ok(as_float(u64::try_from(rounds * many).unwrap_or(0)) / begun.elapsed().as_secs_f64())
}

/// Puts a program out of the page cache, as after a reboot: it comes back by page faults.
/// Error: `dd` cannot be run.
pub(crate) fn evict(program: &Path) -> Result<()> {
    let mut dd = command("dd");
    dd.arg(format!("if={}", program.display())).args(["iflag=nocache", "count=0", "status=none"]);
    pass(command("sync").arg(program))?;
    pass(&mut dd)
}

/// A program as it is right after it was installed.
/// Error: it cannot be copied.
pub(crate) fn renew(program: &Path) -> Result<()> {
    let new = program.with_extension("new");
    fs::copy(program, &new)?;
    fs::rename(&new, program)?;
    Ok(())
}

/// Page faults of all children that were waited for (proc(5), `cminflt`).
fn children_faults() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(8)?.parse().ok()).unwrap_or(0)
}

/// A number that no earlier call had.
pub(crate) fn unique() -> u64 {
    u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos() % 1_000_000_000_000_000).unwrap_or(0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "these are counts of faults and calls")]
fn as_float(number: u64) -> f64 {
    number as f64
}
