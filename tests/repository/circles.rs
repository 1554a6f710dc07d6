//! No circles among the files of the source.
//!
//! In: the source without what is compiled for tests alone. Out: failed tests that name each circle and the names that
//! tie it. Left to others: the order of the stages.
//!
//! A file depends on the file that defines a name it uses, wherever that name is re-exported, and a `mod.rs` on each of
//! its modules. So a module that takes a name defined in the `mod.rs` above it closes a circle too.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

use super::house::sources;

#[test]
fn files_depend_on_each_other_in_one_direction() {
    let circles: Vec<_> = Source::read(&sources()).circles().iter().map(Circle::show).collect();
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn circles_are_found_through_reexports_and_upwards() {
    let file = |path: &str, text: &str| (format!("src/{path}"), text.to_owned());
    let found = |files: &[(String, String)]| -> Vec<String> {
        Source::read(files).circles().iter().map(|circle| circle.files.join(" ")).collect()
    };
    let root = file("lib.rs", "mod a;");
    let parent = file("a/mod.rs", "mod one; mod two; pub use one::One; pub struct Own;");
    let one = |text| file("a/one.rs", text);
    let two = |text| file("a/two.rs", text);
    // `One` is defined beside `two`, not above it; a test may use anything.
    let clear = "use super::One; #[cfg(test)] mod tests { use super::super::Own; } // super::Own";
    assert!(found(&[root.clone(), parent.clone(), one("pub struct One;"), two(clear)]).is_empty());
    let (tied, back) = (
        one("pub struct One; fn f() { crate::a::two::f(\"super::Own\") }"),
        two("use super::{self, One as Other}; pub fn f() {}"),
    );
    assert_eq!(found(&[root.clone(), parent.clone(), tied, back]), ["src/a/one.rs src/a/two.rs"]);
    assert_eq!(
        found(&[root, parent, one("pub struct One;"), two("use crate::a::Own;")]),
        ["src/a/mod.rs src/a/two.rs"]
    );
}

/// A module and what its file says about others. Paths are lists of names, relative to the module.
#[derive(Default)]
struct Module {
    file: String,
    /// The names of the modules that it declares.
    modules: Vec<String>,
    /// The names that `use` brings in, each with its path.
    imports: BTreeMap<String, Vec<String>>,
    /// Every path in it, those of `use` too.
    paths: Vec<Vec<String>>,
}

/// The modules by their paths, `decode::link`; the crate's root is the empty path.
#[derive(Default)]
struct Source(BTreeMap<String, Module>);

/// What a path leads to.
enum Target<'a> {
    Module(String),
    /// The file that defines a name, and the name.
    Item(&'a str, &'a str),
}

/// Files each of which depends on all others, and the names that tie one to another.
struct Circle {
    files: Vec<String>,
    ties: Vec<String>,
}

impl Circle {
    fn show(&self) -> String {
        format!("{} files:\n  {}", self.files.len(), self.ties.join("\n  "))
    }
}

impl Source {
    fn read(files: &[(String, String)]) -> Self {
        let module = |(file, text): &(String, String)| {
            let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
            let key = if path == "lib" { String::new() } else { path.replace('/', "::") };
            (key, Module::read(file, text))
        };
        let mut modules: BTreeMap<String, Module> = files.iter().map(module).collect();
        let declared: BTreeSet<String> = modules.iter().flat_map(|(key, module)| module.children(key)).collect();
        // A module that is declared only for tests is compiled only for tests.
        modules.retain(|key, _| key.is_empty() || declared.contains(key));
        Self(modules)
    }

    /// For each file the files it depends on, each with the names it takes from there.
    fn arrows(&self) -> BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> {
        let mut arrows: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
        for (key, module) in &self.0 {
            let parent = key.rsplit_once("::").map_or("", |(parent, _)| parent);
            if let Some(parent) = self.0.get(parent).filter(|parent| parent.file != module.file) {
                arrows.entry(&parent.file).or_default().entry(&module.file).or_default().insert("mod");
            }
            for path in &module.paths {
                if let Some(Target::Item(file, name)) = self.resolve(key, path, 0)
                    && file != module.file
                {
                    arrows.entry(&module.file).or_default().entry(file).or_default().insert(name);
                }
            }
        }
        arrows
    }

    /// Follows a path from a module; `None` where it leads out of the crate.
    fn resolve<'a>(&'a self, from: &str, path: &'a [String], depth: usize) -> Option<Target<'a>> {
        let mut at = from.to_owned();
        for (index, name) in path.iter().enumerate() {
            let module = self.0.get(&at)?;
            let child = if at.is_empty() { name.clone() } else { format!("{at}::{name}") };
            match name.as_str() {
                "crate" => at = String::new(),
                "self" => {}
                "super" => at = at.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned(),
                _ if self.0.contains_key(&child) => at = child,
                _ => match module.imports.get(name) {
                    // A crate's own name leads to itself.
                    Some(path) if depth < 16 => match self.resolve(&at, path, depth + 1)? {
                        Target::Module(module) => at = module,
                        item @ Target::Item(..) => return Some(item),
                    },
                    Some(_) => return None,
                    None if index == 0 => return None,
                    None => return Some(Target::Item(&module.file, name)),
                },
            }
        }
        Some(Target::Module(at))
    }

