//! Guesses the encoding and the delimiter of a file from its first part.

use crate::import::encoding::utf16_of;
use encoding_rs::{Encoding, WINDOWS_1252, WINDOWS_1258};

/// Delimiters that are tried, the likelier ones last.
const DELIMITERS: [u8; 4] = [b'|', b'\t', b';', b','];

/// The likely encoding of a sample; None is UTF-8.
pub fn encoding(sample: &[u8]) -> Option<&'static Encoding> {
    if let Some(wide) = utf16_of(sample) {
        return Some(wide);
    }
    match std::str::from_utf8(sample) {
        Ok(_) => None,
        // The sample may end within a character.
        Err(e) if e.error_len().is_none() => None,
        Err(_) => {
            // The bytes of Vietnamese letters in windows-1258 are rare letters in windows-1252: Ì, ì, Þ, Ò, ò, õ, ð.
            let text = WINDOWS_1258.decode_without_bom_handling(sample).0;
            let foreign = text.chars().filter(|c| !c.is_ascii()).count();
            let vietnamese = text
                .chars()
                .filter(|c| matches!(c, '\u{300}'..='\u{323}' | 'ă' | 'Ă' | 'đ' | 'Đ' | 'ơ' | 'Ơ' | 'ư' | 'Ư'))
                .count();
            Some(if vietnamese * 5 >= foreign { WINDOWS_1258 } else { WINDOWS_1252 })
        }
    }
}

/// The text of a sample. A truncated character at its end does not matter.
pub fn decoded(encoding: Option<&'static Encoding>, sample: &[u8]) -> String {
    let text = match encoding {
        None => String::from_utf8_lossy(sample),
        Some(encoding) => encoding.decode_with_bom_removal(sample).0,
    };
    if text.contains('\n') { text.into_owned() } else { text.replace('\r', "\n") }
}

/// The delimiter with the most columns, among those with which most rows have as many cells as the header.
pub fn delimiter(text: &str) -> u8 {
    const ROWS: usize = 200;
    let width = |delimiter: &u8| -> usize {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(*delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let widths: Vec<usize> = reader.byte_records().take(ROWS).flatten().map(|record| record.len()).collect();
        let Some(first) = widths.first().copied() else { return 0 };
        // The last row of the sample may be cut off.
        let like_it = widths.iter().filter(|width| **width == first).count();
        if like_it * 10 >= (widths.len().saturating_sub(1)) * 8 { first } else { 1 }
    };
    *DELIMITERS.iter().max_by_key(|delimiter| width(delimiter)).unwrap_or(&b',')
}

/// Whether the first row is a title: with some delimiter it has one cell, and most rows after it have at least three.
pub fn has_title(text: &str) -> bool {
    const ROWS: usize = 20;
    let filled = |delimiter: &u8| -> Option<(usize, usize)> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(*delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let cells = |record: csv::StringRecord| record.iter().filter(|cell| !cell.trim().is_empty()).count();
        let mut rows = reader.records().take(ROWS).flatten().map(cells);
        let title = rows.next()?;
        let mut others: Vec<usize> = rows.collect();
        others.sort_unstable();
        // The median: a single text that contains the delimiter does not count.
        Some((title, *others.get(others.len() / 2)?))
    };
    DELIMITERS.iter().filter_map(filled).any(|(title, others)| title == 1 && others >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_guessed_by_their_bytes() {
        let text = "Sô\u{301},Nô\u{323}i dung\n1,Cán bô\u{323} đo\u{300}i thêm tiê\u{300}n\n";
        assert_eq!(encoding(text.as_bytes()), None);
        assert_eq!(encoding(&WINDOWS_1258.encode(text).0), Some(WINDOWS_1258));
        assert_eq!(encoding(&WINDOWS_1252.encode("né,à côté\n").0), Some(WINDOWS_1252));
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(encoding(&wide).map(Encoding::name), Some("UTF-16BE"));
    }

    #[test]
    fn the_separator_is_that_of_the_columns_and_not_of_the_texts() {
        assert_eq!(delimiter("a;b;c\n1;x, y, z, u;2\n1;x;\"2;3\"\n"), b';');
        assert_eq!(delimiter("a,b\n1,\"x;y;z\"\n2,u;v\n"), b',');
        assert_eq!(delimiter("a\tb\n1\t2\n"), b'\t');
        assert_eq!(delimiter("a|b|c\n1|2|3\n"), b'|');
        assert_eq!(delimiter("a\n1\n"), b',');
    }

    #[test]
    fn a_title_above_the_names_of_columns_is_noticed() {
        for titled in ["Register of 2024\nid,day,unit\n1,2,3\n", "Sổ 2024;;;\n\nSố;Ngày;Đơn vị;Loại\n1;2;3;4\n"]
        {
            assert!(has_title(titled), "{titled}");
        }
        for plain in ["a\n1\n2\n", "a,b,c\n1,2,3\n", "text\n\"one, two, three\"\n\"x, y, z\"\n", "a,,\n1,,\n"] {
            assert!(!has_title(plain), "{plain}");
        }
    }
}
