//! File systems of their own for a test, gone when it ends.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system; unmounted when dropped.
pub struct Mounted {
    point: PathBuf,
}

impl Mounted {
    /// A file system in memory of this size, as tmpfs(5) writes sizes.
    pub fn tmpfs(point: &Path, size: &str) -> Mounted {
        Mounted::mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], point)
    }

    /// A fresh ext4 in a file.
    pub fn ext4(image: &Path, point: &Path) -> Mounted {
        std::fs::File::create(image).unwrap().set_len(256 << 20).unwrap();
        sh("mkfs.ext4", &["-q", image.to_str().unwrap()]);
        Mounted::image(image, point)
    }

    /// The file system in a file.
    pub fn image(image: &Path, point: &Path) -> Mounted {
        Mounted::mount(&["-o", "loop", image.to_str().unwrap()], point)
    }

    /// A folder, or a mounted file system, seen at a second place.
    pub fn bind(folder: &Path, point: &Path) -> Mounted {
        Mounted::mount(&["--bind", folder.to_str().unwrap()], point)
    }

    /// A folder through FUSE, where syncfs(2) is no barrier.
    pub fn bindfs(folder: &Path, point: &Path) -> Mounted {
        sh("bindfs", &[folder.to_str().unwrap(), point.to_str().unwrap()]);
        Mounted { point: point.to_owned() }
    }

    fn mount(arguments: &[&str], point: &Path) -> Mounted {
        sh("mount", &[arguments, &[point.to_str().unwrap()]].concat());
        Mounted { point: point.to_owned() }
    }

    /// Changes its options, as `mount -o remount` does.
    pub fn remount(&self, options: &str) {
        sh("mount", &["-o", &format!("remount,{options}"), self.point.to_str().unwrap()]);
    }

    /// Takes it out of sight at once, whoever still uses it.
    pub fn detach(self) {}
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.point).status();
    }
}

/// Runs a program that must succeed.
pub fn sh(program: &str, arguments: &[&str]) {
    let path = std::env::var("PATH").unwrap_or_default();
    let command = &mut Command::new(program);
    let output = command.args(arguments).env("PATH", format!("{path}:/usr/sbin:/sbin")).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
}