    fn circles(&self) -> Vec<Circle> {
        let arrows = self.arrows();
        let reached = |from: &'_ str| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
            while let Some(file) = open.pop() {
                for next in arrows.get(file.as_str()).into_iter().flat_map(BTreeMap::keys) {
                    if seen.insert((*next).to_owned()) {
                        open.push((*next).to_owned());
                    }
                }
            }
            seen
        };
        let reach: BTreeMap<&str, BTreeSet<String>> = arrows.keys().map(|file| (*file, reached(file))).collect();
        let on_circle = reach.iter().filter(|(file, reached)| reached.contains(**file));
        let circle = |(file, reached): (&&str, &BTreeSet<String>)| -> Vec<String> {
            let back = |other: &&String| reach.get(other.as_str()).is_some_and(|reached| reached.contains(*file));
            reached.iter().filter(back).cloned().collect()
        };
        let circles: BTreeSet<Vec<String>> = on_circle.map(circle).collect();
        let ties = |files: &[String]| {
            let inside = |file: &str| files.iter().any(|known| known == file);
            let all = arrows.iter().flat_map(|(from, to)| to.iter().map(move |(to, names)| (*from, *to, names)));
            let tie = |(from, to, names): (&str, &str, &BTreeSet<&str>)| {
                let names: Vec<_> = names.iter().copied().collect();
                format!("{from} -> {to}: {}", names.join(", "))
            };
            // What a `mod.rs` takes from its own modules is allowed.
            let tied = |(from, to, names): &(&str, &str, &BTreeSet<&str>)| {
                inside(from) && inside(to) && !names.contains("mod")
            };
            all.filter(tied).map(tie).collect()
        };
        circles.into_iter().map(|files| Circle { ties: ties(&files), files }).collect()
    }
}

impl Module {
    fn read(file: &str, text: &str) -> Self {
        let mut module = Self { file: file.to_owned(), ..Self::default() };
        let tokens = tokens(text);
        let mut rest = tokens.into_iter().peekable();
        while let Some(token) = rest.next() {
            if token == "use" {
                module.imports(&mut rest, &[]);
            } else if token == "mod" {
                module.modules.extend(rest.next().map(str::to_owned));
            } else if is_name(token) {
                let mut path = vec![token.to_owned()];
                while rest.next_if_eq(&"::").is_some() {
                    path.extend(rest.next_if(|token| is_name(token)).map(str::to_owned));
                }
                module.paths.push(path);
            }
        }
        module.paths.retain(|path| path.len() > 1);
        module
    }

    /// The paths of the modules that it declares. What `main.rs` declares is below the crate's root too.
    fn children(&self, key: &str) -> Vec<String> {
        let below = if key.is_empty() || key == "main" { String::new() } else { format!("{key}::") };
        self.modules.iter().map(|name| format!("{below}{name}")).collect()
    }

    /// Reads a tree of `use`, up to the token after it.
    fn imports<'t>(&mut self, rest: &mut Peekable<impl Iterator<Item = &'t str>>, prefix: &[String]) {
        let mut path = prefix.to_vec();
        let mut name = None;
        while let Some(token) = rest.next_if(|token| !matches!(*token, "," | "}" | ";")) {
            match token {
                "{" => {
                    while rest.next_if_eq(&"}").is_none() {
                        self.imports(rest, &path);
                        rest.next_if_eq(&",");
                    }
                    return;
                }
                "as" => name = rest.next().map(str::to_owned),
                "::" | "*" => {}
                // In braces the module itself.
                "self" if !path.is_empty() => {}
                _ => path.push(token.to_owned()),
            }
        }
        if let Some(name) = name.or_else(|| path.last().cloned()) {
            self.imports.insert(name, path.clone());
            self.paths.push(path);
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The words and signs of code, without comments, literals and what is compiled for tests alone.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => literal(rest, '"'),
            'r' if rest.starts_with("r#\"") => rest.find("\"#").map_or(rest.len(), |end| end + 2),
            '\'' if rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'') => literal(rest, '\''),
            _ if first.is_alphanumeric() || first == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            _ if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let (token, later) = rest.split_at(length);
        rest = later;
        if !token.starts_with(['"', '\'', ' ', '\n']) && !token.starts_with("//") && !token.starts_with("r#\"") {
            tokens.push(token);
        }
        if tokens.ends_with(&["#", "[", "cfg", "(", "test", ")", "]"]) {
            rest = behind_item(rest);
        }
    }
    tokens
}

/// The length of a literal with its quotes.
fn literal(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let closes = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// What follows the next item, which ends with a semicolon or with a brace in the column of its first line.
fn behind_item(text: &str) -> &str {
    let item = text.trim_start();
    let line = item.lines().find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
    if line.ends_with([';', '}']) || line.is_empty() {
        return item.split_once('\n').map_or("", |(_, later)| later);
    }
    let indent = text.len() - text.trim_start_matches(['\n', ' ']).len();
    let indent = text[..indent].rsplit('\n').next().unwrap_or_default();
    let end = format!("\n{indent}}}");
    item.find(&end).map_or("", |at| &item[at + end.len()..])
}
