//! Mending: a copy that is damaged or missing is made again from its source, from `_trash`,
//! or from an equal copy; what can't be is doubted, so that the next run reads its source.
//!
//! Nothing is destroyed by it: the damaged bytes go to `_trash` like any former version.

use std::collections::HashMap;

use host::{Dir, Facts, Kind, barrier, failpoint};
use model::emit::Emit;
use model::ingest::Change;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::manifest::{Busy, Manifest, News, Opened, Record};
use store::names::Mapped;
use store::{device, layout, state};

use super::state::{Bad, State, state_of};
use super::{Own, Verified, Verify};
use crate::apply::{CutOff, Trash, temporary_prefix};
use crate::attributes::Attributes;
use crate::copy::{FILE_MODE, Failed};
use crate::source::{self, Source};
use crate::transfer::{Transferred, transfer};
use crate::{expire, known, placeholder, recover};

/// Mends the copies of one cloud of this device.
pub(crate) struct Mender<'a> {
    what: &'a Verify<'a>,
    own: &'a Own<'a>,
    /// What lies in `_trash`, by size; looked at when it is first wanted.
    spare: Option<HashMap<u64, Vec<RelPath>>>,
    temporaries: u64,
}

/// What came of trying to mend one copy.
enum Mended {
    /// It is what was stored again, made from this.
    From(&'static str),
    /// It is no longer what was found: a run was there meanwhile.
    Meanwhile,
    /// Nothing here has its content.
    No,
}

/// What mending works on, while the cloud's lock is held.
struct Session {
    manifest: Manifest,
    copy: Dir,
    source: Option<Source>,
    /// True if the source of the copy at hand was found to be rotten.
    rotten: bool,
}

impl<'a> Mender<'a> {
    pub fn new(what: &'a Verify<'a>, own: &'a Own<'a>) -> Mender<'a> {
        Mender { what, own, spare: None, temporaries: 0 }
    }

    /// Mends what can be, tells of each, and counts; the cloud's lock is held only for this.
    pub fn mend(
        &mut self,
        bad: &[Bad],
        verified: &mut Verified,
        emit: &mut dyn Emit,
    ) -> Result<(), Problem> {
        let job = format!("the ingest of {}", self.what.cloud);
        let held = match state::lock(self.own.folder, &job, self.own.run) {
            Ok(held) => held,
            Err(problem) if problem.code == Code::Locked => {
                for one in bad {
                    let hint = "a run is at work; verify again after it";
                    leave(one, one.problem().hint(hint), verified, emit);
                }
                return Ok(());
            }
            Err(problem) => return Err(problem),
        };
        let mut session = self.session()?;
        for one in bad {
            if self.what.stop.asked() {
                verified.complete = false;
                leave(one, one.problem(), verified, emit);
                continue;
            }
            self.one(&mut session, one, verified, emit)?;
        }
        drop(held);
        Ok(())
    }

    fn session(&self) -> Result<Session, Problem> {
        let path = self.own.folder.join(known::MANIFEST);
        let mut manifest = match Manifest::open(&path)? {
            Opened::Fresh(manifest) | Opened::Existing(manifest) => manifest,
        };
        let path = layout::cloud(self.what.device, self.what.cloud);
        let space = self.what.space.dir();
        let copy = space.make_beneath(&path, layout::FOLDER_MODE).map_err(device::away)?;
        let cut_off =
            recover::cut_off(&manifest, self.what.space, self.what.device, self.what.cloud)?;
        recover::recover(&mut manifest, &copy, &cut_off, self.what.stop)?;
        let source = known::last_source(&manifest).and_then(|root| source::open(&root).ok());
        Ok(Session { manifest, copy, source, rotten: false })
    }

