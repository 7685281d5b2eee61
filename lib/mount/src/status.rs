//! Status: what stands in each pillar's place. Nothing is written.

use host::mounts::{self, Mount};
use model::event::Payload;
use model::exit::Exit;
use model::sentinel::Pillar;
use model::text::Text;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::expect::{Expected, Wanted};
use crate::judge::{self, Answer, State, Verdict, judge};
use crate::look::{Folder, Look};
use crate::pins::Pins;
use crate::probe::Prober;

/// `phc.mount.pillar.judged`: what stands in one pillar's place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Report {
    /// The pillar.
    pub pillar: Pillar,
    /// What it is found to be.
    pub state: State,
    /// The directory; null when nobody said where it is.
    pub path: Option<Text>,
    /// What was seen, one line.
    pub message: String,
    /// What to do; empty when nothing is to be done.
    pub hint: String,
    /// The volume's id as its sentinel says; null without a good one.
    pub id: Option<Uuid>,
    /// The id that configuration or pin demand; null when there is none.
    pub expected_id: Option<Uuid>,
    /// True where it may lie on a disk of this machine; null when nobody said where it is.
    pub local: Option<bool>,
    /// What is mounted there: a device or a share; null when that is not known.
    pub source: Option<String>,
    /// Its file system type; null when that is not known.
    pub fs_type: Option<String>,
    /// All bytes of its file system; null when that is not known.
    pub total_bytes: Option<u64>,
    /// The bytes that this user may still fill; null when that is not known.
    pub free_bytes: Option<u64>,
}

impl Payload for Report {
    const NOUN_VERB: &'static str = "pillar.judged";

    fn subject(&self) -> Option<String> {
        Some(self.pillar.to_string())
    }
}

impl State {
    /// The exit code of a status that found just this.
    pub fn exit(self) -> Exit {
        match self {
            State::Healthy | State::Skipped => Exit::Done,
            State::Shadow | State::ForeignSentinel => Exit::Refused,
            State::WrongSource | State::WrongType | State::WrongVolume => Exit::Refused,
            _ => Exit::TryLater,
        }
    }
}

/// Looks at each of these pillars, all at once, and says what stands in its place.
pub fn status(wanted: &[Wanted], pins: &Pins, prober: &Prober) -> Vec<Report> {
    let expected: Vec<_> = wanted.iter().map(|one| (one.pillar, one.expected(pins))).collect();
    let look = |expected: &Option<Expected>| expected.as_ref().map(|one| prober.look(&one.path));
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> =
            expected.iter().map(|(_, expected)| scope.spawn(|| look(expected))).collect();
        threads.into_iter().map(|thread| thread.join().ok().flatten()).collect::<Vec<_>>()
    });
    // Read after the looks: they may have mounted something.
    let table = mounts::table().unwrap_or_default();
    let pairs = expected.into_iter().zip(answers);
    pairs.map(|((pillar, expected), answer)| report(pillar, expected, answer, &table)).collect()
}

fn report(
    pillar: Pillar,
    expected: Option<Expected>,
    answer: Option<Answer>,
    table: &[Mount],
) -> Report {
    let Some(expected) = expected else {
        return skipped(pillar, "nobody said where it is on this host");
    };
    let answer = answer.unwrap_or_else(|| Answer::Nothing("the probe broke".to_owned()));
    let verdict = judge(&expected, table, &answer);
    if !expected.required && matches!(verdict.state, State::NotMounted | State::NoMountPoint) {
        return skipped(pillar, "this host mounts nothing");
    }
    let folder = match &answer {
        Answer::Look(Look::Folder(folder)) => Some(folder),
        _ => None,
    };
    let mount = folder.and_then(|folder| judge::mount_of(table, folder));
    told(&expected, verdict, folder, mount)
}

fn told(
    expected: &Expected,
    verdict: Verdict,
    folder: Option<&Folder>,
    mount: Option<&Mount>,
) -> Report {
    Report {
        pillar: expected.pillar,
        state: verdict.state,
        path: Some(expected.path.as_path().into()),
        message: verdict.message,
        hint: verdict.hint.to_owned(),
        id: verdict.sentinel.map(|sentinel| sentinel.id),
        expected_id: expected.id,
        local: Some(expected.local),
        source: mount.map(|mount| mount.source.clone()),
        fs_type: mount.map(|mount| mount.fs_type.clone()),
        total_bytes: folder.and_then(|folder| folder.total),
        free_bytes: folder.and_then(|folder| folder.free),
    }
}

fn skipped(pillar: Pillar, why: &str) -> Report {
    Report {
        pillar,
        state: State::Skipped,
        path: None,
        message: why.to_owned(),
        hint: State::Skipped.hint().to_owned(),
        id: None,
        expected_id: None,
        local: None,
        source: None,
        fs_type: None,
        total_bytes: None,
        free_bytes: None,
    }
}
