//! Writing mdoc(7), the macros of manual pages.

/// A page that grows from its top to its end.
pub(crate) struct Page(String);

impl Page {
    /// A page with its title; generated pages say so in their first line.
    pub fn new(name: &str, section: &str, date: &str) -> Page {
        let title = name.to_uppercase();
        Page(format!(
            ".\\\" Generated from the program's own tables; tests/edge holds it to them.\n\
             .Dd {date}\n.Dt {title} {section}\n.Os\n"
        ))
    }

    /// Begins a section.
    pub fn section(&mut self, name: &str) -> &mut Page {
        self.raw(&format!("Sh {name}"))
    }

    /// Begins a section within a section.
    pub fn subsection(&mut self, name: &str) -> &mut Page {
        self.raw(&format!("Ss {name}"))
    }

    /// A macro with words that are no macros.
    pub fn call(&mut self, name: &str, words: &str) -> &mut Page {
        let words = words.split_whitespace().map(plain_word).collect::<Vec<_>>().join(" ");
        self.raw(format!("{name} {words}").trim_end())
    }

    /// A macro line as it is, without its dot.
    pub fn raw(&mut self, line: &str) -> &mut Page {
        self.0.push('.');
        self.0.push_str(line);
        self.0.push('\n');
        self
    }

    /// Words: each sentence begins a line, each paragraph (after an empty line) ends as one.
    pub fn text(&mut self, text: &str) -> &mut Page {
        let paragraphs = text.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
        for (at, paragraph) in paragraphs.enumerate() {
            if at > 0 {
                self.raw("Pp");
            }
            let end = if paragraph.ends_with(['.', ':', '?']) { "" } else { "." };
            self.sentences(&format!("{paragraph}{end}"));
        }
        self
    }

    /// A list of terms (macro lines without their dot) and what they mean; nothing when empty.
    pub fn list(&mut self, items: &[(String, String)]) -> &mut Page {
        if items.is_empty() {
            return self;
        }
        self.raw("Bl -tag -width Ds");
        for (term, meaning) in items {
            self.raw(&format!("It {term}")).text(meaning);
        }
        self.raw("El")
    }

    /// Lines to be typed as they are.
    pub fn literal(&mut self, lines: &[&str]) -> &mut Page {
        self.raw("Bd -literal -offset indent");
        for line in lines {
            let line = guarded(&escaped(line).replace('-', "\\-"));
            self.0.push_str(&line);
            self.0.push('\n');
        }
        self.raw("Ed")
    }

    /// The whole page.
    pub fn finish(self) -> String {
        self.0
    }

    fn sentences(&mut self, paragraph: &str) {
        let words = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        for sentence in words.replace(". ", ".\n").lines() {
            for line in wrapped(&escaped(sentence)) {
                self.0.push_str(&guarded(&line));
                self.0.push('\n');
            }
        }
    }
}

/// A sentence in lines of the width that mdoc(7) asks for.
fn wrapped(sentence: &str) -> Vec<String> {
    const WIDTH: usize = 78;
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let full = lines.last().is_some_and(|line| line.len() + word.len() >= WIDTH);
        match lines.last_mut() {
            Some(line) if !full && line.is_empty() => line.push_str(word),
            Some(line) if !full => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e")
}

/// The line, kept from being read as a macro.
fn guarded(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}

/// The word, kept from being read as a macro: those have two or three letters, the first a capital.
fn plain_word(word: &str) -> String {
    let mut letters = word.chars();
    let capital = letters.next().is_some_and(|c| c.is_ascii_uppercase());
    let short = matches!(word.len(), 2 | 3) && letters.all(|c| c.is_ascii_lowercase());
    let word = escaped(word);
    if capital && short { format!("\\&{word}") } else { word }
}

#[cfg(test)]
mod tests {
    use super::Page;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_becomes_a_macro(text in "[.' \\\\a-zA-Z\n-]{0,300}") {
            let mut page = Page::new("phc-x", "1", "November 23, 2026");
            page.text(&text).literal(&[&text.replace('\n', " ")]);
            let page = page.finish();
            let own = [".Dd ", ".Dt ", ".Os", ".Pp", ".Bd -literal", ".Ed", ".\\\""];
            for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
                prop_assert!(own.iter().any(|own| line.starts_with(own)), "{}", line);
            }
        }
    }

    #[test]
    fn text_can_not_be_taken_for_macros() {
        let mut page = Page::new("phc-x", "1", "November 23, 2026");
        page.call("Nd", "No Op is a \\macro")
            .text("'quoted'. .dotted\n\nNext one")
            .literal(&[".a-b"]);
        let page = page.finish();
        for line in [
            ".Nd \\&No \\&Op is a \\emacro",
            "\\&'quoted'.",
            "\\&.dotted.",
            ".Pp",
            "Next one.",
            "\\&.a\\-b",
        ] {
            assert!(page.lines().any(|l| l == line), "{line} in\n{page}");
        }
    }
}
