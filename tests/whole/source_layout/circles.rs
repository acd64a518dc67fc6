//! Circles of modules within a crate, found by the paths that their files use.
//!
//! A file belongs to the module that its path names. A `use`, or a path that is written out, is an arrow to the longest
//! module that exists, and an import of what a module re-exports is an arrow to the module that defines it. A module may
//! use what the modules that it lies in define, and re-export its own submodules: neither is an arrow. Tests are left
//! out. The files are read as text, so that an arrow can be missing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The words of a module's path within its crate.
type Module = Vec<String>;

/// A path that a file uses, and whether the file re-exports what it names.
#[derive(Debug, PartialEq, Eq)]
struct Used {
    path: Vec<String>,
    is_public: bool,
}

/// The module of a file, given relative to `src`; None for a test.
pub fn module_of(file: &Path) -> Option<Module> {
    let mut words: Module = file.with_extension("").iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if matches!(words.last().map(String::as_str), Some("lib" | "main" | "mod")) {
        words.pop();
    }
    let is_test = |word: &String| word == "tests" || word.ends_with("_tests");
    (!words.iter().any(is_test)).then_some(words)
}

/// The code of a file without comments and without the module of its tests, which ends it.
fn code_of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let is_test =
        |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].contains('{');
    let end = lines.windows(2).position(is_test).unwrap_or(lines.len());
    lines[..end].join("\n")
}

