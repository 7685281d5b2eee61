//! `phc-ingest status` and `approve`.

use cli::{Output, Settings};
use host::clock::{Clock, SystemClock};
use ingest::status::{clouds, status as of_cloud};
use model::cloud::CloudId;
use model::emit::emit;
use model::exit::Exit;
use model::problem::{Code, Problem};
use store::approvals::Plans;

/// Tells what is known of each cloud.
pub fn status(
    settings: &Settings,
    asked: &[CloudId],
    output: &mut Output,
) -> Result<Exit, Problem> {
    let state = settings.state()?;
    let known = clouds(&state, &settings.device)?;
    if let Some(unknown) = asked.iter().find(|id| !known.contains(id)) {
        let what = format!("nothing was ever ingested of {unknown} by {}", settings.device);
        return Err(Problem::new(Code::NotFound, what)
            .hint("phc-ingest status tells which clouds there are"));
    }
    let wanted = |id: &&CloudId| asked.is_empty() || asked.contains(id);
    for cloud in known.iter().filter(wanted) {
        let told = of_cloud(&state, &settings.device, cloud)?;
        emit(output, &told);
    }
    if known.is_empty() {
        output.note("nothing was ever ingested here");
    }
    Ok(Exit::Done)
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
