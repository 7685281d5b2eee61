//! A small house to run in: a source, a space, a state.

use std::cell::RefCell;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use host::Dir;
use host::clock::{Clock, SystemClock};
use host::stop::Stop;
use model::config::{Guard, OnGone};
use model::device::Device;
use model::emit::Collected;
use model::event::Event;
use model::sentinel::{Pillar, Sentinel};
use store::space::SpaceRoot;
use store::state::State;

use crate::excludes::Excludes;
use crate::run::{Ended, Machine, run};
use crate::settings::Settings;

pub struct House {
    temp: tempfile::TempDir,
    sentinel: Sentinel,
    pub settings: Settings,
    pub told: RefCell<Option<Collected>>,
    pub stop: Stop,
}

impl House {
    pub fn new() -> House {
        let temp = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        for folder in ["source", "space", "state"] {
            std::fs::create_dir(temp.path().join(folder)).unwrap();
        }
        let sentinel = Sentinel {
            schema: 1,
            pillar: Pillar::Space,
            id: host::id::random(),
            created: SystemClock.now(),
        };
        let settings = Settings {
            device: Device::new("host", "user").unwrap(),
            cloud: "icloud".parse().unwrap(),
            source: temp.path().join("source"),
            by_hand: false,
            account: None,
            state: State::open(&temp.path().join("state")).unwrap(),
            scope: crate::scope::Scope::Everything,
            unsettled: std::collections::BTreeSet::new(),
            excludes: Excludes::default(),
            guard: Guard::default(),
            on_gone: OnGone::Keep,
            hydrate: None,
            keep_xattrs: Vec::new(),
            inbox: None,
            min_free: "0%".parse().unwrap(),
            keep_increments: std::time::Duration::from_secs(3600),
            dry_run: false,
            run: host::id::ordered(),
            version: "test".to_owned(),
        };
        House { temp, sentinel, settings, told: RefCell::default(), stop: Stop::never() }
    }

    pub fn source(&self, path: &str) -> PathBuf {
        self.temp.path().join("source").join(path)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.source(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn copy(&self, path: &str) -> PathBuf {
        self.temp.path().join("space/devices/host/user/icloud").join(path)
    }

    pub fn device_folder(&self) -> PathBuf {
        self.temp.path().join("space/devices/host/user")
    }

    pub fn state(&self) -> PathBuf {
        self.temp.path().join("state/devices/host/user/ingest/icloud")
    }

    pub fn space(&self) -> SpaceRoot {
        SpaceRoot::proven(
            Dir::open(&self.temp.path().join("space")).unwrap(),
            self.sentinel.clone(),
            true,
        )
    }

    pub fn run(&mut self) -> Ended {
        self.run_at(&SystemClock)
    }

    pub fn run_at(&mut self, clock: &dyn Clock) -> Ended {
        self.settings.run = host::id::ordered();
        let mut told = Collected::of(self.settings.device.clone(), "ingest");
        let machine =
            Machine { space: Ok(self.space()), clock, stop: &self.stop, before_listing: None };
        let ended = run(&self.settings, &machine, &mut told);
        *self.told.borrow_mut() = Some(told);
        ended
    }

    /// The types of all events in the spool, in the order of its segments.
    pub fn published(&self) -> Vec<String> {
        let spool = self.device_folder().join("_spool/new");
        let mut segments: Vec<PathBuf> = Vec::new();
        for day in std::fs::read_dir(spool).into_iter().flatten() {
            segments
                .extend(std::fs::read_dir(day.unwrap().path()).unwrap().map(|s| s.unwrap().path()));
        }
        segments.sort();
        let text: String = segments.iter().map(|s| std::fs::read_to_string(s).unwrap()).collect();
        let ours = |kind: &String| kind.starts_with("phc.ingest.");
        text.lines().map(|line| Event::parse(line).unwrap().kind).filter(ours).collect()
    }

    /// Problems of the last run, as their codes' names.
    pub fn problems(&self) -> Vec<&'static str> {
        self.told
            .borrow()
            .iter()
            .flat_map(|told| told.problems.iter().map(|p| p.code.name()))
            .collect()
    }

    /// Runs and expects that all went well.
    pub fn run_well(&mut self) -> model::ingest::Totals {
        let ended = self.run();
        assert_eq!(ended.exit.code(), 0, "{:?} {:?}", ended.finished, self.problems());
        ended.finished.totals.unwrap()
    }

    /// Every file below a folder: path, content, mtime.
    pub fn tree(root: &Path) -> Vec<(PathBuf, Vec<u8>, i64, i64)> {
        let mut all = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                let meta = entry.metadata().unwrap();
                let path = entry.path();
                if meta.is_dir() {
                    folders.push(path.clone());
                }
                if meta.is_file() {
                    let inner = path.strip_prefix(root).unwrap().to_owned();
                    all.push((
                        inner,
                        std::fs::read(&path).unwrap(),
                        meta.mtime(),
                        meta.mtime_nsec(),
                    ));
                }
            }
        }
        all.sort();
        all
    }

    pub fn expect_equal(&self) {
        assert_eq!(House::tree(&self.source("")), House::tree(&self.copy("")));
    }

    /// Inode and change time of every copy: what a run that writes nothing leaves alone.
    pub fn fingerprint(&self) -> Vec<(PathBuf, u64, i64, i64)> {
        let mut all = Vec::new();
        for (path, ..) in House::tree(&self.copy("")) {
            let meta = std::fs::metadata(self.copy("").join(&path)).unwrap();
            all.push((path, meta.ino(), meta.ctime(), meta.ctime_nsec()));
        }
        all
    }

    /// Contents below the trash.
    pub fn trash(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let root = self.device_folder().join("_trash");
        if !root.exists() {
            return Vec::new();
        }
        let inner = |path: PathBuf| path.components().skip(2).collect::<PathBuf>();
        House::tree(&root).into_iter().map(|(path, content, ..)| (inner(path), content)).collect()
    }
}
