//! Telling addresses from names.

use std::net::Ipv6Addr;

/// True if a text is an IP address in any spelling, not a host's name.
///
/// IPv6 with or without brackets and zone (RFC 4007), its Windows form
/// `fe80--1.ipv6-literal.net`, and everything whose last label is a number: such
/// a text is read as an IPv4 address by `inet_aton` in decimal, octal (`0177.1`)
/// or hexadecimal (`0x7f000001`) or as nothing at all, never as a name (WHATWG URL
/// Standard, "ends in a number"). A port behind it changes nothing.
pub fn is_address(text: &str) -> bool {
    let text = text.trim();
    is_v6(text) || is_v4(text) || text.rsplit_once(':').is_some_and(|(host, _)| is_v4(host))
}

fn is_v4(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !last.is_empty() && last.chars().all(char::is_numeric),
    }
}

fn is_v6(host: &str) -> bool {
    let inner = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host,
    };
    let bare = inner.split('%').next().unwrap_or(inner);
    let lower = bare.to_ascii_lowercase();
    bare.parse::<Ipv6Addr>().is_ok() || lower.ends_with(".ipv6-literal.net")
}

/// True if a text can be a host's name: ASCII labels of letters, digits, `-` and `_` joined by dots (RFC 1123, and `_` as SMB names have it).
pub fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && !label.starts_with('-')
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= 253 && text.split('.').all(label) && !is_address(text)
}

#[cfg(test)]
mod tests {
    use super::{is_address, is_host_name};
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn addresses_are_found_in_every_spelling() {
        for address in [
            "192.168.1.5",
            "192.168.1.5.",
            " 10.0.0.1 ",
            "10.0.0.1:445",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0X7F.1",
            "0x7f.0.0.0x1",
            "017700000001",
            "0177.0.0.1",
            "999.999.999.999",
            "nas.0x10",
            "::1",
            "[::1]",
            "[::1]:445",
            "fe80::1%eth0",
            "[fe80::1%25eth0]",
            "::ffff:192.168.1.5",
            "2001:DB8::1",
            "fe80--1.ipv6-literal.net",
            "１０.0.0.１",
        ] {
            assert!(is_address(address), "{address}");
            assert!(!is_host_name(address), "{address}");
        }
    }

    #[test]
    fn names_are_not_addresses() {
        for name in [
            "anchor",
            "nas1",
            "1nas",
            "0xnas",
            "anchor.tail1234.ts.net",
            "a.b.",
            "10-0-0-1.lan",
            "face",
            "dead.beef",
        ] {
            assert!(!is_address(name), "{name}");
            assert!(is_host_name(name), "{name}");
        }
        for bad in
            ["", ".", "a..b", "-a", "a b", "//nas", "smb://nas", "nas/share", "näs", "nas:445"]
        {
            assert!(!is_host_name(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_v4_address_is_one_in_each_radix(bits: u32) {
            let dotted = Ipv4Addr::from(bits);
            for text in [dotted.to_string(), bits.to_string(), format!("{bits:#x}"), format!("0{bits:o}")] {
                prop_assert!(is_address(&text), "{}", text);
            }
        }

        #[test]
        fn every_v6_address_is_one(bits: u128) {
            let text = Ipv6Addr::from(bits).to_string();
            let bracketed = format!("[{text}]");
            prop_assert!(is_address(&text) && is_address(&bracketed));
        }

        #[test]
        fn nothing_is_both(text: String) {
            prop_assert!(!(is_address(&text) && is_host_name(&text)));
        }
    }
}
