//! What only the cold binary can find out: it compiles policies, reads git objects, source code and settings.

pub mod approval;
pub mod changes;
pub mod checkouts;
pub mod commits;
pub mod committed;
pub mod compiling;
mod edited;
mod fleet;
pub mod flywheel;
pub mod own_files;
pub mod pusher;
mod spend;
pub mod tests_first;
mod wired_files;
pub mod work;

use std::path::Path;

use ::tests_first::{Ended, SeenRun};
use actions::{Action, Deed, ToolCall};
use clients::{Event, Moment};
use gate::approval::{ApprovalAnswer, ApprovalCase};
use gate::deep::{Deep, Stop};
use gate::failure::Failure;
use gate::judge::{Gated, Here, answered, facts_of, read};
use gate::world::layers::FoundLayer;
use gate::world::meters::FleetStore;
use gate::world::{Surroundings, World, system};
use policy::decide::Metered;
use policy::facts::{Facts, Known, Need};
use policy::verdict::Finding;
use policy::{FleetSection, Flywheel, Policy, TestsFirst, Tiers};

use crate::{documents, pipeline};

/// The cold binary's answers.
#[derive(Clone, Copy, Debug)]
pub struct Cold;

impl Deep for Cold {
    fn is_cold(&self) -> bool {
        true
    }

    fn yaml_as_json(&self, text: &str) -> Result<Option<String>, Stop> {
        Ok(serde_saphyr::from_str::<serde_json::Value>(text).ok().map(|value| value.to_string()))
    }

    fn compile(&self, layers: &[FoundLayer], around: &Surroundings, world: &World) -> Result<Vec<u8>, Stop> {
        Ok(compiling::compile_in_turn(layers, around, world)?)
    }

    fn facts(&self, needs: Vec<Need>, around: &Surroundings) -> Result<Vec<(Need, Known)>, Stop> {
        Ok(answered(needs, |need| {
            let (need, around) = (need.clone(), around.clone());
            let busy = || Known::Unknown("there was no time to find it out, for the machine is busy".to_owned());
            system::in_time(move || own_files::heavy(&need, &around)).unwrap_or_else(busy)
        }))
    }

    fn tests_first(&self, actions: &[Action], facts: &Facts, section: &TestsFirst, around: &Surroundings) -> Result<Vec<Finding>, Stop> {
        let trees = tests_first::trees(actions, around, |path| section.concerns(path));
        let mut found: Vec<Finding> = trees.iter().flat_map(|(tree, changes)| ::tests_first::judge(changes, tree, section, facts.today)).collect();
        found.extend(::tests_first::snapshots_renewed(actions, section));
        Ok(found)
    }

    fn taken_by_git(&self, actions: &[Action], around: &Surroundings) -> Result<Vec<Action>, Stop> {
        Ok(checkouts::taken(actions, around))
    }

    fn documents(&self, actions: &[Action], around: &Surroundings, section: &Flywheel) -> Result<Vec<Finding>, Stop> {
        Ok(documents::judge(actions, around, section))
    }

    fn gates(&self, gated: &[Metered], call: &[Action], facts: &Facts, policy: &Policy, around: &Surroundings) -> Result<Gated, Stop> {
        Ok(pipeline::moves::judge(gated, call, facts, policy, around)?)
    }

    fn ending(&self, event: &Event, around: &Surroundings, policy: &[u8]) -> Result<Option<String>, Stop> {
        let policy = Policy::open(policy).ok_or(Failure::PolicyDamaged)?;
        Ok(pipeline::ending(event, around, &policy))
    }

    fn remember_evidence(&self, event: &Event, call: &ToolCall, around: &Surroundings, policy: &[u8]) -> Result<(), Stop> {
        let policy = Policy::open(policy).ok_or(Failure::PolicyDamaged)?;
        pipeline::seen::remember(event, call, around, &policy)
    }

    fn remember_run(&self, event: &Event, call: &ToolCall, around: &Surroundings, policy: &[u8]) -> Result<(), Stop> {
        let policy = Policy::open(policy).ok_or(Failure::PolicyDamaged)?;
        let Some(section) = &policy.tests_first else { return Ok(()) };
        let places = facts_of(event, &around.places).places;
        let actions = read(call, &places, &policy, &Here { around, deep: self, event: None })?;
        let runs = actions.iter().any(|action| matches!(&action.deed, Deed::Run(run) if section.runs(run)));
        let Some(command) = call.input.text("command").or_else(|| call.input.text("cmd")).filter(|_| runs) else { return Ok(()) };
        let ended = Ended {
            command,
            response: &event.response,
            error: event.error.as_deref(),
            failed: event.moment == Moment::AfterFailure,
            interrupted: event.interrupted,
        };
        let Some(seen) = SeenRun::of(&ended) else { return Ok(()) };
        tests_first::remember_runs(&seen, &places.roots, &around.memory).map_err(|error| Failure::RecordUnwritable(error.to_string()))?;
        Ok(())
    }

    fn turn(&self, event: &Event, around: &Surroundings, section: &Flywheel) -> Result<Option<String>, Stop> {
        Ok(documents::turned(event, around, section))
    }

    fn approval(&self, case: &ApprovalCase) -> Result<Option<ApprovalAnswer>, Stop> {
        approval::of_call(case)
    }

    fn count_spend(&self, event: &Event, around: &Surroundings, tiers: &Tiers) -> Result<(), Stop> {
        let shared = tiers.budgets.iter().any(|budget| budget.fleet && budget.tokens);
        let fleet = if let (Some(section), true) = (&tiers.fleet, shared) { self.fleet(section)? } else { None };
        spend::count(event, around, &tiers.budgets, fleet.as_deref()).map_err(|error| Failure::StateUnusable(error.to_string()).into())
    }

    fn fleet(&self, section: &FleetSection) -> Result<Option<Box<dyn FleetStore>>, Stop> {
        Ok(fleet::connect(section)?.map(|store| Box::new(store) as Box<dyn FleetStore>))
    }

    fn settings_changed(&self, event: &Event, around: &Surroundings, world: &World) -> Result<Option<String>, Stop> {
        Ok(own_files::changed_settings(world, around, event.file.as_deref().map(Path::new)))
    }
}
