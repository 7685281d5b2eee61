//! Who this is: host, user and machine.

/// The host's name up to its first dot, as the system tells it.
#[cfg(unix)]
pub fn host() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let short = name.split('.').next().unwrap_or_default().to_owned();
    (!short.is_empty()).then_some(short)
}

/// The host's name, as the system tells it.
#[cfg(not(unix))]
pub fn host() -> Option<String> {
    std::env::var("COMPUTERNAME").ok().filter(|name| !name.is_empty())
}

/// The name of the user this process runs as.
#[cfg(unix)]
pub fn user() -> Option<String> {
    let uid = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    user_in(&passwd, uid).or_else(|| std::env::var("USER").ok()).filter(|name| !name.is_empty())
}

/// The name of the user this process runs as.
#[cfg(not(unix))]
pub fn user() -> Option<String> {
    std::env::var("USERNAME").ok().filter(|name| !name.is_empty())
}

/// The user of a uid in the text of passwd(5).
#[cfg(unix)]
fn user_in(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id: u32 = fields.nth(1)?.parse().ok()?;
        (id == uid).then(|| name.to_owned())
    })
}

/// The machine's own id (machine-id(5)); secret to this machine, only digests of it may leave.
#[cfg(target_os = "linux")]
pub fn machine() -> Option<String> {
    let text = std::fs::read_to_string("/etc/machine-id").ok()?;
    let id = text.trim().to_owned();
    (id.len() == 32).then_some(id)
}

/// The machine's own id; not asked for on this system yet.
#[cfg(not(target_os = "linux"))]
pub fn machine() -> Option<String> {
    None
}

/// `linux`, `macos` or `windows`.
pub fn platform() -> &'static str {
    std::env::consts::OS
}

#[cfg(all(test, unix))]
mod tests {
    #[test]
    fn users_are_found_by_uid() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nbroken\nmiket:x:1000:1000::/home/miket:/bin/sh\n";
        assert_eq!(super::user_in(passwd, 1000).as_deref(), Some("miket"));
        assert_eq!(super::user_in(passwd, 7), None);
    }
}
