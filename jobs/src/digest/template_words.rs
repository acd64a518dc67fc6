//! The functions of templates that write words and numbers of a language, in digests and on the page.

use super::messages::Messages;
use fluent_bundle::FluentArgs;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind};
use std::sync::Arc;

/// Adds `t`, which writes a message with its values, `number` and `percent`.
pub fn add_words(environment: &mut Environment<'static>, messages: &Arc<Messages>) {
    let shared = Arc::clone(messages);
    environment.add_function("t", move |key: String, values: Kwargs| -> Result<String, Error> {
        let mut args = FluentArgs::new();
        let names: Vec<String> = values.args().map(str::to_owned).collect();
        for name in names {
            let value: Value = values.get(&name)?;
            match f64::try_from(value.clone()) {
                Ok(number) => args.set(name, number),
                Err(_) => args.set(name, value.to_string()),
            }
        }
        shared.message(&key, &args).map_err(|e| Error::new(ErrorKind::InvalidOperation, e.to_string()))
    });
    let shared = Arc::clone(messages);
    environment
        .add_function("number", move |value: f64, digits: Option<usize>| shared.number(value, digits.unwrap_or(0)));
    let shared = Arc::clone(messages);
    environment.add_function("percent", move |share: f64| shared.percent(share));
}
