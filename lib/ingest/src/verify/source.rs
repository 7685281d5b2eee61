//! Reading sources again: a disk may change a file's content and none of its facts.

use host::Dir;
use model::emit::Emit;
use model::problem::{Code, Problem};
use model::relpath::RelPath;
use store::manifest::{Manifest, Opened, Record, RowKind};
use store::state;

use super::mend::{has_facts_of, present, rot};
use super::{Verified, Verify};
use crate::{digest, known, parallel, source};

/// Reads the files of one cloud's source whose facts are unchanged.
pub(super) struct Reader<'a> {
    what: &'a Verify<'a>,
    folder: &'a std::path::Path,
    run: model::run::RunId,
    root: Dir,
    manifest: &'a Manifest,
}

impl<'a> Reader<'a> {
    /// `None` where no source is to be read.
    ///
    /// # Errors
    /// When the source was asked for and is not there, or was never known.
    pub fn open(
        what: &'a Verify<'a>,
        manifest: &'a Manifest,
    ) -> Result<Option<Reader<'a>>, Problem> {
        let Some(own) = what.own.as_ref().filter(|own| own.sources) else { return Ok(None) };
        let root = known::last_source(manifest).ok_or_else(|| {
            let why = format!("nobody knows where the source of {} is", what.cloud);
            Problem::new(Code::NotFound, why).hint("phc-ingest run; it remembers where")
        })?;
        let root = source::open(&root)?.dir;
        Ok(Some(Reader { what, folder: own.folder, run: own.run, root, manifest }))
    }

    /// Reads one folder's files; those with another content are told and doubted, so that the next run stores them.
    pub fn folder(
        &self,
        path: &RelPath,
        verified: &mut Verified,
        emit: &mut dyn Emit,
    ) -> Result<(), Problem> {
        let reader = self.manifest.reader()?;
        let (Some(id), Ok(dir)) = (reader.folder_id(path)?, self.root.beneath(path)) else {
            return Ok(());
        };
        let rows = reader.records_of(id)?;
        let unchanged = |(name, row): &&(Vec<u8>, Record)| {
            row.kind == RowKind::File
                && row.live
                && row.digest.is_some()
                && present(&dir, name).is_some_and(|facts| has_facts_of(row, &facts))
        };
        let rows: Vec<&(Vec<u8>, Record)> = rows.iter().filter(unchanged).collect();
        let read = |(): &mut (), item: &&(Vec<u8>, Record)| {
            let (name, row) = item;
            let read = digest::of_disk(&dir, name, self.what.stop, &mut |_| ()).ok().flatten();
            // What changed just now is an edit, and the next run's.
            Ok(read.filter(|(_, facts)| has_facts_of(row, facts)).map(|(digest, _)| digest))
        };
        let threads = parallel::threads(false);
        let digests = parallel::each(&rows, threads, || Ok(()), read, &mut || {})?;
        let mut rotten = Vec::new();
        for ((name, row), digest) in rows.iter().zip(digests) {
            verified.sources += u64::from(digest.is_some());
            if digest.is_some() && digest != row.digest {
                verified.source_rot += 1;
                emit.problem(rot(&path.join(name)));
                rotten.push(name);
            }
        }
        if rotten.is_empty() { Ok(()) } else { self.doubt(path, &rotten) }
    }

    /// The next run reads them and keeps what they hold now as a new version.
    fn doubt(&self, path: &RelPath, names: &[&Vec<u8>]) -> Result<(), Problem> {
        let job = format!("the ingest of {}", self.what.cloud);
        let _held = match state::lock(self.folder, &job, self.run) {
            Ok(held) => held,
            // The run at work may meet them itself; the next verify does.
            Err(problem) if problem.code == Code::Locked => return Ok(()),
            Err(problem) => return Err(problem),
        };
        let mut manifest = match Manifest::open(&self.folder.join(known::MANIFEST))? {
            Opened::Fresh(manifest) | Opened::Existing(manifest) => manifest,
        };
        let mut batch = manifest.batch()?;
        for name in names {
            batch.doubt(path, name, false)?;
        }
        Ok(batch.commit()?)
    }
}
