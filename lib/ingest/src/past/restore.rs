//! Giving versions back: copied out of the space, held against their digests, never over anything that is there.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use data_encoding::HEXLOWER;
use host::clock::Clock;
use host::error::{Attempt, Meaning};
use host::stop::Stop;
use host::{Dir, Kind, barrier, facts, xattr};
use jiff::Timestamp;
use model::emit::{Emit, Progress, emit as tell};
use model::event::Payload;
use model::ingest::{FileRecord, RecordKind};
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use model::text::Text;
use serde::{Deserialize, Serialize};
use store::manifest::Record;
use store::names::Mapped;

use super::history::lies_at;
use super::{Held, Lies, Past, ago, plan};
use crate::copy::Failed;
use crate::transfer::{Transferred, transfer};

/// What is to be restored.
#[derive(Debug)]
pub struct Restore<'a> {
    /// The file or folder, below its cloud's root.
    pub path: &'a RelPath,
    /// As it was at this time, as it was typed; `None` for what was stored last.
    pub at: Option<&'a str>,
    /// The folder that gets it; the caller has seen that it may be written.
    pub to: &'a Path,
    /// True if files of the same name are replaced.
    pub force: bool,
    /// True if nothing may be touched.
    pub dry_run: bool,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Asked to stop.
    pub stop: &'a Stop,
}

/// `phc.ingest.file.restored`: one file that was given back, or would be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FileRestored {
    /// The cloud.
    pub cloud: String,
    /// The path that it had, below the cloud's root.
    pub path: RelPath,
    /// Where it is now.
    pub to: Text,
    /// Where it came from, below the space; null for a link, which lies nowhere.
    pub from: Option<RelPath>,
    /// Size in bytes; null for what has none.
    pub size: Option<u64>,
    /// BLAKE3 digest in hexadecimal, of what was given back; in a dry run what is kept of it.
    pub digest: Option<String>,
    /// True if that is the digest that was kept; false where none was.
    pub checked: bool,
    /// True if nothing was touched.
    pub dry_run: bool,
}

impl Payload for FileRestored {
    const NOUN_VERB: &'static str = "file.restored";

    fn subject(&self) -> Option<String> {
        self.path.text().as_str().map(str::to_owned)
    }
}

/// `phc.ingest.files.restored`: what came of a restore.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FilesRestored {
    /// The cloud.
    pub cloud: String,
    /// What was asked for.
    pub path: RelPath,
    /// The time that was asked for; null for what was stored last.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Files that were given back, or would be.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of the files, those of which no digest was kept to hold them against.
    pub unchecked: u64,
    /// Files that could not be given back; each was reported.
    pub failed: u64,
    /// True if nothing was touched.
    pub dry_run: bool,
    /// False if the work was asked to stop before its end.
    pub complete: bool,
}

impl Payload for FilesRestored {
    const NOUN_VERB: &'static str = "files.restored";

    fn subject(&self) -> Option<String> {
        self.path.text().as_str().map(str::to_owned)
    }
}

/// Restores a file, or everything below a folder; what was done is told as its last event.
///
/// # Errors
/// When nothing was there at that time, and when the past can't be read or the target not be made.
pub fn restore(
    past: &Past<'_>,
    what: &Restore<'_>,
    emit: &mut dyn Emit,
) -> Result<FilesRestored, Problem> {
    let at = what.at.map(|at| ago::time(at, what.clock.now())).transpose()?;
    let held = plan::held_at(past, what.path, at)?;
    // Of a folder, what had left by then stays away; a file that was named is given all the same.
    let wanted = |(path, held): &(RelPath, Held)| held.live || path == what.path;
    let held: Vec<(RelPath, Held)> = held.into_iter().filter(wanted).collect();
    if held.is_empty() {
        let when = at.map_or_else(String::new, |at| format!(" at {at}"));
        let problem = Problem::new(Code::VersionGone, format!("nothing was there{when}"));
        let problem = problem.at(what.path.text().clone());
        return Err(match renamed_to(past, what.path)? {
            Some(to) => problem.hint(format!(
                "it was renamed to {}/{to}: restore that, or this one with --at a time before",
                past.cloud
            )),
            None => problem,
        });
    }
    let mut work = Work {
        past,
        what,
        target: None,
        made: RefCell::default(),
        done: FilesRestored {
            cloud: past.cloud.to_string(),
            path: what.path.clone(),
            at,
            dry_run: what.dry_run,
            complete: true,
            ..FilesRestored::default()
        },
    };
    for (path, held) in &held {
        if what.stop.asked() {
            work.done.complete = false;
            break;
        }
        if let Err(problem) = work.file(path, held, emit) {
            work.done.failed += 1;
            emit.problem(problem);
        }
        let (files, bytes) = (work.done.files, work.done.bytes);
        emit.progress(&Progress { doing: "restoring", files, bytes, ..Progress::default() });
    }
    if let Err(problem) = work.folders() {
        emit.problem(problem);
    }
    tell(emit, &work.done);
    Ok(work.done)
}

