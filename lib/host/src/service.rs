//! Telling the service manager how it stands with a program (sd_notify(3)).

use std::ffi::OsString;
use std::time::Duration;

/// What started this program as a service, if anything did.
#[derive(Debug, Default)]
pub struct Service {
    socket: Option<OsString>,
    watchdog: Option<Duration>,
}

impl Service {
    /// The service manager that the environment names: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    pub fn of_environment() -> Service {
        let number = |key: &str| std::env::var(key).ok().and_then(|text| text.parse::<u64>().ok());
        let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        Service {
            socket: std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()),
            watchdog: number("WATCHDOG_USEC").filter(|_| is_ours).map(Duration::from_micros),
        }
    }

    /// How often the manager wants to hear that the program lives: half of what it waits.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog.map(|waits| waits / 2)
    }

    /// The program is up.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// The program is about to end.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// The program lives.
    pub fn alive(&self) {
        if self.watchdog.is_some() {
            self.tell("WATCHDOG=1");
        }
    }

    /// One line for whoever asks how it stands.
    pub fn status(&self, words: &str) {
        self.tell(&format!("STATUS={}", words.replace('\n', " ")));
    }

    #[cfg(unix)]
    fn tell(&self, state: &str) {
        use std::os::unix::net::UnixDatagram;
        let Some(name) = &self.socket else { return };
        // A manager that does not listen is no trouble of the work.
        let _ = UnixDatagram::unbound().and_then(|socket| {
            socket.set_nonblocking(true)?;
            socket.send_to_addr(state.as_bytes(), &address(name)?)
        });
    }

    #[cfg(not(unix))]
    fn tell(&self, _state: &str) {
        let _ = &self.socket;
    }
}

/// The socket of this name; with a leading `@` it is in no file system.
#[cfg(unix)]
fn address(name: &std::ffi::OsStr) -> std::io::Result<std::os::unix::net::SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(abstract_name) = name.as_encoded_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        return std::os::unix::net::SocketAddr::from_abstract_name(abstract_name);
    }
    std::os::unix::net::SocketAddr::from_pathname(name)
}

#[cfg(all(test, unix))]
mod tests {
    use super::Service;
    use std::os::unix::net::UnixDatagram;

    #[test]
    fn a_manager_hears_what_is_told_and_a_missing_one_is_no_trouble() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("notify");
        let listens = UnixDatagram::bind(&path).unwrap();
        let service = Service { socket: Some(path.into()), watchdog: None };
        service.alive();
        service.ready();
        service.status("two\nlines");
        let mut bytes = [0; 64];
        for told in ["READY=1", "STATUS=two lines"] {
            let length = listens.recv(&mut bytes).unwrap();
            assert_eq!(&bytes[..length], told.as_bytes());
        }
        drop(temp);
        service.stopping();
        Service::default().ready();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_name_in_no_file_system_works_as_well() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("phc-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let listens = UnixDatagram::bind_addr(&address).unwrap();
        Service { socket: Some(format!("@{name}").into()), watchdog: None }.ready();
        let mut bytes = [0; 64];
        assert_eq!(listens.recv(&mut bytes).unwrap(), 7);
    }
}
