//! What a program asked the kernel for, in order (strace(1)).

use std::path::{Component, Path, PathBuf};

use tests::{Ended, Run};

/// Calls that are traced: all that open, write, make durable, or change a name or its facts.
const CALLS: &str = "open,openat,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,\
sendfile,splice,ftruncate,fallocate,truncate,ioctl,fsync,fdatasync,sync_file_range,syncfs,sync,\
rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,mknod,\
mknodat,chmod,fchmod,fchmodat,fchmodat2,chown,fchown,fchownat,lchown,utime,utimes,utimensat,\
futimesat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,open_by_handle_at,\
io_uring_setup,mount,chdir";

/// One call, with the paths that it concerns.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// Its arguments, as strace shows them.
    pub arguments: String,
    /// What it returned.
    pub returned: String,
    /// When it began and ended, counted in lines of the trace.
    pub began: usize,
    pub ended: usize,
    /// Every path that it names, descriptors' paths included.
    pub paths: Vec<PathBuf>,
}

impl Call {
    pub fn is(&self, names: &[&str]) -> bool {
        names.contains(&&*self.name)
    }

    pub fn concerns(&self, path: &Path) -> bool {
        self.paths.iter().any(|p| p == path)
    }

    pub fn is_below(&self, folder: &Path) -> bool {
        self.paths.iter().any(|path| path.starts_with(folder))
    }
}

/// Runs a program under strace; what it did, in order of the calls' beginnings.
pub fn traced(run: Run, file: &Path) -> (Ended, Vec<Call>) {
    // "?": a call that this strace or machine does not know is left out.
    let trace = format!("--trace=?{}", CALLS.replace(',', ",?"));
    let how = ["--follow-forks", "--decode-fds=path", "--string-limit=4096", &trace, "--output"];
    let ended = run.behind("strace", how.iter().map(Path::new).chain([file])).end();
    let text = std::fs::read_to_string(file).unwrap();
    let calls = parse(&text);
    assert!(calls.len() > 20, "strace saw next to nothing: {text}");
    assert!(!calls.iter().any(|call| call.is(&["io_uring_setup"])), "it works unseen");
    (ended, calls)
}

/// Reads a trace; a call that others interrupted stands in two lines.
fn parse(text: &str) -> Vec<Call> {
    let mut unfinished = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread.to_owned(), (at, begun.to_owned()));
        } else if rest.starts_with("<... ") {
            let Some((began, begun)) = unfinished.remove(thread) else { continue };
            let resumed = rest.split_once(" resumed>").map_or("", |(_, tail)| tail);
            calls.extend(call(&format!("{begun}{resumed}"), began, at));
        } else {
            calls.extend(call(rest, at, at));
        }
    }
    calls.sort_by_key(|call| call.began);
    calls
}

fn call(text: &str, began: usize, ended: usize) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, returned) = rest.rsplit_once(" = ")?;
    let (name, arguments) = (name.to_owned(), arguments.to_owned());
    let paths = paths(&arguments);
    Some(Call { name, arguments, returned: returned.to_owned(), began, ended, paths })
}

/// The paths in a call's arguments: `N</folder>, "name"` is `/folder/name`.
fn paths(arguments: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut folder: Option<PathBuf> = None;
    let mut rest = arguments;
    while let Some(at) = rest.find(['<', '"']) {
        let (quoted, end) = if rest[at..].starts_with('<') { (false, '>') } else { (true, '"') };
        let Some(length) = rest[at + 1..].find(end) else { break };
        let text = &rest[at + 1..at + 1 + length];
        rest = &rest[at + 2 + length..];
        if !quoted {
            folder = Some(PathBuf::from(text));
            found.extend(folder.clone());
        } else {
            let base = folder.take().unwrap_or_default();
            found.push(plain(&base.join(text)));
        }
    }
    found
}

/// The path without `.`.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[test]
fn a_trace_is_read_with_its_paths_and_its_interrupted_calls() {
    let text = "\
10 openat(3</a>, \"b\", O_RDONLY <unfinished ...>\n\
11 renameat2(4</x/y>, \".phc\", 5</x>, \"z\", RENAME_NOREPLACE) = 0\n\
10 <... openat resumed>) = 7</a/b>\n\
10 write(7</a/b>, \"data\", 4) = 4\n\
+++ exited with 0 +++\n";
    let calls = parse(text);
    let seen: Vec<_> = calls.iter().map(|c| (&*c.name, c.began, c.ended)).collect();
    assert_eq!(seen, [("openat", 0, 2), ("renameat2", 1, 1), ("write", 3, 3)]);
    assert!(calls[0].concerns(Path::new("/a/b")) && calls[0].is_below(Path::new("/a")));
    assert!(calls[1].concerns(Path::new("/x/y/.phc")) && calls[1].concerns(Path::new("/x/z")));
    assert!(calls[2].concerns(Path::new("/a/b")));
}