/// The paths of a tree of imports, such as `a::{b, c::{d, e as f}}`.
fn spread(prefix: &[String], tree: &str, found: &mut Vec<Vec<String>>) {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, letter) in tree.char_indices().chain([(tree.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(tree[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        let (head, rest) = part.split_once('{').map_or((part, None), |(head, rest)| (head, rest.strip_suffix('}')));
        let head = head.split(" as ").next().unwrap_or_default();
        let words = head.split("::").map(str::trim).filter(|word| !word.is_empty() && *word != "*");
        let path: Vec<String> = prefix.iter().cloned().chain(words.map(str::to_owned)).collect();
        match rest {
            Some(rest) => spread(&path, rest, found),
            None => found.push(path),
        }
    }
}

/// The tree of an import that begins on a line, and whether it is public. None for another line.
fn import(line: &str) -> Option<(&str, bool)> {
    let line = line.trim_start();
    if let Some(tree) = line.strip_prefix("use ") {
        return Some((tree, false));
    }
    let rest = line.strip_prefix("pub")?;
    let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
    Some((rest.trim_start().strip_prefix("use ")?, true))
}

/// The paths that begin with `crate` or `super` in a line that imports nothing.
fn written_out(line: &str) -> Vec<Vec<String>> {
    let is_of_path = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':');
    let paths = line.split(|letter: char| !is_of_path(letter));
    let paths = paths.map(|path| path.split("::").map(str::to_owned).collect::<Vec<String>>());
    let leads = |path: &Vec<String>| path.len() > 1 && matches!(path[0].as_str(), "crate" | "super");
    paths.filter(leads).map(|path| path.into_iter().filter(|word| !word.is_empty()).collect()).collect()
}

/// The paths that a file uses.
fn used(text: &str) -> Vec<Used> {
    let (code, mut found) = (code_of(text), Vec::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let Some((first, is_public)) = import(line) else {
            found.extend(written_out(line).into_iter().map(|path| Used { path, is_public: false }));
            continue;
        };
        let mut tree = first.to_owned();
        while !tree.contains(';') {
            let Some(line) = lines.next() else { break };
            tree.push_str(line);
        }
        let mut paths = Vec::new();
        spread(&[], tree.split(';').next().unwrap_or_default(), &mut paths);
        found.extend(paths.into_iter().map(|path| Used { path, is_public }));
    }
    found
}

/// The longest module that a path of a module names, and the words after it. None for a path into another crate.
fn resolved(at: &[String], path: &[String], exists: impl Fn(&[String]) -> bool) -> Option<(Module, Vec<String>)> {
    let (mut full, mut words) = match path.first()?.as_str() {
        "crate" => (Module::new(), &path[1..]),
        "super" | "self" => (at.to_vec(), path),
        child => {
            let mut below = at.to_vec();
            below.push(child.to_owned());
            if !exists(&below) {
                return None;
            }
            (at.to_vec(), path)
        }
    };
    while let Some((word, rest)) = words.split_first()
        && matches!(word.as_str(), "super" | "self")
    {
        if word == "super" {
            full.pop();
        }
        words = rest;
    }
    full.extend_from_slice(words);
    let mut rest = Vec::new();
    while !exists(&full) {
        rest.push(full.pop()?);
    }
    rest.reverse();
    Some((full, rest))
}

/// The modules that each module of a crate depends on, from the texts of its files.
fn arrows(files: &BTreeMap<Module, String>) -> BTreeMap<&Module, BTreeSet<Module>> {
    let exists = |module: &[String]| files.contains_key(module);
    let mut hits: Vec<(&Module, Module, Vec<String>, bool)> = Vec::new();
    let mut exports: BTreeMap<(Module, String), Module> = BTreeMap::new();
    for (module, text) in files {
        for Used { path, is_public } in used(text) {
            let Some((target, rest)) = resolved(module, &path, exists) else { continue };
            if is_public
                && target != *module
                && let Some(name) = rest.last().or(target.last())
            {
                exports.insert((module.clone(), name.clone()), target.clone());
            }
            hits.push((module, target, rest, is_public));
        }
    }
    let mut found: BTreeMap<&Module, BTreeSet<Module>> = files.keys().map(|module| (module, BTreeSet::new())).collect();
    for (module, mut target, rest, is_public) in hits {
        let mut seen = BTreeSet::new();
        while let Some(first) = rest.first()
            && let Some(next) = exports.get(&(target.clone(), first.clone()))
            && seen.insert(target.clone())
        {
            target.clone_from(next);
        }
        let is_export = is_public && target.starts_with(module);
        if !is_export && !module.starts_with(&target) {
            found.entry(module).or_default().insert(target);
        }
    }
    found
}

/// The circles of a crate, from the texts of its files: sets of modules that depend on one another.
pub fn circles(files: &BTreeMap<Module, String>) -> Vec<BTreeSet<String>> {
    let (arrows, modules) = (arrows(files), files.keys().collect::<Vec<&Module>>());
    let index = |module: &Module| modules.binary_search(&module).expect("a module");
    let targets: Vec<Vec<usize>> = modules.iter().map(|module| arrows[*module].iter().map(index).collect()).collect();
    let reached_from = |start: usize| {
        let (mut reached, mut next) = (vec![false; modules.len()], vec![start]);
        while let Some(at) = next.pop() {
            for target in &targets[at] {
                if !reached[*target] {
                    reached[*target] = true;
                    next.push(*target);
                }
            }
        }
        reached
    };
    let reached: Vec<Vec<bool>> = (0..modules.len()).map(reached_from).collect();
    let on_circles = (0..modules.len()).filter(|at| reached[*at][*at]);
    let found = on_circles.map(|at| {
        let circle = (0..modules.len()).filter(|other| reached[at][*other] && reached[*other][at]);
        circle.map(|one| modules[one].join("::")).collect::<BTreeSet<String>>()
    });
    found.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The files of a crate that was made up for a test.
fn files(texts: &[(&str, &str)]) -> BTreeMap<Module, String> {
    let module = |file: &str| module_of(Path::new(file)).expect("no test");
    texts.iter().map(|(file, text)| (module(file), (*text).to_owned())).collect()
}

#[test]
fn a_circle_is_found_through_imports_written_paths_and_re_exports() {
    let found = |texts: &[(&str, &str)]| -> Vec<Vec<String>> {
        circles(&files(texts)).into_iter().map(|circle| circle.into_iter().collect()).collect()
    };
    let one = ["a".to_owned(), "b".to_owned()];
    assert_eq!(
        found(&[("a.rs", "use crate::b::B;"), ("b.rs", "fn f() { crate::a::g() }")]),
        std::slice::from_ref(&one)
    );
    assert_eq!(found(&[("a.rs", "use crate::{\n    b::{B, C as D},\n};"), ("b.rs", "use super::a::*;")]), [one]);
    let through = [
        ("lib.rs", "mod a;\nmod b;\npub use b::c::C;"),
        ("a.rs", "use crate::C;"),
        ("b/mod.rs", "pub mod c;"),
        ("b/c.rs", "use crate::a::A;"),
    ];
    assert_eq!(found(&through), [["a".to_owned(), "b::c".to_owned()]]);
    for no_circle in [
        // What lies in a module may use it, and the module re-export what lies in it.
        [("a/mod.rs", "mod b;\npub use b::B;"), ("a/b.rs", "use super::A;\nuse super::super::a::C;")],
        [("a.rs", "use crate::b::B;"), ("b.rs", "// crate::a\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}")],
        [("a.rs", "use crate::b::B;"), ("b.rs", "use std::a::A;\nuse a::A;")],
    ] {
        assert_eq!(found(&no_circle), Vec::<Vec<String>>::new(), "{no_circle:?}");
    }
    assert_eq!(module_of(Path::new("b/tests/c.rs")), None);
}
