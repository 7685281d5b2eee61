//! Where a mount comes from: server and share in the many spellings of mount tables.

/// A share of a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The server's name.
    pub server: String,
    /// The share's name, or the exported path.
    pub share: String,
}

impl Origin {
    /// Reads a mount table's source: `//server/share`, `//user@server/share`, `\\server\share`,
    /// `server:/export`, `user@server:path`; `None` for a device and all else.
    pub fn parse(source: &str) -> Option<Origin> {
        let slashed = source.replace('\\', "/");
        let (server, share) = match slashed.strip_prefix("//") {
            Some(rest) => rest.split_once('/')?,
            None => slashed.split_once(':').filter(|(server, _)| !server.contains('/'))?,
        };
        let server = server.rsplit_once('@').map_or(server, |(_, server)| server);
        let share = share.trim_matches('/');
        let known = !server.is_empty() && !share.is_empty();
        known.then(|| Origin { server: server.to_owned(), share: share.to_owned() })
    }

    /// True if both name one share: letters' case does not count, and a short host name stands for its long one.
    ///
    /// `akira` and `akira.tail.example` are one server, since a mount table keeps the
    /// name by which somebody mounted.
    pub fn is(&self, other: &Origin) -> bool {
        self.share.eq_ignore_ascii_case(&other.share) && same_host(&self.server, &other.server)
    }
}

fn same_host(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_end_matches('.'), other.trim_end_matches('.'));
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    let short = !one.contains('.') || !other.contains('.');
    one.eq_ignore_ascii_case(other) || (short && first(one) == first(other))
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "//{}/{}", self.server, self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn every_spelling_of_a_share_is_the_same_share() {
        let wanted = Origin::parse("//akira/space").unwrap();
        for same in [
            "//akira/space/",
            "//AKIRA/Space",
            "//miket@akira/space",
            "//WORKGROUP;miket@akira/space",
            r"\\akira\space",
            "akira:/space",
            "miket@akira:space",
            "//akira.tail.example/space",
            "//akira./space",
        ] {
            assert!(wanted.is(&Origin::parse(same).unwrap()), "{same}");
        }
        for other in ["//motoko/space", "//akira/flux", "//akira/space/sub", "//akira2/space"] {
            assert!(!wanted.is(&Origin::parse(other).unwrap()), "{other}");
        }
        let (a, b) = (Origin::parse("//a.x/s").unwrap(), Origin::parse("//a.y/s").unwrap());
        assert!(!a.is(&b), "two long names are two servers");
    }

    #[test]
    fn devices_come_from_nowhere() {
        for device in ["/dev/sda1", "tmpfs", "", "//server", "//server/", "none", "/a:b"] {
            assert_eq!(Origin::parse(device), None, "{device}");
        }
    }
}
