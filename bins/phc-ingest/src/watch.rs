//! `phc-ingest watch`.

use cli::{Output, Settings};
use host::clock::SystemClock;
use host::service::Service;
use ingest::watch::{Ground, Voice, watch as keep_watch};
use model::emit::{Emit, Progress};
use model::event::{Draft, Event};
use model::exit::Exit;
use model::problem::Problem;
use model::run::RunId;

use crate::args::Clouds;
use crate::clouds::chosen;
use crate::run::asked;

/// Watches the clouds that were asked for until a signal ends it.
pub fn watch(settings: &Settings, clouds: &Clouds, output: &mut Output) -> Result<Exit, Problem> {
    let chosen = chosen(settings, clouds)?;
    let stop = cli::stop_on_signals()?;
    let templates = chosen.iter().map(|cloud| asked(settings, cloud, false, output.run()));
    let templates = templates.collect::<Result<Vec<_>, Problem>>()?;
    let ground = Ground {
        prove: &|| crate::space::to_write(settings),
        clock: &SystemClock,
        stop: &stop,
        service: &Service::of_environment(),
        full_scan: settings.config.ingest.full_scan.duration(),
        poll: settings.config.ingest.poll.duration(),
    };
    keep_watch(templates, &ground, &mut Told(output))
}

/// The program's output as a watch speaks through it.
struct Told<'a>(&'a mut Output);

impl Voice for Told<'_> {
    fn next_run(&mut self) -> RunId {
        self.0.next_run()
    }

    fn flush(&mut self) {
        self.0.flush();
    }
}

impl Emit for Told<'_> {
    fn event(&mut self, draft: Draft) -> Event {
        self.0.event(draft)
    }

    fn wants_files(&self) -> bool {
        self.0.wants_files()
    }

    fn problem(&mut self, problem: Problem) -> Event {
        self.0.problem(problem)
    }

    fn progress(&mut self, progress: &Progress) {
        self.0.progress(progress);
    }
}