fn target(path: &Path) -> Result<Dir, Problem> {
    let made = std::fs::create_dir_all(path).attempt("make the folder", path);
    made.and_then(|()| Dir::open(path)).map_err(|e| unwritable(&e))
}

struct Work<'a> {
    past: &'a Past<'a>,
    what: &'a Restore<'a>,
    /// The open target, made when the first file goes there; `None` until then and in a dry run.
    target: Option<Dir>,
    /// Folders of the target that were not there before.
    made: RefCell<BTreeSet<RelPath>>,
    done: FilesRestored,
}

impl Work<'_> {
    fn file(&mut self, path: &RelPath, held: &Held, emit: &mut dyn Emit) -> Result<(), Problem> {
        let record = held.record.as_ref();
        let is_link = record.is_some_and(|record| record.kind == RecordKind::Symlink);
        if held.lies == Lies::Nowhere && !is_link {
            let text = "this version is not in _trash any more; it was destroyed when it expired";
            return Err(Problem::new(Code::VersionGone, text).at(path.text().clone()));
        }
        let inner = inner(self.what.path, path, self.past.cloud.as_str().as_bytes());
        let kept = record.and_then(|record| record.digest.clone());
        if self.target.is_none() && !self.what.dry_run {
            self.target = Some(target(self.what.to)?);
        }
        let given = match &self.target {
            None => Given { size: record.and_then(|r| r.size), digest: kept.clone() },
            Some(target) => match record.filter(|_| is_link) {
                Some(record) => self.link(target, &inner, record)?,
                None => self.copied(target, &inner, path, held, kept.as_deref())?,
            },
        };
        self.done.files += 1;
        self.done.bytes += given.size.unwrap_or_default();
        self.done.unchecked += u64::from(kept.is_none() && !is_link);
        if emit.wants_files() || self.what.dry_run {
            let to = host::name::os(inner.as_bytes());
            tell(
                emit,
                &FileRestored {
                    cloud: self.past.cloud.to_string(),
                    path: path.clone(),
                    to: self.what.to.join(&*to).as_path().into(),
                    from: lies_at(self.past, &held.lies),
                    size: given.size,
                    digest: given.digest,
                    checked: kept.is_some() && !self.what.dry_run,
                    dry_run: self.what.dry_run,
                },
            );
        }
        Ok(())
    }

    fn copied(
        &self,
        target: &Dir,
        inner: &RelPath,
        path: &RelPath,
        held: &Held,
        kept: Option<&str>,
    ) -> Result<Given, Problem> {
        let Some((folder, name)) = inner.split() else { return Err(nameless(path)) };
        let to = self.folder(target, &folder)?;
        self.refuse_over(&to, name)?;
        let from = lies_at(self.past, &held.lies).and_then(|from| {
            let (folder, name) = from.split()?;
            Some((self.past.space.dir().beneath(&folder), name.to_owned()))
        });
        let Some((from, old)) = from else { return Err(nameless(path)) };
        let from = from.map_err(|e| gone(&e, path))?;
        let temp = [b".phc-", host::id::ordered().to_string().as_bytes()].concat();
        let done = transfer((&from, &old), (&to, &temp), 0o600, self.what.stop);
        let done = match done {
            Ok(Some(done)) => done,
            Ok(None) if self.what.stop.asked() => return Err(stopped(path)),
            Ok(None) => {
                let text = "it is no regular file, or changes while it is read";
                return Err(Problem::new(Code::CopyDamaged, text).at(path.text().clone()));
            }
            Err(Failed::Source(e)) => return Err(gone(&e, path)),
            Err(Failed::Space(e)) => return Err(unwritable(&e)),
        };
        let digest = HEXLOWER.encode(&done.digest);
        if kept.is_some_and(|kept| kept != digest) {
            // What is reported is the damage.
            let _ = to.remove_file(&temp);
            let text = "what lies there is not what was stored, and was not restored";
            let hint = "phc-ingest verify mends a copy where it can";
            let problem = Problem::new(Code::CopyDamaged, text).at(path.text().clone());
            return Err(problem.hint(hint));
        }
        let size = self.publish(&to, &temp, name, &done, held.record.as_ref());
        if size.is_err() {
            let _ = to.remove_file(&temp);
        }
        Ok(Given { size: Some(size?), digest: Some(digest) })
    }

    /// Facts first, then everything on disk, then the name.
    fn publish(
        &self,
        to: &Dir,
        temp: &[u8],
        name: &[u8],
        done: &Transferred,
        record: Option<&FileRecord>,
    ) -> Result<u64, Problem> {
        let row = record.and_then(Record::from_told);
        let mode = record.and_then(|record| record.mode).unwrap_or(done.mode) & 0o777;
        let mtime_ns = record.map_or(done.mtime_ns, |record| record.mtime_ns);
        if let Some(row) = row {
            // What this file system can't hold is no reason to withhold the content.
            drop(xattr::write(&done.file, &row.xattrs));
        }
        let written = facts::set_mode(&done.file, mode)
            .and_then(|()| facts::set_mtime(&done.file, mtime_ns))
            .and_then(|()| barrier::sync_file(&done.file))
            .and_then(|()| facts::of(&done.file));
        let facts = written.attempt("write", to.path()).map_err(|e| unwritable(&e))?;
        self.named(to, temp, name)?;
        Ok(facts.size)
    }

    /// Gives a temporary its name; one that is taken is replaced only where that was asked for.
    fn named(&self, to: &Dir, temp: &[u8], name: &[u8]) -> Result<(), Problem> {
        let renamed = match to.rename_new(temp, to, name) {
            Err(e) if e.meaning() == Meaning::Exists => {
                self.refuse_over(to, name)?;
                to.rename(temp, to, name)
            }
            other => other,
        };
        renamed.and_then(|()| to.sync()).map_err(|e| unwritable(&e))
    }

    fn link(&self, target: &Dir, inner: &RelPath, record: &FileRecord) -> Result<Given, Problem> {
        let Some((folder, name)) = inner.split() else { return Err(nameless(inner)) };
        let to = self.folder(target, &folder)?;
        self.refuse_over(&to, name)?;
        let points = record.target.as_ref().map(Text::as_bytes).unwrap_or_default();
        let temp = [b".phc-", host::id::ordered().to_string().as_bytes()].concat();
        to.symlink(points, &temp).map_err(|e| unwritable(&e))?;
        let named = self.named(&to, &temp, name);
        if named.is_err() {
            let _ = to.remove_file(&temp);
        }
        named.map(|()| Given { size: None, digest: None })
    }

    /// Gives the folders that were made the permission bits and times that they had last, the
    /// innermost first; and, of what is stored now, the empty ones as well.
    fn folders(&self) -> Result<(), Problem> {
        let Some(target) = &self.target else { return Ok(()) };
        let asked = self.what.path;
        let mut folders = Vec::new();
        let mut note = |at: &Mapped, live: bool, mtime_ns: i64, mode: u32| {
            if at.path.is_within(asked) {
                folders.push((at.path.clone(), live, mtime_ns, mode));
            }
        };
        self.past.rows()?.reader.each_folder(&mut note)?;
        folders.sort_unstable();
        for (path, live, mtime_ns, mode) in folders.into_iter().rev() {
            let inner = inner(asked, &path, self.past.cloud.as_str().as_bytes());
            let folder = if live && self.what.at.is_none() {
                self.folder(target, &inner)?
            } else {
                let Ok(folder) = target.beneath(&inner) else { continue };
                folder
            };
            if !self.made.borrow().contains(&inner) {
                // It is somebody's already.
                continue;
            }
            let given = folder.set_own_mode(mode & 0o777);
            given.and_then(|()| folder.set_own_mtime(mtime_ns)).map_err(|e| unwritable(&e))?;
        }
        Ok(())
    }

    /// A folder of the target; until all is in it, only its owner may look into it.
    fn folder(&self, target: &Dir, path: &RelPath) -> Result<Dir, Problem> {
        let mut missing = Some(path.clone());
        while let Some(at) = missing.filter(|at| target.beneath(at).is_err()) {
            missing = at.split().map(|(above, _)| above);
            self.made.borrow_mut().insert(at);
        }
        target.make_beneath(path, 0o700).map_err(|e| unwritable(&e))
    }

    /// Only a file is ever replaced, and only where that was asked for.
    fn refuse_over(&self, to: &Dir, name: &[u8]) -> Result<(), Problem> {
        match to.facts(name) {
            Err(e) if e.meaning() == Meaning::Missing => Ok(()),
            Ok(facts) if self.what.force && matches!(facts.kind, Kind::File | Kind::Symlink) => {
                Ok(())
            }
            Ok(_) => {
                let at = to.path().join(&*host::name::os(name));
                Err(Problem::new(Code::TargetExists, "something has this name").at(at.as_path()))
            }
            Err(e) => Err(unwritable(&e)),
        }
    }
}

