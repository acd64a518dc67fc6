//! The words of the page in both languages (Fluent), from `assets/web/words`.

use super::assets::Assets;
use fluent_bundle::{FluentArgs, FluentValue};
use jobs::digest::messages::Messages;
use schema::enums::Locale;
use std::sync::{Arc, LazyLock};

static VI: LazyLock<Result<Arc<Messages>, String>> = LazyLock::new(|| read(Locale::Vi));
static EN: LazyLock<Result<Arc<Messages>, String>> = LazyLock::new(|| read(Locale::En));

fn read(locale: Locale) -> Result<Arc<Messages>, String> {
    let end = format!(".{}.ftl", locale.as_str());
    let sources = Assets::texts("words/").filter(|(file, _)| file.ends_with(&end)).map(|(_, text)| text);
    Messages::of(locale, sources).map(Arc::new).map_err(|error| error.to_string())
}

/// The words of a language.
///
/// # Errors
/// If a file cannot be parsed, or a key is in two files.
pub fn messages(locale: Locale) -> Result<Arc<Messages>, String> {
    match locale {
        Locale::Vi => VI.clone(),
        Locale::En => EN.clone(),
    }
}

/// A word with its values. A word that is missing is shown by its key, and the log names it.
pub fn word(locale: Locale, key: &str, values: &[(&str, FluentValue<'_>)]) -> String {
    let mut args = FluentArgs::new();
    for (name, value) in values {
        args.set((*name).to_owned(), value.clone());
    }
    let found = messages(locale).and_then(|messages| messages.message(key, &args).map_err(|e| e.to_string()));
    found.unwrap_or_else(|error| {
        tracing::error!(error, "a word of the page");
        key.to_owned()
    })
}

/// Whether a language has the word of a key.
pub fn has(locale: Locale, key: &str) -> bool {
    messages(locale).is_ok_and(|messages| messages.has(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn both_languages_have_the_same_words_and_each_key_names_its_file() {
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (file, text) in Assets::texts("words/") {
            let (view, language) = file.trim_start_matches("words/").trim_end_matches(".ftl").split_once('.').unwrap();
            let own = text.lines().filter(|line| !line.starts_with([' ', '#', '}', '.']));
            let view = view.split('-').next().unwrap();
            let may_begin = [view.to_owned(), format!("done-{view}"), format!("nav-{view}")];
            for key in own.filter_map(|line| Some(line.split_once(" =")?.0)) {
                let is_own = may_begin.iter().any(|begin| key.starts_with(begin.as_str()));
                assert!(view == "layout" || is_own, "{file}: {key}");
                keys.entry(key.to_owned()).or_default().push(language.to_owned());
            }
        }
        for (key, mut languages) in keys {
            languages.sort_unstable();
            assert_eq!(languages, ["en", "vi"], "{key}");
        }
        messages(Locale::Vi).unwrap();
        messages(Locale::En).unwrap();
    }
}
