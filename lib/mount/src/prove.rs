//! Proof: the only ways to a [`SpaceRoot`] (safety law 2).

use std::path::PathBuf;

use host::{Dir, mounts};
use model::problem::{Code, Problem};
use store::space::SpaceRoot;

use crate::expect::{Expected, Wanted};
use crate::judge::{Answer, State, Verdict, judge};
use crate::look::{self, Look};
use crate::pins::Pins;
use crate::probe::Prober;

/// Opens a pillar that is proven to be the real one.
///
/// A child looks first, so that a dead mount ends here; then the directory is opened
/// and judged again through the open handle, so what was proven is what is used.
///
/// # Errors
/// [`Code::SpaceAway`], [`Code::SpaceUnadopted`], [`Code::SpaceForeign`],
/// [`Code::SpaceWrongMount`], [`Code::SpaceReadOnly`] or [`Code::SpaceStale`], all to be
/// tried again later.
pub fn prove(wanted: &Wanted, pins: &Pins, prober: &Prober) -> Result<SpaceRoot, Problem> {
    proven(wanted, pins, prober, |verdict| verdict)
}

/// Opens a pillar that is proven to be the real one, for who writes nothing there.
///
/// All has to be proven that [`prove`] asks for, but that it takes writes; one that does
/// not says so ([`SpaceRoot::is_read_only`]).
///
/// # Errors
/// As for [`prove`], without [`Code::SpaceReadOnly`].
pub fn prove_to_read(wanted: &Wanted, pins: &Pins, prober: &Prober) -> Result<SpaceRoot, Problem> {
    proven(wanted, pins, prober, Verdict::to_read)
}

fn proven(
    wanted: &Wanted,
    pins: &Pins,
    prober: &Prober,
    allow: fn(Verdict) -> Verdict,
) -> Result<SpaceRoot, Problem> {
    let expected = wanted.expected(pins).ok_or_else(|| nowhere(wanted))?;
    let path = first_look(&expected, prober, allow)?;
    let refused = |verdict: &Verdict| verdict.problem(&expected.path);
    let dir = Dir::open(&path).map_err(|e| away(&expected, &e.source.to_string()))?;
    let seen = look::of(&dir);
    let verdict = allow(judge(&expected, &table(&expected)?, &Answer::Look(seen)));
    match (refused(&verdict), verdict.sentinel) {
        (None, Some(sentinel)) if verdict.state == State::ReadOnly => {
            Ok(SpaceRoot::proven_to_read(dir, sentinel, expected.local))
        }
        (None, Some(sentinel)) => Ok(SpaceRoot::proven(dir, sentinel, expected.local)),
        (Some(problem), _) => Err(problem),
        (None, None) => Err(nowhere(wanted)),
    }
}

/// The directory's path without links, once a child found nothing against it.
fn first_look(
    expected: &Expected,
    prober: &Prober,
    allow: fn(Verdict) -> Verdict,
) -> Result<PathBuf, Problem> {
    let answer = prober.look(&expected.path);
    let verdict = allow(judge(expected, &table(expected)?, &answer));
    match (verdict.problem(&expected.path), answer) {
        (None, Answer::Look(Look::Folder(folder))) => {
            Ok(PathBuf::from(&*host::name::os(folder.path.as_bytes())))
        }
        (problem, _) => Err(problem.unwrap_or_else(|| away(expected, "no such directory"))),
    }
}

/// The mount table; on a system where it can't be read, a local pillar needs none.
pub(crate) fn table(expected: &Expected) -> Result<Vec<mounts::Mount>, Problem> {
    match mounts::table() {
        Ok(table) => Ok(table),
        Err(_) if expected.local => Ok(Vec::new()),
        Err(e) => Err(away(expected, &e.to_string())),
    }
}

fn away(expected: &Expected, what: &str) -> Problem {
    Problem::new(Code::SpaceAway, what).at(expected.path.as_path())
}

fn nowhere(wanted: &Wanted) -> Problem {
    let what = format!("nobody said where {} is", wanted.pillar);
    Problem::new(Code::SpaceUnadopted, what)
        .hint("phc-mount adopt DIR, name it in phc.toml, or give --space")
}
