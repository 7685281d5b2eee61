//! A case: one file of `cases`, a list of steps in the order they are done.
//!
//! Paths begin with `source/`, the folder that is ingested as the cloud `docs`, with
//! `copy/`, its folder in the space, with `device/`, the device's folder there, or lie
//! anywhere in the sandbox. `\xHH` stands for a byte, so that any name can be written.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// One file of `cases`.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The claim that the case holds the programs to, in a sentence.
    pub about: String,
    /// The published case it was taken from, if any.
    #[serde(default)]
    #[allow(dead_code, reason = "for who reads the case")]
    pub from: Option<String>,
    /// The text of phc.toml; none without it.
    pub config: Option<String>,
    /// What is done and what has to come of it.
    pub steps: Vec<Step>,
}

impl Case {
    /// Reads a case's file.
    pub fn read(path: &Path) -> Case {
        let text = std::fs::read_to_string(path).unwrap();
        toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }
}

/// One step.
#[derive(Deserialize, Debug)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    // Hands: what a person or a sync client does.
    /// Writes a file's text in place, keeping its inode; folders above it are made.
    Write {
        path: String,
        #[serde(default)]
        text: String,
        mode: Option<u32>,
        /// Keeps the modification time that the file had.
        #[serde(default)]
        keep_mtime: bool,
    },
    /// Gives a file another content, and every fact it had, as a failing disk does.
    Rot { path: String, text: String },
    /// Writes numbered files: `path` with `*` replaced by 000, 001, …; so `text`.
    Fill {
        path: String,
        text: String,
        count: usize,
        #[serde(default)]
        from: usize,
    },
    /// Removes a file or a whole folder.
    Remove { path: String },
    /// Removes numbered files.
    Clear {
        path: String,
        count: usize,
        #[serde(default)]
        from: usize,
    },
    /// Renames.
    Rename { path: String, to: String },
    /// Lets two names change places.
    Swap { path: String, with: String },
    /// Sets permission bits.
    Chmod { path: String, mode: u32 },
    /// Sets a modification time, in seconds from now.
    Touch { path: String, seconds: i64 },
    /// Gives numbered files a new modification time and leaves their content.
    TouchAll { path: String, count: usize },
    /// Makes a folder.
    Folder { path: String },
    /// Makes a symbolic link.
    Symlink { path: String, to: String },
    /// Makes a further name of a file.
    HardLink { path: String, to: String },
    /// Makes a FIFO.
    Fifo { path: String },
    /// Makes a socket.
    Socket { path: String },
    /// Sets a file's extended attributes, as clients mark placeholders, or takes them away (an empty value).
    Mark { path: String, attributes: BTreeMap<String, String> },
    /// Writes phc.toml anew.
    Configure { text: String },
    /// Copies a whole folder with all its times.
    Clone { path: String, to: String },
    /// Makes all that lies in `_trash` so many days older.
    AgeTrash { days: u64 },
    /// Waits.
    Wait { seconds: u64 },
    /// Makes a file of this many bytes, with one written at its end only.
    Sparse { path: String, size: u64 },

    // Programs.
    /// Runs `phc-ingest run` for the source.
    Ingest(Expected),
    /// Runs `phc-ingest plan` for the source, and checks that it touches nothing.
    Plan(Expected),
    /// Runs it twice more, and checks that nothing in the space but the spool is written.
    Idle,
    /// Approves the plan that was refused last.
    Approve,
    /// Runs `phc-ingest expire`, and remembers its plan.
    Expire {
        #[serde(default)]
        exit: i32,
    },
    /// Runs `phc-ingest deferred`: the size of each path that it lists, in its order, `?` where unknown.
    Deferred { are: Vec<(String, String)> },
    /// Runs any of the programs; `{plan}`, `{source}`, `{space}` stand for what they say.
    Call {
        program: String,
        args: Vec<String>,
        #[serde(default)]
        exit: i32,
        /// Words on stderr, which then is one line.
        #[serde(default)]
        says: Vec<String>,
        /// How many events there are of some types.
        #[serde(default)]
        events: BTreeMap<String, usize>,
        /// The codes of the problems it tells, sorted.
        #[serde(default)]
        problems: Vec<String>,
    },

    // Eyes: what has to be there.
    /// The copy is the source: every byte, time to the nanosecond, nothing missing or more.
    Same,
    /// The copy holds just these files with these texts; `name/` is an empty folder.
    Copy { is: BTreeMap<String, String> },
    /// `_trash` holds just these former versions, by cloud and path.
    Versions { are: BTreeMap<String, Vec<String>> },
    /// So many files lie below a folder.
    FileCount { path: String, is: usize },
    /// A file's text.
    Text { path: String, is: String },
    /// Nothing is there.
    Absent { path: String },
    /// A file's or folder's permission bits.
    Mode { path: String, is: u32 },
    /// A file takes up at most this many bytes on disk.
    Allocated { path: String, most: u64 },
    /// What the newest lines of the catalog say of a path: `live`, `gone`, or a link's target.
    Catalog { path: String, is: String },
}

/// What has to come of a run.
#[derive(Deserialize, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Expected {
    /// The exit code.
    pub exit: i32,
    /// Figures of the totals. What is not named is not compared if it counts what was
    /// found (`files`, `bytes`, `folders`, `unchanged`, `bytes_stored`), else it has to be 0.
    pub totals: BTreeMap<String, u64>,
    /// True to leave the totals alone, where a claim does not hang on them.
    pub any_totals: bool,
    /// The code of the problem that ended the run.
    pub problem: Option<String>,
    /// The codes of the problems that it met on its way, sorted.
    pub problems: Vec<String>,
    /// Per path, the actions of the plan or the changes of the run; all that are told, if any is named.
    pub files: BTreeMap<String, String>,
    /// More arguments.
    pub args: Vec<String>,
    /// True to run while stamps are too young to be trusted.
    pub at_once: bool,
    /// True to run it without root's right to read everything.
    pub unprivileged: bool,
}
