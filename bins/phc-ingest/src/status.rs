//! `phc-ingest status` and `approve`.

use cli::{Output, Settings};
use host::clock::{Clock, SystemClock};
use ingest::status::{clouds, status as of_cloud};
use model::cloud::CloudId;
use model::emit::emit;
use model::exit::Exit;
use model::problem::{Code, Problem};
use store::approvals::Plans;
use store::state::State;

/// Tells what is known of each cloud.
pub fn status(
    settings: &Settings,
    asked: &[CloudId],
    output: &mut Output,
) -> Result<Exit, Problem> {
    let state = settings.state()?;
    let known = asked_of(settings, &state, asked)?;
    for cloud in &known {
        let told = of_cloud(&state, &settings.device, cloud)?;
        emit(output, &told);
    }
    if known.is_empty() {
        output.note("nothing was ever ingested here");
    }
    Ok(Exit::Done)
}

/// Tells what is only in the cloud.
pub fn deferred(
    settings: &Settings,
    asked: &[CloudId],
    output: &mut Output,
) -> Result<Exit, Problem> {
    let state = settings.state()?;
    let mut count = 0;
    for cloud in &asked_of(settings, &state, asked)? {
        count += ingest::deferred::tell(&state, &settings.device, cloud, output)?;
    }
    if count == 0 {
        output.note("nothing is deferred: all that is known is stored");
    }
    Ok(Exit::Done)
}

/// Tells where copies lie, and which files copies are of.
pub fn name(
    settings: &Settings,
    asked: &[CloudId],
    paths: &[std::path::PathBuf],
    output: &mut Output,
) -> Result<Exit, Problem> {
    let state = settings.state()?;
    let clouds = asked_of(settings, &state, asked)?;
    for path in paths {
        ingest::name::name(&state, &settings.device, &clouds, path, output)?;
    }
    Ok(Exit::Done)
}

/// The clouds that were asked for and are known, or all that are known.
fn asked_of(
    settings: &Settings,
    state: &State,
    asked: &[CloudId],
) -> Result<Vec<CloudId>, Problem> {
    let known = clouds(state, &settings.device)?;
    if let Some(unknown) = asked.iter().find(|id| !known.contains(id)) {
        let what = format!("nothing was ever ingested of {unknown} by {}", settings.device);
        return Err(Problem::new(Code::NotFound, what)
            .hint("phc-ingest status tells which clouds there are"));
    }
    let wanted = |id: &CloudId| asked.is_empty() || asked.contains(id);
    Ok(known.into_iter().filter(wanted).collect())
}

/// Approves the one kept plan that begins like this, of whichever job.
pub fn approve(settings: &Settings, plan: &str, output: &mut Output) -> Result<Exit, Problem> {
    let state = settings.state()?;
    let mut folders = vec![crate::expire::state_folder(settings)?];
    for cloud in clouds(&state, &settings.device)? {
        folders.push(state.of_cloud(&settings.device, &cloud)?);
    }
    let fits = |plans: &Plans| {
        let all = plans.all().unwrap_or_default();
        all.iter().filter(|kept| !plan.is_empty() && kept.id.starts_with(plan)).count()
    };
    let plans: Vec<Plans> =
        folders.iter().map(|folder| Plans::of(folder)).filter(|p| fits(p) > 0).collect();
    let [plans] = &plans[..] else {
        let what = if plans.is_empty() {
            "no kept plan has this id"
        } else {
            "more than one kept plan begins like this"
        };
        let hint = "phc-ingest status tells which plans were refused";
        return Err(Problem::new(Code::NotFound, what).at(plan).hint(hint));
    };
    let approved = plans.approve(plan, SystemClock.now())?;
    emit(
        output,
        &ingest::status::Approved { plan: approved.id, job: approved.job, why: approved.why },
    );
    Ok(Exit::Done)
}
