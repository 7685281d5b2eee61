//! Settings files of `key=value` lines, as Qt programs and plain C programs write them.

/// The lines `key = value` of a text with the section that each stands in; comments and all else are left out.
pub fn lines(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut section = "";
    text.lines().map(str::trim).filter_map(move |line| {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            return None;
        }
        let (key, value) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))?;
        Some((section, key.trim(), value.trim()))
    })
}

/// A value without its quotes and escapes (QSettings, "Format::IniFormat"): `\\`, `\"`, `\x20ac`.
pub fn value(raw: &str) -> String {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw);
    let mut out = String::new();
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('x') => {
                let mut code = 0;
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) {
                    code = (code * 16 + digit) & 0x1F_FFFF;
                    chars.next();
                }
                out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
            }
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{lines, value};
    use proptest::prelude::*;

    #[test]
    fn sections_comments_and_noise_are_told_apart() {
        let text = "a=1\n# c=2\n[S]\n b = x=y \n;d=3\nnoise\n[T]\ne=\n";
        let found: Vec<_> = lines(text).collect();
        assert_eq!(found, [("", "a", "1"), ("S", "b", "x=y"), ("T", "e", "")]);
    }

    #[test]
    fn quotes_and_escapes_are_undone() {
        for (raw, plain) in [
            ("/home/sam/Nextcloud/", "/home/sam/Nextcloud/"),
            (r#""/home/sam/a, b""#, "/home/sam/a, b"),
            (r"/home/sam/Caf\xe9", "/home/sam/Café"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r"\x110000", "\u{FFFD}"),
            (r"end\", r"end\"),
        ] {
            assert_eq!(value(raw), plain, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            for (_, _, raw) in lines(&text) {
                value(raw);
            }
        }
    }
}
