//! Just enough reading of Rust to tell code from comments, strings and tests.

/// The text with every comment, string and character literal blanked out. Lines
/// and columns stay where they were.
pub fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let length = opaque(&chars, at);
        if length == 0 {
            out.push(chars[at]);
            at += 1;
        } else {
            let end = (at + length).min(chars.len());
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// How many characters of comment or literal begin at `at`; 0 for code.
fn opaque(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let within_word = at > 0 && is_word(chars[at - 1]);
    match rest {
        ['/', '/', ..] => until(rest, &['\n']) - 1,
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => string(rest),
        ['r', '"' | '#', ..] if !within_word => raw_string(rest),
        ['b' | 'c', 'r', '"' | '#', ..] if !within_word => 1 + raw_string(&rest[1..]),
        ['\'', '\\', ..] => 3 + until(rest.get(3..).unwrap_or_default(), &['\'']),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

/// Length up to and with the first `end`, else everything and one more.
fn until(chars: &[char], end: &[char]) -> usize {
    let found = chars.windows(end.len()).position(|window| window == end);
    found.map_or(chars.len() + 1, |place| place + end.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Length of `r"…"` or `r#"…"#`; 0 for a raw identifier such as `r#type`.
fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    2 + hashes + until(&rest[2 + hashes..], &end)
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The code without what `#[cfg(test)]` or `#[cfg(all(test, …` marks: what goes
/// into the programs.
pub fn shipped(text: &str) -> String {
    let mut code = code(text);
    while let Some(start) = code.find("#[cfg(test)]").or_else(|| code.find("#[cfg(all(test")) {
        let rest = &code[start..];
        let end = match rest.find(['{', ';']) {
            Some(place) if rest[place..].starts_with('{') => start + place + block(&rest[place..]),
            Some(place) => start + place + 1,
            None => code.len(),
        };
        let blank = code[start..end].chars().map(|c| if c == '\n' { c } else { ' ' });
        let blank: String = blank.collect();
        code.replace_range(start..end, &blank);
    }
    code
}

/// Length of the `{ … }` that the code begins with.
fn block(code: &str) -> usize {
    let mut depth = 0;
    for (place, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place + 1;
        }
    }
    code.len()
}

/// A function: its name, its first line and how many lines it has.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// Every function with a body in the code (as [`code`] or [`shipped`] gives it).
pub fn functions(code: &str) -> Vec<Function> {
    places(code, "fn").filter_map(|place| function(code, place)).collect()
}

/// The function whose `fn` stands at `start`, unless it is a type or has no body.
fn function(code: &str, start: usize) -> Option<Function> {
    let rest = &code[start..];
    let name: String = rest[2..].trim_start().chars().take_while(|c| is_word(*c)).collect();
    let body = end_of_signature(rest).filter(|place| rest[*place..].starts_with('{'))?;
    let lines = rest[..body + block(&rest[body..])].lines().count();
    (!name.is_empty()).then(|| Function { name, line: line_of(code, start), lines })
}

/// Place of the `{` or `;` that ends a signature; `[u8; 4]` does not.
fn end_of_signature(code: &str) -> Option<usize> {
    let mut depth = 0;
    code.char_indices().find_map(|(place, c)| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        (depth == 0 && matches!(c, '{' | ';')).then_some(place)
    })
}

/// Where the code has the word, standing alone.
pub fn places<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(place, _)| place).filter(move |place| {
        let before = code[..*place].chars().next_back();
        let after = code[place + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The line, from 1, of a place in the text.
pub fn line_of(text: &str, place: usize) -> usize {
    text[..place].matches('\n').count() + 1
}

#[test]
fn comments_and_literals_are_not_code() {
    let text = "a /* b /* c */ d */ e // f\n'\\'' '\"' \"g\\\" h\" r#\"i\"j\"# k 'l: m br\"n\" r#o";
    let code = code(text);
    let left: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(left, ["a", "e", "k", "'l:", "m", "r#o"]);
    assert_eq!(code.len(), text.len());
}

#[test]
fn an_unfinished_literal_ends_with_the_text() {
    for text in ["\"a", "r#\"a", "/* a", "// a", "'\\", "\"\\"] {
        assert_eq!(code(text).trim(), "", "{text}");
    }
}

#[test]
fn what_only_tests_use_is_not_shipped() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { \"}\"; } }\n#[cfg(all(test, unix))]\nuse c;\nfn d() {}";
    let names: Vec<String> = functions(&shipped(text)).into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["a", "d"]);
}

#[test]
fn a_function_is_measured_from_its_name_to_its_last_brace() {
    let text = "fn a();\nimpl B {\n    fn c(d: fn() -> [u8; 4]) {\n        {}\n    }\n}\n";
    let found = functions(&code(text));
    assert_eq!(found, [Function { name: "c".to_owned(), line: 3, lines: 3 }]);
}