    fn one(
        &mut self,
        session: &mut Session,
        bad: &Bad,
        verified: &mut Verified,
        emit: &mut dyn Emit,
    ) -> Result<(), Problem> {
        session.rotten = false;
        let made = self.made_again(session, bad, verified, emit);
        let mut batch = session.manifest.batch()?;
        batch.forget_inflight()?;
        batch.commit()?;
        let mended = match made {
            Ok(mended) => mended,
            Err(Failed::Space(e)) if crate::apply::is_fatal(&e) => return Err(device::away(e)),
            Err(Failed::Space(e) | Failed::Source(e)) => {
                let hint = format!("it could not be mended: can't {}: {}", e.attempt, e.source);
                leave(bad, bad.problem().hint(hint), verified, emit);
                return Ok(());
            }
        };
        match mended? {
            Mended::Meanwhile => {}
            Mended::From(what) => {
                verified.repaired += 1;
                let what = format!("a copy was made again from {what}: {}", bad.why());
                let path = bad.path().text().clone();
                emit.problem(Problem::new(Code::CopyRepaired, what).at(path));
            }
            Mended::No => {
                verified.doubted += u64::from(bad.record.live);
                let problem = bad.problem();
                let problem = match bad.record.live {
                    true => problem,
                    false => problem.hint("it had left its source; restore it from a backup"),
                };
                leave(bad, problem, verified, emit);
            }
        }
        Ok(())
    }

    /// Tries what may have the content, the nearest first.
    fn made_again(
        &mut self,
        session: &mut Session,
        bad: &Bad,
        verified: &mut Verified,
        emit: &mut dyn Emit,
    ) -> Result<Result<Mended, Problem>, Failed> {
        let now = match row(&session.manifest, bad) {
            Ok(Some(now)) if now.digest == bad.record.digest && now.live == bad.record.live => now,
            Ok(_) => return Ok(Ok(Mended::Meanwhile)),
            Err(problem) => return Ok(Err(problem)),
        };
        let folder = session.copy.beneath(bad.folder.copy()).ok();
        let size = now.size;
        if let State::Good(facts) = state_of(
            folder.as_ref(),
            bad.copy_name(),
            size,
            now.digest,
            self.what.stop,
            &mut |_| (),
        ) {
            return Ok(remember(session, bad, now, facts.mtime_ns).map(|()| Mended::Meanwhile));
        }
        if let Err(problem) = self.note(session, bad) {
            return Ok(Err(problem));
        }
        if self.try_source(session, bad, &now, verified, emit)? {
            return Ok(Ok(Mended::From("its source")));
        }
        for path in self.spare(size) {
            let trash = self.what.space.dir().beneath(&layout::trash(self.what.device));
            if let Ok(trash) = trash
                && self.try_path(session, &trash, &path, bad, &now)?
            {
                return Ok(Ok(Mended::From("_trash")));
            }
        }
        let equal = session.manifest.reader().and_then(|reader| {
            now.digest.map_or_else(|| Ok(Vec::new()), |digest| reader.equal_copies(digest))
        });
        for path in equal.unwrap_or_default() {
            let copy = session.copy.again().map_err(Failed::Space)?;
            if path.path != bad.path() && self.try_path(session, &copy, path.copy(), bad, &now)? {
                return Ok(Ok(Mended::From("an equal copy")));
            }
        }
        Ok(Ok(Mended::No))
    }