/// What was given back.
struct Given {
    size: Option<u64>,
    digest: Option<String>,
}

/// Where a file of this path was renamed to last.
fn renamed_to(past: &Past<'_>, path: &RelPath) -> Result<Option<RelPath>, Problem> {
    let mut to = None;
    past.newest_first(&mut |_, news| {
        if news.from.as_ref() == Some(path) {
            to.get_or_insert(news.file.path);
        }
    })?;
    Ok(to)
}

/// Where a file goes below the target: what was asked for keeps its own name, a whole cloud gets the cloud's.
fn inner(asked: &RelPath, path: &RelPath, cloud: &[u8]) -> RelPath {
    let above = asked.names().count().saturating_sub(1);
    let root = if asked.is_root() { RelPath::root().join(cloud) } else { RelPath::root() };
    path.names().skip(above).fold(root, |inner, name| inner.join(name))
}

fn nameless(path: &RelPath) -> Problem {
    Problem::new(Code::VersionGone, "it lies nowhere").at(path.text().clone())
}

fn stopped(path: &RelPath) -> Problem {
    Problem::new(Code::Io, "asked to stop").at(path.text().clone())
}

fn gone(error: &host::Error, path: &RelPath) -> Problem {
    let code = if error.meaning() == Meaning::Missing { Code::VersionGone } else { Code::Io };
    let what = format!("can't {} it: {}", error.attempt, error.source);
    Problem::new(code, what).at(path.text().clone())
}

fn unwritable(error: &host::Error) -> Problem {
    let what = format!("can't {}: {}", error.attempt, error.source);
    Problem::new(Code::Io, what)
        .at(error.path.as_path())
        .hint("look at the folder that --to names, and who may write there")
}

#[cfg(test)]
mod tests {
    use super::{RelPath, inner};

    #[test]
    fn what_was_asked_for_keeps_its_name_and_nothing_above_it() {
        let path = |text: &str| RelPath::new(text).unwrap();
        for (asked, file, to) in [
            ("a/b", "a/b", "b"),
            ("a", "a/b/c", "a/b/c"),
            ("x/a", "x/a/b", "a/b"),
            ("", "a/b", "docs/a/b"),
        ] {
            assert_eq!(inner(&path(asked), &path(file), b"docs"), path(to), "{asked}");
        }
    }
}
