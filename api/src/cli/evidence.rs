//! Formats the complaints behind a flag as a table.

use super::output::table;
use jobs::flags::EvidenceOf;
use schema::enums::Finding;

/// Characters of a complaint's text in the table.
const WORDS: usize = 48;

/// A table of complaints, with their reference numbers in other registers, or else in this one.
pub fn evidence_table(all: &[EvidenceOf]) -> String {
    table(
        &["RECEIVED", "REFERENCE", "UNIT", "ENTERPRISE", "FINDING", "TEXT"],
        all.iter().map(|one| {
            let numbers: Vec<String> =
                one.sources.iter().map(|of| format!("{} ({})", of.reference, of.source)).collect();
            let enterprise = one.enterprise.as_ref().map_or("anonymous".to_owned(), |enterprise| {
                let name =
                    enterprise.name.as_deref().map_or(String::new(), |name| format!(" {}", first_words(name, 30)));
                format!("{}{name}", enterprise.tax_code)
            });
            vec![
                one.received_on.to_string(),
                if numbers.is_empty() { one.reference.clone() } else { numbers.join(", ") },
                one.unit.clone().unwrap_or_default(),
                enterprise,
                one.findings.iter().map(|finding| Finding::as_str(*finding)).collect::<Vec<_>>().join(", "),
                one.text.as_deref().map(|text| first_words(text, WORDS)).unwrap_or_default(),
            ]
        }),
    )
}

/// The beginning of a text, on one line: as many whole words as fit into `most` characters. A first word that is longer
/// is cut.
fn first_words(text: &str, most: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let own = word.chars().count();
        if length == 0 && own > most {
            shown.extend(word.chars().take(most));
            return shown + "…";
        }
        if length > 0 && length + 1 + own > most {
            return shown + " …";
        }
        if length > 0 {
            shown.push(' ');
            length += 1;
        }
        shown.push_str(word);
        length += own;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::first_words;

    #[test]
    fn words_are_not_cut_unless_the_first_does_not_fit() {
        assert_eq!(first_words("đòi thêm\n tiền", 13), "đòi thêm tiền");
        assert_eq!(first_words("đòi thêm tiền mặt", 13), "đòi thêm tiền …");
        assert_eq!(first_words("đòi thêm tiền mặt", 12), "đòi thêm …");
        assert_eq!(first_words("nghiêmtrọng lắm", 6), "nghiêm…");
        assert_eq!(first_words("  ", 6), "");
    }
}