    /// From the source, if it still has the size; unchanged facts with another content are told.
    fn try_source(
        &mut self,
        session: &mut Session,
        bad: &Bad,
        now: &Record,
        verified: &mut Verified,
        emit: &mut dyn Emit,
    ) -> Result<bool, Failed> {
        if !now.live {
            return Ok(false);
        }
        let root =
            session.source.as_ref().and_then(|source| source.dir.beneath(&bad.folder.path).ok());
        let Some(from) = root else { return Ok(false) };
        let facts = present(&from, &bad.name).filter(|f| f.size == now.size);
        let Some(facts) = facts else { return Ok(false) };
        match self.try_file(session, (&from, &bad.name), bad, now) {
            Ok(Some(true)) => Ok(true),
            Ok(Some(false)) if has_facts_of(now, &facts) => {
                session.rotten = true;
                verified.source_rot += 1;
                emit.problem(rot(&bad.path()));
                Ok(false)
            }
            // A source that can't be read is tried again by the next run.
            Ok(_) | Err(Failed::Source(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn try_path(
        &mut self,
        session: &mut Session,
        root: &Dir,
        path: &RelPath,
        bad: &Bad,
        now: &Record,
    ) -> Result<bool, Failed> {
        let Some((folder, name)) = path.split() else { return Ok(false) };
        let Ok(from) = root.beneath(&folder) else { return Ok(false) };
        match self.try_file(session, (&from, name), bad, now) {
            Ok(done) => Ok(done == Some(true)),
            Err(Failed::Source(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Copies a candidate beside, and gives it the name if its content is the one; `None` if it could not be read whole.
    fn try_file(
        &mut self,
        session: &mut Session,
        from: (&Dir, &[u8]),
        bad: &Bad,
        now: &Record,
    ) -> Result<Option<bool>, Failed> {
        let to = folder(session, &bad.folder).map_err(Failed::Space)?;
        self.temporaries += 1;
        let prefix = temporary_prefix(&self.own.run.to_string());
        let temp = format!("{prefix}{}", self.temporaries).into_bytes();
        let mode = now.mode & FILE_MODE;
        let Some(done) = transfer(from, (&to, &temp), mode, self.what.stop)? else {
            return Ok(None);
        };
        if Some(done.digest) != now.digest {
            to.remove_file(&temp).map_err(Failed::Space)?;
            return Ok(Some(false));
        }
        let published = self.publish(&to, &temp, bad, now, &done);
        if published.is_err() {
            // The failure that matters is the publishing's.
            let _ = to.remove_file(&temp);
        }
        let mtime_ns = published.map_err(Failed::Space)?;
        remember(session, bad, now.clone(), mtime_ns).map_err(|problem| {
            let source = std::io::Error::other(problem.to_string());
            Failed::Space(host::Error { attempt: "remember", path: to.path().to_owned(), source })
        })?;
        Ok(Some(true))
    }

    /// Data on disk, the former bytes in the trash, then the name, then that on disk as well.
    fn publish(
        &self,
        to: &Dir,
        temp: &[u8],
        bad: &Bad,
        now: &Record,
        done: &Transferred,
    ) -> host::Result<i64> {
        use host::error::{Attempt, Meaning};
        Attributes::new(self.own.keep_xattrs).give(&done.file, &now.xattrs);
        let synced = host::facts::set_mtime(&done.file, now.mtime_ns)
            .and_then(|()| barrier::sync_file(&done.file))
            .and_then(|()| host::facts::of(&done.file));
        let facts = synced.attempt("write", to.path())?;
        failpoint::hit("apply.publishing").attempt("rename in", to.path())?;
        let over = match to.facts(bad.copy_name()) {
            Ok(facts) => Some(facts.kind),
            Err(e) if e.meaning() == Meaning::Missing => None,
            Err(e) => return Err(e),
        };
        let kept = match over {
            Some(kind) => self.trash().of(bad.folder.copy()).keep_now(to, bad.copy_name(), kind)?,
            None => false,
        };
        match kept {
            true => to.rename(temp, to, bad.copy_name())?,
            false => to.rename_new(temp, to, bad.copy_name())?,
        }
        to.sync()?;
        failpoint::hit("apply.published").attempt("rename in", to.path())?;
        Ok(facts.mtime_ns)
    }

    fn trash(&self) -> Trash<'_> {
        let of_run = |run| {
            let started = self.what.clock.now();
            layout::trash_of_run(self.what.device, started, run, self.what.cloud)
        };
        Trash {
            root: self.what.space.dir(),
            of_run: of_run(self.own.run),
            of_run_again: of_run(crate::apply::again(self.own.run)),
            of_cut_off: CutOff { root: self.what.space.dir(), runs: Vec::new() },
            sync_each: true,
        }
    }

    /// Before any temporary is made, its folder is noted, so that the next run clears it. The row is
    /// doubted with it: cut off from here on, the damaged copy is never taken for what was stored.
    fn note(&self, session: &mut Session, bad: &Bad) -> Result<(), Problem> {
        let mut batch = session.manifest.batch()?;
        batch.doubt(&bad.folder.path, &bad.name, true)?;
        batch.note_inflight(self.own.run, &[Busy::in_folder(bad.folder.clone())])?;
        Ok(batch.commit()?)
    }

    /// What lies in `_trash` and has this size, the newest first.
    fn spare(&mut self, size: u64) -> Vec<RelPath> {
        let (space, of) = (self.what.space, self.what.device);
        let all = self.spare.get_or_insert_with(|| {
            let mut by_size: HashMap<u64, Vec<RelPath>> = HashMap::new();
            let mut versions = expire::versions(space, of).unwrap_or_default();
            versions.sort_by_key(|version| std::cmp::Reverse(version.put_away));
            for version in versions {
                by_size.entry(version.size).or_default().push(version.path);
            }
            by_size
        });
        all.get(&size).cloned().unwrap_or_default()
    }
}

/// Tells of a copy that stays as it is, and counts it.
pub(super) fn leave(bad: &Bad, problem: Problem, verified: &mut Verified, emit: &mut dyn Emit) {
    match bad.state {
        State::Missing => verified.missing += 1,
        _ => verified.damaged += 1,
    }
    emit.problem(problem);
}

/// The problem of a source whose content changed and whose facts did not.
pub(crate) fn rot(path: &RelPath) -> Problem {
    let what = "the source has another content under unchanged size, times and id";
    Problem::new(Code::SourceRot, what).at(path.text().clone())
}

/// The facts of a regular file of the source whose content is really there: none is ever brought in for this.
pub(super) fn present(dir: &Dir, name: &[u8]) -> Option<Facts> {
    let facts = dir.facts(name).ok().filter(|facts| facts.kind == Kind::File)?;
    placeholder::look(dir, name, &facts).1.is_none().then_some(facts)
}

/// True if a file of the source has all the facts that were kept of it.
pub(crate) fn has_facts_of(row: &Record, facts: &Facts) -> bool {
    (facts.size, facts.mtime_ns, facts.ctime_ns, facts.file_id)
        == (row.size, row.mtime_ns, row.ctime_ns, row.file_id)
}

fn row(manifest: &Manifest, bad: &Bad) -> Result<Option<Record>, Problem> {
    let reader = manifest.reader()?;
    match reader.folder_id(&bad.folder.path)? {
        Some(id) => Ok(reader.record(id, &bad.name)?),
        None => Ok(None),
    }
}

/// The copy is what its row says.
fn remember(session: &mut Session, bad: &Bad, row: Record, mtime_ns: i64) -> Result<(), Problem> {
    // What the source holds instead is for the next run to keep, as a new version.
    let suspect = row.suspect || session.rotten;
    let record = Record { copy_mtime_ns: Some(mtime_ns), suspect, ..row };
    let mut batch = session.manifest.batch()?;
    batch.put(&bad.folder.path, &bad.name, &record)?;
    batch.announce(&bad.folder.path, &bad.name, &News::of(Change::Repaired))?;
    batch.forget_inflight()?;
    Ok(batch.commit()?)
}

/// A folder of the copy, made again with the permission bits its rows allow when it is missing.
fn folder(session: &Session, at: &Mapped) -> host::Result<Dir> {
    use host::error::Meaning;
    match session.copy.beneath(at.copy()) {
        Err(e) if e.meaning() == Meaning::Missing => {}
        found => return found,
    }
    let reader = session.manifest.reader().ok();
    let (mut dir, mut id) = (session.copy.again()?, 0);
    for (name, copy_name) in at.path.names().zip(at.copy().names()) {
        let rows = reader.as_ref().and_then(|reader| reader.folders(id).ok()).unwrap_or_default();
        let row = rows.into_iter().find(|row| &*row.name == name);
        dir.make_folder(
            copy_name,
            crate::apply::copy_mode(row.as_ref().map_or(0o700, |r| r.mode)),
        )?;
        dir.sync()?;
        id = row.map_or(-1, |row| row.id);
        dir = dir.sub(copy_name)?;
    }
    Ok(dir)
}
